"""doccano's JSON Lines for sequence labelling with relations.

    {"text": "…", "entities": [{"id": 1, "label": "COUNT", "start_offset": 10, "end_offset": 14}],
     "relations": [{"id": 1, "from_id": 1, "to_id": 2, "type": "value_of"}], "gongkai": {"id": "…", …}}

doccano counts offsets in UTF-16 code units (its issue 2290), so that a character outside the Basic
Multilingual Plane (𠮷, an emoji) is two; they are turned into code points and back. That is its default: a
project with "Count grapheme clusters as one character" counts otherwise and is not supported.

doccano numbers spans anew and keeps what else stands in a line as the document's metadata; `gongkai` there
holds our ids and the record's meta. Spans whose numbers are no longer ours get the ids T1, T2 … by their
numbers. Not carried: scores and origins of pre-annotations.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from gongkai.errors import BrokenRecord, UnreadableInput
from gongkai.gold.records import Annotated, GoldEntity, GoldRecord, GoldRelation

from .writing import check_extents, new_file, with_texts


class Entity(msgspec.Struct, frozen=True, kw_only=True):
    """A span, in UTF-16 code units."""

    id: int
    label: str
    start_offset: int
    end_offset: int


class Relation(msgspec.Struct, frozen=True, kw_only=True):
    """A relation between two spans' numbers."""

    id: int
    from_id: int
    to_id: int
    type: str


class Carried(msgspec.Struct, frozen=True, kw_only=True):
    """What doccano has no place for: the record's id and meta, the spans' own ids in the order of numbers."""

    id: str
    ids: tuple[str, ...] = ()
    meta: dict[str, Any] = {}


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line; `label` is what doccano exports in place of `entities` from a project without relations."""

    text: str
    entities: tuple[Entity, ...] = ()
    relations: tuple[Relation, ...] = ()
    gongkai: Carried | None = None
    id: int | str | None = None
    label: tuple[tuple[int, int, str], ...] = ()


class _Written(msgspec.Struct, frozen=True, kw_only=True):
    text: str
    entities: tuple[Entity, ...]
    relations: tuple[Relation, ...]
    gongkai: Carried


def write(records: Iterable[Annotated], path: Path, *, force: bool = False) -> int:
    """Write doccano's JSON Lines; returns how many documents. Errors as of `convert`."""
    encoder = msgspec.json.Encoder()
    count = 0
    with new_file(path, force=force) as unfinished, unfinished.open("wb") as file:
        for record in with_texts(records):
            file.write(encoder.encode(_written(record)) + b"\n")
            count += 1
    return count


def read(path: Path) -> Iterator[GoldRecord]:
    """The records of a file that `write` made or that doccano exported.

    Raises:
        BrokenRecord: A line is none of the format; the text names it.
        UnreadableInput: The file cannot be opened.
    """
    decoder = msgspec.json.Decoder(Line)
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                where = f"{path} line {number}"
                try:
                    yield _record(decoder.decode(line), where, str(number))
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                    raise BrokenRecord(where, f"{error}.", "Export it anew from doccano.") from None
    except OSError as error:
        raise UnreadableInput(str(path), f"{error.strerror or error}.", "Check the path.") from None


class Utf16:
    """Offsets of a text in code points to UTF-16 code units and back.

    >>> units = Utf16("𠮷市5件")
    >>> units.unit(1), units.point(2), units.point(1)
    (2, 1, None)
    """

    def __init__(self, text: str) -> None:
        self._astral = (
            [place for place, char in enumerate(text) if char > "\uffff"] if not text.isascii() else []
        )
        self._units = [place + number for number, place in enumerate(self._astral)]

    def unit(self, point: int) -> int:
        """Offset in code units."""
        return point + bisect_left(self._astral, point)

    def point(self, unit: int) -> int | None:
        """Offset in code points; None within a character."""
        before = bisect_left(self._units, unit)
        if before and self._units[before - 1] + 1 == unit:
            return None
        return unit - before


def _written(record: GoldRecord) -> _Written:
    units = Utf16(record.text)
    numbers = {entity.id: number for number, entity in enumerate(record.entities, start=1)}
    for relation in record.relations:
        if relation.head not in numbers or relation.tail not in numbers:
            problem = f"A relation {relation.label} leads to a span that is not there."
            raise BrokenRecord(f"document {record.id}", problem, "See: gongkai annotate validate.")
    return _Written(
        text=record.text,
        entities=tuple(
            Entity(id=number, label=e.label, start_offset=units.unit(e.start), end_offset=units.unit(e.end))
            for number, e in enumerate(record.entities, start=1)
        ),
        relations=tuple(
            Relation(id=number, from_id=numbers[r.head], to_id=numbers[r.tail], type=r.label)
            for number, r in enumerate(record.relations, start=1)
        ),
        gongkai=Carried(id=record.id, ids=tuple(e.id for e in record.entities), meta=record.meta),
    )


def _record(line: Line, where: str, name: str) -> GoldRecord:
    units = Utf16(line.text)
    carried = line.gongkai or Carried(id=str(line.id if line.id is not None else name))
    spans = line.entities or tuple(
        Entity(id=number, label=label, start_offset=start, end_offset=end)
        for number, (start, end, label) in enumerate(line.label, start=1)
    )
    own = [span.id for span in spans] == list(range(1, len(carried.ids) + 1))
    names = {span.id: carried.ids[span.id - 1] if own else f"T{span.id}" for span in spans}
    entities = []
    for span in spans:
        start, end = units.point(span.start_offset), units.point(span.end_offset)
        if start is None or end is None:
            problem = f"Span {span.id} begins or ends within a character."
            raise BrokenRecord(where, problem, "Correct its offsets (UTF-16 code units).")
        entities.append(GoldEntity(id=names[span.id], label=span.label, start=start, end=end))
    try:
        relations = tuple(
            GoldRelation(label=r.type, head=names[r.from_id], tail=names[r.to_id]) for r in line.relations
        )
    except KeyError as error:
        raise BrokenRecord(
            where, f"A relation leads to span {error}, which is not there.", "Export it anew."
        ) from None
    record = GoldRecord(
        id=carried.id, text=line.text, entities=tuple(entities), relations=relations, meta=carried.meta
    )
    check_extents(record, where)
    return record
