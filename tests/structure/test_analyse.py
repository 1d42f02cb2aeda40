"""The structure stage as a whole."""

from __future__ import annotations

from pathlib import Path

import opencc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gongkai.structure import analyse
from gongkai.text import fold
from gongkai.types import Document, Source, Structure

REPORT = """首页 > 政务公开 > 年度报告
海潮区财政局2016年政府信息公开工作年度报告
发布日期：2017-03-01  浏览次数：12
一、概述
　　全年公开信息8条。其中微信2条。
二、统计表
一、主动公开情况
—
—
（一）主动公开政府信息数（不同渠道和方式公开相同信息计1条）
条
8
其中：主动公开规范性文件数
条
0
三、依申请公开情况
—
—
（一）收到申请数
件
3
1.当面申请数
件
1
2.传真申请数
件
2
分享到：
"""


def structure_of(text: str) -> Structure:
    return analyse(Document(id="x", text=text, source=Source()), fold(text))


def test_one_report() -> None:
    found = structure_of(REPORT)
    assert [REPORT[a:b] for a, b in found.boilerplate] == ["首页 > 政务公开 > 年度报告", "分享到："]
    assert [(s.level, s.title) for s in found.sections] == [(0, None), (1, "概述"), (1, "统计表")]
    assert found.meta.issuer == "海潮区财政局"
    assert len(found.tables) == 1
    assert not set(found.paragraphs) & set(found.boilerplate)


@given(st.text(st.sampled_from("一二、（）1.。\n 首页>《》公开信息数条8"), max_size=60) | st.text())
def test_offsets_of_any_text_are_valid(text: str) -> None:
    found = structure_of(text)
    spans = [
        *found.sentences,
        *found.paragraphs,
        *found.boilerplate,
        *((s.start, s.end) for s in found.sections),
    ]
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert all(text[start:end].strip() == text[start:end] for start, end in found.paragraphs)


def shape(text: str) -> tuple[object, ...]:
    found = structure_of(text)
    tree = [(s.id, s.level, s.start, s.end, s.parent) for s in found.sections]
    meta = (found.meta.year, found.meta.doc_type, found.meta.published)
    return tree, found.sentences, found.paragraphs, found.boilerplate, meta


def test_both_scripts_alike() -> None:
    assert shape(opencc.OpenCC("s2t").convert(REPORT)) == shape(REPORT)


@pytest.mark.shared
def test_real_reports_in_both_scripts(shared: Path) -> None:
    paths = [*(shared / "seeds").glob("*.txt"), *(shared / "corpus" / "work_reports").glob("20*.txt")]
    for path in sorted(paths):
        text = path.read_bytes().decode()
        traditional = opencc.OpenCC("s2t").convert(text)
        assert len(traditional) == len(text)
        assert shape(traditional) == shape(text), path.name
