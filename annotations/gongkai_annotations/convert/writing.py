"""What all converters have in common when they write: whole or not at all, and nothing lost in silence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gongkai.errors import BrokenRecord, GongkaiError, OutputError
from gongkai.gold.records import Annotated, GoldRecord


class CannotCarry(GongkaiError):
    """A record holds what the format has no place for."""


def with_texts(records: Iterable[Annotated]) -> Iterator[GoldRecord]:
    """The records, every one with its text and with spans that lie within it.

    Raises:
        CannotCarry: One is stand-off.
        BrokenRecord: A span lies outside the text.
    """
    for record in records:
        if not isinstance(record, GoldRecord):
            raise CannotCarry(
                f"document {record.id}", "It has no text.", "Join it first: gongkai annotate hydrate."
            )
        check_extents(record, f"document {record.id}")
        yield record


def check_extents(record: GoldRecord, where: str) -> None:
    """Raise BrokenRecord for a span that is empty or lies outside the text."""
    for entity in record.entities:
        if not 0 <= entity.start < entity.end <= len(record.text):
            problem = f"Span {entity.id} ({entity.start}–{entity.end}) does not lie within its text."
            raise BrokenRecord(where, problem, "Correct its offsets; see: gongkai annotate validate.")


@contextmanager
def new_file(path: Path, *, force: bool) -> Iterator[Path]:
    """A file beside `path` to write to, which takes its place in the end, or is removed after an error.

    Raises:
        OutputError: The file exists and `force` is not given, or it cannot be written.
    """
    if path.is_dir() or (path.exists() and not force):
        raise OutputError(str(path), "It exists.", "Choose another name, or replace a file with --force.")
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        yield unfinished
        unfinished.replace(path)
    except OSError as error:
        raise OutputError(
            str(path), f"{error.strerror or error}.", "Check the folder and its permissions."
        ) from None
    finally:
        unfinished.unlink(missing_ok=True)
