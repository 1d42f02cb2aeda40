"""Labelled values: the many ways in which pages print them."""

from __future__ import annotations

import pytest

from gongkai.ingest.page_metadata import iso_date, labelled_values, title_of

CASES = [
    ("one a line", ["索引号：K1-1", "文号：某〔8〕1号"], {"index_number": "K1-1", "docno": "某〔8〕1号"}),
    ("spaced label", ["索 引 号： K1/2018-1"], {"index_number": "K1/2018-1"}),
    ("several a line", ["索引号：K1 主题：其他 发文机关：某局"], {"issuer": "某局"}),
    ("empty values", ["索引号: 分类:", "文号: 发布日期: 2019-03-11"], {"published": "2019-03-11"}),
    ("brackets", ["【文号】：某府〔2018〕1号"], {"docno": "某府〔2018〕1号"}),
    ("value in the next line", ["发布机构", "某市财政局"], {"issuer": "某市财政局"}),
    ("no value in the next line", ["发布机构", "文号：无"], {}),
    ("traditional", ["發布機構：某區人民政府辦公室"], {"issuer": "某區人民政府辦公室"}),
    ("none is no number", ["文号：无", "索引号：-"], {}),
    ("a bad date", ["发布日期：近日"], {}),
    ("the first one counts", ["标题：甲乙", "标题：丙丁"], {"title": "甲乙"}),
    ("not at the start", ["本页的索引号：K1-1"], {}),
    ("longer words", ["举办时间：2018-01-01", "新闻来源：某报"], {}),
    ("damaged brackets", ["发文字号：国办发〔2018 〕 10 号"], {"docno": "国办发〔2018 〕 10 号"}),
    ("order", ["文号：国令第707号"], {"docno": "国令第707号"}),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_labelled_values(lines: list[str], expected: dict[str, str]) -> None:
    assert labelled_values(lines) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2018年11月09日", "2018-11-09"),
        ("２０１８－１－２", "2018-01-02"),
        ("2018/1/2 10:22", "2018-01-02"),
        ("2018.01.02", "2018-01-02"),
        ("2018-02-30", None),
        ("18年1月2日", None),
    ],
)
def test_iso_date(text: str, expected: str | None) -> None:
    assert iso_date(text) == expected


def test_title_of() -> None:
    assert title_of(["某市人民政府", "某局 年度报告"], "某局年度报告_某网") == "某局 年度报告"
    assert title_of([], "某规划（2018—2035年）批复 - 某平台") == "某规划（2018—2035年）批复"
    assert title_of([], None) is None
