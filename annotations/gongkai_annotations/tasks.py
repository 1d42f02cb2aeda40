"""Documents to Label Studio tasks and back, without loss.

A long document becomes several tasks, parted at section borders. A task's data carry everything that is
needed to put the document together again, so that nothing but the project has to be kept:

- `text` is what annotators see. It has the length of the part in code points, which are also what Label
  Studio counts offsets in (its editor splits the text by code points), so that an offset in the task is an
  offset in the part. Three characters would be shown wrongly and are replaced one by one: the editor shows
  ``\\r\\n`` as two line breaks, a NUL not at all. `source` is the exact text where it differs.
- `borders` are the offsets of all parts of the document, `sha256` is that of its whole text.
- `crossing` are the relations that lead out of the part, by label and offsets of both spans: Label Studio
  knows no relation between tasks.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any

import msgspec

from gongkai.gold.records import GoldEntity, GoldRecord, GoldRelation, canonical, text_sha256
from gongkai.ingest import read_text
from gongkai.structure import analyse
from gongkai.text import fold
from gongkai.types import EntityLabel, RelationLabel, Structure

from . import interface

LONGEST_PART = 4000
"""Characters of a task by default: what Label Studio's editor still shows without delay in a dense report."""
CONTEXT = 120
"""Characters before and after a part that are shown beside it."""

_RELATION_LABELS = frozenset(RelationLabel.__args__)  # type: ignore[attr-defined]
_ENTITY_LABELS = frozenset(EntityLabel.__args__)  # type: ignore[attr-defined]
_HIDDEN = re.compile(r"\r(?=\n)")
_COMPARED = re.compile(r"\\n|[\s\u200b\ufffd\x00]+")
_SENTENCE, _PARAGRAPH, _SECTION, _CHAPTER = 1, 2, 3, 4


class SpanRef(msgspec.Struct, frozen=True, order=True):
    """A span by its label and its place in the document."""

    label: str
    start: int
    end: int


class Crossing(msgspec.Struct, frozen=True, order=True):
    """A relation between spans of two tasks."""

    label: str
    head: SpanRef
    tail: SpanRef


class TaskData(msgspec.Struct, frozen=True, kw_only=True):
    """The data of one task; see the module's text for what each field is for.

    Attributes:
        part: Number of the part, from 1.
        title, place, before, after: What annotators see around the text.
        meta: The record's own.
    """

    document_id: str
    sha256: str
    part: int
    borders: tuple[int, ...]
    text: str
    title: str
    place: str
    before: str
    after: str
    source: str | None = None
    crossing: tuple[Crossing, ...] = ()
    meta: dict[str, Any] = {}

    @property
    def start(self) -> int:
        """Offset of the part in the document."""
        return self.borders[self.part - 1]

    @property
    def exact(self) -> str:
        """The part's text exactly as in the document."""
        return self.text if self.source is None else self.source


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Something in an annotation that cannot be made gold; `start` and `end` count in the document."""

    what: str
    start: int | None = None
    end: int | None = None


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What an annotation of one task says, with offsets into the document."""

    data: TaskData
    entities: tuple[GoldEntity, ...] = ()
    relations: tuple[GoldRelation, ...] = ()
    faults: tuple[Fault, ...] = ()
    rejected: bool = False
    note: str | None = None


class Joined(msgspec.Struct, frozen=True, kw_only=True):
    """A document put together: its record, how many relations between parts stand and fell."""

    record: GoldRecord
    faults: tuple[Fault, ...] = ()
    crossing_kept: int = 0
    crossing_dropped: int = 0


def shown(text: str) -> str:
    """The text as it is shown: of the same length, line breaks of two characters shown as one."""
    return _HIDDEN.sub("\u200b", text).replace("\x00", "\ufffd")


def split(record: GoldRecord, longest: int = LONGEST_PART) -> tuple[int, ...]:
    """Borders that part a document: 0, …, its length.

    A part ends where the highest section ends, else a paragraph, else a sentence, in the second half of
    what fits; of equals, where the fewest relations cross, then the last. No span is ever cut.
    """
    length = len(record.text)
    if length <= longest:
        return (0, length)
    view = fold(record.text)
    ranks = _ranks(length, analyse(read_text(record.text), view))
    for start, end in _merged(record.entities):
        for place in range(start + 1, end):
            ranks.pop(place, None)
    return _pack(length, longest, sorted(ranks), ranks, _crossings(record), _merged(record.entities))


def tasks(record: GoldRecord, borders: Sequence[int]) -> list[TaskData]:
    """The data of the tasks of a document."""
    sections = analyse(read_text(record.text), fold(record.text)).sections if len(borders) > 2 else ()
    digest = text_sha256(record.text)
    crossing = crossing_relations(record, borders)
    title = str(record.meta.get("title") or record.id)
    made = []
    for number, (start, end) in enumerate(pairwise(borders), start=1):
        exact = record.text[start:end]
        text = shown(exact)
        headings = [s.title or "" for s in sections if s.start <= start < s.end and s.title]
        made.append(
            TaskData(
                document_id=record.id,
                sha256=digest,
                part=number,
                borders=tuple(borders),
                text=text,
                title=title,
                place=_place(number, len(borders) - 1, headings, len(crossing[number - 1])),
                before=shown(record.text[max(0, start - CONTEXT) : start]).strip(),
                after=shown(record.text[end : end + CONTEXT]).strip(),
                source=None if text == exact else exact,
                crossing=crossing[number - 1],
                meta=dict(record.meta),
            )
        )
    return made


def crossing_relations(record: GoldRecord, borders: Sequence[int]) -> list[tuple[Crossing, ...]]:
    """For each part, the relations whose head is in it and whose tail is not."""
    entities = {entity.id: entity for entity in record.entities}
    found: list[set[Crossing]] = [set() for _ in range(len(borders) - 1)]
    for relation in record.relations:
        head, tail = entities[relation.head], entities[relation.tail]
        part = _part(head.start, borders)
        if part != _part(tail.start, borders):
            found[part].add(Crossing(relation.label, _reference(head), _reference(tail)))
    return [tuple(sorted(crossing)) for crossing in found]


def result(record: GoldRecord, data: TaskData) -> list[dict[str, Any]]:
    """The part's spans and relations in Label Studio's form, spans under their own ids."""
    start, end = data.start, data.borders[data.part]
    inside = [e for e in record.entities if start <= e.start and e.end <= end and e.end > start]
    ids = {entity.id for entity in inside}
    regions = [_region(entity, data) for entity in inside]
    relations = [_link(r) for r in record.relations if r.head in ids and r.tail in ids]
    return regions + relations


def score(record: GoldRecord, data: TaskData) -> float | None:
    """Mean score of the part's spans (tasks of low scores are worth seeing first); None where none has one."""
    start, end = data.start, data.borders[data.part]
    scores = [e.score for e in record.entities if e.score is not None and start <= e.start and e.end <= end]
    return math.fsum(scores) / len(scores) if scores else None


def read_result(items: Iterable[Mapping[str, Any]], data: TaskData) -> Reading:
    """An annotation's result as spans and relations of the document.

    Whatever cannot be read is named in `faults`; nothing is left out in silence.
    """
    reader = _ResultReader(data)
    listed = list(items)
    for item in listed:
        if item.get("type") != "relation":
            reader.region(item)
    for item in listed:
        if item.get("type") == "relation":
            reader.relation(item)
    return Reading(
        data=data,
        entities=tuple(reader.entities),
        relations=tuple(reader.relations),
        faults=tuple(reader.faults),
        rejected=reader.rejected,
        note=reader.note,
    )


def join(readings: Sequence[Reading]) -> Joined:
    """Put a document together from one annotator's readings of all its parts, in order.

    Spans keep their ids; one that two parts share is given the next free one. Relations between parts stand
    where both their spans still do; where an annotator moved a span's ends, the one span of its label that
    overlaps it stands for it.
    """
    first = readings[0].data
    entities: list[GoldEntity] = []
    relations: list[GoldRelation] = []
    taken = {entity.id for reading in readings for entity in reading.entities}
    used: set[str] = set()
    for reading in readings:
        renamed = {e.id: _free_id(e.id, used, taken) for e in reading.entities}
        entities += [msgspec.structs.replace(e, id=renamed[e.id]) for e in reading.entities]
        relations += [
            msgspec.structs.replace(r, head=renamed[r.head], tail=renamed[r.tail]) for r in reading.relations
        ]
    crossing = sorted({each for reading in readings for each in reading.data.crossing})
    places = {_reference(entity): entity for entity in reversed(entities)}
    restored = (_restored(each, places) for each in crossing)
    kept = [relation for relation in restored if relation is not None]
    notes = [reading.note for reading in readings if reading.note]
    record = GoldRecord(
        id=first.document_id,
        text="".join(reading.data.exact for reading in readings),
        entities=tuple(entities),
        relations=(*relations, *kept),
        meta=dict(first.meta) | ({"notes": notes} if notes else {}),
    )
    return Joined(
        record=canonical(record),
        faults=tuple(fault for reading in readings for fault in reading.faults),
        crossing_kept=len(kept),
        crossing_dropped=len(crossing) - len(kept),
    )


def _ranks(length: int, structure: Structure) -> dict[int, int]:
    """Where the document may be parted → how well."""
    ranks: dict[int, int] = {}

    def offer(place: int, rank: int) -> None:
        if 0 < place < length:
            ranks[place] = max(rank, ranks.get(place, 0))

    for start, _ in structure.sentences:
        offer(start, _SENTENCE)
    for start, _ in structure.paragraphs:
        offer(start, _PARAGRAPH)
    for section in structure.sections:
        offer(section.start, _CHAPTER if section.level <= 1 else _SECTION)
    for table in structure.tables:
        for place in range(table.start + 1, table.end):
            if ranks.get(place, 0) > _SENTENCE:
                ranks[place] = _SENTENCE
    return ranks


def _merged(entities: Iterable[GoldEntity]) -> list[tuple[int, int]]:
    """The stretches of text that spans cover, disjoint and in order."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted((entity.start, entity.end) for entity in entities):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _crossings(record: GoldRecord) -> list[int]:
    """For every place in the text, how many relations a border there would cross."""
    entities = {entity.id: entity for entity in record.entities}
    change = [0] * (len(record.text) + 2)
    for relation in record.relations:
        first, second = sorted((entities[relation.head], entities[relation.tail]), key=lambda e: e.start)
        change[first.start + 1] += 1
        change[second.start + 1] -= 1
    return list(accumulate(change))


def _pack(
    length: int,
    longest: int,
    places: Sequence[int],
    ranks: Mapping[int, int],
    crossings: Sequence[int],
    covered: Sequence[tuple[int, int]],
) -> tuple[int, ...]:
    borders = [0]
    while length - borders[-1] > longest:
        start = borders[-1]
        choice = places[bisect_right(places, start + longest // 2) : bisect_right(places, start + longest)]
        if not choice:
            choice = places[bisect_right(places, start) : bisect_right(places, start + longest)]
        if choice:
            borders.append(max(choice, key=lambda place: (ranks[place], -crossings[place], place)))
        else:
            borders.append(min(length, _outside(start + longest, start, covered)))
    if borders[-1] != length:
        borders.append(length)
    return tuple(borders)


def _outside(place: int, after: int, covered: Sequence[tuple[int, int]]) -> int:
    """`place`, or where the span that it would cut begins (ends, where that is not beyond `after`)."""
    number = bisect_left(covered, (place, 0)) - 1
    if number < 0 or covered[number][1] <= place:
        return place
    start, end = covered[number]
    return start if start > after else end


def _part(place: int, borders: Sequence[int]) -> int:
    return min(bisect_right(borders, place), len(borders) - 1) - 1


def _reference(entity: GoldEntity) -> SpanRef:
    return SpanRef(entity.label, entity.start, entity.end)


def _place(number: int, parts: int, headings: Sequence[str], crossing: int) -> str:
    pieces = [f"第{number}部分，共{parts}部分"] if parts > 1 else []
    pieces += headings
    if crossing:
        pieces.append(f"另有{crossing}条关系指向其他部分，自动保留")
    return " · ".join(pieces)


def _region(entity: GoldEntity, data: TaskData) -> dict[str, Any]:
    start, end = entity.start - data.start, entity.end - data.start
    region: dict[str, Any] = {
        "id": _encoded(entity.id),
        "from_name": interface.LABELS,
        "to_name": interface.TEXT,
        "type": "labels",
        "value": {"start": start, "end": end, "text": data.text[start:end], "labels": [entity.label]},
    }
    if entity.score is not None:
        region["score"] = entity.score
    if entity.by is not None:
        region["meta"] = {"text": [entity.by]}
    return region


def _link(relation: GoldRelation) -> dict[str, Any]:
    return {
        "type": "relation",
        "from_id": _encoded(relation.head),
        "to_id": _encoded(relation.tail),
        "direction": "right",
        "labels": [relation.label],
    }


def _encoded(identifier: str) -> str:
    """An id without `#`, at which the editor cuts ids of copied regions."""
    return identifier.replace("%", "%25").replace("#", "%23")


def _decoded(identifier: str) -> str:
    return identifier.split("#", 1)[0].replace("%23", "#").replace("%25", "%")


def _free_id(wanted: str, used: set[str], taken: set[str]) -> str:
    identifier, number = wanted, 1
    while identifier in used or (identifier != wanted and identifier in taken):
        number += 1
        identifier = f"{wanted}.{number}"
    used.add(identifier)
    return identifier


def _restored(crossing: Crossing, places: Mapping[SpanRef, GoldEntity]) -> GoldRelation | None:
    head, tail = _standing(crossing.head, places), _standing(crossing.tail, places)
    if head is None or tail is None:
        return None
    return GoldRelation(label=crossing.label, head=head.id, tail=tail.id)


def _standing(span: SpanRef, places: Mapping[SpanRef, GoldEntity]) -> GoldEntity | None:
    """What stands in the place of a span: itself, else the one of its label that overlaps it."""
    if span in places:
        return places[span]
    overlapping = [
        entity
        for place, entity in places.items()
        if place.label == span.label and place.start < span.end and span.start < place.end
    ]
    return overlapping[0] if len(overlapping) == 1 else None


class _ResultReader:
    """Reads the items of one annotation's result."""

    def __init__(self, data: TaskData) -> None:
        self._data = data
        self._of_region: dict[str, list[GoldEntity]] = defaultdict(list)
        self._used: set[str] = set()
        self.entities: list[GoldEntity] = []
        self.relations: list[GoldRelation] = []
        self.faults: list[Fault] = []
        self.rejected = False
        self.note: str | None = None

    def region(self, item: Mapping[str, Any]) -> None:
        name, value = item.get("from_name"), item.get("value") or {}
        if name == interface.VERDICT:
            self.rejected = self.rejected or interface.REJECT in value.get("choices", ())
        elif name == interface.NOTE:
            self.note = "\n".join(value.get("text", ())) or None
        elif name == interface.LABELS and item.get("to_name") == interface.TEXT:
            self._span(item, value)
        else:
            self.faults.append(
                Fault(what=f"An item of the control {name!r}, which is not ours, is left out.")
            )

    def _span(self, item: Mapping[str, Any], value: Mapping[str, Any]) -> None:
        identifier = str(item.get("id", ""))
        start, end = value.get("start"), value.get("end")
        if not (isinstance(start, int) and isinstance(end, int)):
            self.faults.append(Fault(what=f"Region {identifier} has no offsets."))
            return
        if not 0 <= start < end <= len(self._data.text):
            self._fault(f"Region {identifier} lies outside the text.", start, end)
            return
        if not _same(value.get("text"), self._data.text[start:end]):
            self._fault(f"Region {identifier} was marked in another text: {value.get('text')!r}.", start, end)
        labels = value.get("labels") or []
        if not labels:
            self._fault(f"Region {identifier} has no label.", start, end)
        for label in labels:
            if label not in _ENTITY_LABELS:
                self._fault(f"Region {identifier} has the label {label!r}, which is not ours.", start, end)
                continue
            self._add(identifier, label, start, end)

    def _add(self, region: str, label: str, start: int, end: int) -> None:
        entity = GoldEntity(
            id=_free_id(_decoded(region), self._used, set()),
            label=label,
            start=start + self._data.start,
            end=end + self._data.start,
        )
        self.entities.append(entity)
        self._of_region[region].append(entity)

    def _fault(self, what: str, start: int, end: int) -> None:
        self.faults.append(Fault(what=what, start=start + self._data.start, end=end + self._data.start))

    def relation(self, item: Mapping[str, Any]) -> None:
        heads = self._of_region.get(str(item.get("from_id")), [])
        tails = self._of_region.get(str(item.get("to_id")), [])
        if item.get("direction") == "left":
            heads, tails = tails, heads
        labels = item.get("labels") or []
        name = f"The relation {item.get('from_id')} → {item.get('to_id')}"
        if len(heads) != 1 or len(tails) != 1:
            self.faults.append(Fault(what=f"{name} does not join two marked spans."))
            return
        head, tail = heads[0], tails[0]
        if item.get("direction") == "bi":
            self.faults.append(Fault(what=f"{name} points both ways.", start=head.start, end=head.end))
            return
        if not labels:
            self.faults.append(Fault(what=f"{name} has no label.", start=head.start, end=head.end))
        for label in labels:
            if label not in _RELATION_LABELS:
                what = f"{name} has the label {label!r}, which is not ours."
                self.faults.append(Fault(what=what, start=head.start, end=head.end))
                continue
            self.relations.append(GoldRelation(label=label, head=head.id, tail=tail.id))


def _same(marked: object, text: str) -> bool:
    r"""Whether the editor's copy of a span is the span: it writes line breaks as `\n`, and may leave them out."""
    if not isinstance(marked, str):
        return True
    return _COMPARED.sub("", marked) == _COMPARED.sub("", text)
