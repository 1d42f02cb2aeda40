"""Whether gold records obey the annotation scheme (annotations/guidelines.md)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import get_args

import msgspec

from gongkai.errors import BrokenRecord, UnreadableInput
from gongkai.gold.records import (
    Annotated,
    GoldEntity,
    GoldRecord,
    GoldRelation,
    StandoffRecord,
    read_lines,
    text_sha256,
)
from gongkai.gold.values import GoldValues, mismatches, read_values, values_path
from gongkai.types import RELATION_TYPES, EntityLabel

LABELS = frozenset(get_args(EntityLabel))
SPLITS = ("train", "dev", "test")
_NUMBERS = frozenset({"COUNT", "PERCENT"})
_INVISIBLE = "\u200b\u200c\u200d\ufeff"
"""Zero-width characters: white space to a reader, though not to `str.isspace`."""
_SHOWN = 20


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """A breach of the scheme.

    Attributes:
        where: File and line, where known.
        document: Document id.
        start, end: The characters concerned; None for a problem of the whole document.
        what: What is wrong.
        remedy: What to do.
        structural: The record cannot be used at all (its spans or ids are broken).
    """

    document: str
    what: str
    remedy: str
    where: str = ""
    start: int | None = None
    end: int | None = None
    structural: bool = False

    def __str__(self) -> str:
        characters = "" if self.start is None else f", characters {self.start}-{self.end}"
        place = f"{self.where}: " if self.where else ""
        return f"{place}document {self.document}{characters}: {self.what} {self.remedy}"


class Located(msgspec.Struct, frozen=True, kw_only=True):
    """A record with the place that it was read from and the split it belongs to."""

    record: Annotated
    where: str = ""
    split: str | None = None


def validate(records: Iterable[Annotated | Located]) -> Iterator[Problem]:
    """Every breach of the scheme, in the order of the records; those between documents come last."""
    seen = _Collection()
    for item in records:
        located = item if isinstance(item, Located) else Located(record=item)
        for problem in check_record(located.record):
            yield msgspec.structs.replace(problem, where=located.where)
        seen.add(located)
    yield from seen.problems()


def check_record(record: Annotated) -> Iterator[Problem]:
    """The breaches within one record; without its text, those that the offsets alone show."""
    text = record.text if isinstance(record, GoldRecord) else None
    if not record.id.strip():
        yield Problem(document=record.id, what="The id is empty.", remedy="Name the document.")
    broken: set[str] = set()
    for entity in record.entities:
        problems = list(_check_entity(record, entity, text))
        if any(problem.structural for problem in problems):
            broken.add(entity.id)
        yield from problems
    yield from _repeated_ids(record)
    yield from _overlaps(record, [entity for entity in record.entities if entity.id not in broken])
    yield from _check_relations(record)


def located_records(paths: Sequence[Path]) -> Iterator[Located | Problem]:
    """The records of files and of the JSONL files below folders; a Problem in the place of a broken line.

    Files of values (`dev.values.jsonl`) are read with the gold that they belong to.

    Raises:
        UnreadableInput: A path does not exist, or a folder holds no JSONL file.
    """
    for path in paths:
        files = (
            sorted(set(path.rglob("*.jsonl")) - set(path.rglob("*.values.jsonl")))
            if path.is_dir()
            else [path]
        )
        if not files:
            raise UnreadableInput(str(path), "It holds no .jsonl file.", "Name a gold file or its folder.")
        for file in files:
            beside = values_path(file)
            values = dict(read_values(beside)) if beside.is_file() else {}
            for number, record in read_lines(file):
                where = f"{file} line {number}"
                if isinstance(record, BrokenRecord):
                    yield Problem(
                        where=where, document="?", what=record.problem, remedy=record.remedy, structural=True
                    )
                    continue
                yield Located(record=record, where=where, split=_split_of(file, record))
                if record.id in values:
                    yield from _value_problems(record, values.pop(record.id), str(beside))
            for left in values:
                yield Problem(
                    where=str(beside),
                    document=left,
                    what="Its gold has no such document.",
                    remedy="Take it out.",
                )


def _value_problems(record: GoldRecord | StandoffRecord, values: GoldValues, where: str) -> Iterator[Problem]:
    for what in mismatches(record, values):
        yield Problem(where=where, document=record.id, what=what, remedy="Read the values off anew.")


def validate_files(paths: Sequence[Path]) -> tuple[int, list[Problem]]:
    """How many records the files hold, and their problems.

    Raises:
        UnreadableInput: As for `located_records`.
    """
    unread: list[Problem] = []
    count = 0

    def readable() -> Iterator[Located]:
        nonlocal count
        for item in located_records(paths):
            if isinstance(item, Problem):
                unread.append(item)
            else:
                count += 1
                yield item

    problems = list(validate(readable()))
    return count, unread + problems


def _split_of(file: Path, record: Annotated) -> str | None:
    """train, dev or test: what the record says, else the name of its file, else that of its folder."""
    stated = record.meta.get("split")
    if stated is not None:
        return str(stated)
    for name in (file.stem, file.parent.name):
        for piece in name.replace("-", "_").split("_"):
            if piece in SPLITS:
                return piece
    return None


def _check_entity(record: Annotated, entity: GoldEntity, text: str | None) -> Iterator[Problem]:
    def problem(what: str, remedy: str, structural: bool = False) -> Problem:
        name = f"Span {entity.id} ({entity.label})"
        return Problem(
            document=record.id,
            start=entity.start,
            end=entity.end,
            what=f"{name} {what}",
            remedy=remedy,
            structural=structural,
        )

    if entity.label not in LABELS:
        yield problem("has a label that the scheme does not know.", f"Use one of {_listed(LABELS)}.")
    if not 0 <= entity.start < entity.end:
        yield problem("has no extent.", "Give 0 <= start < end.", structural=True)
        return
    if text is None:
        return
    if entity.end > len(text):
        yield problem(
            f"ends after the text, at {len(text)}.", "Check the text and the span.", structural=True
        )
        return
    marked = text[entity.start : entity.end]
    if _blank(marked[0]) or _blank(marked[-1]):
        yield problem(f"{_quoted(marked)} begins or ends in white space.", "Trim it.")
    if any(not line.strip() for line in marked.strip().splitlines()):
        yield problem(f"{_quoted(marked)} crosses an empty line.", "Mark the part in one paragraph.")


def _blank(character: str) -> bool:
    return character.isspace() or character in _INVISIBLE


def _repeated_ids(record: Annotated) -> Iterator[Problem]:
    for identifier, count in Counter(entity.id for entity in record.entities).items():
        if count > 1:
            yield Problem(
                document=record.id,
                what=f"{count} spans have the id {identifier}.",
                remedy="Give each span its own.",
                structural=True,
            )


def _overlaps(record: Annotated, entities: Iterable[GoldEntity]) -> Iterator[Problem]:
    """Neighbours of one label that share characters; nesting of different labels is allowed."""
    furthest: dict[str, GoldEntity] = {}
    for entity in sorted(entities, key=lambda e: (e.start, -e.end)):
        before = furthest.get(entity.label)
        if before is not None and entity.start < before.end:
            yield Problem(
                document=record.id,
                start=entity.start,
                end=entity.end,
                what=f"Span {entity.id} ({entity.label}) overlaps {before.id} of the same label, "
                f"{before.start}-{before.end}.",
                remedy="Keep one, or part them.",
            )
        if before is None or entity.end > before.end:
            furthest[entity.label] = entity


def _check_relations(record: Annotated) -> Iterator[Problem]:
    entities = {entity.id: entity for entity in reversed(record.entities)}
    counted = Counter((r.label, r.head, r.tail) for r in record.relations)
    for (label, head, tail), count in counted.items():
        relation = GoldRelation(label=label, head=head, tail=tail)
        yield from _check_relation(record, relation, entities, count)
    values = Counter(head for label, head, tail in counted if label == "value_of" and tail in entities)
    for head, count in values.items():
        if count > 1 and head in entities:
            yield _relation_problem(
                record,
                entities[head],
                f"{head} has {count} value_of relations.",
                "A number has one metric; keep the nearest.",
            )
    yield from _circles(record, entities, [key for key in counted if key[0] in ("part_of", "alias_of")])


def _check_relation(
    record: Annotated, relation: GoldRelation, entities: dict[str, GoldEntity], count: int
) -> Iterator[Problem]:
    name = f"Relation {relation.label} {relation.head} → {relation.tail}"
    for identifier in (relation.head, relation.tail):
        if identifier not in entities:
            yield Problem(
                document=record.id,
                what=f"{name} names the span {identifier}, which is not there.",
                remedy="Remove it, or restore the span.",
                structural=True,
            )
    if relation.head not in entities or relation.tail not in entities:
        return
    head, tail = entities[relation.head], entities[relation.tail]
    if count > 1:
        yield _relation_problem(record, head, f"{name} is given {count} times.", "Keep one.")
    if relation.head == relation.tail:
        yield _relation_problem(record, head, f"{name} points to itself.", "Remove it.")
        return
    types = next((types for label, types in RELATION_TYPES.items() if label == relation.label), None)
    if types is None:
        remedy = f"Use one of {_listed(RELATION_TYPES)}."
        yield _relation_problem(record, head, f"{name} is of a kind that the scheme does not know.", remedy)
        return
    if head.label not in types[0] or tail.label not in types[1]:
        remedy = f"It goes from {_listed(types[0])} to {_listed(types[1])}."
        yield _relation_problem(record, head, f"{name} goes from {head.label} to {tail.label}.", remedy)


def _relation_problem(record: Annotated, head: GoldEntity, what: str, remedy: str) -> Problem:
    return Problem(document=record.id, start=head.start, end=head.end, what=what, remedy=remedy)


def _circles(
    record: Annotated, entities: dict[str, GoldEntity], relations: Iterable[tuple[str, str, str]]
) -> Iterator[Problem]:
    """Totals that are part of themselves, short forms of themselves: one report for each circle."""
    tails: dict[tuple[str, str], list[str]] = defaultdict(list)
    for label, head, tail in relations:
        if head != tail and head in entities and tail in entities:
            tails[label, head].append(tail)
    settled: set[tuple[str, str]] = set()
    for start in list(tails):
        path: list[tuple[str, str]] = []
        pending = [(start, 0)]
        while pending:
            node, depth = pending.pop()
            del path[depth:]
            if node in path:
                ids = " → ".join(identifier for _, identifier in [*path[path.index(node) :], node])
                yield _relation_problem(
                    record,
                    entities[node[1]],
                    f"{node[0]} goes in a circle: {ids}.",
                    "Remove the wrong relation.",
                )
                continue
            if node in settled:
                continue
            path.append(node)
            settled.add(node)
            pending += [((node[0], tail), len(path)) for tail in tails.get(node, ())]


class _Collection:
    """What is known of the documents seen so far, to find those that clash."""

    def __init__(self) -> None:
        self._ids: dict[tuple[str, str | None], list[str]] = defaultdict(list)
        self._texts: dict[str, list[Located]] = defaultdict(list)
        self._issuers: dict[str, dict[str, str]] = defaultdict(dict)

    def add(self, located: Located) -> None:
        record = located.record
        annotator = record.meta.get("annotator")
        self._ids[record.id, None if annotator is None else str(annotator)].append(located.where)
        digest = record.sha256 if isinstance(record, StandoffRecord) else ""
        if isinstance(record, GoldRecord):
            digest = text_sha256(record.text)
        self._texts[digest].append(
            Located(record=Annotated(id=record.id), where=located.where, split=located.split)
        )
        issuer = record.meta.get("issuer")
        if located.split is not None and issuer and record.meta.get("source") == "own":
            self._issuers[str(issuer)].setdefault(located.split, record.id)

    def problems(self) -> Iterator[Problem]:
        for (document, _), places in self._ids.items():
            if len(places) > 1:
                yield Problem(
                    document=document,
                    where=places[-1],
                    what=f"The id is given {len(places)} times, first at {places[0] or 'an earlier record'}.",
                    remedy="Give each document its own id.",
                )
        for located in self._texts.values():
            yield from self._text_problems(located)
        for issuer, splits in self._issuers.items():
            if len(splits) > 1:
                ids = ", ".join(f"{name} in {split}" for split, name in sorted(splits.items()))
                yield Problem(
                    document=next(iter(splits.values())),
                    what=f"Its issuer {issuer} has documents in several splits: {ids}.",
                    remedy="Keep an issuer's documents in one split.",
                )

    def _text_problems(self, located: list[Located]) -> Iterator[Problem]:
        splits = {each.split: each for each in located if each.split is not None}
        first = located[0]
        if len(splits) > 1:
            yield Problem(
                document=first.record.id,
                where=first.where,
                what="Its text is in several splits: "
                + ", ".join(f"{each.record.id} in {split}" for split, each in sorted(splits.items()))
                + ".",
                remedy="Keep it in one.",
            )
            return
        others = sorted({each.record.id for each in located} - {first.record.id})
        if others:
            yield Problem(
                document=first.record.id,
                where=first.where,
                what=f"Its text is also that of {', '.join(others)}.",
                remedy="Keep one of them.",
            )


def _quoted(marked: str) -> str:
    return repr(marked if len(marked) <= _SHOWN else f"{marked[:_SHOWN]}…")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
