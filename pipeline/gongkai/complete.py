"""Spans and relations from elsewhere (gold, another system) made a whole record: normal forms, facts, findings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from gongkai.analysis import Analysis, NumberReading
from gongkai.checks import check
from gongkai.facts import FactBuilder
from gongkai.normalise.identities import load_identities
from gongkai.pipeline import name_entities, read_table_cells
from gongkai.structure import analyse
from gongkai.types import Document, EntityLabel, Mention, Norm, Record, Relation, RelationLabel

Place = tuple[EntityLabel, int, int]
"""What a span is, whatever its id: label, start, end."""
Link = tuple[RelationLabel, Mention, Mention]
"""A relation between mentions: label, head, tail."""


def complete(
    document: Document,
    mentions: Iterable[Mention],
    links: Iterable[Link],
    norms: Mapping[Place, Norm | None] | None = None,
) -> Record:
    """The record of a document whose spans and relations are known.

    Args:
        norms: Normal forms that are known, too; the rest are worked out.
    """
    state = Analysis.of(document)
    state.structure = analyse(document, state.view)
    read_table_cells(state)
    state.mentions = list(dict.fromkeys(mentions))
    links = tuple(links)
    state.readings = [
        NumberReading(head, tail, head.by, head.score) for label, head, tail in links if label == "value_of"
    ]
    name_entities(state)
    if norms:
        state.entities = tuple(
            msgspec.structs.replace(e, norm=norms[place])
            if (place := (e.label, e.start, e.end)) in norms
            else e
            for e in state.entities
        )
    id_of = {(e.label, e.start, e.end): e.id for e in state.entities}
    state.relations = tuple(
        Relation(
            label=label, head=id_of[_place(head)], tail=id_of[_place(tail)], score=head.score, by=head.by
        )
        for label, head, tail in links
    )
    state.facts = FactBuilder(state.view, state.structure, state.entities, state.relations).build()
    state.findings = check(state.facts, document.text, load_identities())
    return state.record()


def _place(mention: Mention) -> Place:
    return mention.label, mention.start, mention.end
