"""From the model's scores to spans and relations, by numpy alone: the same in training, evaluation and at run time.

Scores of spans come in one of two designs; relations are scored by a dot product of what the model gives each
character as start and as end of a head and of a tail:

    score(r, head, tail) = (heads[h.start, 0, r] + heads[h.end - 1, 1, r]) · (tails[t.start, 0, r] + tails[t.end - 1, 1, r])

A relation is there if its score is above 0.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gongkai.chains import Chains
from gongkai.types import Mention, RelationLabel

from .scheme import (
    ACYCLIC,
    ENTITY_LABELS,
    MANY_TAILS,
    MAY_HOLD,
    RELATION_LABELS,
    Tag,
    relation_pairs,
)
from .windows import Owners, Window

Floats = NDArray[np.float32]

BY: Final = "model"

_CLOSED: Final = np.array((Tag.O, Tag.E, Tag.S), np.int8)
_OPEN: Final = np.array((Tag.B, Tag.I), np.int8)
"""Tags after which no span, or one, is open: before the first kind, and before B, only closed ones may stand."""

_LABEL_NUMBER: Final = {label: number for number, label in enumerate(ENTITY_LABELS)}

_NEVER: Final = -1e4
_ROUNDING: Final = 1e-3
"""Of the sums of a window's scores, many times over."""


class Vectors(NamedTuple):
    """What relations of a window are scored by.

    Attributes:
        heads, tails: (characters, 2, relations, size), float32; the second axis: as start, as end.
    """

    heads: Floats
    tails: Floats


class Link(NamedTuple):
    """A relation between two mentions of a document, by their numbers."""

    label: RelationLabel
    head: int
    tail: int
    score: float


def spans_of_tags(scores: Floats, lengths: Sequence[int]) -> list[list[Mention]]:
    """The best sequence of tags for each label that the scheme's transitions allow (Viterbi), as spans.

    Args:
        scores: (windows, characters, labels, 5): log probability of each tag.
        lengths: Characters of each window that are no padding.

    Returns:
        For each window its mentions, offsets from its start. The score of a mention is the probability of its least
        certain tag.
    """
    windows, characters, labels, _ = scores.shape
    tags = _tag(scores, lengths).reshape(-1)
    inside = np.flatnonzero(tags)
    chosen = tags[inside]
    # Ordered by window and label, the n-th opening belongs to the n-th close.
    opened = np.flatnonzero((chosen == Tag.B) | (chosen == Tag.S))
    closed = np.flatnonzero((chosen == Tag.E) | (chosen == Tag.S))
    found: list[list[Mention]] = [[] for _ in range(windows)]
    if not len(opened):
        return found
    sequence, place = np.divmod(inside, characters)
    window, label = np.divmod(sequence, labels)
    certain = np.exp(scores[window, place, label, chosen])
    for number, name, start, last, score in zip(
        window[opened].tolist(),
        label[opened].tolist(),
        place[opened].tolist(),
        place[closed].tolist(),
        np.minimum.reduceat(certain, opened).tolist(),
        strict=True,
    ):
        found[number].append(Mention(ENTITY_LABELS[name], start, last + 1, BY, score))
    return found


def _tag(scores: Floats, lengths: Sequence[int]) -> NDArray[np.int8]:
    """(windows, labels, characters): the best tags; padding is outside of every span."""
    windows, characters, labels, _ = scores.shape
    tags = np.zeros(windows * labels * characters, np.int8)
    starts, ends = _stretches(_worth(scores, lengths))
    if not len(starts):
        return tags.reshape(windows, labels, characters)
    # The longest first: those that a step no longer reaches are then at the end.
    order = np.argsort(starts - ends, kind="stable")
    starts, long = starts[order], (ends - starts)[order]
    sequence, place = np.divmod(starts, characters)
    window, label = np.divmod(sequence, labels)
    going = np.searchsorted(-long, -np.arange(long[0]), "left")
    paths = _viterbi(
        [scores[window[:n], place[:n] + step, label[:n]] for step, n in enumerate(going.tolist())],
        len(starts),
    )
    for step, n in enumerate(going.tolist()):
        tags[starts[:n] + step] = paths[step][:n]
    return tags.reshape(windows, labels, characters)


def _worth(scores: Floats, lengths: Sequence[int]) -> NDArray[np.bool_]:
    """(windows, labels, characters): whether a span over the character could beat having none there.

    A character gains a span at most what its best tag has more than being outside. A span whose characters gain it
    less than 0 together is in no best sequence; so the rest of the characters need no decoding.
    """
    gains = (
        np.maximum(
            np.maximum(scores[..., Tag.B], scores[..., Tag.I]),
            np.maximum(scores[..., Tag.E], scores[..., Tag.S]),
        )
        - scores[..., Tag.O]
    )
    padding = np.arange(scores.shape[1]) >= np.asarray(lengths)[:, None]
    gains[padding] = _NEVER
    sums = np.zeros((len(gains), gains.shape[2], gains.shape[1] + 1))
    np.cumsum(gains.transpose(0, 2, 1), axis=-1, dtype=np.float64, out=sums[..., 1:])
    least_before = np.minimum.accumulate(sums[..., :-1], axis=-1)
    most_after = np.maximum.accumulate(sums[..., :0:-1], axis=-1)[..., ::-1]
    worth: NDArray[np.bool_] = (most_after - least_before > -_ROUNDING) & ~padding[:, None]
    return worth


def _stretches(worth: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Starts and ends of the runs of a window's and label's characters, as places in the flattened array."""
    framed = np.zeros((*worth.shape[:2], worth.shape[2] + 2), np.int8)
    framed[..., 1:-1] = worth
    change = np.diff(framed, axis=-1).reshape(-1)
    width = worth.shape[2] + 1
    return tuple(  # type: ignore[return-value]
        place // width * (width - 1) + place % width
        for place in map(np.flatnonzero, (change > 0, change < 0))
    )


def _viterbi(steps: Sequence[Floats], sequences: int) -> list[NDArray[np.int8]]:
    """The best tags of sequences that begin and end outside of spans.

    Args:
        steps: For each character the scores (n, 5) of the n sequences that reach so far, which come first.

    Returns:
        For each character (sequences,): their tags.
    """
    # What may stand before a tag depends only on whether it goes on with a span that is open.
    outside = np.zeros(sequences, np.float32)
    within = np.full(sequences, -np.inf, np.float32)
    closers, openers = [], []
    for scores in steps:
        n = len(scores)
        closing = np.stack(
            (outside[:n] + scores[:, Tag.O], within[:n] + scores[:, Tag.E], outside[:n] + scores[:, Tag.S])
        )
        opening = np.stack((outside[:n] + scores[:, Tag.B], within[:n] + scores[:, Tag.I]))
        closers.append(_CLOSED[closing.argmax(0)])
        openers.append(_OPEN[opening.argmax(0)])
        outside[:n], within[:n] = closing.max(0), opening.max(0)
    paths: list[NDArray[np.int8]] = [np.zeros(sequences, np.int8) for _ in steps]
    open_after = np.zeros(sequences, np.bool_)
    for step in range(len(steps) - 1, -1, -1):
        n = len(steps[step])
        path = paths[step][:n]
        path[:] = np.where(open_after[:n], openers[step], closers[step])
        open_after[:n] = (path == Tag.I) | (path == Tag.E)
    return paths


def spans_of_pointers(scores: Floats, lengths: Sequence[int]) -> list[list[Mention]]:
    """Every span whose score is above 0; of two of one label that overlap, the one that scores higher.

    Args:
        scores: (windows, characters, widths, labels): logit of the span that begins at the character and has
            width + 1 characters.
        lengths: Characters of each window that are no padding.

    Returns:
        As `spans_of_tags`; the score of a mention is the sigmoid of its logit.
    """
    places = np.argwhere((scores > 0).any(-1))
    return spans_of_candidates(places, scores[tuple(places.T)], lengths)


def spans_of_candidates(
    places: NDArray[np.intp], logits: Floats, lengths: Sequence[int]
) -> list[list[Mention]]:
    """As `spans_of_pointers`, of those spans only that may score above 0.

    Args:
        places: (candidates, 3), in order: window, first character, width - 1.
        logits: (candidates, labels).
    """
    windows, firsts, widths = places.T
    inside = firsts + widths < np.asarray(lengths)[windows]
    chosen, label = np.nonzero((logits > 0) & inside[:, None])
    found: list[list[Mention]] = [[] for _ in lengths]
    for window, start, width, name, score in zip(
        windows[chosen].tolist(),
        firsts[chosen].tolist(),
        widths[chosen].tolist(),
        label.tolist(),
        (1 / (1 + np.exp(-logits[chosen, label].astype(np.float64)))).tolist(),
        strict=True,
    ):
        found[window].append(Mention(ENTITY_LABELS[name], start, start + width + 1, BY, score))
    return [settle(mentions) for mentions in found]


def stitch(windows: Sequence[Window], found: Sequence[Iterable[Mention]]) -> list[Mention]:
    """A document's mentions, of those of its windows: each as the window says in whose middle it is.

    Args:
        found: The mentions of each window, offsets from its start.

    Returns:
        Mentions in text order, offsets into the document, settled.
    """
    owners = Owners(windows)
    moved = (
        mention._replace(start=mention.start + window.start, end=mention.end + window.start)
        if owners.of(mention.start + window.start, mention.end + window.start) == number
        else None
        for number, (window, mentions) in enumerate(zip(windows, found, strict=True))
        for mention in mentions
    )
    return settle(mention for mention in moved if mention is not None)


def settle(mentions: Iterable[Mention]) -> list[Mention]:
    """The mentions that stay, in text order: of two that the scheme does not let overlap, the one that scores higher."""
    ordered = sorted(mentions, key=lambda m: (m.start, -m.end))
    dropped: set[int] = set()
    clashes = sorted(_clashes(ordered), key=lambda pair: -max(ordered[n].score for n in pair))
    for a, b in clashes:
        if a in dropped or b in dropped:
            continue
        dropped.add(a if ordered[a].score < ordered[b].score else b)
    return [mention for number, mention in enumerate(ordered) if number not in dropped]


def _clashes(ordered: Sequence[Mention]) -> Iterator[tuple[int, int]]:
    open_mentions: list[int] = []
    for number, mention in enumerate(ordered):
        open_mentions = [other for other in open_mentions if ordered[other].end > mention.start]
        for other in open_mentions:
            outer = ordered[other]
            if outer.end < mention.end or (outer.label, mention.label) not in MAY_HOLD:
                yield other, number
        open_mentions.append(number)


class SpanVectors(NamedTuple):
    """What the relations between mentions of a window are scored by.

    Attributes:
        mentions: Numbers of the mentions that the window holds whole.
        heads, tails: (mentions, relations, size), float32: the sum of a mention's first and last character's.
    """

    mentions: Sequence[int]
    heads: Floats
    tails: Floats


def held(mentions: Sequence[Mention], windows: Sequence[Window]) -> list[list[int]]:
    """For each window the numbers of the mentions, given in text order, that it holds whole."""
    begins = [mention.start for mention in mentions]
    return [
        [
            number
            for number in range(bisect_left(begins, window.start), bisect_left(begins, window.end))
            if mentions[number].end <= window.end
        ]
        for window in windows
    ]


def relate(mentions: Sequence[Mention], windows: Sequence[Window], vectors: Sequence[Vectors]) -> list[Link]:
    """As `relate_spans`, of what the model gives each character of each window."""
    return relate_spans(mentions, windows, span_vectors(mentions, windows, vectors))


def span_vectors(
    mentions: Sequence[Mention], windows: Sequence[Window], vectors: Sequence[Vectors]
) -> list[SpanVectors]:
    """Those of the mentions, in text order, that each window holds whole."""
    of_spans = []
    for window, numbers, each in zip(windows, held(mentions, windows), vectors, strict=True):
        firsts = [mentions[number].start - window.start for number in numbers]
        lasts = [mentions[number].end - window.start - 1 for number in numbers]
        heads, tails = (part[firsts, 0] + part[lasts, 1] for part in each)
        of_spans.append(SpanVectors(numbers, heads, tails))
    return of_spans


def relate_spans(
    mentions: Sequence[Mention], windows: Sequence[Window], vectors: Sequence[SpanVectors]
) -> list[Link]:
    """The relations of a document's mentions that may stand together.

    A head has one tail of a relation, the best (several where the scheme says so), and part_of and alias_of never lead
    back to their head.

    Args:
        mentions: In text order.
        vectors: Of each window.

    Returns:
        Links in the order of their heads, then tails.
    """
    chosen: list[Link] = []
    taken: set[tuple[RelationLabel, int]] = set()
    chains: defaultdict[RelationLabel, Chains[int]] = defaultdict(Chains)
    links = links_above(0, mentions, windows, vectors)
    for link in sorted(links, key=lambda link: (-link.score, link.head, link.tail)):
        place = (link.label, link.head)
        if place in taken and link.label not in MANY_TAILS:
            continue
        if link.label in ACYCLIC and not chains[link.label].link(link.head, link.tail):
            continue
        taken.add(place)
        chosen.append(link)
    return sorted(chosen, key=lambda link: (link.head, link.tail, link.label))


def links_above(
    least: float, mentions: Sequence[Mention], windows: Sequence[Window], vectors: Sequence[SpanVectors]
) -> Iterator[Link]:
    """Every relation whose kind the scheme allows and that scores above a logit.

    Between two mentions the window decides that holds both and in whose middle they are.
    """
    owners = Owners(windows)
    return (
        link
        for number, each in enumerate(vectors)
        for link in _links_within(least, mentions, each)
        if owners.of(*_extent(mentions[link.head], mentions[link.tail])) == number
    )


def _links_within(least: float, mentions: Sequence[Mention], vectors: SpanVectors) -> Iterator[Link]:
    numbers = vectors.mentions
    if len(numbers) < 2:
        return
    labels = np.array([_LABEL_NUMBER[mentions[number].label] for number in numbers])
    scores = vectors.heads.transpose(1, 0, 2) @ vectors.tails.transpose(1, 2, 0)
    found = (scores > least) & _pairs()[:, labels[:, None], labels]
    found[:, range(len(numbers)), range(len(numbers))] = False
    relations, heads, tails = found.nonzero()
    certain = 1 / (1 + np.exp(-scores[relations, heads, tails].astype(np.float64)))
    for relation, head, tail, score in zip(
        relations.tolist(), heads.tolist(), tails.tolist(), certain.tolist(), strict=True
    ):
        yield Link(RELATION_LABELS[relation], numbers[head], numbers[tail], score)


@cache
def _pairs() -> NDArray[np.bool_]:
    return relation_pairs()


def _extent(a: Mention, b: Mention) -> tuple[int, int]:
    return min(a.start, b.start), max(a.end, b.end)
