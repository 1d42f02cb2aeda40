"""The folded view: as long as the text, the same for both scripts, stable when folded again."""

from __future__ import annotations

import opencc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gongkai.text import ZERO_WIDTH, fold, script_of


@given(st.text())
def test_the_view_is_as_long_as_the_text_and_folds_to_itself(text: str) -> None:
    view = fold(text)
    assert len(view) == len(text)
    assert fold(view) == view


@pytest.mark.parametrize(
    ("text", "view"),
    [
        ("２０１８年，（一）", "2018年,(一)"),
        ("政府信息公開條例", "政府信息公开条例"),
        ("答覆、答復、答复", "答复、答复、答复"),
        ("「甲」『乙』", "“甲”‘乙’"),
        ("深府办\u200d〔2018〕\ufeff14号", f"深府办{ZERO_WIDTH}〔2018〕{ZERO_WIDTH}14号"),
        ("一\u3000二\xa0三\x1f四", "一 二 三 四"),
        ("一\r\n二", "一 \n二"),
        ("一\r二", "一\n二"),
        ("二○一八", "二〇一八"),
        ("𠮷😀", "𠮷😀"),
    ],
)
def test_one_spelling_for_each_character(text: str, view: str) -> None:
    assert fold(text) == view


@given(st.text(alphabet=st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=30))
def test_a_character_folds_like_its_traditional_form(text: str) -> None:
    """Character by character; a word may choose another form, which `fold` cannot know."""
    convert = opencc.OpenCC("s2t").convert
    for character in opencc.OpenCC("t2s").convert(text):
        traditional = convert(character)
        if len(traditional) == 1:
            assert fold(traditional) == fold(character)


@pytest.mark.parametrize(
    ("text", "script"), [("主動公開", "Hant"), ("主动公开", "Hans"), ("", "Hans"), ("中文", "Hans")]
)
def test_script(text: str, script: str) -> None:
    assert script_of(text) == script
