"""Check `share`: a share against its own numerator and total, and lists of shares against the whole."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from gongkai.checks.agreement import verdict
from gongkai.checks.breakdowns import Breakdown, Claim, breakdowns, may_overlap
from gongkai.checks.ledger import Ledger, label, units_agree
from gongkai.checks.message import as_printed, finding, named, part_list, percentage
from gongkai.checks.rates import rate_of
from gongkai.checks.rounding import Interval, is_percent
from gongkai.checks.settings import load_settings
from gongkai.types import Fact, Finding

_WHOLE = 1.0
_NEAR = 24
_RESPECTIVE = re.compile(r"分别|各占|依次")
_BESIDE = re.compile(r"[^,;、。\d]{0,6}[,(:]?[^,;、。\d]{0,8}(?:占|比例|比重|\()[^,;、。\d]{0,12}")


def check_shares(ledger: Ledger) -> Iterator[Finding]:
    """Shares that are not their numerator divided by their total; lists of shares that exceed the whole."""
    respective = _respective(ledger)
    for total_id, shares in ledger.shares.items():
        total = ledger.by_id[total_id]
        if is_percent(total) or total.value <= 0:
            continue
        for fact in shares:
            if not _is_share(fact):
                continue
            dealt = fact.id in respective
            numerator = respective[fact.id] if dealt else _numerator(ledger, fact, total)
            if numerator is not None and (dealt or not _fits_others(ledger, fact, numerator, total)):
                yield from _judge(ledger, fact, numerator, total)
        yield from _whole(ledger, total, shares)


def _is_share(fact: Fact) -> bool:
    """Whether the percentage is a share of its total: no change, and no rate, which `rate` checks."""
    return is_percent(fact) and fact.direction is None and rate_of(fact) is None


def _judge(ledger: Ledger, fact: Fact, numerator: Fact, total: Fact) -> Iterator[Finding]:
    found = verdict(ledger, fact, ledger.interval(numerator).over(ledger.interval(total)))
    if found == "right" or (numerator.value > total.value and numerator.part_of != total.id):
        return
    if ledger.is_change(fact) or ledger.is_change(numerator):
        return
    expected = numerator.value / total.value
    yield finding(
        "share.cut" if found == "cut" else "share.wrong",
        ledger,
        (fact, numerator, total),
        fact.value,
        expected,
        metric=named(numerator),
        share=as_printed(ledger, fact),
        part=as_printed(ledger, numerator),
        total=as_printed(ledger, total),
        computed=percentage(expected, ledger, fact),
    )


def _fits_others(ledger: Ledger, fact: Fact, numerator: Fact, total: Fact) -> bool:
    """Whether the share is wrong, but right for other numbers before it: then it is likelier of those."""
    if _fits(ledger, fact, numerator, total):
        return False
    near = [count for count in ledger.counts_near(fact) if _may_stand_in(count, fact, total)]
    wholes = (count for count in near if count is not numerator and not _siblings(count, numerator))
    if any(_fits(ledger, fact, numerator, whole) for whole in wholes):
        return True
    return bool(near) and near[0] is not numerator and _fits(ledger, fact, near[0], total)


def _may_stand_in(count: Fact, fact: Fact, total: Fact) -> bool:
    return count.start < fact.start and count is not total and units_agree(count, total)


def _siblings(a: Fact, b: Fact) -> bool:
    return a.part_of is not None and a.part_of == b.part_of


def _fits(ledger: Ledger, fact: Fact, numerator: Fact, total: Fact) -> bool:
    return verdict(ledger, fact, ledger.interval(numerator).over(ledger.interval(total))) == "right"


def _numerator(ledger: Ledger, fact: Fact, total: Fact) -> Fact | None:
    """The count that the share is said of: of the same metric mention, else the one right before it."""

    def accepted(other: Fact) -> bool:
        return (
            other is not total
            and other.table is fact.table
            and other.id not in ledger.compared
            and other.part_of in (None, total.id)
            and units_agree(other, total)
            and other.direction is None
        )

    if (found := ledger.nearest(fact, accepted)) is not None:
        return found
    before = ledger.count_before(fact)
    if before is None or before.part_of != total.id or not accepted(before):
        return None
    gap = ledger.between(before.end, fact.start, 40)
    if gap is None or _BESIDE.fullmatch(gap) is None:
        return None
    return before if fact.metric is None or label(fact) == label(before) else None


def _respective(ledger: Ledger) -> dict[str, Fact | None]:
    """Shares that 分别 deals out over the counts before them; None where they do not pair up."""
    dealt: dict[str, Fact | None] = {}
    parts_in = _by_sentence(ledger.parts)
    for place, shares in _by_sentence(ledger.shares).items():
        before = ledger.clause_before(shares[0])[-_NEAR:]
        if len(shares) < 2 or _RESPECTIVE.search(before) is None:
            continue
        counts = [part for part in parts_in.get(place, ()) if part.start < shares[0].start]
        paired = counts if len(counts) == len(shares) else [None] * len(shares)
        dealt |= {fact.id: count for fact, count in zip(shares, paired, strict=True)}
    return dealt


def _by_sentence(members: Mapping[str, list[Fact]]) -> dict[tuple[str, int | None], list[Fact]]:
    """The parts or shares of each total, by sentence; prose alone."""
    found: dict[tuple[str, int | None], list[Fact]] = defaultdict(list)
    for total_id, facts in members.items():
        for fact in facts:
            if fact.table is None:
                found[total_id, fact.sentence].append(fact)
    return found


def _whole(ledger: Ledger, total: Fact, shares: list[Fact]) -> Iterator[Finding]:
    """Lists of shares of one total in one sentence that exceed the whole, or that all but reach it."""
    for breakdown in breakdowns(ledger, total, list(filter(_is_share, shares))):
        parts = breakdown.parts
        if len(parts) < 3 or breakdown.claim is Claim.NONE:
            continue
        added = Interval(0.0, 0.0)
        for part in parts:
            added = added.plus(ledger.interval(part))
        expected = sum(part.value for part in parts)
        if added.distance(Interval(_WHOLE, _WHOLE)) == 0 or not _claims_whole(breakdown, expected):
            continue
        yield finding(
            "share.list",
            ledger,
            (*parts, total),
            expected,
            _WHOLE,
            metric=named(total),
            total=as_printed(ledger, total),
            number=len(parts),
            parts=part_list(ledger, parts),
            computed=percentage(expected, ledger, parts[0]),
        )


def _claims_whole(breakdown: Breakdown, expected: float) -> bool:
    settings = load_settings().sum
    if expected > _WHOLE:
        return expected <= settings.overlap_ratio and not may_overlap(breakdown)
    return breakdown.claim is Claim.STRONG and not breakdown.open_ended and expected >= settings.coverage
