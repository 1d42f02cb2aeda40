"""Which predicted span answers which gold span: one-to-one, over a whole document.

Spans are paired in four passes, each over what the passes before have left on both sides:

1. the same label and ends;
2. the same ends under another label;
3. the same label, overlapping: the larger overlap first, then the earlier in the text;
4. another label, overlapping by at least half of what the two cover together (IoU ≥ 1/2).

The last pass asks for more than a touch because spans nest: a PERIOD that was missed inside a POLICY is missed, not
a wrong reading of whatever spurious span grazes it, and certainly not of the POLICY, whose partner pass 1 has found.
Every choice is the same with the sides exchanged.
"""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import NamedTuple, TypeVar

from gongkai.evaluate.types import Boundary, Part

K = TypeVar("K", bound=Hashable)

DEPTH = 8
"""How many spans that lie over each other on one side are looked at for a span of the other.

Bounds the work at DEPTH candidates a span whatever the input. Annotation nests no deeper than there are labels; of a
prediction that does, those reaching furthest are kept: they overlap most with whatever begins later.
"""

_BOUNDARIES: dict[tuple[int, int], Boundary] = {
    (0, 0): "same",
    (-1, 0): "longer_left",
    (0, 1): "longer_right",
    (-1, 1): "longer_both",
    (1, 0): "shorter_left",
    (0, -1): "shorter_right",
    (1, -1): "shorter_both",
    (-1, -1): "shifted_left",
    (1, 1): "shifted_right",
}


class Pair(NamedTuple):
    """A gold span and the predicted span that answers it; None where that side has nothing there."""

    gold: Part | None
    predicted: Part | None


class _Candidate(NamedTuple):
    overlap: int
    gold: Part
    predicted: Part


def align(gold: Iterable[Part], predicted: Iterable[Part]) -> list[Pair]:
    """Every span of both sides exactly once, paired or alone, in text order; a repeated span counts once.

    Near-linear in the number of spans, however they overlap.
    """
    unpaired_gold, unpaired_predicted = set(gold), set(predicted)
    pairs: list[Pair] = []

    def take(found: Iterable[tuple[Part, Part]]) -> None:
        for one, other in found:
            if one in unpaired_gold and other in unpaired_predicted:
                unpaired_gold.remove(one)
                unpaired_predicted.remove(other)
                pairs.append(Pair(one, other))

    take([(span, span) for span in unpaired_gold & unpaired_predicted])
    take(_same_ends(unpaired_gold, unpaired_predicted))
    take(_by_overlap(_same_label(unpaired_gold, unpaired_predicted)))
    take(_by_overlap(filter(_largely_the_same, _overlapping(unpaired_gold, unpaired_predicted))))
    pairs.extend(Pair(span, None) for span in unpaired_gold)
    pairs.extend(Pair(None, span) for span in unpaired_predicted)
    return sorted(pairs, key=_pair_place)


def grouped(
    gold: Iterable[Part], predicted: Iterable[Part], key: Callable[[Part], K]
) -> dict[K, tuple[list[Part], list[Part]]]:
    """The spans of both sides by what `key` says of them: gold's, then the predicted."""
    groups: defaultdict[K, tuple[list[Part], list[Part]]] = defaultdict(lambda: ([], []))
    for side, spans in enumerate((gold, predicted)):
        for span in spans:
            groups[key(span)][side].append(span)
    return groups


def boundary(gold: Part, predicted: Part) -> Boundary:
    """How the predicted ends lie to the gold ends.

    >>> boundary(Part("COUNT", 2, 6), Part("COUNT", 1, 6))
    'longer_left'
    """
    return _BOUNDARIES[_sign(predicted.start - gold.start), _sign(predicted.end - gold.end)]


def _same_ends(gold: Iterable[Part], predicted: Iterable[Part]) -> list[tuple[Part, Part]]:
    """Spans with the same ends, in the order of their labels."""
    places = grouped(gold, predicted, lambda span: (span.start, span.end)).values()
    return [
        pair
        for golds, others in places
        for pair in zip(sorted(golds), sorted(others), strict=False)  # what has no partner stays
    ]


def _same_label(gold: Iterable[Part], predicted: Iterable[Part]) -> Iterator[_Candidate]:
    for golds, others in grouped(gold, predicted, lambda span: span.label).values():
        yield from _overlapping(golds, others)


def _overlapping(gold: Iterable[Part], predicted: Iterable[Part]) -> Iterator[_Candidate]:
    """The pairs of spans that share a character, swept from left to right (see DEPTH)."""
    spans = [(span, 0) for span in gold] + [(span, 1) for span in predicted]
    begun: tuple[list[Part], list[Part]] = ([], [])
    for span, side in sorted(spans, key=lambda item: _place(item[0])):
        own, others = begun[side], begun[1 - side]
        for other in others:
            shared = min(span.end, other.end) - span.start
            if shared > 0:
                yield _Candidate(shared, other, span) if side else _Candidate(shared, span, other)
        insort(own, span, key=lambda s: -s.end)
        del own[DEPTH:]


def _by_overlap(candidates: Iterable[_Candidate]) -> list[tuple[Part, Part]]:
    """The larger overlap first; of equal ones, as swept, the earlier: the order does not depend on the side."""
    ordered = sorted(candidates, key=lambda candidate: -candidate.overlap)
    return [(candidate.gold, candidate.predicted) for candidate in ordered]


def _largely_the_same(candidate: _Candidate) -> bool:
    overlap, gold, predicted = candidate
    covered = (gold.end - gold.start) + (predicted.end - predicted.start) - overlap
    return 2 * overlap >= covered


def _place(span: Part) -> tuple[int, int, str]:
    return span.start, span.end, span.label


def _pair_place(pair: Pair) -> tuple[int, int, str]:
    span = pair.gold or pair.predicted
    assert span is not None
    return _place(span)


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)
