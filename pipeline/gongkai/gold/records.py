"""Gold records: the typed form of one line of a gold file, and the way in and out of JSON Lines.

The format is that of the annotation guidelines: offsets are code points into `text`, start inclusive, end
exclusive. A stand-off record carries the SHA-256 of its text in place of the text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from gongkai.errors import BrokenRecord, OutputError, UnreadableInput
from gongkai.types import Record


class GoldEntity(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A marked span.

    `label` is any string, so that a file with a foreign label is read and its fault named by `validate`.
    `score` and `by` are of pre-annotations only.
    """

    id: str
    label: str
    start: int
    end: int
    score: float | None = None
    by: str | None = None


class GoldRelation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A directed relation between two entity ids."""

    label: str
    head: str
    tail: str
    score: float | None = None
    by: str | None = None


class Annotated(msgspec.Struct, frozen=True, kw_only=True):
    """What a record with its text and a stand-off record have in common."""

    id: str
    entities: tuple[GoldEntity, ...] = ()
    relations: tuple[GoldRelation, ...] = ()
    meta: dict[str, Any] = {}


class StandoffRecord(Annotated, frozen=True, kw_only=True):
    """Annotations of a text that is elsewhere; `sha256` is that of the text in UTF-8."""

    sha256: str


class GoldRecord(Annotated, frozen=True, kw_only=True):
    """An annotated document."""

    text: str

    @property
    def sha256(self) -> str:
        """SHA-256 of the text in UTF-8, which tells one text from another under the same id."""
        return text_sha256(self.text)


def text_sha256(text: str) -> str:
    """SHA-256 of a text in UTF-8, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def from_record(record: Record) -> GoldRecord:
    """The pipeline's record as pre-annotation: spans and relations with their scores."""
    return GoldRecord(
        id=record.id,
        text=record.text,
        entities=tuple(
            GoldEntity(id=e.id, label=e.label, start=e.start, end=e.end, score=e.score, by=e.by)
            for e in record.entities
        ),
        relations=tuple(
            GoldRelation(label=r.label, head=r.head, tail=r.tail, score=r.score, by=r.by)
            for r in record.relations
        ),
        meta={name: value for name, value in msgspec.to_builtins(record.meta).items() if value is not None},
    )


def canonical(record: GoldRecord) -> GoldRecord:
    """The same annotations in text order, relations by the place of their head, then of their tail."""
    entities = sorted(record.entities, key=lambda e: (e.start, -e.end, e.label, e.id))
    place = {entity.id: number for number, entity in enumerate(entities)}
    last = len(entities)
    relations = sorted(
        record.relations, key=lambda r: (place.get(r.head, last), place.get(r.tail, last), r.label)
    )
    return msgspec.structs.replace(record, entities=tuple(entities), relations=tuple(relations))


_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_gold = msgspec.json.Decoder(GoldRecord)
_standoff = msgspec.json.Decoder(StandoffRecord)


def parse(line: bytes, where: str) -> GoldRecord | StandoffRecord:
    """The record on a line: with `text`, or with `sha256` in its place.

    Raises:
        BrokenRecord: It is no JSON object, or a field is missing or of the wrong kind; the text names it.
    """
    try:
        return _gold.decode(line) if "text" in _fields.decode(line) else _standoff.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BrokenRecord(where, f"{error}.", "Correct the line, or write the file anew.") from None


def read_lines(path: Path) -> Iterator[tuple[int, GoldRecord | StandoffRecord | BrokenRecord]]:
    """Line number and record of every line that is not blank; the error in the place of a broken one.

    Raises:
        UnreadableInput: The file cannot be opened.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                try:
                    yield number, parse(line, f"{path} line {number}")
                except BrokenRecord as error:
                    yield number, error
    except OSError as error:
        raise UnreadableInput(
            str(path), f"{error.strerror or error}.", "Check the path and its permissions."
        ) from None


def read(path: Path) -> Iterator[GoldRecord]:
    """The records of a gold file.

    Raises:
        BrokenRecord: A line is no gold record, or a stand-off one.
        UnreadableInput: The file cannot be opened.
    """
    for number, record in read_lines(path):
        if isinstance(record, BrokenRecord):
            raise record
        if isinstance(record, StandoffRecord):
            raise BrokenRecord(
                f"{path} line {number}",
                "It has no text.",
                "Join it with its text first: gongkai annotate hydrate.",
            )
        yield record


def write(records: Iterable[Annotated], path: Path, *, force: bool = False) -> int:
    """Write records as JSON Lines; the file is replaced as a whole or not at all.

    Returns:
        How many were written.

    Raises:
        OutputError: The file exists and `force` is not given, or it cannot be written.
    """
    if path.exists() and not force:
        raise OutputError(str(path), "It exists.", "Choose another name, or replace it with --force.")
    unfinished = path.with_name(f".{path.name}.unfinished")
    encoder = msgspec.json.Encoder()
    count = 0
    try:
        with unfinished.open("wb") as file:
            for record in records:
                file.write(encoder.encode(record) + b"\n")
                count += 1
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise OutputError(
            str(path), f"{error.strerror or error}.", "Check the folder and its permissions."
        ) from None
    return count
