"""Writing records to files: JSONL, Parquet, DuckDB, CSV.

An `Export` is one folder of results. Files are written under `OUT/.partial/` and moved into place when the
run ends, so that a killed run leaves nothing that looks whole.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Protocol, Self

import msgspec

from gongkai.errors import OutputError
from gongkai.types import Record

ERRORS_FILE = "errors.jsonl"
TABLES = ("documents", "sections", "entities", "relations", "facts", "findings")
PARTIAL = ".partial"


class Format(StrEnum):
    """What `gongkai extract --format` can write."""

    JSONL = "jsonl"
    PARQUET = "parquet"
    DUCKDB = "duckdb"
    CSV = "csv"


FILES: dict[Format, tuple[str, ...]] = {
    Format.JSONL: ("documents.jsonl",),
    Format.PARQUET: tuple(f"{table}.parquet" for table in TABLES),
    Format.DUCKDB: ("gongkai.duckdb",),
    Format.CSV: ("facts.csv", "findings.csv"),
}
"""The files that each format writes."""

RESULT_FILES = (*(name for names in FILES.values() for name in names), ERRORS_FILE)
"""Every file a run may leave. `errors.jsonl`, even if empty, comes into place last: it says the run ended."""


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


class Export:
    """A folder of results, open for writing; a context manager.

    Leaving the block without `commit` throws away what was written; the folder's old results stay.

    Args:
        out: The folder; made if absent.
        formats: What to write beside errors.jsonl.
        force: Whether results that lie there already may be replaced.

    Raises:
        OutputError: The folder holds results and `force` is not given, or it cannot be written, or the disk
            is full (raised by any method).
    """

    def __init__(
        self, out: Path, formats: Collection[Format] = (Format.JSONL,), *, force: bool = False
    ) -> None:
        self.out = out
        self._formats = tuple(dict.fromkeys(formats))
        self._force = force
        self._partial = out / PARTIAL
        self._own = {out.resolve() / name for name in RESULT_FILES}
        self._open: list[Writer | IO[bytes]] = []

    def __enter__(self) -> Self:
        with _writing(self.out):
            self._claim()
            try:
                self._writers = _writers(self._partial, self._formats)
                self._open.extend(self._writers)
                self._errors = (self._partial / ERRORS_FILE).open("wb")
                self._open.append(self._errors)
            except BaseException:
                self._discard()
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._discard()

    def holds(self, path: Path) -> bool:
        """Whether `path` is a file of this export, which a run over its own folder must not read."""
        path = path.resolve()
        return path in self._own or self._partial.resolve() in path.parents

    def add(self, record: Record) -> None:
        """Write one record in every format; if one cannot encode it, raise its error and write none."""
        encoded = [(writer, writer.encode(record)) for writer in self._writers]
        with _writing(self.out):
            for writer, chunk in encoded:
                writer.write(chunk)

    def add_failure(self, failure: Failure) -> None:
        """Write one line of errors.jsonl."""
        with _writing(self.out):
            self._errors.write(msgspec.json.encode(failure) + b"\n")

    def commit(self) -> None:
        """Close the files and move them into place; older results go, of other formats too."""
        with _writing(self.out):
            self._close()
            for name in RESULT_FILES:
                (self.out / name).unlink(missing_ok=True)
            for name in RESULT_FILES:
                if (self._partial / name).exists():
                    (self._partial / name).replace(self.out / name)

    def _claim(self) -> None:
        """Make the folder and its `.partial`, or refuse."""
        self.out.mkdir(parents=True, exist_ok=True)
        found = [name for name in RESULT_FILES if (self.out / name).exists()]
        if found and not self._force:
            problem = f"The folder already holds results ({', '.join(found)})."
            raise OutputError(
                str(self.out), problem, "Choose another folder, or pass --force to replace them."
            )
        if self._partial.exists():
            if not self._force:
                problem = f"Another run is writing here, or was killed ({PARTIAL} is left)."
                raise OutputError(str(self.out), problem, "Pass --force to throw its unfinished files away.")
            shutil.rmtree(self._partial)
        self._partial.mkdir()

    def _close(self) -> None:
        while self._open:
            self._open.pop().close()

    def _discard(self) -> None:
        """Close whatever is open and remove the unfinished files; never hides the error that led here."""
        for file in self._open:
            with suppress(Exception):  # a full disk fails again on close
                file.close()
        self._open.clear()
        shutil.rmtree(self._partial, ignore_errors=True)


def _writers(folder: Path, formats: Collection[Format]) -> list[Writer]:
    """The writers for `formats`; pyarrow and DuckDB are only imported where they are asked for."""
    from gongkai.export.jsonl import JsonlWriter

    writers: list[Writer] = []
    if Format.JSONL in formats:
        writers.append(JsonlWriter(folder))
    if Format.CSV in formats or Format.PARQUET in formats or Format.DUCKDB in formats:
        from gongkai.export.tabular import CsvWriter, DuckDBSink, ParquetSink, TableWriter

        sinks = [
            kind(folder)
            for name, kind in ((Format.PARQUET, ParquetSink), (Format.DUCKDB, DuckDBSink))
            if name in formats
        ]
        if sinks:
            writers.append(TableWriter(sinks))
        if Format.CSV in formats:
            writers.append(CsvWriter(folder))
    return writers


@contextmanager
def _writing(out: Path) -> Iterator[None]:
    """Turn what the operating system, Arrow or DuckDB say of a file into one `OutputError`."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            str(out), f"Writing failed: {reason}.", "Free space or choose another folder."
        ) from error
