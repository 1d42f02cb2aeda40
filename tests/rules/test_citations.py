"""Which number, issuer and short form belong to which document."""

from __future__ import annotations

import re

import pytest

from gongkai.rules.citations import relate_citations
from gongkai.rules.docnos import tag_docnos
from gongkai.rules.orgs import tag_orgs
from gongkai.rules.policies import tag_policies
from gongkai.text import fold
from gongkai.types import Entity

A, B = "《甲条例》", "《乙办法》"


def related(text: str) -> set[tuple[str, str, str]]:
    view = fold(text)
    inside = [*tag_docnos(view), *tag_policies(view)]
    mentions = sorted([*inside, *tag_orgs(view, inside)], key=lambda m: (m.start, m.end))
    entities = [
        Entity(
            id=f"T{i}",
            label=m.label,
            start=m.start,
            end=m.end,
            text=text[m.start : m.end],
            score=m.score,
            by=m.by,
        )
        for i, m in enumerate(mentions)
    ]
    names = {entity.id: entity.text for entity in entities}
    sentences = [m.span() for m in re.finditer(r"[^。\n]*[。\n]+|[^。\n]+\Z", view)]
    return {(r.label, names[r.head], names[r.tail]) for r in relate_citations(view, entities, sentences)}


NUMBER, ISSUER, ALIAS = "number_of", "issued_by", "alias_of"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"根据{A}（国务院令第711号）", {(NUMBER, "国务院令第711号", A)}),
        (f"根据{A}国办发〔2018〕14号文件", {(NUMBER, "国办发〔2018〕14号", A)}),
        (f"根据国办发〔2018〕14号{A}", {(NUMBER, "国办发〔2018〕14号", A)}),
        (f"按照国办发〔2018〕14号文件{A}要求", {(NUMBER, "国办发〔2018〕14号", A)}),
        (
            f"{A}{B}（国办发〔2018〕14号、国办发〔2018〕15号）",
            {(NUMBER, "国办发〔2018〕14号", A), (NUMBER, "国办发〔2018〕15号", B)},
        ),
        (
            f"{A}（国办发〔2018〕14号）、{B}（国办发〔2018〕15号）",
            {(NUMBER, "国办发〔2018〕14号", A), (NUMBER, "国办发〔2018〕15号", B)},
        ),
        (
            "示例市关于印发公园要点的通知\n\n示府办〔2021〕15号\n\n各单位：",
            {(NUMBER, "示府办〔2021〕15号", "示例市关于印发公园要点的通知")},
        ),
        (
            "标题：示例市关于2018年度公园奖励的决定\n示例市关于2018年度\n公园奖励的决定\n示府〔2019〕1号\n各区：",
            {(NUMBER, "示府〔2019〕1号", "示例市关于2018年度公园奖励的决定")},
        ),
        (f"{A}自2018年起施行。另见国办发〔2018〕14号", set()),
    ],
)
def test_numbers(text: str, expected: set[tuple[str, str, str]]) -> None:
    assert related(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"对照市府办{A}", {(ISSUER, A, "市府办")}),
        (f"国务院办公厅印发的{A}", {(ISSUER, A, "国务院办公厅")}),
        (f"市委、市政府联合印发了{A}和{B}", {(ISSUER, p, o) for p in (A, B) for o in ("市委", "市政府")}),
        (f"{A}由市政府印发", {(ISSUER, A, "市政府")}),
        (f"我局印发了{A}", {(ISSUER, A, "我局")}),
        (f"市政府办公室转发{A}", set()),
        (f"根据市政府要求制定{A}", set()),
        (f"报告市政府，{A}已经实施", set()),
        (f"报告省政府，市政府印发{A}", {(ISSUER, A, "市政府")}),
        (f"市政府印发{A}，{B}也已实施", {(ISSUER, A, "市政府")}),
        (f"我局贯彻落实{A}", set()),
        (f"向市政府报告。印发{A}", set()),
        (f"市政府高度重视，多次专题研究，制定{A}", set()),
        (
            f"市政府印发{A}（示府〔2018〕1号）和{B}（示府〔2018〕2号）",
            {(ISSUER, p, "市政府") for p in (A, B)}
            | {(NUMBER, "示府〔2018〕1号", A), (NUMBER, "示府〔2018〕2号", B)},
        ),
        (f"市财政局会同市审计局出台{A}", {(ISSUER, A, "市财政局"), (ISSUER, A, "市审计局")}),
        (f"2018年，市政府办公室结合实际，印发了{A}", {(ISSUER, A, "市政府办公室")}),
        (f"市政府要求县政府落实，印发了{A}", set()),
        (
            f"市政府办公室示府办〔2018〕14号{A}",
            {(ISSUER, A, "市政府办公室"), (NUMBER, "示府办〔2018〕14号", A)},
        ),
    ],
)
def test_issuers(text: str, expected: set[tuple[str, str, str]]) -> None:
    assert related(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"根据{A}（以下简称《条例》）。《条例》第一条。《办法》", {(ALIAS, "《条例》", A)}),
        (f"根据{A}（以下简称“条例”）", {(ALIAS, "条例", A)}),
        (
            f"{A}（国务院令第711号，以下简称《条例》）",
            {(ALIAS, "《条例》", A), (NUMBER, "国务院令第711号", A)},
        ),
        (f"{A}（以下簡稱《條例》）和{B}（下稱《辦法》）", {(ALIAS, "《條例》", A), (ALIAS, "《辦法》", B)}),
        ("按照《条例》办理", set()),
    ],
)
def test_aliases(text: str, expected: set[tuple[str, str, str]]) -> None:
    assert related(text) == expected


def test_a_mention_before_the_definition_is_no_alias() -> None:
    assert related(f"《条例》施行十年。{A}（以下简称《条例》）") == {(ALIAS, "《条例》", A)}
