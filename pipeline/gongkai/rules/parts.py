"""part_of: which counts break down a total.

The surest signs come first, since a count is part of one total only: the words that announce a breakdown and
lists right behind their total, then sums, then whole paragraphs.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from operator import attrgetter

from gongkai.rules.clauses import Clause
from gongkai.rules.ledger import LIST_LIMIT, REACH, Ledger, count_unit, count_value
from gongkai.types import Entity

_CLAUSES_AHEAD = 16
"""Sentences after a total's in which a list that adds up to it is looked for."""
_TELLING = 20
"""From here on two numbers do not add up to a third by chance."""
_MOST_BEFORE_CUE = 3
"""Characters of its sentence that may stand before a cue that begins it."""
_start = attrgetter("start")


def relate_parts(ledger: Ledger) -> None:
    """Enter the parts of each total; changes must be entered before."""
    for clause in ledger.clauses:
        _cued_parts(ledger, clause)
        _listed_parts(ledger, clause)
        _subsets(ledger, clause)
        _some_of(ledger, clause)
    # From the last total to the first: where a list adds up to two of them, it breaks down the nearer.
    for clause in reversed(ledger.clauses):
        _lists_below(ledger, clause)
    for paragraph in range(len(ledger.paragraphs)):
        _announced_parts(ledger, paragraph)


def _cued_parts(ledger: Ledger, clause: Clause) -> None:
    """Counts after 其中 or 包括 are parts of the count before it."""
    counts = ledger.counts(clause)
    for cue in ledger.cues["among"].finditer(ledger.masked, clause.start, clause.end):
        first = bisect_left(counts, cue.end(), key=_start)
        parts = counts[first : first + LIST_LIMIT]
        if not parts or parts[0].start - cue.end() > REACH:
            continue
        total = _total_before(ledger, clause, cue.start(), parts[0])
        if total is not None:
            _link(ledger, total, parts, "part_of.among")


def _total_before(ledger: Ledger, clause: Clause, position: int, part: Entity) -> Entity | None:
    """The last count before a cue that `part` fits; of the sentence before, if the cue begins its own."""
    before = ledger.counts_before(clause, position)
    if not before and clause.place:
        earlier = ledger.clauses[clause.place - 1]
        if earlier.paragraph != clause.paragraph or clause.start + _MOST_BEFORE_CUE < position:
            return None
        before = ledger.counts_before(earlier, position)
    fitting = [count for count in before if ledger.fits(count, part)]
    chosen = list(filter(ledger.is_whole, fitting)) or fitting
    return chosen[-1] if chosen else None


def _listed_parts(ledger: Ledger, clause: Clause) -> None:
    """A list after a total: in its bracket, after its colon, or adding up to exactly the total."""
    counts = ledger.counts(clause)
    for place, total in enumerate(counts):
        following = counts[place + 1 : place + 1 + LIST_LIMIT]
        opening = ledger.masked[total.end : total.end + 1]
        if opening == "(":
            close = ledger.masked.find(")", total.end, clause.end)
            inside = [count for count in following if count.end <= close and _labelled(ledger, count)]
            _link(ledger, total, inside, "part_of.bracket")
        elif opening == ":":
            _link(ledger, total, following, "part_of.colon")
        else:
            _link(ledger, total, _summing_prefix(ledger, total, following), "part_of.adds_up")


def _labelled(ledger: Ledger, number: Entity) -> bool:
    metric = ledger.metric_of.get(number.id)
    return metric is not None and metric.end <= number.start


def _subsets(ledger: Ledger, clause: Clause) -> None:
    """589个政务服务事项…,其余554个事项: a smaller count of the same noun is part of the larger."""
    counts = [count for count in ledger.counts(clause) if count.id in ledger.metric_of]
    for place, part in enumerate(counts):
        if not ledger.is_whole(part) or ledger.metric_of[part.id].start < part.start:
            continue
        for total in reversed(counts[max(0, place - LIST_LIMIT) : place]):
            if _larger_of_same_noun(ledger, total, part):
                _link(ledger, ledger.whole_of(total), [part], "part_of.same_noun")
                break


def _larger_of_same_noun(ledger: Ledger, total: Entity, part: Entity) -> bool:
    whole, noun = ledger.metric_of[total.id], ledger.metric_of[part.id]
    if not whole.text.endswith(noun.text) or whole.start <= total.start:
        return False
    return ledger.fits(total, part) and count_value(part) < count_value(total)


def _some_of(ledger: Ledger, clause: Clause) -> None:
    """14个区县中尚有5个: some of the count just before."""
    for total, part in pairwise(ledger.counts(clause)):
        gap = ledger.masked[total.end : part.start]
        if ledger.is_whole(part) and ledger.cues["of_these"].search(gap):
            _link(ledger, total, [part], "part_of.of_these")


def _lists_below(ledger: Ledger, clause: Clause) -> None:
    """Lists in the sentences and paragraphs after a total, recognised by adding up to it exactly."""
    ahead = _counts_ahead(ledger, clause)
    rest = [count for counts in ahead for count in counts]
    for counts in ahead:
        for total in ledger.counts(clause):
            parts = _summing_prefix(ledger, total, rest)
            same_unit = all(count_unit(part) == count_unit(total) for part in parts)
            # Two small numbers add up to a third by chance.
            if same_unit and (len(parts) > 2 or count_value(total) >= _TELLING):
                _link(ledger, total, parts, "part_of.adds_up_below")
        rest = rest[len(counts) :]


def _counts_ahead(ledger: Ledger, clause: Clause) -> list[list[Entity]]:
    """The counts of each of the next clauses of the section."""
    ahead = []
    for later in ledger.clauses[clause.place + 1 : clause.place + 1 + _CLAUSES_AHEAD]:
        if not ledger.same_section(clause, later):
            break
        ahead.append(ledger.counts(later))
    return ahead


def _summing_prefix(ledger: Ledger, total: Entity, counts: Sequence[Entity]) -> list[Entity]:
    """The first of `counts` as far as they add up to exactly the total; none if they do not."""
    parts: list[Entity] = []
    amount = 0.0
    for count in counts[:LIST_LIMIT]:
        if not ledger.is_whole(count) or not ledger.fits(total, count) or count.id not in ledger.metric_of:
            break
        parts.append(count)
        amount += count_value(count)
        if amount >= count_value(total):
            return parts if amount == count_value(total) and len(parts) > 1 and amount else []
    return []


def _announced_parts(ledger: Ledger, paragraph: int) -> None:
    """(主要有以下几种:) The paragraphs below one that ends so break its total down, up to the next 一、."""
    start, end = ledger.paragraphs[paragraph]
    if not ledger.cues["announced_list"].search(ledger.masked, max(start, end - REACH), end):
        return
    total = _announced_total(ledger, paragraph)
    if total is None:
        return
    for below in range(paragraph + 1, min(paragraph + LIST_LIMIT, len(ledger.paragraphs))):
        if ledger.is_heading(below):
            return
        for clause in ledger.clauses_in(below):
            _link(ledger, total, ledger.counts(clause), "part_of.announced", to_sum=False)


def _announced_total(ledger: Ledger, paragraph: int) -> Entity | None:
    """The last count of documents in the paragraph that is not a part itself."""
    counts = (count for clause in ledger.clauses_in(paragraph) for count in ledger.counts(clause))
    documents = (count for count in counts if count_unit(count) in ledger.cues.document_units)
    totals = list(filter(ledger.is_whole, documents))
    return totals[-1] if totals else None


def _link(ledger: Ledger, total: Entity, parts: Sequence[Entity], by: str, to_sum: bool = True) -> None:
    """Enter those of `parts` that fit: up to one that is larger than the total, or until they add up to it."""
    amount = 0.0
    for part in parts:
        if not ledger.is_whole(part):
            continue
        if count_value(part) > count_value(total):
            return
        if not ledger.fits(total, part):
            continue
        ledger.add_part(by, part, total)
        amount += count_value(part)
        if to_sum and amount >= count_value(total) > 0:
            return
