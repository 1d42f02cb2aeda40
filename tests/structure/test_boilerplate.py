"""Boilerplate: the rows with their examples, whole pages, and lines that must be kept."""

from __future__ import annotations

import json
import time
from pathlib import Path

import opencc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gongkai.structure import boilerplate, paragraphs_of
from gongkai.structure.boilerplate import BoilerplateRow
from gongkai.structure.patterns import PatternRow, compile_row
from gongkai.text import fold

ROWS = boilerplate.config().rows
KEPT = boilerplate.config().kept


def matches(row: BoilerplateRow, line: str) -> bool:
    pattern = compile_row(row, "structure/boilerplate.yaml", {}, {})
    return bool((pattern.search if row.anywhere else pattern.match)(fold(line)))


@pytest.mark.parametrize(("row", "line"), [(row, line) for row in ROWS for line in row.match])
def test_row_takes_its_examples(row: BoilerplateRow, line: str) -> None:
    assert matches(row, line)
    assert boilerplate.is_boilerplate(fold(line))


@pytest.mark.parametrize(("row", "line"), [(row, line) for row in ROWS for line in row.reject])
def test_row_leaves_its_near_misses(row: BoilerplateRow, line: str) -> None:
    assert not matches(row, line)


@pytest.mark.parametrize(("row", "kept"), [(KEPT, True), (KEPT, False)])
def test_metadata_is_kept(row: PatternRow, kept: bool) -> None:
    pattern = compile_row(row, "structure/boilerplate.yaml", {}, {})
    for line in row.match if kept else row.reject:
        assert bool(pattern.search(fold(line))) is kept


DROPPED = (
    "首页 | 政务公开 | 政民互动 | 办事服务",
    "无障碍　长者助手　我的收藏",
    "分享到： 微信 微博",
    "【字體：大 中 小】 【打印本頁】",
    "當前位置：首頁 > 政務公開",
    "網站標識碼：4403000001",
    "聯絡我們",
    "浏览次数：1024",
    "【打印】\u200b【关闭】",
)
STAYS = (
    "发布日期：2019-03-11  浏览次数：-",
    "时间 : 2021-07-12 10:22 来源:某区 视力保护色: 【字体:",
    "索引号：",
    "发文字号：",
    "政府信息公开",
    "通知公告",
    "政务微信",
    "网站浏览次数达1125246人次，比上年增长3%。",
    "加强版权保护，版权所有的作品共12件。",
    "政务微博",
    "附件：1.任务分工表",
    "2018",
    "/",
    "一、概述",
)


@pytest.mark.parametrize("line", DROPPED)
def test_drops(line: str) -> None:
    assert boilerplate.find(fold(f"无。\n  {line} \n")) == ((5, 5 + len(line)),)


@pytest.mark.parametrize("line", STAYS)
def test_keeps(line: str) -> None:
    assert boilerplate.find(fold(line)) == ()


@pytest.mark.parametrize("line", DROPPED + STAYS)
def test_both_scripts_alike(line: str) -> None:
    traditional = opencc.OpenCC("s2t").convert(line)
    assert boilerplate.find(fold(traditional)) == boilerplate.find(fold(line))


@given(st.text(st.sampled_from("首页打印政务公开 |>【】:：版权所有\n\u200b。2019-"), max_size=80) | st.text())
def test_spans_are_lines_of_any_text(text: str) -> None:
    view = fold(text)
    lines = set(paragraphs_of(view))
    assert set(boilerplate.find(view)) <= lines
    assert set(paragraphs_of(view, boilerplate.find(view))) == lines - set(boilerplate.find(view))


@pytest.mark.parametrize(
    "piece", ["首页 ", "> ", "首页\n", "首页 x\n", "打印 " * 30 + "x\n", " >aa" * 35 + "\n"]
)
def test_hostile_text_costs_no_more_than_its_length(piece: str) -> None:
    view = piece * (200_000 // len(piece))
    began = time.perf_counter()
    boilerplate.find(view)
    assert time.perf_counter() - began < 3


@pytest.mark.shared
def test_nothing_annotated_is_dropped(shared: Path) -> None:
    for path in sorted((shared / "gold").glob("*.jsonl")):
        record = json.loads(path.read_text("utf-8"))
        spans = boilerplate.find(fold(record["text"]))
        for entity in record["entities"]:
            assert not any(start <= entity["start"] < end for start, end in spans), entity


@pytest.mark.shared
def test_speeches_have_no_boilerplate(shared: Path) -> None:
    for path in sorted((shared / "corpus" / "work_reports").glob("*.txt")):
        assert boilerplate.find(fold(path.read_bytes().decode())) == (), path.name
