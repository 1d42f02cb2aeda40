"""Chains against what a walk along them finds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gongkai.chains import Chains

PLACES = st.integers(0, 9)


def leads_to(tails: dict[int, int], place: int | None, goal: int) -> bool:
    while place is not None:
        if place == goal:
            return True
        place = tails.get(place)
    return False


@given(st.lists(st.tuples(PLACES, PLACES), max_size=40))
def test_a_link_is_made_unless_it_would_lead_back(pairs: list[tuple[int, int]]) -> None:
    chains, tails = Chains[int](), dict[int, int]()
    for head, tail in pairs:
        expected = head not in tails and not leads_to(tails, tail, head)
        assert chains.link(head, tail) == expected
        if expected:
            tails[head] = tail
