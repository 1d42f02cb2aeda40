"""Bytes to characters: declared rightly, wrongly, or not at all."""

from __future__ import annotations

import codecs
import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gongkai.errors import BinaryInput
from gongkai.ingest.decode import decode, plausibility

HANS = "2022年，本局主动公开政府信息1318条，收到依申请公开26件，全部按期办结。"
HANT = "2017年，本區主動公開政府信息8204條，收到依申請公開31宗，均在法定期限內答覆。"
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030"]
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"], exclude_characters="\ufeff"), min_size=1)


@pytest.mark.parametrize("declared", [None, "utf-8", "gb2312", "big5", "iso-8859-1", "no-such-encoding"])
@pytest.mark.parametrize(
    ("text", "encoding"),
    [(HANS, encoding) for encoding in ENCODINGS]
    + [(HANT, encoding) for encoding in [*ENCODINGS, "big5", "big5hkscs"]],
)
def test_the_declaration_does_not_decide(text: str, encoding: str, declared: str | None) -> None:
    assert decode(text.encode(encoding), "f", declared).text == text


@pytest.mark.parametrize("text", ["主动公开", "概述\r\n一、总体情况\r\n", "申請公開", "2018年 863條"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "gb18030"])
def test_short_texts(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding), "f").text == text


def test_a_correct_declaration_helps_short_text() -> None:
    assert decode("公開條例".encode("big5"), "f", "big5").text == "公開條例"


@settings(deadline=None)
@given(TEXT)
def test_any_text_survives_utf8(text: str) -> None:
    assert decode(text.encode(), "f").text == text


@settings(deadline=None)
@given(TEXT, st.sampled_from(["utf-16", "utf-8-sig"]))
def test_any_text_survives_a_byte_order_mark(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding), "f").text == text


@settings(deadline=None)
@given(st.lists(st.sampled_from(HANS + HANT + "\n　 abc"), min_size=1, max_size=40).map("".join))
def test_any_chinese_text_survives_each_encoding(noise: str) -> None:
    text = HANT + noise
    for encoding in ("utf-16-le", "utf-16-be", "gb18030"):
        assert decode(text.encode(encoding), "f").text == text
    traditional = text.translate({ord(character): None for character in set(HANS) - set(HANT)})
    assert decode(traditional.encode("big5hkscs"), "f").text == traditional


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_binary_input(data: bytes) -> None:
    with contextlib.suppress(BinaryInput):
        assert isinstance(decode(data, "f").text, str)


@pytest.mark.parametrize(("encoding", "text"), [("utf-8", HANS), ("gb18030", HANS), ("big5hkscs", HANT)])
def test_a_few_bad_bytes_do_not_lose_the_document(encoding: str, text: str) -> None:
    whole = (text * 20).encode(encoding)
    damaged = whole[: len(whole) // 2] + b"\xff\xff" + whole[len(whole) // 2 :]
    decoded = decode(damaged, "f").text
    assert "\ufffd" in decoded
    assert text in decoded


def test_text_cut_within_a_character() -> None:
    assert decode((HANS * 3).encode()[:-1], "f").text[:-1] == (HANS * 3)[:-1]


def test_a_byte_order_mark_is_no_character() -> None:
    assert decode(codecs.BOM_UTF16_BE + HANS.encode("utf-16-be"), "f").text == HANS
    assert decode(codecs.BOM_UTF8 + HANS.encode(), "f").encoding == "utf-8"


def test_wrong_encodings_look_implausible() -> None:
    right = plausibility(HANT)
    wrong = plausibility(HANT.encode("big5").decode("gb18030", errors="replace"))
    assert right > 1.0 > wrong + 0.3
