"""Check `sum`: parts that the text lists as a breakdown against the total that they break down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import accumulate
from math import isclose

from gongkai.checks.breakdowns import Breakdown, Claim, breakdowns, may_overlap
from gongkai.checks.ledger import Ledger, is_sharp, metric_mention, units_agree
from gongkai.checks.message import as_printed, finding, named, part_list, quantity
from gongkai.checks.rounding import Interval, is_percent
from gongkai.checks.settings import KindName, load_settings
from gongkai.types import Fact, Finding

_FURTHER = 6
"""How many parts beyond a list may still belong to it."""


def check_sums(ledger: Ledger) -> Iterator[Finding]:
    """Breakdowns in the prose that exceed their total, or that claim to be complete and fall short of it."""
    for total_id, parts in ledger.parts.items():
        total = ledger.by_id[total_id]
        if total.table is not None or is_percent(total) or not is_sharp(total):
            continue
        prose = [part for part in parts if part.table is None]
        if isclose(sum(part.value for part in prose), total.value):
            continue
        shares = {metric_mention(share): share.value for share in ledger.shares.get(total_id, ())}
        place = {part.id: index for index, part in enumerate(prose)}
        for breakdown in breakdowns(ledger, total, prose):
            first, last = place[breakdown.parts[0].id], place[breakdown.parts[-1].id]
            if all(units_agree(part, total) for part in breakdown.parts) and not _complete(
                total, prose[first : last + 1 + _FURTHER], last - first
            ):
                yield from _judge(ledger, breakdown, shares)


def _complete(total: Fact, listed: list[Fact], last: int) -> bool:
    """Whether the list adds up once it is ended sooner, or begun later, or carried on into the next sentence.

    What follows a full breakdown without a break, or stands before it, is another one.
    """
    from_start = accumulate(part.value for part in listed)
    from_end = accumulate(part.value for part in reversed(listed[: last + 1]))
    return any(isclose(added, total.value) for added in (*from_start, *from_end))


def _judge(ledger: Ledger, breakdown: Breakdown, shares: Mapping[str | None, float]) -> Iterator[Finding]:
    total, parts = breakdown.total, breakdown.parts
    added = Interval(0.0, 0.0)
    for part in parts:
        added = added.plus(ledger.interval(part))
    if added.distance(ledger.interval(total)) == 0:
        return
    expected = sum(part.value for part in parts)
    if _stated_elsewhere(ledger, breakdown, expected):
        return
    if expected > total.value and _must_not_exceed(breakdown, expected):
        kind: KindName = "sum.over"
    elif expected < total.value and _must_reach(breakdown, expected) and not _rest_known(breakdown, shares):
        kind = "sum.under"
    else:
        return
    yield finding(
        kind,
        ledger,
        (total, *parts),
        total.value,
        expected,
        metric=named(total),
        printed=as_printed(ledger, total),
        number=len(parts),
        parts=part_list(ledger, parts),
        computed=quantity(expected, total.unit),
        difference=quantity(abs(expected - total.value), total.unit),
    )


def _stated_elsewhere(ledger: Ledger, breakdown: Breakdown, expected: float) -> bool:
    """Whether the same sentence states that very sum: then the parts belong to that number instead."""
    own = Counter(part.sentence for part in breakdown.parts if part.value == expected)
    sentences = {breakdown.total.sentence, breakdown.parts[0].sentence, breakdown.parts[-1].sentence}
    return any(ledger.values_in[sentence, expected] > own[sentence] for sentence in sentences)


def _must_not_exceed(breakdown: Breakdown, expected: float) -> bool:
    """No part exceeds its total; several do not together, unless they overlap."""
    settings = load_settings().sum
    if breakdown.claim is Claim.NONE:
        return False
    if max(part.value for part in breakdown.parts) > breakdown.total.value:
        return True
    if expected > breakdown.total.value * settings.overlap_ratio:
        return False
    return not may_overlap(breakdown)


def _rest_known(breakdown: Breakdown, shares: Mapping[str | None, float]) -> bool:
    """Whether the parts' own shares leave the same rest: then the text lists some parts and knows it."""
    stated = [shares.get(metric_mention(part)) if part.metric else None for part in breakdown.parts]
    if None in stated:
        return False
    listed = sum(part.value for part in breakdown.parts) / breakdown.total.value
    return abs(sum(share or 0.0 for share in stated) - listed) < (1 - listed) / 2


def _must_reach(breakdown: Breakdown, expected: float) -> bool:
    settings = load_settings().sum
    if breakdown.open_ended or breakdown.claim is Claim.NONE:
        return False
    claimed = breakdown.claim is Claim.STRONG
    if len(breakdown.parts) < (2 if claimed else 3):
        return False
    return expected >= breakdown.total.value * (settings.claimed_coverage if claimed else settings.coverage)
