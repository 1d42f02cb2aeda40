"""Document numbers to their canonical form, and the table of issuers."""

from __future__ import annotations

from pathlib import Path

import pytest

from gongkai.normalise.docnos import parse_docno
from gongkai.normalise.issuers import IssuerRow, issuer_of, issuer_rows


@pytest.mark.parametrize(
    ("surface", "canonical", "repaired"),
    [
        ("深府办〔2018〕14号", "深府办〔2018〕14号", False),
        ("国办发[2018]10号", "国办发〔2018〕10号", True),
        ("国办发〔2018 〕 10 号", "国办发〔2018〕10号", True),
        ("国办发〔2018\u200b〕10号", "国办发〔2018〕10号", True),
        ("粤府办〔2002〕1２号", "粤府办〔2002〕12号", True),
        ("珠港办2018〕123号", "珠港办〔2018〕123号", True),
        ("深府办〔2018 14号", "深府办〔2018〕14号", True),
        ("财税字〔1994〕020号", "财税字〔1994〕20号", True),
        ("国发〔一九八五〕五十九号", "国发〔1985〕59号", False),
        ("国办发〔2018〕第10号", "国办发〔2018〕10号", False),
        ("深府辦〔2018〕14號", "深府办〔2018〕14号", False),
        ("国务院令第711号", "国务院令第711号", False),
        ("国务院第711号令", "国务院令第711号", False),
        ("中华人民共和国主席令第七十号", "主席令第70号", False),
        ("国家税务总局公告2019年第44号", "国家税务总局公告2019年第44号", False),
        ("2018年第14号公告", "2018年第14号公告", False),
        ("豫政 第24号", "豫政第24号", True),
        ("的通知沪府发〔2018〕16号", "沪府发〔2018〕16号", False),
    ],
)
def test_canonical_form(surface: str, canonical: str, repaired: bool) -> None:
    norm = parse_docno(surface)
    assert norm is not None
    assert (norm.canonical, norm.repaired) == (canonical, repaired)


@pytest.mark.parametrize(
    "surface", ["", "14号", "第3号楼", "索引号 000014349/2018-00204", "《条例》第十七条"]
)
def test_what_holds_no_number(surface: str) -> None:
    assert parse_docno(surface) is None


@pytest.mark.parametrize(
    "canonical", ["深府办〔2018〕14号", "国务院令第711号", "国家税务总局公告2019年第44号", "2018年第14号公告"]
)
def test_a_canonical_number_is_its_own_canonical_form(canonical: str) -> None:
    norm = parse_docno(canonical)
    assert norm is not None
    assert norm.canonical == canonical
    assert not norm.repaired


@pytest.mark.parametrize("row", issuer_rows(), ids=lambda row: row.example)
def test_every_row_of_the_issuer_table_holds_for_its_example(row: IssuerRow) -> None:
    norm = parse_docno(row.example)
    assert norm is not None
    assert norm.canonical == row.example
    assert norm.issuer == row.issuer
    assert norm.code in row.codes or (norm.code or "").startswith(row.branches)


def test_no_code_has_two_issuers_in_one_year() -> None:
    seen: dict[str, list[IssuerRow]] = {}
    for row in issuer_rows():
        for code in {*row.codes, *row.branches}:
            seen.setdefault(code, []).append(row)
    clashes = [
        (code, year)
        for code, rows in seen.items()
        for year in range(1980, 2030)
        if sum(row.holds_in(year) for row in rows) > 1
    ]
    assert clashes == []


@pytest.mark.parametrize(
    ("code", "year", "issuer"),
    [
        ("沪科合", 2018, "上海市科学技术委员会"),
        ("沪科技节组办", 2018, None),
        ("国卫医发", 2017, "国家卫生和计划生育委员会"),
        ("国卫医发", 2018, None),
        ("国卫医发", 2019, "国家卫生健康委员会"),
        ("宁政发", 2018, None),
        ("不明办", 2018, None),
        ("国务院令", None, "国务院"),
    ],
)
def test_issuer_of_a_code(code: str, year: int | None, issuer: str | None) -> None:
    assert issuer_of(code, year) == issuer


@pytest.mark.shared
def test_the_numbers_of_five_governments_parse(shared: Path) -> None:
    lines = [
        line for path in sorted((shared / "docno").glob("*.txt")) for line in path.read_text().splitlines()
    ]
    refused = [line for line in lines if parse_docno(line) is None]
    assert len(refused) <= 0.001 * len(lines), refused
