"""Sections: numbering rows with their examples, and trees of small documents."""

from __future__ import annotations

import time
from pathlib import Path

import opencc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gongkai.structure import paragraphs_of, sections
from gongkai.structure.sections import NumberingRow
from gongkai.text import fold
from gongkai.types import Section

ROWS = {row.name: row for row, _ in sections.numbering()}


def tree_of(text: str) -> tuple[Section, ...]:
    view = fold(text)
    return sections.tree(view, paragraphs_of(view), printed=text)


def taken_by(line: str) -> str | None:
    view = fold(line)
    rows = (
        row.name for row, pattern in sections.numbering() if view[0] in row.begins and pattern.match(view)
    )
    return next(rows, None)


@pytest.mark.parametrize(("row", "line"), [(row, line) for row in ROWS.values() for line in row.match])
def test_row_takes_its_examples(row: NumberingRow, line: str) -> None:
    assert taken_by(line) == row.name


@pytest.mark.parametrize(("row", "line"), [(row, line) for row in ROWS.values() for line in row.reject])
def test_row_leaves_its_near_misses(row: NumberingRow, line: str) -> None:
    pattern = next(pattern for other, pattern in sections.numbering() if other is row)
    assert not pattern.match(fold(line))


@pytest.mark.parametrize("line", ["附件", "附件1", "附 件 2："])
def test_attachment(line: str) -> None:
    assert sections.attachment().match(fold(line))


# Each line of a document, with the level and title it must open a section with (None: it opens none).
DOCUMENTS: dict[str, list[tuple[str, int | None, str | None]]] = {
    "four levels": [
        ("某区年度报告", 0, None),
        ("一、主动公开情况", 1, "主动公开情况"),
        ("（一）网站。全年公开8条。", 2, "网站"),
        ("1.门户网站。8条。", 3, "门户网站"),
        ("（1）首页", 4, "首页"),
        ("①头条", 5, "头条"),
        ("2．微信", 3, "微信"),
        ("（二）其他", 2, "其他"),
        ("二、依申请公开情况", 1, "依申请公开情况"),
    ],
    "damaged numbers": [
        ("一 、概述", 1, "概述"),
        ("一）制度建设", 2, "制度建设"),
        ("（二、平台建设", 2, "平台建设"),
        ("(三人员培训情况", 2, "人员培训情况"),
        ("㈣ 其他", 2, "其他"),
        ("、主动公开情况", 1, "主动公开情况"),
        ("三,依申请公开情况", 1, "依申请公开情况"),
        ("四 收费情况", 1, "收费情况"),
        ("１、收费标准", 3, "收费标准"),
        ("五．存在的问题", 1, "存在的问题"),
    ],
    "what is no number": [
        ("1.5亿元资金已经到位。", 0, None),
        ("2018. 3. 5", None, None),
        ("一是加强领导。二是完善制度。", None, None),
        ("一、二、三级单位共8家。", None, None),
        ("、其他单位", None, None),
        ("3 月份的情况", None, None),
        ("第一部分的内容如上。", None, None),
        ("第二十条第（一）项", None, None),
    ],
    "levels without their parents": [
        ("(一)网站", 2, "网站"),
        ("1.首页", 3, "首页"),
        ("（二）微信", 2, "微信"),
        ("一、其他", 1, "其他"),
        ("(1)报刊", 4, "报刊"),
    ],
    "parts push the levels down": [
        ("第一部分 总体要求", 1, "总体要求"),
        ("一、目标", 2, "目标"),
        ("（一）近期", 3, "近期"),
        ("第二部分 任务", 1, "任务"),
        ("一、公开", 2, "公开"),
    ],
    "articles": [
        ("第一章 总则", 1, "总则"),
        ("第一条 本办法所称信息，见附录。", 2, "本办法所称信息，见附录"),
        ("（一）本市的信息；", 3, "本市的信息"),
        ("第二条 无。", 2, "无"),
        ("第二章 附则", 1, "附则"),
    ],
    "outline": [
        ("1 总则", 3, "总则"),
        ("1.1 目的", 4, "目的"),
        ("1.2 范围", 4, "范围"),
        ("2 机构", 3, "机构"),
        ("2.1 职责", 4, "职责"),
        ("2.1.1 指挥部", 5, "指挥部"),
    ],
    "contents": [
        ("目 录", 0, None),
        ("一、概述……1", None, None),
        ("二、其他……2", None, None),
        ("一、概述", 1, "概述"),
        ("二、其他", 1, "其他"),
    ],
    "attachment": [
        ("一、概述", 1, "概述"),
        ("附件1", 0, "附件1"),
        ("统计表", None, None),
        ("一、公开数", 1, "公开数"),
    ],
    "long headings": [
        (f"一、{'甲' * 70}", 1, None),
        (f"（一）{'甲' * 50}。无。", 2, None),
        ("二、无。", 1, "无"),
    ],
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_tree(name: str) -> None:
    lines = DOCUMENTS[name]
    found = tree_of("\n".join(line for line, _, _ in lines))
    assert [(s.level, s.title) for s in found] == [
        (level, title) for _, level, title in lines if level is not None
    ]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_both_scripts_give_one_tree(name: str) -> None:
    text = "\n".join(line for line, _, _ in DOCUMENTS[name])
    traditional = opencc.OpenCC("s2t").convert(text)

    def shape(of: str) -> list[tuple[object, ...]]:
        return [(s.id, s.level, s.start, s.end, s.parent) for s in tree_of(of)]

    assert shape(traditional) == shape(text)


def test_numbers_and_titles_stand_as_printed() -> None:
    section = tree_of("（一）政府資訊公開，概況。無。")[0]
    assert (section.number, section.title) == ("（一）", "政府資訊公開，概況")


def test_parents() -> None:
    found = tree_of("总述\n一、甲\n（一）乙\n（1）丙\n（二）丁\n二、戊")
    assert [(s.id, s.parent) for s in found] == [
        ("S1", None),
        ("S2", None),
        ("S3", "S2"),
        ("S4", "S3"),
        ("S5", "S2"),
        ("S6", None),
    ]


def test_no_number_no_text() -> None:
    assert tree_of("") == ()
    assert [(s.level, s.start, s.end) for s in tree_of(" \n无。\n")] == [(0, 0, 5)]


def test_paragraphs_left_out_are_no_headings() -> None:
    view = fold("一、概述\n一、本年新收申请数量\n3\n二、其他")
    paragraphs = paragraphs_of(view)
    assert [s.title for s in sections.tree(view, [paragraphs[0], paragraphs[3]])] == ["概述", "其他"]


def assert_tiles(found: tuple[Section, ...], length: int) -> None:
    """Roots tile the text; the children of each section tile it from the first child on."""
    by_id = {section.id: section for section in found}
    assert [section.id for section in found] == [f"S{number}" for number in range(1, len(found) + 1)]
    families: dict[str | None, list[Section]] = {}
    for section in found:
        families.setdefault(section.parent, []).append(section)
    for parent, children in families.items():
        end = by_id[parent].end if parent else length
        assert [child.start for child in children[1:]] + [end] == [child.end for child in children]
        assert all(child.start < child.end for child in children)
        if parent is None:
            assert children[0].start == 0
        else:
            assert by_id[parent].start < children[0].start
            assert all(by_id[parent].level < child.level for child in children)


PIECES = [
    "一、",
    "二、",
    "（一）",
    "(二)",
    "1.",
    "2、",
    "（1）",
    "①",
    "1.1 ",
    "第一章 ",
    "第二条 ",
    "附件",
    "目录",
    "、",
    ")",
    "甲",
    "乙。",
    "\n",
    "\n",
    " ",
]


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join) | st.text())
def test_tiles_any_text(text: str) -> None:
    if text:
        assert_tiles(tree_of(text), len(text))


HOSTILE = (
    "一、\n",
    "(",
    "一" + " " * 90 + "\n",
    "第一章",
    "1.",
    "1.a\n",
    "1 概述\n",
    "、概述\n",
    ")甲\n",
    "一",
    "目录\n一、概\n",
)


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_text_costs_no_more_than_its_length(piece: str) -> None:
    view = piece * (200_000 // len(piece))
    paragraphs = paragraphs_of(view)
    began = time.perf_counter()
    assert_tiles(sections.tree(view, paragraphs), len(view))
    assert time.perf_counter() - began < 5


@pytest.mark.shared
def test_real_reports(shared: Path) -> None:
    numbers = {}
    for path in sorted((shared / "seeds").glob("*.txt")):
        text = path.read_bytes().decode()
        found = tree_of(text)
        assert_tiles(found, len(text))
        numbers[path.name[:3]] = "".join(s.number[0] for s in found if s.level == 1 and s.number)
    assert numbers == {"000": "一二三四五六", "002": "一二三四五六", "003": "一二三四"}
