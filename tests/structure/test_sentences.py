"""Sentences: cases as text with ▮ where one ends and the next begins."""

from __future__ import annotations

import time
from pathlib import Path

import opencc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gongkai.structure import sentences
from gongkai.text import fold

CASES = {
    "full stop": "共收到申请3件。▮均已答复。",
    "semicolon stays": "收到申请3件；其中网络申请2件；信函申请1件。▮无。",
    "exclamation, question": "怎么办？▮立即办！▮办好。",
    "line break": "一、概述\n  ▮全年公开信息8条\n▮二、其他",
    "white space goes before": "无。  \n\n　　▮三、收费情况",
    "leading white space": "\n  无。▮有。",
    "numbering with a full stop": "一. 主动公开情况\n▮1. 网站公开8条。▮2．微信公开2条。",
    "bracketed numbering with a full stop": "(一). 机构职能",
    "decimals": "增长1.5%，比重为0.3.▮",
    "full stop in ASCII": "全年公开信息8条. ▮其中微信2条.\n▮完",
    "full stop of an abbreviation": "使用No. 3设备和Word.",
    "closing quotation mark": "他说：“已经答复。”▮申请人表示满意。",
    "quotation that goes on": "坚持“谁公开，谁审查。谁审查，谁负责。”的原则。▮无。",
    "full stop inside quotation": "提出“公开。透明。高效”三个要求。▮落实到位。",
    "question inside quotation": "开设“您问我答？有问必答！”专栏3期。▮无。",
    "corner brackets": "他說：「已經答覆。」▮申請人滿意。",
    "title with marks": "印发《怎样公开？政府信息公开指南。试行》3份。▮无。",
    "title in a title": "转发《关于印发〈条例〉的通知。二》。▮落实《关于贯彻《条例》的意见。三》。▮无。",
    "wrapped title": "根据《某市政府信息\n公开规定》的要求。▮无。",
    "title never closed": "根据《某市规定\n▮要求公开。▮无",
    "title closed too far away": f"根据《某市规定\n▮{'甲' * 90}》。▮无",
    "brackets": "公开信息8条（含转发。下同）。▮无（略。）。▮有",
    "nested brackets": "收到3件（网络2件（含邮件。传真）。信函1件）。▮无。",
    "bracket never closed": "公开信息（含转发8条。▮其中2条。▮无。",
    "quotation never closed": "要求“公开透明。▮落实到位。▮无。",
    "bracket closed on the next line": "公开信息（8条。\n▮含转发）2条。▮无",
    "closing marks without opening": "公开8条。）▮无。”▮有",
    "document number": "根据深府办〔2018〕14号、珠港办2018〕123号。▮无。",
    "web address": "详见http://www.example.gov.cn/a?b=c!d。▮无",
    "many marks": "真的吗？！。。▮是的……不过。▮",
    "no end": "没有标点",
    "only marks": "。。。",
}


def spans_of(marked: str) -> tuple[str, list[str]]:
    return marked.replace("▮", ""), [part for part in marked.split("▮") if part]


@pytest.mark.parametrize("case", CASES)
def test_splits(case: str) -> None:
    text, expected = spans_of(CASES[case])
    assert [text[a:b] for a, b in sentences.split(fold(text))] == expected


def test_splits_nothing() -> None:
    assert sentences.split("") == ()
    assert sentences.split(" \n\u200b ") == ((0, 4),)


def assert_tiles(spans: tuple[tuple[int, int], ...], length: int) -> None:
    edges = [0, *(end for _, end in spans)]
    assert [start for start, _ in spans] == edges[:-1]
    assert edges[-1] == length
    assert all(start < end for start, end in spans)


@given(
    st.text(
        st.sampled_from("一二1.。；！？!?\n 　《》〈〉“”「」‘’()（）〔〕\"'abc公开\u200b\r\x85"), max_size=60
    )
    | st.text()
)
def test_tiles_any_text(text: str) -> None:
    assert_tiles(sentences.split(fold(text)), len(text))


@pytest.mark.parametrize("case", CASES)
def test_both_scripts_split_alike(case: str) -> None:
    text, _ = spans_of(CASES[case])
    traditional = opencc.OpenCC("s2t").convert(text)
    assert sentences.split(fold(traditional)) == sentences.split(fold(text))


HOSTILE = ("(", "《", "“", '"', "〔", "。", ". ", "一. ", "《a\n", "(a(b)", "(《“", "1.", " ", "\n", "甲")


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_text_costs_no_more_than_its_length(piece: str) -> None:
    text = piece * (300_000 // len(piece))
    began = time.perf_counter()
    assert_tiles(sentences.split(text), len(text))
    assert time.perf_counter() - began < 3


@pytest.mark.shared
def test_real_reports_have_no_sentence_cut_in_a_title(shared: Path) -> None:
    for path in sorted((shared / "seeds").glob("*.txt")):
        view = fold(path.read_bytes().decode())
        for start, end in sentences.split(view):
            sentence = view[start:end]
            assert sentence.count("《") == sentence.count("》"), sentence
