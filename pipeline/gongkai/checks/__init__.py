"""Checks: what in a report does not add up, with what is printed and what follows from its other numbers.

A check is a pure function from the ledger of one document's facts to findings. It speaks only where the text
itself ties numbers together (a relation, a standard form, one indicator named twice).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gongkai.checks.balance import check_balance
from gongkai.checks.growth import check_growth
from gongkai.checks.ledger import Ledger
from gongkai.checks.rates import check_rates
from gongkai.checks.repeats import check_repeats
from gongkai.checks.shares import check_shares
from gongkai.checks.sums import check_sums
from gongkai.normalise.identities import Identity
from gongkai.types import Fact, Finding

__all__ = ["check"]


def check(facts: Sequence[Fact], text: str, identities: Sequence[Identity]) -> tuple[Finding, ...]:
    """Everything in one document that does not add up, by place in the text, each once.

    Args:
        facts: The document's facts, prose and tables.
        text: The source text that their offsets point into.
        identities: What the standard forms demand of their tables (`normalise.identities`).
    """
    ledger = Ledger(facts, text)
    return _in_order(
        (
            *check_sums(ledger),
            *check_shares(ledger),
            *check_growth(ledger),
            *check_balance(ledger, identities),
            *check_repeats(ledger),
            *check_rates(ledger),
        )
    )


def _in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    once = {(finding.check, finding.evidence): finding for finding in findings}
    return tuple(sorted(once.values(), key=_place))


def _place(finding: Finding) -> tuple[tuple[int, int], str, tuple[str, ...]]:
    return finding.spans[0], finding.check, finding.evidence
