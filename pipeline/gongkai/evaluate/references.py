"""Gold documents and foreign predictions as whole records, so that every level can be judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast, get_args

import msgspec

from gongkai.complete import Link, complete
from gongkai.errors import BrokenRecord, MismatchedValues
from gongkai.evaluate.types import Reference
from gongkai.gold.records import GoldRecord
from gongkai.gold.values import GoldFinding, GoldValues, mismatches
from gongkai.ingest import read_text
from gongkai.types import Document, EntityLabel, Finding, Mention, Meta, Record, RelationLabel

_ENTITY_LABELS = frozenset(get_args(EntityLabel))
_RELATION_LABELS = frozenset(get_args(RelationLabel))


def reference(gold: GoldRecord, values: GoldValues | None = None) -> Reference:
    """A gold document as a perfect system would have given it.

    Facts are what the fact stage makes of the gold spans, relations and normal forms. Normal forms that nobody wrote
    by hand are worked out by the normaliser: good enough for facts, but not judged (`Reference.has_values`).

    Raises:
        MismatchedValues: `values` are of another text or other spans.
    """
    if values is not None:
        _check(gold, values)
    mentions = gold_mentions(gold)
    norms = {(v.label, v.start, v.end): v.norm for v in (values.values if values else None) or ()}
    record = complete(_document(gold), mentions.values(), links(gold, mentions), norms)
    findings = (values.findings if values else None) or ()
    return Reference(
        record=msgspec.structs.replace(
            record,
            meta=_meta(gold, record.meta),
            findings=tuple(_finding(finding) for finding in findings if not finding.arguable),
        ),
        part=str(gold.meta.get("source", "")),
        has_values=values is not None and values.values is not None,
        has_findings=values is not None and values.findings is not None,
        arguable=tuple(_finding(finding) for finding in findings if finding.arguable),
    )


def prediction(spans: GoldRecord) -> Record:
    """The record of a system that gives spans and relations only: the rest is worked out as for our own spans."""
    mentions = gold_mentions(spans)
    return complete(_document(spans), mentions.values(), links(spans, mentions))


def gold_mentions(gold: GoldRecord) -> dict[str, Mention]:
    """Entity id → its span.

    Raises:
        BrokenRecord: A label is not of the scheme, or a span lies outside the text.
    """
    mentions = {}
    for entity in gold.entities:
        if entity.label not in _ENTITY_LABELS or not 0 <= entity.start < entity.end <= len(gold.text):
            raise _broken(
                gold, f"Entity {entity.id} ({entity.label} {entity.start}-{entity.end}) is not of the scheme."
            )
        label = cast(EntityLabel, entity.label)
        mentions[entity.id] = Mention(
            label, entity.start, entity.end, entity.by or "gold", _score(entity.score)
        )
    return mentions


def links(gold: GoldRecord, mentions: Mapping[str, Mention]) -> Iterator[Link]:
    """The relations between the spans.

    Raises:
        BrokenRecord: A label is not of the scheme, or an end is no entity of the record.
    """
    for relation in gold.relations:
        head, tail = mentions.get(relation.head), mentions.get(relation.tail)
        if relation.label not in _RELATION_LABELS or head is None or tail is None:
            raise _broken(
                gold, f"Relation {relation.label} {relation.head} → {relation.tail} is not of the scheme."
            )
        yield cast(RelationLabel, relation.label), head, tail


def _broken(gold: GoldRecord, problem: str) -> BrokenRecord:
    return BrokenRecord(f"document {gold.id}", problem, "See: gongkai annotate validate.")


def _score(score: float | None) -> float:
    return 1.0 if score is None else score


def _document(gold: GoldRecord) -> Document:
    return msgspec.structs.replace(read_text(gold.text), id=gold.id)


def _meta(gold: GoldRecord, found: Meta) -> Meta:
    """What the annotators said of the document, over what its text says."""
    said = {name: gold.meta[name] for name in ("doc_type", "script") if gold.meta.get(name)}
    return msgspec.structs.replace(found, **said)


def _finding(finding: GoldFinding) -> Finding:
    return Finding(
        check=finding.check,
        severity="warning",
        message="",
        reported=finding.reported,
        expected=finding.expected,
        evidence=(),
        spans=((finding.start, finding.end),),
    )


def _check(gold: GoldRecord, values: GoldValues) -> None:
    for problem in mismatches(gold, values):
        raise MismatchedValues(f"document {gold.id}", problem, "Correct its values file.")
