"""Every error gongkai raises, named by meaning.

An error says what was found and where, and what to do next; the command line prints its text as one line.
"""

from __future__ import annotations


class GongkaiError(Exception):
    """Root of all errors a user of gongkai can meet.

    Args:
        where: The file, record or config row concerned, as the user knows it.
        problem: What was found.
        remedy: What to do about it.
    """

    def __init__(self, where: str, problem: str, remedy: str) -> None:
        super().__init__(f"{where}: {problem} {remedy}")
        self.where = where
        self.problem = problem
        self.remedy = remedy

    def __reduce__(self) -> tuple[type[GongkaiError], tuple[str, str, str]]:
        """As it is raised again in another process."""
        return type(self), (self.where, self.problem, self.remedy)


class ConfigError(GongkaiError):
    """A file in `configs/` breaks its schema, or a rule row breaks its own examples."""


class IngestError(GongkaiError):
    """A file could not be turned into a document."""


class EmptyInput(IngestError):
    """The file holds no text at all."""


class BinaryInput(IngestError):
    """The bytes are not text in any known encoding, or not of the format that the name promises."""


class EncryptedInput(IngestError):
    """The file asks for a password."""


class NoTextLayer(IngestError):
    """A PDF of scanned pages: pictures, no characters."""


class DamagedInput(IngestError):
    """The container is truncated or broken (PDF, DOCX, MHTML, JSONL line)."""


class OversizedInput(IngestError):
    """The file or a line in it is larger than the configured limit."""


class UnsupportedInput(IngestError):
    """No reader handles this kind of file."""


class UnreadableInput(IngestError):
    """The operating system refused to open or read the file."""


class Quarantined(IngestError):
    """A document or file hung, or ended the process that was reading it, time and again."""


class OutputError(GongkaiError):
    """The output folder cannot be written, or holds something that must not be overwritten."""


class WorkerLost(GongkaiError):
    """A worker process cannot be started, or ends whatever it is given."""


class UnusableCluster(GongkaiError):
    """Ray is not installed, no cluster answers, or its nodes have another gongkai."""


class BrokenRecord(GongkaiError):
    """A line is no gold record."""


class MissingText(GongkaiError):
    """The text of a stand-off record is not there, or is another text than the one annotated."""


class MismatchedValues(GongkaiError):
    """Values were written for another text or other spans than the gold has."""


class Unpaired(GongkaiError):
    """A document is on one side only, twice on one side, or has another text on each."""


class BrokenPrediction(GongkaiError):
    """A record points to what it does not hold, or gives a score that is none."""


class StalePage(GongkaiError):
    """A page quotes other figures than the leaderboard, or has no marks to write them between."""


class BrokenModel(GongkaiError):
    """A folder holds no trained model, a damaged one, or one of another version."""


class BrokenArchive(GongkaiError):
    """A folder holds no tables of a run, or not those that are needed."""


class BadQuery(GongkaiError):
    """A query is no single SELECT, breaks the syntax, or names what is not there."""
