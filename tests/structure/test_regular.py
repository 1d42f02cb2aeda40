"""Any other flattened table, and lines that are none."""

from __future__ import annotations

import pytest

from form_tables import PROSE, in_prose, tables_of


def test_any_other_rhythm_is_a_table_without_form() -> None:
    rows = [
        ("制定方案", "个", "3"),
        ("开展检查", "次", "12"),
        ("发放资料", "份", "1500"),
        ("走访企业", "家", "40"),
    ]
    (table,) = tables_of(in_prose([cell for row in rows for cell in row]))
    assert (table.form, table.flattened) == (None, True)
    assert {c.row_label: c.value for c in table.cells if c.state == "number"} == {
        r[0]: float(r[2]) for r in rows
    }


def test_any_other_table_with_tabs() -> None:
    lines = ["单位\t收到\t办结", "某局\t3\t2", "某委\t5\t4", "某办\t0\t0"]
    (table,) = tables_of(in_prose(lines))
    cell = next(c for c in table.cells if c.value == 4)
    assert (cell.row_label, cell.column_label) == ("某委", "办结")


@pytest.mark.parametrize(
    "text",
    [
        PROSE * 5,
        "一、总体情况\n二、主动公开情况\n三、依申请公开情况\n四、行政复议\n五、问题\n",
        "首页\n政务公开\n办事\n互动\n浏览次数：\n123\n打印\n",
        "（一）予以公开9件。\n（二）部分公开2件。\n（三）不予公开1件。\n",
        "收到申请数\n我局高度重视\n12\n",
        "联系人\n13800000000\n" * 6,
        "1\n2\n3\n4\n5\n6\n7\n8\n",
        "2018年3月1日\n2019\n目录\n2020\n索引\n3\n",
        "行政许可\n行政处罚\n行政强制\n办事指南\n",
        "主动公开政府信息863条\n收到申请9件\n",
    ],
)
def test_ordinary_lines_are_no_tables(text: str) -> None:
    assert tables_of(text) == ()
