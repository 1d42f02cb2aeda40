"""Names of issuers and of cited documents: when they are one, and when nobody can say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gongkai.views.identity import docno_key, issuer_key, rewritten, title_key
from gongkai.views.settings import Rewrite, load_settings

ROWS = (*load_settings().issuer.rewrite, *load_settings().title.rewrite)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.example)
def test_every_rewrite_does_what_its_example_says(row: Rewrite) -> None:
    assert rewritten(row.example, [row]) == row.becomes


@pytest.mark.parametrize("name", load_settings().issuer.clear)
def test_clear_names(name: str) -> None:
    assert issuer_key(name) is not None


@pytest.mark.parametrize("name", load_settings().issuer.ambiguous)
def test_ambiguous_names(name: str) -> None:
    assert issuer_key(name) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("临川市人民政府办公室", "臨川市人民政府辦公室"),
        ("临川市人民政府办公室", "临川市政府办公室"),
        ("临川市教育局", "东陵省临川市教育局"),
        ("临川市 教育局", "临川市\u200b教育局"),
        ("临川市外事办公室(港澳事务办公室)", "临川市外事办公室"),
    ],
)
def test_one_body_with_two_spellings(one: str, other: str) -> None:
    assert issuer_key(one) == issuer_key(other) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("临川市人民政府", "临川市人民政府办公室"),
        ("临川市", "临川市人民政府"),  # a place's report need not be its government's own
        ("临川市教育局", "平川市教育局"),
        ("临川市安平县教育局", "临川市教育局"),
    ],
)
def test_two_bodies(one: str, other: str) -> None:
    assert issuer_key(one) != issuer_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("《中华人民共和国政府信息公开条例》", "政府信息公開條例"),
        ("关于全面推进政务公开工作的意见", "关于全面推进“政务公开”工作的意见"),
        ("临川市人民政府关于印发《临川市政务公开办法》的通知", "临川市政务公开办法"),
        ("临川市政务公开办法（试行）", "临川市政务公开办法"),
    ],
)
def test_one_title(one: str, other: str) -> None:
    assert title_key(one) == title_key(other)


def test_a_title_of_signs_alone_is_none() -> None:
    assert title_key("《》") is None


@pytest.mark.parametrize(
    ("printed", "key"), [("国办发[2016]8号", "国办发〔2016〕8号"), ("无", None), ("", None)]
)
def test_docnos(printed: str, key: str | None) -> None:
    assert docno_key(printed) == key


@given(st.text(max_size=40))
def test_keys_of_keys(name: str) -> None:
    """A key is its own key: names that were rewritten once compare with those that were not."""
    key = issuer_key(name)
    assert key is None or issuer_key(key) in (key, None)
