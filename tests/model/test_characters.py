"""One id a character, whatever the character."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gongkai.model.characters import FIRST, LAST, SPECIAL, UNKNOWN, Characters


@given(st.text(st.characters(exclude_categories=[]), max_size=20))
def test_each_code_point_has_one_id(text: str) -> None:
    characters = Characters("公开\n")
    first, *ids, last = characters.encode(text).tolist()
    assert (first, last) == (FIRST, LAST)
    assert ids == [SPECIAL + "公开\n".index(c) if c in "公开\n" else UNKNOWN for c in text]


def test_ids_follow_the_special_ones() -> None:
    assert len(Characters("公开")) == SPECIAL + 2
