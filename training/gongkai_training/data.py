"""Gold files to training examples; whatever is wrong with them stops the run before its first step."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from gongkai.errors import BrokenRecord, GongkaiError
from gongkai.gold.records import GoldEntity, GoldRecord, GoldRelation, StandoffRecord, read_lines, text_sha256
from gongkai.gold.standoff import hydrate
from gongkai.model.characters import Characters
from gongkai.model.scheme import ENTITY_LABELS, RELATION_LABELS
from gongkai.model.windows import Owners, Window, cut
from gongkai.structure import boilerplate, paragraphs_of
from gongkai.text import fold
from gongkai.types import RELATION_TYPES, EntityLabel

from .config import Data

_RELATIONS: Final[tuple[str, ...]] = RELATION_LABELS
_REMEDY: Final = "`gongkai annotate validate` names every fault of a gold file; correct them."


class BadGold(GongkaiError):
    """A gold document breaks the annotation scheme, or its spans cannot be learned."""


class EmptySplit(GongkaiError):
    """A part of the data has no document, or no annotation."""


class LeakingSplit(GongkaiError):
    """A document, or its text, is in two parts of the data."""


class GoldFile(msgspec.Struct, frozen=True, kw_only=True):
    """A gold file as it was read; no records if it is stand-off and there is no folder of texts."""

    path: str
    sha256: str
    records: tuple[GoldRecord, ...]


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """The files of one part of the data."""

    files: tuple[GoldFile, ...]

    @property
    def records(self) -> tuple[GoldRecord, ...]:
        """The documents of all files."""
        return tuple(record for file in self.files for record in file.records)


class Gold(msgspec.Struct, frozen=True, kw_only=True):
    """What a run learns from and is measured on.

    Attributes:
        silver: Labelled by models or rules, not by hand.
    """

    train: Split
    dev: Split
    silver: Split = Split(files=())


class SpanTarget(NamedTuple):
    """A span of a window: label number, first character, last character, probability (1 in gold)."""

    label: int
    first: int
    last: int
    probability: float = 1.0


class RelationTarget(NamedTuple):
    """A relation of a window: relation number, head and tail as numbers of its spans, probability."""

    relation: int
    head: int
    tail: int
    probability: float = 1.0


class Example(NamedTuple):
    """A window to learn from.

    Attributes:
        ids: (characters + 2,): FIRST, the characters, LAST.
        spans: More likely there than not.
        relations: Between those.
        doubtful: Spans more likely not there than there (silver only).
    """

    ids: NDArray[np.int32]
    spans: tuple[SpanTarget, ...]
    relations: tuple[RelationTarget, ...]
    doubtful: tuple[SpanTarget, ...] = ()


def read_gold(data: Data) -> Gold:
    """Read and check the parts of the data.

    Raises:
        EmptySplit: A part has no document, or the training part no span.
        BadGold: A document breaks the scheme; the text names file and document.
        LeakingSplit: A document or a text is in two parts.
        BrokenRecord, UnreadableInput, MissingText: A file cannot be read.
    """
    gold = Gold(
        train=_portion(_read_split(data.train, data.texts), data.portion),
        dev=_read_split(data.dev, data.texts),
        silver=_read_split(data.silver, data.texts),
    )
    gold = msgspec.structs.replace(gold, silver=_without(gold.silver, gold.train))
    for part, split in (("train", gold.train), ("dev", gold.dev)):
        if not any(record.entities for record in split.records):
            names = ", ".join(getattr(data, part)) or f"data.{part}"
            raise EmptySplit(names, f"The {part} part holds no annotated document.", "Name a gold file.")
    measured = {"dev": data.dev, "held_out": data.held_out}
    _check_apart({"train": data.train, **measured})
    _check_apart({"silver": data.silver, **measured})
    _check_excluded(gold.silver, measured)
    return gold


def _read_split(paths: Sequence[str], texts: str | None) -> Split:
    return Split(files=tuple(_read_file(Path(path), texts) for path in paths))


def _portion(split: Split, share: float) -> Split:
    return Split(
        files=tuple(
            msgspec.structs.replace(file, records=portion_of(file.records, share)) for file in split.files
        )
    )


def portion_of(records: Sequence[GoldRecord], share: float) -> tuple[GoldRecord, ...]:
    """This share of a file's documents, at least one, in their order.

    The digests of their ids decide which, so that a smaller portion is within a larger one, and a document that joins
    the file changes little.
    """
    order = sorted(records, key=lambda record: hashlib.sha256(record.id.encode()).digest())
    chosen = {record.id for record in order[: max(1, round(share * len(order)))]}
    return tuple(record for record in records if record.id in chosen)


def _read_file(path: Path, texts: str | None) -> GoldFile:
    folder = Path(texts) if texts is not None and Path(texts).is_dir() else None
    records = tuple(_records(path, folder))
    for record in records:
        check_record(record, str(path))
    return GoldFile(path=str(path), sha256=hashlib.sha256(path.read_bytes()).hexdigest(), records=records)


def _records(path: Path, texts: Path | None) -> Iterator[GoldRecord]:
    for _, record in read_lines(path):
        if isinstance(record, BrokenRecord):
            raise record
        if isinstance(record, GoldRecord):
            yield record
        elif texts is not None:
            yield _joined(record, texts)


def _joined(record: StandoffRecord, texts: Path) -> GoldRecord:
    (joined,) = hydrate([record], texts)
    if not isinstance(joined, GoldRecord):
        raise joined
    return joined


def check_record(record: GoldRecord, path: str) -> None:
    """Refuse a document that the model cannot learn from as it stands; spans with a probability may overlap.

    Raises:
        BadGold: A label or a relation is not of the scheme, a span is empty or outside the text, an id is used twice or
            leads nowhere, or two spans overlap that may not.
    """
    where = f"{path}, document {record.id}"
    entities = {entity.id: entity for entity in record.entities}
    if len(entities) < len(record.entities):
        raise BadGold(where, "Two of its spans have one id.", _REMEDY)
    for entity in record.entities:
        if entity.label not in ENTITY_LABELS:
            known = ", ".join(ENTITY_LABELS)
            raise BadGold(where, f"Span {entity.id} is {entity.label}, none of {known}.", _REMEDY)
        if not 0 <= entity.start < entity.end <= len(record.text):
            raise BadGold(where, f"Span {entity.id} is empty, or reaches outside the text.", _REMEDY)
    for relation in record.relations:
        _check_relation(where, relation.label, entities.get(relation.head), entities.get(relation.tail))
    _check_overlaps(where, (entity for entity in record.entities if entity.score is None))


def _check_relation(where: str, label: str, head: GoldEntity | None, tail: GoldEntity | None) -> None:
    if head is None or tail is None:
        raise BadGold(where, f"A {label} leads from or to a span that is not there.", _REMEDY)
    types = {str(relation): types for relation, types in RELATION_TYPES.items()}.get(label)
    if types is None or head.label not in types[0] or tail.label not in types[1]:
        problem = f"{label} from {head.label} {head.id} to {tail.label} {tail.id} is not of the scheme."
        raise BadGold(where, problem, _REMEDY)


def _check_overlaps(where: str, entities: Iterable[GoldEntity]) -> None:
    open_spans: list[GoldEntity] = []
    for entity in sorted(entities, key=lambda e: (e.start, -e.end)):
        open_spans = [other for other in open_spans if other.end > entity.start]
        for other in open_spans:
            if other.label == entity.label:
                raise BadGold(where, f"Spans {other.id} and {entity.id} of {entity.label} overlap.", _REMEDY)
        open_spans.append(entity)


def _without(silver: Split, train: Split) -> Split:
    """Silver but for texts that have gold."""
    known = {record.sha256 for record in train.records}
    files = (
        msgspec.structs.replace(file, records=tuple(r for r in file.records if r.sha256 not in known))
        for file in silver.files
    )
    return Split(files=tuple(files))


def _check_apart(parts: Mapping[str, Sequence[str]]) -> None:
    """No id and no text is in two parts, nor twice in one."""
    seen: dict[str, tuple[str, str, str]] = {}
    for part, paths in parts.items():
        for path in paths:
            for _, record in read_lines(Path(path)):
                if isinstance(record, BrokenRecord):
                    raise record
                for key in (f"id {record.id}", record.sha256):
                    if key in seen:
                        raise _leak(seen[key], (part, path, record.id))
                    seen[key] = (part, path, record.id)


def _check_excluded(silver: Split, measured: Mapping[str, Sequence[str]]) -> None:
    """No text of silver holds a passage that is measured on, as it would if `--exclude` had been forgotten."""
    passages = (
        ((part, path, record.id), record.sha256, record.meta["slice"])
        for part, paths in measured.items()
        for path in paths
        for _, record in read_lines(Path(path))
        if not isinstance(record, BrokenRecord) and record.meta.get("slice")
    )
    texts = [(file.path, record) for file in silver.files for record in file.records]
    for passage, sha256, (start, end) in passages:
        for path, record in texts:
            if text_sha256(record.text[start:end]) == sha256:
                raise _leak(passage, ("silver", path, record.id))


def _leak(first: tuple[str, str, str], second: tuple[str, str, str]) -> LeakingSplit:
    return LeakingSplit(
        f"{second[1]}, document {second[2]}",
        f"Part {second[0]} repeats it: it, or its text, is document {first[2]} of {first[1]} in part {first[0]}.",
        "Leave it in one of them.",
    )


def windows_of(view: str, longest: int, overlap: int) -> tuple[Window, ...]:
    """The windows of a document's folded view, without boilerplate."""
    left_out = boilerplate.find(view)
    return cut(paragraphs_of(view, left_out), longest, overlap=overlap, left_out=left_out)


class DocumentExamples(NamedTuple):
    """The windows of a document as examples, and what of its annotation no window holds.

    Attributes:
        lost_spans, lost_relations: Gold that cannot be learned or found at this length of windows.
    """

    windows: tuple[Window, ...]
    examples: tuple[Example, ...]
    lost_spans: int
    lost_relations: int


def examples_of(record: GoldRecord, characters: Characters, longest: int, overlap: int) -> DocumentExamples:
    """Cut a document into examples; a window's targets are the spans and relations that it holds whole."""
    view = fold(record.text)
    windows = windows_of(view, longest, overlap)
    owners = Owners(windows)
    entities = {entity.id: entity for entity in record.entities}
    extents = [
        (min(head.start, tail.start), max(head.end, tail.end))
        for head, tail in ((entities[r.head], entities[r.tail]) for r in record.relations)
    ]
    return DocumentExamples(
        windows=windows,
        examples=tuple(_example(record, view, window, characters) for window in windows),
        lost_spans=sum(owners.of(entity.start, entity.end) is None for entity in record.entities),
        lost_relations=sum(owners.of(*extent) is None for extent in extents),
    )


def _example(record: GoldRecord, view: str, window: Window, characters: Characters) -> Example:
    within = [e for e in record.entities if window.start <= e.start and e.end <= window.end]
    likely = [entity for entity in within if _probability(entity) >= 0.5]
    number = {entity.id: n for n, entity in enumerate(likely)}
    return Example(
        ids=characters.encode(view[window.start : window.end]),
        spans=tuple(_target(entity, window) for entity in likely),
        relations=tuple(
            RelationTarget(_RELATIONS.index(r.label), number[r.head], number[r.tail], _probability(r))
            for r in record.relations
            if r.head in number and r.tail in number
        ),
        doubtful=tuple(_target(entity, window) for entity in within if _probability(entity) < 0.5),
    )


def _target(entity: GoldEntity, window: Window) -> SpanTarget:
    first, last = entity.start - window.start, entity.end - window.start - 1
    return SpanTarget(_label(entity), first, last, _probability(entity))


def _probability(item: GoldEntity | GoldRelation) -> float:
    """1 of gold, which carries no score."""
    return 1.0 if item.score is None else item.score


def _label(entity: GoldEntity) -> int:
    label: EntityLabel = entity.label  # type: ignore[assignment]  # checked by check_record
    return ENTITY_LABELS.index(label)


def characters_of(records: Iterable[GoldRecord], least: int = 2) -> Characters:
    """The vocabulary of an encoder with random weights: characters of the views that are there `least` times."""
    counts: dict[str, int] = defaultdict(int)
    for record in records:
        for character in fold(record.text):
            counts[character] += 1
    return Characters(sorted(character for character, count in counts.items() if count >= least))
