"""Decoding against brute force, and the constraints of the scheme."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gongkai.model.decode import Link, Vectors, relate, settle, spans_of_pointers, spans_of_tags, stitch
from gongkai.model.scheme import ENTITY_LABELS, MAY_HOLD, RELATION_LABELS, Tag
from gongkai.model.windows import Window
from gongkai.types import RELATION_TYPES, EntityLabel, Mention, RelationLabel

_LABELS = len(ENTITY_LABELS)


def mention(label: EntityLabel, start: int, end: int, score: float = 0.9) -> Mention:
    return Mention(label, start, end, "model", score)


def best_sequence(scores: np.ndarray) -> list[tuple[int, int]]:
    """Spans of the best sequence of one label, by trying all; (characters, 5)."""
    best, found = -np.inf, []
    for tags in product(Tag, repeat=len(scores)):
        spans, begin = [], None
        for place, tag in enumerate([*tags, Tag.O]):
            inside = begin is not None
            if inside != (tag in (Tag.I, Tag.E)):
                break
            if tag == Tag.B:
                begin = place
            elif tag == Tag.S:
                spans.append((place, place + 1))
            elif tag == Tag.E:
                assert begin is not None
                spans.append((begin, place + 1))
                begin = None
        else:
            total = sum(scores[place, tag] for place, tag in enumerate(tags))
            if total > best:
                best, found = total, spans
    return found


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 4))
def test_tags_decode_to_the_best_sequence_allowed(seed: int, first: int, second: int) -> None:
    rng = np.random.default_rng(seed)
    scores = np.log(rng.dirichlet(np.ones(5) * 0.5, (2, 4, _LABELS)) + 1e-9).astype(np.float32)
    found = spans_of_tags(scores, [first, second])
    for window, length in enumerate((first, second)):
        for number, label in enumerate(ENTITY_LABELS[:2]):
            spans = [(m.start, m.end) for m in found[window] if m.label == label]
            assert spans == best_sequence(scores[window, :length, number])


def test_a_mention_is_as_sure_as_its_least_sure_tag() -> None:
    scores = np.full((1, 3, _LABELS, 5), -9, np.float32)
    scores[..., Tag.O] = 0
    scores[0, 0, 1, Tag.B], scores[0, 0, 1, Tag.O] = np.log(0.9), -9
    scores[0, 1, 1, Tag.E], scores[0, 1, 1, Tag.O] = np.log(0.6), -9
    ((found,),) = spans_of_tags(scores, [3])
    assert found == mention("COUNT", 0, 2, pytest.approx(0.6))


def test_pointers_decode_to_the_best_of_those_that_overlap() -> None:
    scores = np.full((1, 5, 3, _LABELS), -1, np.float32)
    scores[0, 0, 1, 1] = 2.0  # COUNT 0–2
    scores[0, 1, 1, 1] = 1.0  # COUNT 1–3: yields
    scores[0, 0, 2, 0] = 0.5  # METRIC 0–3: crosses nothing, but may hold no COUNT
    scores[0, 3, 0, 6] = 3.0  # PERIOD 3–4
    scores[0, 4, 1, 6] = 3.0  # reaches beyond the window
    (found,) = spans_of_pointers(scores, [5])
    assert [(m.label, m.start, m.end) for m in found] == [("COUNT", 0, 2), ("PERIOD", 3, 4)]


mentions = st.lists(
    st.builds(
        lambda label, start, width, score: mention(label, start, start + width, score),
        st.sampled_from(ENTITY_LABELS),
        st.integers(0, 30),
        st.integers(1, 9),
        st.floats(0, 1),
    ),
    max_size=12,
)


def clash(a: Mention, b: Mention) -> bool:
    """Whether two may not both stand."""
    if a.end <= b.start or b.end <= a.start:
        return False
    holds = lambda outer, inner: (  # noqa: E731
        outer.start <= inner.start and inner.end <= outer.end and (outer.label, inner.label) in MAY_HOLD
    )
    return not (holds(a, b) or holds(b, a))


@given(mentions)
def test_settled_mentions_do_not_contradict_each_other(found: list[Mention]) -> None:
    kept = settle(found)
    assert kept == sorted(kept, key=lambda m: (m.start, -m.end))
    assert not any(clash(a, b) for i, a in enumerate(kept) for b in kept[i + 1 :])
    # Whatever was dropped contradicts something at least as sure.
    for dropped in found:
        assert dropped in kept or any(clash(dropped, m) and m.score >= dropped.score for m in found)


@given(mentions)
def test_the_surest_mention_stays(found: list[Mention]) -> None:
    if found:
        assert max(m.score for m in settle(found)) == max(m.score for m in found)


def test_a_mention_comes_from_the_window_in_whose_middle_it_is() -> None:
    windows = [Window(0, 12), Window(8, 20)]
    found = [
        [mention("COUNT", 8, 10, 0.5), mention("ORG", 10, 12, 0.9)],
        [mention("COUNT", 0, 2, 0.9), mention("PERIOD", 2, 4, 0.5), mention("ORG", 5, 7)],
    ]
    assert [m[:3] for m in stitch(windows, found)] == [
        ("COUNT", 8, 10),
        ("PERIOD", 10, 12),
        ("ORG", 13, 15),
    ]


def vectors(length: int, pairs: dict[tuple[RelationLabel, int, int], float]) -> Vectors:
    """Vectors by which a relation scores as given from a head starting at a character to a tail starting at one."""
    size = length * length
    heads = np.zeros((length, 2, len(RELATION_LABELS), size), np.float32)
    tails = np.zeros_like(heads)
    for (label, head, tail), score in pairs.items():
        relation = RELATION_LABELS.index(label)
        heads[head, 0, relation, head * length + tail] = 1
        tails[tail, 0, relation, head * length + tail] = score
    return Vectors(heads, tails)


def linked(
    found: list[Mention], pairs: dict[tuple[RelationLabel, int, int], float], length: int = 12
) -> set[tuple[str, int, int]]:
    links = relate(found, [Window(0, length)], [vectors(length, pairs)])
    return {(link.label, found[link.head].start, found[link.tail].start) for link in links}


_REPORT = [
    mention("METRIC", 0, 2),
    mention("COUNT", 2, 3),
    mention("METRIC", 3, 5),
    mention("COUNT", 5, 6),
    mention("COUNT", 6, 7),
    mention("POLICY", 7, 8),
    mention("ORG", 8, 9),
    mention("ORG", 9, 10),
]


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        pytest.param(
            {("value_of", 2, 0): 1, ("value_of", 2, 3): 2}, {("value_of", 2, 3)}, id="one metric a number"
        ),
        pytest.param(
            {("value_of", 2, 0): 1, ("value_of", 5, 0): 2},
            {("value_of", 2, 0), ("value_of", 5, 0)},
            id="several numbers of one metric",
        ),
        pytest.param(
            {("issued_by", 7, 8): 1, ("issued_by", 7, 9): 2},
            {("issued_by", 7, 8), ("issued_by", 7, 9)},
            id="several issuers",
        ),
        pytest.param({("value_of", 0, 2): 5, ("part_of", 2, 0): 5}, set(), id="types of the scheme"),
        pytest.param({("part_of", 2, 2): 5}, set(), id="no relation to itself"),
        pytest.param({("value_of", 2, 0): -1}, set(), id="below 0"),
        pytest.param(
            {("part_of", 2, 5): 3, ("part_of", 5, 6): 2, ("part_of", 6, 2): 1},
            {("part_of", 2, 5), ("part_of", 5, 6)},
            id="no circle of parts",
        ),
    ],
)
def test_relations(
    pairs: dict[tuple[RelationLabel, int, int], float], expected: set[tuple[str, int, int]]
) -> None:
    assert linked(_REPORT, pairs) == expected


def test_a_relation_comes_from_a_window_that_holds_both_ends() -> None:
    found = [mention("METRIC", 2, 4), mention("COUNT", 8, 9), mention("METRIC", 14, 16)]
    windows = [Window(0, 12), Window(8, 20)]
    seen = [vectors(12, {("value_of", 8, 2): 1.0}), vectors(12, {("value_of", 0, 6): 2.0})]
    links = relate(found, windows, seen)
    assert [link[:3] for link in links] == [("value_of", 1, 2)]
    assert links[0].score == pytest.approx(1 / (1 + np.exp(-2)))
    assert [link[:3] for link in relate(found, windows, [seen[0], vectors(12, {})])] == [("value_of", 1, 0)]


@given(mentions, st.integers(0, 2**32 - 1))
def test_relations_keep_the_scheme(found: list[Mention], seed: int) -> None:
    settled = settle(found)
    rng = np.random.default_rng(seed)
    windows = [Window(0, 25), Window(15, 40)]
    shape = (25, 2, len(RELATION_LABELS), 3)
    drawn = [Vectors(*rng.normal(size=(2, *shape)).astype(np.float32)) for _ in windows]
    links = relate(settled, windows, drawn)
    heads = [(link.label, link.head) for link in links if link.label != "issued_by"]
    assert len(heads) == len(set(heads))
    for link in links:
        types = RELATION_TYPES[link.label]
        head, tail = settled[link.head], settled[link.tail]
        assert head.label in types[0]
        assert tail.label in types[1]
        assert any(
            w.start <= min(head.start, tail.start) and max(head.end, tail.end) <= w.end for w in windows
        )
        assert not circles(links, link)


def circles(links: list[Link], start: Link) -> bool:
    """Whether a relation of one label leads back to where it starts."""
    if start.label not in ("part_of", "alias_of"):
        return start.head == start.tail
    tails = {link.head: link.tail for link in links if link.label == start.label}
    step = tails.get(start.head)
    for _ in tails:
        if step == start.head:
            return True
        step = None if step is None else tails.get(step)
    return False
