"""One run over files and folders: read, extract, write, count.

Memory does not grow with the number of documents: one batch of them is in hand at a time, and rows for Parquet
and DuckDB leave in batches, too. Bad input becomes a line of errors.jsonl and the run goes on.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

import msgspec

from gongkai.batching import BATCH_CHARACTERS, batches
from gongkai.errors import IngestError, OutputError, UnreadableInput
from gongkai.export import Export, Failure, Format
from gongkai.ingest import Location, discover, read
from gongkai.types import Document, Record


class DocumentExtractor(Protocol):
    """What turns a document into a record: `gongkai.pipeline.Extractor`, or a stand-in."""

    def extract(self, document: Document) -> Record: ...


@runtime_checkable
class BatchExtractor(DocumentExtractor, Protocol):
    """An extractor that is faster on many documents at once, and gives the same records in the same order."""

    def extract_all(self, documents: Iterable[Document]) -> Iterator[Record]: ...


@dataclass(slots=True)
class RunSummary:
    """What a run has done so far; complete when `run` returns it.

    Attributes:
        documents: Records written.
        characters: Of those records.
        entities: By label.
        findings: By check.
        errors: Inputs that gave no record, by class of error.
        stopped_by: With `fail_fast`, the failure that ended the run.
    """

    files: int = 0
    documents: int = 0
    characters: int = 0
    entities: Counter[str] = field(default_factory=Counter)
    relations: int = 0
    facts: int = 0
    findings: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    stopped_by: Failure | None = None

    @property
    def failed(self) -> int:
        """Number of inputs that gave no record."""
        return self.errors.total()

    @property
    def characters_per_second(self) -> float:
        return self.characters / self.seconds if self.seconds else 0.0

    def count(self, record: Record) -> None:
        """Add one written record."""
        self.documents += 1
        self.characters += len(record.text)
        self.entities.update(entity.label for entity in record.entities)
        self.relations += len(record.relations)
        self.facts += len(record.facts)
        self.findings.update(finding.check for finding in record.findings)


class _Input(NamedTuple):
    """A document, or why there is none, and its file."""

    path: Location
    item: Document | Failure


_FAILURE_CHARACTERS = 1_000
"""What an input without a document counts for in a batch, so that a folder of bad files is told of as it goes."""

Progress = Callable[[RunSummary, Path], None]
"""Called after every document and failure with the counts so far and the file in hand."""


def run(
    paths: Iterable[Location],
    out: Path,
    *,
    extractor: DocumentExtractor,
    formats: Collection[Format] = (Format.JSONL,),
    fail_fast: bool = False,
    force: bool = False,
    progress: Progress | None = None,
) -> RunSummary:
    """Extract every document under `paths`, files, folders and URLs, into the folder `out`.

    A file that cannot be read, a document on which the extractor fails, and a record that a format cannot
    hold each become one line of errors.jsonl. With `fail_fast` the first of them ends the run; what was done
    before it is kept.

    Args:
        extractor: Turns one document into one record, or many at once if it can (`BatchExtractor`).
        formats: What to write; errors.jsonl is always written, empty if nothing failed.
        force: Whether results that lie in `out` already may be replaced.
        progress: Told of every step.

    Raises:
        OutputError: `out` holds results and `force` is not given, or it cannot be written.
        UnreadableInput: There is no file under `paths`; nothing is written.
    """
    paths = list(paths)
    started = time.perf_counter()
    summary = RunSummary()
    with Export(out, formats, force=force) as export:
        for path, outcome in _outcomes(_inputs(paths, export, summary), extractor, export):
            if isinstance(outcome, Record):
                summary.count(outcome)
            else:
                export.add_failure(outcome)
                summary.errors[outcome.error] += 1
            summary.seconds = time.perf_counter() - started
            if progress:
                progress(summary, Path(path))
            if fail_fast and isinstance(outcome, Failure):
                summary.stopped_by = outcome
                break
        if not summary.files:
            where = ", ".join(map(_printable, paths)) or "PATH"
            raise UnreadableInput(
                where, "No file to read was found there.", "Name a file, or a folder with files."
            )
        export.commit()
    summary.seconds = time.perf_counter() - started
    return summary


def nth_document(path: Location, number: int = 1) -> Document:
    """The document of a file, or the `number`-th (from 1) of a file that holds several.

    Raises:
        IngestError: The file, or that part of it, cannot be read, or it holds fewer documents.
    """
    count = 0
    for count, item in enumerate(read(path), start=1):
        if count == number:
            if isinstance(item, IngestError):
                raise item
            return item
    raise UnreadableInput(str(path), f"It holds {count} documents, not {number}.", "Choose a lower --number.")


def _inputs(paths: Iterable[Location], export: Export, summary: RunSummary) -> Iterator[_Input]:
    """Every document under the paths, or why one cannot be read; counts the files."""
    refused: list[IngestError] = []
    for path in discover(paths, refused=refused.append):
        yield from _refusals(refused)
        if isinstance(path, Path) and export.holds(path):
            continue
        summary.files += 1
        try:
            for item in read(path):
                if isinstance(item, IngestError):
                    yield _Input(path, _failure(path, _member(path, item), item))
                else:
                    yield _Input(path, _named(item))
        except Exception as error:
            yield _Input(path, _failure(path, None, error))
    yield from _refusals(refused)


def _refusals(refused: list[IngestError]) -> Iterator[_Input]:
    """What was met on the way to the next file and left out; empties the list."""
    for error in refused:
        yield _Input(error.where, _failure(error.where, None, error))
    refused.clear()


def _outcomes(
    inputs: Iterable[_Input], extractor: DocumentExtractor, export: Export
) -> Iterator[tuple[Location, Record | Failure]]:
    """For every input, its record once written, or why there is none."""
    for batch in batches(
        inputs, _characters, BATCH_CHARACTERS if isinstance(extractor, BatchExtractor) else 1
    ):
        records = _records([each.item for each in batch if isinstance(each.item, Document)], extractor)
        for path, item in batch:
            yield path, item if isinstance(item, Failure) else _written(path, item, next(records), export)


def _records(documents: Sequence[Document], extractor: DocumentExtractor) -> Iterator[Record | Exception]:
    """The record of each document; one that fails costs the others of its batch nothing but time."""
    done = 0
    if isinstance(extractor, BatchExtractor) and len(documents) > 1:
        try:
            for record in extractor.extract_all(documents):
                yield record
                done += 1
        except Exception:
            pass  # Which document it was shows when they are taken one by one.
    for document in documents[done:]:
        try:
            yield extractor.extract(document)
        except Exception as error:
            yield error


def _written(
    path: Location, document: Document, record: Record | Exception, export: Export
) -> Record | Failure:
    if isinstance(record, OutputError):
        raise record
    if isinstance(record, Exception):
        return _failure(path, document.source.member, record)
    try:
        export.add(record)
    except OutputError:
        raise
    except Exception as error:
        return _failure(path, document.source.member, error)
    return record


def _characters(each: _Input) -> int:
    return len(each.item.text) if isinstance(each.item, Document) else _FAILURE_CHARACTERS


def _member(path: Location, error: IngestError) -> str | None:
    """The part of the file that an error is about: what its `where` says beyond the path, e.g. `line 3`."""
    return _encodable(error.where.removeprefix(str(path)).strip()) or None


def _named(document: Document) -> Document:
    """The document with a path that JSON and Arrow can hold."""
    path = document.source.path
    if path is None or path == _encodable(path):
        return document
    source = msgspec.structs.replace(document.source, path=_encodable(path))
    return msgspec.structs.replace(document, source=source)


def _failure(path: Location, member: str | None, error: Exception) -> Failure:
    message = str(error) or f"{type(error).__name__} without a message"
    return Failure(_printable(path), member, type(error).__name__, _encodable(message))


def _printable(path: Location) -> str:
    return _encodable(str(path))


def _encodable(text: str) -> str:
    r"""`text` with bytes of a file name that are no UTF-8 (names in GBK, unzipped) as `\udcXX`."""
    return text.encode("utf-8", "backslashreplace").decode()
