"""What a cell states: a number, a slash, nothing, words."""

from __future__ import annotations

import pytest

from gongkai.structure.cells import is_unit, join_labels, read_value, trim
from gongkai.text import fold


@pytest.mark.parametrize(
    ("content", "state", "value"),
    [
        ("12", "number", 12.0),
        ("１，０２４", "number", 1024.0),
        ("1 234", "number", 1234.0),
        ("1\u200b2", "number", 12.0),
        ("-3", "number", -3.0),
        ("+3", "number", 3.0),
        ("12.50", "number", 12.5),
        ("12件", "number", 12.0),
        ("50%", "number", 0.5),
        ("37.5 ％", "number", 0.375),
        ("-4.35%", "number", -0.0435),
        ("1,024.1%", "number", 10.241),
        ("增长5%", "text", None),
        ("3.5万元", "number", 3.5),
        ("/", "slash", None),
        ("——", "slash", None),
        ("／", "slash", None),
        ("", "empty", None),
        ("\u200b \n", "empty", None),
        ("0", "number", 0.0),
        ("2018年", "text", None),
        ("1.属于国家秘密", "text", None),
        ("1,23", "text", None),
        ("0755-12345678", "text", None),
        ("9" * 400, "text", None),
    ],
)
def test_value_of_a_cell(content: str, state: str, value: float | None) -> None:
    assert read_value(fold(content)) == (state, value)


@pytest.mark.parametrize(
    ("content", "expected"),
    [("件", True), ("（单位：万元）", True), ("人/次", True), ("申请", False), ("12件", False), ("", False)],
)
def test_a_unit_alone(content: str, expected: bool) -> None:
    assert is_unit(fold(content)) is expected


@pytest.mark.parametrize(
    ("text", "kept"), [(" 3 ", "3"), ("\u200b\u3000件\n", "件"), ("总 计", "总 计"), (" \n", ""), ("", "")]
)
def test_trimmed_span(text: str, kept: str) -> None:
    start, end = trim(fold(text), 0, len(text))
    assert text[start:end] == kept


@pytest.mark.parametrize(
    ("labels", "joined"),
    [
        (["法人或其他组织", "商业\n企业"], "法人或其他组织 / 商业企业"),
        (["总计", "总计"], "总计"),
        (["", " \u200b"], None),
        (["Form A", "总 计"], "Form A / 总计"),
    ],
)
def test_joined_labels(labels: list[str], joined: str | None) -> None:
    assert join_labels(labels) == joined
