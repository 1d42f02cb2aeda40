"""Standard forms recovered from lines."""

from __future__ import annotations

import pytest

from form_tables import (
    A_LINES,
    CATEGORIES,
    FLAT_DAMAGES,
    FORM_A_VALUES,
    FOUR,
    FOUR_VALUES,
    HANT_TW,
    ITEMS_B,
    ITEMS_C,
    RESULTS,
    TWO_B,
    TWO_C,
    TWO_C_VALUES,
    expected_three,
    flat,
    flat_three,
    grid_document,
    in_prose,
    numbers,
    row_a_line,
    tables_of,
    values_of,
)


@pytest.mark.parametrize("damage", FLAT_DAMAGES.values(), ids=FLAT_DAMAGES.keys())
@pytest.mark.parametrize(("items", "form"), [(ITEMS_C, "C.3"), (ITEMS_B, "B.3")], ids=["C", "B"])
def test_table_three_flattened(damage, items, form) -> None:  # type: ignore[no-untyped-def]
    title = "某局2019年政府信息公开工作年度报告\n" if form == "B.3" else ""
    (table,) = tables_of(title + damage(flat_three(items)))
    assert (table.form, table.flattened) == (form, True)
    assert values_of(table) == expected_three(items)


@pytest.mark.parametrize("separator", ["\t", "|", " | ", "  ", " "])
def test_table_three_one_row_a_line(separator: str) -> None:
    (table,) = tables_of(row_a_line(separator))
    assert table.form == "C.3"
    assert values_of(table) == expected_three(ITEMS_C)


def test_a_label_broken_over_lines() -> None:
    lines = [
        part for line in flat_three(ITEMS_C) for part in ([line[:6], line[6:]] if len(line) > 9 else [line])
    ]
    (table,) = tables_of(in_prose(lines))
    found = values_of(table)
    for metric in ("requests.received", "outcome.refused.security", "outcome.not_processed.excessive"):
        assert found[metric, "total"] == expected_three(ITEMS_C)[metric, "total"]


def test_rows_as_a_pdf_breaks_them() -> None:
    lines = []
    for number, (group, label, _) in enumerate(ITEMS_C):
        whole = f"{group[:4]} {label}".strip()
        cells = " ".join(numbers(number))
        broken = [f"{whole[:-3]} {cells}", whole[-3:]]
        lines += broken if len(label) > 13 and not group and "（" not in label[1:] else [f"{whole} {cells}"]
    (table,) = tables_of(in_prose(lines))
    assert table.form == "C.3"
    assert values_of(table) == expected_three(ITEMS_C)


def test_a_heading_that_took_over_the_numbers_of_a_lost_label_has_no_metric() -> None:
    lines = flat_three(ITEMS_C)
    lines.remove(ITEMS_C[20][1])
    (table,) = tables_of(in_prose(lines))
    assert table.form == "C.3"
    assert values_of(table).items() <= expected_three(ITEMS_C).items()


def test_form_b_without_a_year_is_known_by_its_own_row() -> None:
    (table,) = tables_of(in_prose(flat_three(ITEMS_B)))
    assert table.form == "B.3"


def test_a_page_number_inside_a_table_spoils_its_row_alone() -> None:
    lines = flat_three(ITEMS_C)
    place = lines.index("3.要求提供公开出版物")
    (table,) = tables_of(in_prose([*lines[:place], "- 4 -", "4", *lines[place:]]))
    expected = expected_three(ITEMS_C)
    found = values_of(table)
    assert {k: v for k, v in found.items() if k[1]}.items() <= expected.items()
    assert len(expected) - len(expected.items() & found.items()) <= 7


def test_cells_that_vanished_are_not_guessed() -> None:
    lines = flat_three(ITEMS_C)
    place = lines.index("2.重复申请")
    del lines[place + 3 : place + 5]
    (table,) = tables_of(in_prose(lines))
    cells = [c for c in table.cells if c.metric_id == "outcome.not_processed.repeated"]
    assert len(cells) == 5
    assert {(c.category, c.column_label) for c in cells} == {(None, None)}
    assert cells[0].row_label == "三、本年度办理结果 / （五）不予处理 / 2.重复申请"
    others = {k: v for k, v in expected_three(ITEMS_C).items() if k[0] != "outcome.not_processed.repeated"}
    assert others.items() <= values_of(table).items()


def test_blank_lines_that_stand_for_empty_cells() -> None:
    lines = flat_three(ITEMS_C)
    place = lines.index("2.重复申请")
    lines[place + 3 : place + 5] = ["", ""]
    (table,) = tables_of(in_prose(lines))
    cells = [c for c in table.cells if c.metric_id == "outcome.not_processed.repeated"]
    assert [c.category for c in cells] == CATEGORIES
    assert [c.state for c in cells] == ["number", "number", "empty", "empty", "number", "number", "number"]


def test_table_two_flattened() -> None:
    (table,) = tables_of(in_prose(flat(TWO_C)))
    assert (table.form, table.flattened) == ("C.2", True)
    assert values_of(table) == TWO_C_VALUES
    (table,) = tables_of(in_prose(flat(TWO_B)))
    assert table.form == "B.2"
    assert values_of(table) == values_of(tables_of(grid_document(TWO_B))[0])


@pytest.mark.parametrize(
    "lines", [flat(FOUR), [*flat(FOUR)[:-15], " ".join(flat(FOUR)[-15:])]], ids=["cells", "row"]
)
def test_table_four_flattened(lines: list[str]) -> None:
    (table,) = tables_of(in_prose(lines))
    assert (table.form, table.flattened) == ("C.4", True)
    assert values_of(table) == FOUR_VALUES


def test_table_four_with_broken_headers() -> None:
    lines = [
        part for line in flat(FOUR) for part in ([line[:2], line[2:]] if line in RESULTS[:4] else [line])
    ]
    (table,) = tables_of(in_prose(lines))
    assert values_of(table) == FOUR_VALUES


def test_table_four_that_lost_a_number() -> None:
    (table,) = tables_of(in_prose(flat(FOUR)[:-1]))
    assert table.form == "C.4"
    assert values_of(table) == {}


def test_table_four_in_three_groups() -> None:
    groups = ["行政复议", "未经复议直接起诉", "复议后起诉"]
    lines = [c for n, g in enumerate(groups) for c in (g, *RESULTS, *map(str, range(5 * n + 1, 5 * n + 6)))]
    (table,) = tables_of(in_prose(lines))
    assert values_of(table) == FOUR_VALUES


def test_table_four_with_a_column_too_many_goes_by_its_headers() -> None:
    (table,) = tables_of(grid_document([["备注", *FOUR[0]], ["", *FOUR[1]], ["", *FOUR[2]], ["9", *FOUR[3]]]))
    found = values_of(table)
    assert table.form == "C.4"
    assert found["reconsideration.upheld", None] == 1


@pytest.mark.parametrize("lines", A_LINES.values(), ids=A_LINES.keys())
@pytest.mark.parametrize("convert", [str, HANT_TW.convert], ids=["hans", "taiwan"])
def test_form_a_flattened(lines: list[str], convert) -> None:  # type: ignore[no-untyped-def]
    (table,) = tables_of(convert(in_prose(["统计指标", "单位", "统计数", *lines])))
    assert (table.form, table.flattened) == ("A", True)
    assert values_of(table) == FORM_A_VALUES
