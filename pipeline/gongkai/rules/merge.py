"""Where taggers meet: which of the mentions that overlap stay."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gongkai.spans import IntervalIndex, drop_overlapping
from gongkai.types import EntityLabel, Mention

YIELDS_TO: dict[EntityLabel, tuple[EntityLabel, ...]] = {
    "POLICY": ("DOCNO",),
    "PERIOD": ("DOCNO",),
    "ORG": ("DOCNO", "POLICY"),
    "COUNT": ("DOCNO", "POLICY", "PERIOD", "PERCENT"),
    "PERCENT": ("DOCNO", "POLICY", "PERIOD"),
}
"""A mention of the key's label gives way to any that it overlaps of these (the annotation scheme: an ORG that
is only part of a POLICY or DOCNO is not marked; a PERIOD inside a POLICY is)."""

_ORDER: tuple[EntityLabel, ...] = ("DOCNO", "POLICY", "PERIOD", "ORG", "PERCENT", "COUNT")


def merge(mentions: Iterable[Mention], untagged: Sequence[tuple[int, int]] = ()) -> list[Mention]:
    """Mentions that stay, in text order.

    Args:
        mentions: Of any label; METRIC is left to come after.
        untagged: Sorted, disjoint stretches where nothing is tagged (boilerplate).
    """
    by_label: dict[EntityLabel, list[Mention]] = {label: [] for label in _ORDER}
    outside = IntervalIndex(untagged)
    for mention in mentions:
        if not outside.overlaps(mention.start, mention.end):
            by_label[mention.label].append(mention)
    kept: list[Mention] = []
    index: dict[EntityLabel, IntervalIndex] = {}
    for label in _ORDER:
        stronger = [index[other] for other in YIELDS_TO.get(label, ())]
        own = [
            mention
            for mention in drop_overlapping(by_label[label])
            if not any(other.overlaps(mention.start, mention.end) for other in stronger)
        ]
        index[label] = IntervalIndex([(mention.start, mention.end) for mention in own])
        kept += own
    return sorted(kept, key=lambda mention: (mention.start, -mention.end))
