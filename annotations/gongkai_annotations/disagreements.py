"""Where two annotations of a document differ, each difference in the sentence it stands in.

Differences are paired, so that one slip is one entry: spans at the same place under other labels, spans of
one label that overlap but begin or end elsewhere; what is left, only one side has. A relation that differs
only because its spans do is told apart from one that the sides see differently.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from typing import Literal, TypeGuard

import msgspec

from gongkai.gold.records import GoldRecord
from gongkai.show import visible
from gongkai.structure import sentences
from gongkai.text import fold

from .agreement import Key, Span, keys

Kind = Literal["first_only", "second_only", "label", "boundary"]
KINDS: Mapping[Kind, str] = {
    "label": "same place, other label",
    "boundary": "boundary differs",
    "first_only": "only first",
    "second_only": "only second",
}
_ORDER = list(KINDS)


class Disagreement(msgspec.Struct, frozen=True, kw_only=True):
    """One difference. `first` and `second` are what each side says, None for nothing.

    Attributes:
        between: What the two annotators are called.
        context: (start, end) of the sentences that it stands in.
    """

    document: str
    between: tuple[str, str]
    kind: Kind
    first: Key | None
    second: Key | None
    context: tuple[int, int]

    @property
    def sides(self) -> tuple[Key, ...]:
        """What is said, by the first side, then by the second."""
        return tuple(key for key in (self.first, self.second) if key is not None)

    @property
    def label(self) -> str:
        """The label of the first side, else of the second."""
        return self.sides[0][0]


def is_span(key: Key) -> TypeGuard[Span]:
    """Whether a key is a span (else a relation)."""
    return isinstance(key[1], int)


def spans_of(key: Key) -> tuple[Span, ...]:
    """The span itself, or head and tail of a relation."""
    return (key,) if is_span(key) else (key[1], key[2])  # type: ignore[return-value]


def all_disagreements(documents: Iterable[Mapping[str, GoldRecord]]) -> Iterator[tuple[Disagreement, str]]:
    """Every difference of every pair of annotators, with the document's text.

    Args:
        documents: For each document, annotator → annotation.
    """
    for by_name in documents:
        for one, other in combinations(by_name, 2):
            text = by_name[one].text
            for found in disagreements(by_name[one], by_name[other], (one, other)):
                yield found, text


def disagreements(
    first: GoldRecord, second: GoldRecord, between: tuple[str, str] = ("first", "second")
) -> list[Disagreement]:
    """Every difference between two annotations of one text, in text order."""
    ours, theirs = keys(first), keys(second)
    lost, won = ours - theirs, theirs - ours
    spans = list(_paired_spans({k for k in lost if is_span(k)}, {k for k in won if is_span(k)}))
    stands_for = {one: other for _, one, other in spans if one is not None and other is not None}
    pairs: list[tuple[Kind, Key | None, Key | None]] = [*spans]
    pairs += _paired_relations(
        {k for k in lost if not is_span(k)}, {k for k in won if not is_span(k)}, stands_for
    )
    ends = [end for _, end in sentences.split(fold(first.text))]
    found = [
        Disagreement(
            document=first.id,
            between=between,
            kind=kind,
            first=one,
            second=other,
            context=_context(first.text, ends, one, other),
        )
        for kind, one, other in pairs
    ]
    return sorted(found, key=_place)


def lines(found: Disagreement, text: str) -> Iterator[str]:
    """A difference as text: what it is, then the sentence with ⟦what each side marks⟧; controls made visible."""
    labels = "/".join(dict.fromkeys(key[0] for key in found.sides))
    yield one_line(f"{found.document}  {KINDS[found.kind]}  {labels}")
    width = max(map(len, found.between))
    for name, key in zip(found.between, (found.first, found.second), strict=True):
        if key is not None:
            yield one_line(f"  {name:{width}}  {key[0]:12}") + _marked(text, key, found.context)


def cut(text: str, key: Key, context: tuple[int, int]) -> Iterator[tuple[str, str]]:
    """The sentence in pieces: (`""`, plain text), or (role, text) with role `span`, `head` or `tail`.

    Long stretches without a mark are shortened to what stands next to one. Where head and tail nest, the
    inner one is marked.
    """
    roles = ("span",) if is_span(key) else ("head", "tail")
    marks = sorted(zip(spans_of(key), roles, strict=True), key=lambda mark: mark[0][1:])
    place = context[0]
    for number, ((_, start, end), role) in enumerate(marks):
        start = max(start, place)
        if number + 1 < len(marks):
            end = min(end, max(start, marks[number + 1][0][1]))
        yield "", _shortened(text[place:start], before=number > 0, after=True)
        yield role, text[start:end]
        place = max(place, end)
    yield "", _shortened(text[place : context[1]], before=True, after=False)


_NEAR = 60
"""Characters beside a mark that are always shown."""


def _shortened(text: str, *, before: bool, after: bool) -> str:
    """The characters next to the mark before and the mark after."""
    if len(text) <= 2 * _NEAR:
        return text
    return f"{text[:_NEAR] if before else ''}……{text[-_NEAR:] if after else ''}"


def _marked(text: str, key: Key, context: tuple[int, int]) -> str:
    signs = {"span": "", "head": "head ", "tail": "tail "}
    pieces = (f"⟦{signs[role]}{piece}⟧" if role else piece for role, piece in cut(text, key, context))
    return one_line("".join(pieces))


def one_line(text: str) -> str:
    """Text on one line: line breaks and other controls as pictures."""
    return visible(text.replace("\r\n", "⏎").replace("\n", "⏎").replace("\r", "␍").replace("\t", " "))


def _paired_spans(lost: set[Span], won: set[Span]) -> Iterator[tuple[Kind, Span | None, Span | None]]:
    lost, won = set(lost), set(won)
    at = defaultdict(list)
    for span in sorted(won, reverse=True):
        at[span[1:]].append(span)
    for span in sorted(lost):
        if at[span[1:]]:
            other = at[span[1:]].pop()
            lost.remove(span)
            won.remove(other)
            yield "label", span, other
    for one, other in _overlapping(sorted(lost), sorted(won)):
        lost.remove(one)
        won.remove(other)
        yield "boundary", one, other
    yield from (("first_only", span, None) for span in lost)
    yield from (("second_only", None, span) for span in won)


def _overlapping(first: list[Span], second: list[Span]) -> Iterator[tuple[Span, Span]]:
    """Pairs of spans of one label that share a character, each span in one pair; both lists sorted."""
    place = 0
    for one in first:
        while place < len(second) and (second[place][0], second[place][2]) <= (one[0], one[1]):
            place += 1
        if place == len(second):
            return
        other = second[place]
        if other[0] == one[0] and other[1] < one[2]:
            yield one, other
            place += 1


def _paired_relations(
    lost: set[Key], won: set[Key], stands_for: Mapping[Span, Span]
) -> Iterator[tuple[Kind, Key | None, Key | None]]:
    lost, won = set(lost), set(won)
    for key in sorted(lost, key=str):
        moved = (key[0], *(stands_for.get(span, span) for span in spans_of(key)))
        if moved in won:
            lost.remove(key)
            won.remove(moved)
            yield "boundary", key, moved
    at = defaultdict(list)
    for key in sorted(won, key=str, reverse=True):
        at[key[1:]].append(key)
    for key in sorted(lost, key=str):
        if at[key[1:]]:
            other = at[key[1:]].pop()
            lost.remove(key)
            yield "label", key, other
            won.remove(other)
    yield from (("first_only", key, None) for key in lost)
    yield from (("second_only", None, key) for key in won)


def _context(text: str, ends: list[int], *sides: Key | None) -> tuple[int, int]:
    """From the first sentence concerned to the last, without the white space after it."""
    spans = [span for key in sides if key is not None for span in spans_of(key)]
    first = bisect_right(ends, min(start for _, start, _ in spans))
    farthest = max(end for _, _, end in spans)
    last = bisect_right(ends, farthest - 1)
    start, end = (ends[first - 1] if first else 0), ends[min(last, len(ends) - 1)]
    return start, max(farthest, start + len(text[start:end].rstrip()))


def _place(found: Disagreement) -> tuple[int, bool, int, int, int, str]:
    """By sentence, there spans before the relations that they bring with them."""
    start, end = spans_of(found.sides[0])[0][1:]
    return (
        found.context[0],
        not is_span(found.sides[0]),
        start,
        end,
        _ORDER.index(found.kind),
        str(found.sides),
    )
