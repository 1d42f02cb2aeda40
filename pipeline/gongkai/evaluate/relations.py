"""Relations: right when label, head span and tail span are; ids count for nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import NamedTuple

from gongkai.errors import BrokenPrediction
from gongkai.evaluate.types import Confidence, Counts, Kind, LabelCounts, Marks, Mistake, Part, Reference
from gongkai.spans import overlapping
from gongkai.types import Entity, Record, Relation


class _Link(NamedTuple):
    """A relation as what it says rather than by its ids."""

    label: str
    head: Part
    tail: Part


def score_relations(reference: Reference, predicted: Record) -> Marks:
    """Level relations.strict. A relation said twice counts once, with the higher of its scores.

    Each mistake pairs what is left over on both sides by the most that it has in common: both spans (label), then
    label and both spans nearly (boundary), then label and head (head_or_tail); what finds no partner is missed or
    spurious. No pair counts as right.

    Raises:
        BrokenPrediction: A relation names an entity that its record does not hold, or two entities share an id.
    """
    gold, found = _links(reference.record), _links(predicted)
    return Marks(
        counts={"relations.strict": _counts(gold, found)},
        mistakes=tuple(_mistakes(gold, found)),
        confidences=tuple(
            Confidence("relations", link.label, score, link in gold) for link, score in found.items()
        ),
    )


def score_relations_given(reference: Reference, predicted_given: Record) -> Marks:
    """Level relations.given: counts only, of a prediction that was made with the gold spans given.

    Raises:
        BrokenPrediction: A relation names an entity that its record does not hold, or two entities share an id.
    """
    gold, found = _links(reference.record), _links(predicted_given)
    return Marks(counts={"relations.given": _counts(gold, found)})


def entities_by_id(record: Record) -> dict[str, Entity]:
    """The entities of a record by their ids.

    Raises:
        BrokenPrediction: Two of them share an id.
    """
    by_id = {entity.id: entity for entity in record.entities}
    if len(by_id) == len(record.entities):
        return by_id
    [(twice, _)] = Counter(entity.id for entity in record.entities).most_common(1)
    raise BrokenPrediction(
        f"document {record.id}", f"More than one entity has the id {twice}.", "Give each an id of its own."
    )


def _links(record: Record) -> dict[_Link, float]:
    """Every relation once, with its (highest) score."""
    parts = {key: Part(e.label, e.start, e.end) for key, e in entities_by_id(record).items()}
    links: dict[_Link, float] = {}
    for relation in record.relations:
        link = _resolved(relation, parts, record)
        links[link] = max(relation.score, links.get(link, relation.score))
    return links


def _resolved(relation: Relation, parts: Mapping[str, Part], record: Record) -> _Link:
    try:
        return _Link(relation.label, parts[relation.head], parts[relation.tail])
    except KeyError as unknown:
        raise BrokenPrediction(
            f"document {record.id}",
            f"Its relation {relation.label} {relation.head} → {relation.tail} names an entity {unknown.args[0]}, "
            "which it does not hold.",
            "Write the entity into the record, or leave the relation out.",
        ) from None


def _counts(gold: Mapping[_Link, float], found: Mapping[_Link, float]) -> LabelCounts:
    in_gold = Counter(link.label for link in gold)
    in_found = Counter(link.label for link in found)
    right = Counter(link.label for link in gold.keys() & found.keys())
    return {label: Counts(right[label], in_gold[label], in_found[label]) for label in in_gold | in_found}


def _mistakes(gold: Mapping[_Link, float], found: Mapping[_Link, float]) -> list[Mistake]:
    """In text order of their first spans. Each step takes what it pairs out of what the next one sees."""
    missed = dict.fromkeys(sorted(gold.keys() - found.keys()))
    spurious = dict.fromkeys(sorted(found.keys() - gold.keys()))
    mistakes = [
        *(_mistake("label", *pair) for pair in _alike(missed, spurious, lambda link: (link.head, link.tail))),
        *(_mistake("boundary", *pair) for pair in _overlapping(missed, spurious)),
        *(
            _mistake("head_or_tail", *pair)
            for pair in _alike(missed, spurious, lambda link: (link.label, link.head))
        ),
        *(_mistake("missed", link, None) for link in missed),
        *(_mistake("spurious", None, link) for link in spurious),
    ]
    return sorted(mistakes, key=lambda mistake: (mistake.gold or mistake.predicted)[0][1:])


def _mistake(kind: Kind, gold: _Link | None, found: _Link | None) -> Mistake:
    either = gold or found
    assert either is not None
    return Mistake(
        level="relations",
        kind=kind,
        label=either.label,
        gold=gold[1:] if gold else (),
        predicted=found[1:] if found else (),
    )


def _alike(
    missed: dict[_Link, None], spurious: dict[_Link, None], key: Callable[[_Link], Hashable]
) -> Iterator[tuple[_Link, _Link]]:
    """One-to-one pairs with the same key; both are taken out of what is left over."""
    waiting: defaultdict[Hashable, list[_Link]] = defaultdict(list)
    for link in reversed(spurious):
        waiting[key(link)].append(link)
    for link in list(missed):
        if others := waiting.get(key(link)):
            other = others.pop()
            del missed[link], spurious[other]
            yield link, other


def _overlapping(missed: dict[_Link, None], spurious: dict[_Link, None]) -> Iterator[tuple[_Link, _Link]]:
    """One-to-one pairs of the same labels whose heads and tails overlap; both are taken out."""
    near = _near(_ends(missed), _ends(spurious))
    for link in list(missed):
        candidates = (_Link(link.label, head, tail) for head in near[link.head] for tail in near[link.tail])
        other = next((candidate for candidate in candidates if candidate in spurious), None)
        if other is not None:
            del missed[link], spurious[other]
            yield link, other


def _ends(links: Mapping[_Link, None]) -> list[Part]:
    return sorted({part for link in links for part in (link.head, link.tail)})


def _near(gold: list[Part], found: list[Part]) -> defaultdict[Part, list[Part]]:
    """For each gold span the predicted spans of its label that overlap it, those that share most first."""
    near: defaultdict[Part, list[Part]] = defaultdict(list)
    for place, other, _ in sorted(overlapping(gold, found), key=lambda pair: (-pair.shared, pair)):
        if gold[place].label == found[other].label:
            near[gold[place]].append(found[other])
    return near
