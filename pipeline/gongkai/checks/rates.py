"""Check `rate`: rates of answered or finished cases against the cases counted beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache

from gongkai.checks.agreement import verdict
from gongkai.checks.ledger import Ledger, is_sharp, label, units_agree
from gongkai.checks.message import as_printed, finding, named, percentage
from gongkai.checks.rounding import is_percent
from gongkai.checks.settings import Rate, load_settings, words
from gongkai.rules.table import alternatives
from gongkai.types import Fact, Finding


def check_rates(ledger: Ledger) -> Iterator[Finding]:
    """Rates that differ from the cases counted next to them; rates of 100% beside cases left over."""
    for fact in ledger.prose():
        rate = rate_of(fact)
        total = ledger.by_id.get(fact.share_of or "")
        if rate is None or total is None or is_percent(total) or total.value <= 0:
            continue
        found = next(_against_numerator(ledger, fact, rate, total), None)
        found = found or next(_against_remainder(ledger, fact, rate, total), None)
        if found is not None:
            yield found


def rate_of(fact: Fact) -> Rate | None:
    """The kind of rate that a percentage's metric names, the most specific first."""
    if not is_percent(fact) or fact.direction is not None or fact.metric is None:
        return None
    return _rate_named(label(fact))


@lru_cache(maxsize=4096)
def _rate_named(words_of_metric: str) -> Rate | None:
    return next((rate for rate in load_settings().rates if words(rate.rate).search(words_of_metric)), None)


def _against_numerator(ledger: Ledger, fact: Fact, rate: Rate, total: Fact) -> Iterator[Finding]:
    pattern = _numerator_pattern(rate.numerator)
    for count in ledger.counts_near(fact):
        if not _comparable(count, total) or pattern.fullmatch(label(count)) is None:
            continue
        if not (is_sharp(count) and is_sharp(total) and is_sharp(fact)) or count.value > total.value:
            return
        found = verdict(ledger, fact, ledger.interval(count).over(ledger.interval(total)))
        if found == "right" and (fact.value != 1 or count.value == total.value):
            return
        expected = count.value / total.value
        yield finding(
            "rate.wrong" if found == "wrong" else "rate.rounded",
            ledger,
            (fact, count, total),
            fact.value,
            expected,
            metric=named(fact),
            rate=as_printed(ledger, fact),
            part=as_printed(ledger, count),
            part_metric=named(count),
            total=as_printed(ledger, total),
            computed=percentage(expected, ledger, fact),
        )
        return


def _against_remainder(ledger: Ledger, fact: Fact, rate: Rate, total: Fact) -> Iterator[Finding]:
    if fact.value != 1 or not is_sharp(fact):
        return
    previous = words(load_settings().previous_words)
    for count in ledger.counts_near(fact):
        if not _comparable(count, total) or words(rate.remainder).search(label(count)) is None:
            continue
        if count.value <= 0 or previous.search(label(count)) or previous.search(ledger.clause_before(count)):
            continue
        yield finding(
            "rate.remainder",
            ledger,
            (fact, count, total),
            fact.value,
            max(0.0, 1 - count.value / total.value),
            metric=named(fact),
            rate=as_printed(ledger, fact),
            part=as_printed(ledger, count),
            part_metric=named(count),
        )


def _comparable(count: Fact, total: Fact) -> bool:
    return count is not total and count.direction is None and units_agree(count, total)


@cache
def _numerator_pattern(verbs: tuple[str, ...]) -> re.Pattern[str]:
    affixes = load_settings().rate_affixes
    return re.compile(rf"{alternatives(affixes.before)}*{alternatives(verbs)}{alternatives(affixes.after)}*")
