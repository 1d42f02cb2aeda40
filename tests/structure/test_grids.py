"""Marked-up tables: headers, labels, standard forms."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from form_tables import (
    DAMAGES,
    FORM_A,
    FORM_A_VALUES,
    FOUR,
    FOUR_VALUES,
    HANT,
    HANT_TW,
    ITEMS_B,
    ITEMS_C,
    TWO_B,
    TWO_C,
    TWO_C_VALUES,
    GridRow,
    expected_three,
    grid_document,
    grid_three,
    spaced,
    tables_of,
    traditional,
    values_of,
    without_spans,
)


@pytest.mark.parametrize(("items", "form"), [(ITEMS_C, "C.3"), (ITEMS_B, "B.3")], ids=["C", "B"])
def test_table_three_from_a_grid(items: Sequence[tuple[str, str, str]], form: str) -> None:
    before = (
        "某局2020年政府信息公开工作年度报告\n" if form == "B.3" else "某局2023年政府信息公开工作年度报告\n"
    )
    (table,) = tables_of(grid_document(grid_three(items), before=before))
    assert table.form == form
    assert not table.flattened
    assert values_of(table) == expected_three(items)


def test_labels_of_table_three() -> None:
    document = grid_document(grid_three(ITEMS_C))
    (table,) = tables_of(document)
    cell = next(
        c for c in table.cells if (c.metric_id, c.category) == ("outcome.refused.internal", "legal.research")
    )
    assert cell.row_label == "三、本年度办理结果 / （三）不予公开 / 5.属于三类内部事务信息"
    assert cell.column_label == "法人或其他组织 / 科研机构"
    headers = {document.text[c.start : c.end] for c in table.cells if c.state == "header"}
    assert {"自然人", "总计", "（三）不予公开", "3.其他"} <= headers


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_damaged_table_three(damage) -> None:  # type: ignore[no-untyped-def]
    (table,) = tables_of(grid_document(damage(grid_three(ITEMS_C))))
    assert table.form == "C.3"
    assert values_of(table) == expected_three(ITEMS_C)


def test_table_three_in_two_parts() -> None:
    grid = grid_three(ITEMS_C)
    first, second = tables_of(grid_document(grid[:14], grid[14:]))
    assert (first.form, second.form) == ("C.3", "C.3")
    assert values_of(first) | values_of(second) == expected_three(ITEMS_C)


def test_a_row_that_lacks_a_cell_is_not_guessed() -> None:
    grid = grid_three(ITEMS_C)
    grid[3] = grid[3][:-1]
    (table,) = tables_of(grid_document(grid))
    short = [c for c in table.cells if c.metric_id == "requests.received"]
    assert len(short) == 6
    assert {c.category for c in short} == {None}
    assert short[0].row_label == "一、本年新收政府信息公开申请数量"


def test_empty_slash_and_zero_stay_three_statements() -> None:
    grid = grid_three(ITEMS_C)
    grid[3] = [*grid[3][:1], "0", "/", "", "—", "0", "", "0"]
    (table,) = tables_of(grid_document(grid))
    states = [c.state for c in table.cells if c.metric_id == "requests.received"]
    assert states == ["number", "slash", "empty", "slash", "number", "empty", "number"]


@pytest.mark.parametrize(
    "damage", [lambda g: g, without_spans, spaced, traditional], ids=["whole", "spans", "spaced", "hant"]
)
def test_table_two_of_c(damage) -> None:  # type: ignore[no-untyped-def]
    (table,) = tables_of(grid_document(damage(TWO_C)))
    assert table.form == "C.2"
    assert values_of(table) == TWO_C_VALUES


def test_column_labels_of_table_two() -> None:
    (table,) = tables_of(grid_document(TWO_C))
    labels = {c.metric_id: c.column_label for c in table.cells if c.metric_id}
    assert labels["normative.in_force"] == "第二十条第（一）项 / 现行有效件数"
    assert labels["penalty.decisions"] == "第二十条第（六）项 / 本年处理决定数量"


@pytest.mark.parametrize("damage", [lambda g: g, without_spans], ids=["whole", "spans"])
def test_table_two_of_b(damage) -> None:  # type: ignore[no-untyped-def]
    (table,) = tables_of(grid_document(damage(TWO_B)))
    assert table.form == "B.2"
    found = values_of(table)
    assert found["regulations.disclosed", None] == 3
    assert found["licensing.change", None] == -8
    assert found["other_services.decisions", None] == 12
    assert found["administrative_fees.change", None] == 20
    assert found["procurement.amount", None] == 2200.5
    assert len(found) == 22


@pytest.mark.parametrize(
    "damage", [lambda g: g, without_spans, spaced, traditional], ids=["whole", "spans", "spaced", "hant"]
)
def test_table_four(damage) -> None:  # type: ignore[no-untyped-def]
    (table,) = tables_of(grid_document(damage(FOUR)))
    assert table.form == "C.4"
    assert values_of(table) == FOUR_VALUES


def test_table_four_of_a_report_with_table_two_of_b() -> None:
    forms = [table.form for table in tables_of(grid_document(TWO_B, grid_three(ITEMS_B), FOUR))]
    assert forms == ["B.2", "B.3", "B.4"]


@pytest.mark.parametrize("convert", [str, HANT.convert, HANT_TW.convert], ids=["hans", "hant", "taiwan"])
def test_form_a_from_a_grid(convert) -> None:  # type: ignore[no-untyped-def]
    grid = [["统计指标", "单位", "统计数"], *([label, unit, number] for label, unit, number, _ in FORM_A)]
    (table,) = tables_of(grid_document([[convert(c) for c in row] for row in grid]))
    assert table.form == "A"
    assert values_of(table) == FORM_A_VALUES


def test_form_a_in_two_halves_side_by_side() -> None:
    half = len(FORM_A) // 2
    grid = [[*a[:3], *b[:3]] for a, b in zip(FORM_A[:half], FORM_A[half : 2 * half], strict=True)]
    (table,) = tables_of(grid_document(grid))
    assert table.form == "A"
    found = values_of(table)
    assert found["requests.received", None] == 9
    assert found["fees.collected", None] == 0.35


def test_any_other_grid_keeps_its_labels() -> None:
    grid: list[GridRow] = [
        [("单位", 2, 1), ("2020年", 1, 2), ("2021年", 1, 2)],
        ["收到", "办结", "收到", "办结"],
        ["某局", "3", "2", "5", "5"],
        ["某委", "", "/", "1", "0"],
    ]
    (table,) = tables_of(grid_document(grid))
    assert table.form is None
    cell = next(c for c in table.cells if (c.row, c.column) == (2, 4))
    assert (cell.row_label, cell.column_label, cell.value) == ("某局", "2021年 / 办结", 5.0)
    assert [c.state for c in table.cells if c.row == 3] == ["header", "empty", "slash", "number", "number"]


def test_a_grid_of_words_has_one_header_row() -> None:
    (table,) = tables_of(grid_document([["姓名", "职务"], ["甲某", "科长"], ["乙某", "局长"]]))
    assert [c.state for c in table.cells] == ["header"] * 2 + ["text"] * 4
