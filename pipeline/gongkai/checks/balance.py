"""Check `balance`: the identities (勾稽关系) of the standard forms over the cells of one table."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from gongkai.checks.ledger import Ledger
from gongkai.checks.message import finding, part_list, quantity
from gongkai.checks.rounding import Interval
from gongkai.checks.settings import load_settings
from gongkai.normalise.identities import Identity
from gongkai.types import Fact, Finding

_Slice = dict[str, Fact | None]
"""Term of an identity → the one cell that holds it; None where several cells claim to."""


def check_balance(ledger: Ledger, identities: Sequence[Identity]) -> Iterator[Finding]:
    """Identities that do not hold. A blank cell that could make up the difference leaves them open."""
    forms = _forms(ledger, identities)
    for axis in ("metric", "category"):
        stated: dict[str, list[Identity]] = defaultdict(list)
        for identity in identities:
            if identity.axis == axis:
                for term in identity.left:
                    stated[term].append(identity)
        for (table, line), cells in _slices(ledger, axis).items():
            concerned = {identity.name: identity for term in cells for identity in stated.get(term, ())}
            for identity in concerned.values():
                if table not in forms or not forms[table].isdisjoint(identity.forms):
                    yield from _judge(ledger, identity, cells, line)


def _forms(ledger: Ledger, identities: Sequence[Identity]) -> dict[str, set[str]]:
    """The forms that each table may be: those whose identities name most of its metrics.

    The generations share indicators but not sums: 行政复议 has 尚未审结 since 国办公开办函〔2019〕60号.
    """
    forms_of: dict[str, set[str]] = defaultdict(set)
    for identity in identities:
        if identity.axis == "metric":
            for term in (*identity.left, *identity.right):
                forms_of[term].update(identity.forms)
    seen = {
        (fact.table, fact.metric_id) for fact in ledger.facts if fact.table and fact.metric_id in forms_of
    }
    hits: dict[str, Counter[str]] = defaultdict(Counter)
    for table, metric_id in seen:
        if table is not None and metric_id is not None:
            hits[table].update(forms_of[metric_id])
    return {
        table: {form for form, hit in counted.items() if hit == max(counted.values())}
        for table, counted in hits.items()
    }


def _slices(ledger: Ledger, axis: str) -> dict[tuple[str, str | None], _Slice]:
    """The cells along an axis: each column's by metric, or each row's by category."""
    slices: dict[tuple[str, str | None], _Slice] = defaultdict(dict)
    for fact in ledger.facts:
        if fact.table is None or fact.metric_id is None:
            continue
        term, line = (fact.metric_id, fact.category) if axis == "metric" else (fact.category, fact.metric_id)
        if term is None:
            continue
        cells = slices[fact.table, line]
        other = cells.setdefault(term, fact)
        if other is not None and other.value != fact.value:
            cells[term] = None
    return slices


def _judge(ledger: Ledger, identity: Identity, cells: _Slice, line: str | None) -> Iterator[Finding]:
    left, right = _side(cells, identity.left), _side(cells, identity.right)
    if left is None or right is None or not (left or right):
        return
    left_sum, right_sum = _sum(ledger, left), _sum(ledger, right)
    if left_sum.distance(right_sum) == 0:
        return
    reported, expected = (sum(cell.value for cell in side) for side in (left, right))
    if _blank_explains(identity, left, right, reported - expected):
        return
    doubtful_left = len(identity.left) <= len(identity.right)
    evidence = (*left, *right) if doubtful_left else (*right, *left)
    yield finding(
        "balance",
        ledger,
        evidence,
        reported if doubtful_left else expected,
        expected if doubtful_left else reported,
        line=_line_name(identity, line, evidence[0]),
        statement=identity.statement,
        left=quantity(reported, None),
        right=quantity(expected, None),
        left_cells=part_list(ledger, left),
        right_cells=part_list(ledger, right),
        difference=quantity(abs(reported - expected), None),
    )


def _side(cells: _Slice, terms: tuple[str, ...]) -> list[Fact] | None:
    """The cells of one side that hold a number; None where a term is claimed by several cells."""
    found = [cells[term] for term in terms if term in cells]
    sure = [cell for cell in found if cell is not None]
    return sure if len(sure) == len(found) else None


def _sum(ledger: Ledger, cells: list[Fact]) -> Interval:
    total = Interval(0.0, 0.0)
    for cell in cells:
        total = total.plus(ledger.interval(cell))
    return total


def _blank_explains(identity: Identity, left: list[Fact], right: list[Fact], difference: float) -> bool:
    """Whether cells without a number could hold, as values of at least 0, what the two sides differ by.

    A side of which more than half is blank says too little to be held against the other.
    """
    blank_left, blank_right = len(identity.left) - len(left), len(identity.right) - len(right)
    if blank_left * 2 > len(identity.left) or blank_right * 2 > len(identity.right):
        return True
    return blank_right > 0 if difference > 0 else blank_left > 0


def _line_name(identity: Identity, line: str | None, cell: Fact) -> str:
    if identity.axis == "category":
        return "".join((cell.metric or line or "").split())
    return load_settings().columns.get(line or "total", line or "")
