"""Writing records to files: JSONL, Parquet, DuckDB, CSV.

A `Chunk` is the folder of the results of one shard; `gongkai.export.merge` makes the results of a run of the
chunks of all its shards.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import msgspec

from gongkai.errors import OutputError
from gongkai.types import Record

ERRORS_FILE = "errors.jsonl"
TABLES = ("documents", "sections", "entities", "relations", "facts", "findings")


class Format(StrEnum):
    """What `gongkai extract --format` can write."""

    JSONL = "jsonl"
    PARQUET = "parquet"
    DUCKDB = "duckdb"
    CSV = "csv"


RESULTS: dict[Format, tuple[str, ...]] = {
    Format.JSONL: ("documents.jsonl",),
    Format.PARQUET: TABLES,
    Format.DUCKDB: ("gongkai.duckdb",),
    Format.CSV: ("facts.csv", "findings.csv"),
}
"""The files and folders (`documents/year=2019/part-00000.parquet` …) that each format is in the end."""

DERIVED = ("archive_findings.parquet", "citations.parquet", "citations.graphml")
"""What `gongkai check` (`gongkai.archive`) makes of the results, and lays beside them."""


class Failure(msgspec.Struct, frozen=True):
    """One line of errors.jsonl: an input that gave no record.

    Attributes:
        member: The line or part of a container; None for the file as a whole.
        error: Name of the error's class, e.g. `NoTextLayer`.
    """

    path: str
    member: str | None
    error: str
    message: str


class Writer(Protocol):
    """One way of writing records. `encode` does all that can fail on a record, `write` only the writing."""

    def encode(self, record: Record) -> Any: ...
    def write(self, encoded: Any) -> None: ...
    def close(self) -> None: ...


class Chunk:
    """The results of one shard, open for writing; a context manager.

    Args:
        folder: Made; it must not be there.
        formats: What to write beside errors.jsonl.

    Raises:
        OutputError: It cannot be written, or the disk is full (raised by any method).
    """

    def __init__(self, folder: Path, formats: Collection[Format]) -> None:
        self.folder = folder
        self._formats = formats
        self._files = ExitStack()

    def __enter__(self) -> Self:
        with writing(self.folder):
            self.folder.mkdir()
            self._writers = _writers(self.folder, self._formats)
            for writer in self._writers:
                self._files.callback(writer.close)
            self._errors = self._files.enter_context((self.folder / ERRORS_FILE).open("wb"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with writing(self.folder):
            self._files.close()

    def add(self, record: Record) -> None:
        """Write one record in every format; if one cannot encode it, raise its error and write none."""
        encoded = [(writer, writer.encode(record)) for writer in self._writers]
        with writing(self.folder):
            for writer, piece in encoded:
                writer.write(piece)

    def add_failure(self, failure: Failure) -> None:
        """Write one line of errors.jsonl."""
        with writing(self.folder):
            self._errors.write(failure_line(failure))


def failure_line(failure: Failure) -> bytes:
    """A line of errors.jsonl."""
    return msgspec.json.encode(failure) + b"\n"


def _writers(folder: Path, formats: Collection[Format]) -> list[Writer]:
    """The writers for `formats`; pyarrow and DuckDB are only imported where they are asked for."""
    from gongkai.export.jsonl import JsonlWriter

    writers: list[Writer] = []
    if Format.JSONL in formats:
        writers.append(JsonlWriter(folder))
    if Format.PARQUET in formats or Format.DUCKDB in formats:
        from gongkai.export.tabular import TableWriter

        writers.append(TableWriter(folder))
    if Format.CSV in formats:
        from gongkai.export.tabular import CsvWriter

        writers.append(CsvWriter(folder))
    return writers


@contextmanager
def writing(out: Path) -> Iterator[None]:
    """Turn what the operating system, Arrow or DuckDB say of a file into one `OutputError`."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            str(out), f"Writing failed: {reason}.", "Free space or choose another folder."
        ) from error
