"""From the model's scores to spans and relations, by numpy alone: the same in training, evaluation and at run time.

Scores of spans come in one of two designs; relations are scored by a dot product of what the model gives each
character as start and as end of a head and of a tail:

    score(r, head, tail) = (heads[h.start, 0, r] + heads[h.end - 1, 1, r]) · (tails[t.start, 0, r] + tails[t.end - 1, 1, r])

A relation is there if its score is above 0.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gongkai.types import Mention, RelationLabel

from .scheme import (
    ACYCLIC,
    ENTITY_LABELS,
    MANY_TAILS,
    MAY_HOLD,
    RELATION_LABELS,
    Tag,
    relation_pairs,
    tag_transitions,
)
from .windows import Owners, Window

Floats = NDArray[np.float32]

BY: Final = "model"


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


@cache
def _forbidden() -> Floats:
    """(5, 5): 0 where the second tag may follow the first, else minus infinity."""
    return np.where(tag_transitions(), 0, -np.inf).astype(np.float32)


def spans_of_tags(scores: Floats, lengths: Sequence[int]) -> list[list[Mention]]:
    """The best sequence of tags for each label that the scheme's transitions allow (Viterbi), as spans.

    Args:
        scores: (windows, characters, labels, 5): log probability of each tag.
        lengths: Characters of each window that are no padding.

    Returns:
        For each window its mentions, offsets from its start. The score of a mention is the probability of its least
        certain tag.
    """
    tags = _viterbi(_closed(scores, lengths))
    found: list[list[Mention]] = [[] for _ in lengths]
    opened = (tags == Tag.B) | (tags == Tag.S)
    closed = (tags == Tag.E) | (tags == Tag.S)
    # Ordered by window and label, the n-th opening belongs to the n-th close.
    starts = np.argwhere(opened.transpose(0, 2, 1)).tolist()
    ends = np.argwhere(closed.transpose(0, 2, 1)).tolist()
    chosen = np.take_along_axis(scores, tags[..., None], -1)[..., 0]
    for (window, label, start), (_, _, last) in zip(starts, ends, strict=True):
        certainty = float(np.exp(chosen[window, start : last + 1, label].min()))
        found[window].append(Mention(ENTITY_LABELS[label], start, last + 1, BY, certainty))
    return found


def _closed(scores: Floats, lengths: Sequence[int]) -> Floats:
    """The scores, where padding is outside of every span, with one more character of it that closes every span."""
    windows, characters, labels, tags = scores.shape
    padded = np.full((windows, characters + 1, labels, tags), -np.inf, np.float32)
    padded[..., Tag.O] = 0
    for number, length in enumerate(lengths):
        padded[number, :length] = scores[number, :length]
    return padded


def _viterbi(scores: Floats) -> NDArray[np.intp]:
    """(windows, characters, labels): tags; the last character, which only closes spans, is left out."""
    windows, characters, labels, tags = scores.shape
    back = np.empty((characters, windows, labels, tags), np.int8)
    best = scores[:, 0] + _forbidden()[Tag.O]
    for place in range(1, characters):
        ways = best[..., :, None] + _forbidden()
        back[place] = ways.argmax(-2)
        best = ways.max(-2) + scores[:, place]
    path = np.empty((characters, windows, labels), np.intp)
    path[-1] = best.argmax(-1)
    for place in range(characters - 1, 0, -1):
        path[place - 1] = np.take_along_axis(back[place], path[place][..., None], -1)[..., 0]
    return path[:-1].transpose(1, 0, 2)


def spans_of_pointers(scores: Floats, lengths: Sequence[int]) -> list[list[Mention]]:
    """Every span whose score is above 0; of two of one label that overlap, the one that scores higher.

    Args:
        scores: (windows, characters, widths, labels): logit of the span that begins at the character and has
            width + 1 characters.
        lengths: Characters of each window that are no padding.

    Returns:
        As `spans_of_tags`; the score of a mention is the sigmoid of its logit.
    """
    found: list[list[Mention]] = [[] for _ in lengths]
    for window, start, width, label in np.argwhere(scores > 0).tolist():
        if start + width < lengths[window]:
            score = _sigmoid(float(scores[window, start, width, label]))
            found[window].append(Mention(ENTITY_LABELS[label], start, start + width + 1, BY, score))
    return [settle(mentions) for mentions in found]


def _sigmoid(logit: float) -> float:
    return float(1 / (1 + np.exp(-logit)))


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


def relate(mentions: Sequence[Mention], windows: Sequence[Window], vectors: Sequence[Vectors]) -> list[Link]:
    """The relations of a document's mentions that the scheme allows.

    Between two mentions the window decides that holds both and in whose middle they are. A head has one tail of a
    relation, the best (several where the scheme says so), and part_of and alias_of never lead back to their head.

    Args:
        mentions: In text order.
        vectors: Of each window.

    Returns:
        Links in the order of their heads, then tails.
    """
    owners = Owners(windows)
    begins = [mention.start for mention in mentions]
    links = (
        link
        for number, (window, each) in enumerate(zip(windows, vectors, strict=True))
        for link in _links_within(mentions, begins, window, each)
        if owners.of(*_extent(mentions[link.head], mentions[link.tail])) == number
    )
    chosen: list[Link] = []
    taken: set[tuple[RelationLabel, int]] = set()
    tails: dict[tuple[RelationLabel, int], int] = {}
    for link in sorted(links, key=lambda link: (-link.score, link.head, link.tail)):
        place = (link.label, link.head)
        if place in taken and link.label not in MANY_TAILS:
            continue
        if link.label in ACYCLIC and _leads_to(tails, link.label, link.tail, link.head):
            continue
        taken.add(place)
        tails[place] = link.tail
        chosen.append(link)
    return sorted(chosen, key=lambda link: (link.head, link.tail, link.label))


def _links_within(
    mentions: Sequence[Mention], begins: Sequence[int], window: Window, vectors: Vectors
) -> Iterator[Link]:
    numbers = range(bisect_left(begins, window.start), bisect_left(begins, window.end))
    within = [number for number in numbers if mentions[number].end <= window.end]
    if len(within) < 2:
        return
    starts = np.array([mentions[n].start for n in within]) - window.start
    ends = np.array([mentions[n].end for n in within]) - window.start - 1
    labels = np.array([ENTITY_LABELS.index(mentions[n].label) for n in within])
    heads = vectors.heads[starts, 0] + vectors.heads[ends, 1]
    tails = vectors.tails[starts, 0] + vectors.tails[ends, 1]
    scores = heads.transpose(1, 0, 2) @ tails.transpose(1, 2, 0)
    allowed = relation_pairs()[:, labels[:, None], labels[None, :]] & ~np.eye(len(within), dtype=np.bool_)
    for relation, head, tail in np.argwhere(allowed & (scores > 0)).tolist():
        score = _sigmoid(float(scores[relation, head, tail]))
        yield Link(RELATION_LABELS[relation], within[head], within[tail], score)


def _extent(a: Mention, b: Mention) -> tuple[int, int]:
    return min(a.start, b.start), max(a.end, b.end)


def _leads_to(
    tails: dict[tuple[RelationLabel, int], int], label: RelationLabel, place: int, goal: int
) -> bool:
    step: int | None = place
    while step is not None:
        if step == goal:
            return True
        step = tails.get((label, step))
    return False
