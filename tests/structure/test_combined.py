"""One marked-up table that holds several of the forms' tables."""

from __future__ import annotations

import pytest

from form_tables import (
    DAMAGES,
    FORM_A,
    FOUR,
    FOUR_VALUES,
    ITEMS_B,
    ITEMS_C,
    TWO_B,
    TWO_C,
    TWO_C_VALUES,
    GridRow,
    expected_three,
    grid_document,
    grid_three,
    tables_of,
    values_of,
    without_spans,
)

TITLED: list[GridRow] = [
    [("二、主动公开政府信息情况", 1, 10)],
    *TWO_C,
    [("三、收到和处理政府信息公开申请情况", 1, 10)],
    *grid_three(ITEMS_C),
    [("四、政府信息公开行政复议、行政诉讼情况", 1, 15)],
    *FOUR,
]
# Repeated headers are made for table three alone.
WHOLE_OR_DAMAGED = [list, *(damage for damage in DAMAGES if damage.__name__ != "repeated_headers")]


@pytest.mark.parametrize("damage", WHOLE_OR_DAMAGED, ids=lambda damage: damage.__name__)
def test_tables_two_three_and_four_of_c_in_one(damage) -> None:  # type: ignore[no-untyped-def]
    document = grid_document(damage(TITLED))
    two, three, four = tables_of(document)
    assert [(t.id, t.form, t.flattened) for t in (two, three, four)] == [
        ("TB1", "C.2", False),
        ("TB2", "C.3", False),
        ("TB3", "C.4", False),
    ]
    assert values_of(three) == expected_three(ITEMS_C)
    assert values_of(four) == FOUR_VALUES
    if damage.__name__ != "other_numbering":
        assert values_of(two) == TWO_C_VALUES
    assert (two.start, four.end) == (document.tables[0].start, document.tables[0].end)
    assert sum(len(t.cells) for t in (two, three, four)) == len(document.tables[0].cells)
    assert all(min(cell.row for cell in t.cells) == 0 for t in (two, three, four))


@pytest.mark.parametrize("damage", [list, without_spans], ids=["whole", "spans"])
def test_tables_of_b_without_titles(damage) -> None:  # type: ignore[no-untyped-def]
    tables = tables_of(grid_document(damage([*TWO_B, *grid_three(ITEMS_B), *FOUR])))
    assert [table.form for table in tables] == ["B.2", "B.3", "B.4"]
    assert len(values_of(tables[0])) == 22
    assert values_of(tables[1]) == expected_three(ITEMS_B)


@pytest.mark.parametrize("place", [0, 9, 25])
def test_rows_of_another_table_take_none_apart(place: int) -> None:
    rows: list[GridRow] = [["行政许可", "件", "3"], ["行政处罚", "件", "4"]]
    form: list[GridRow] = [row[:3] for row in FORM_A]
    (table,) = tables_of(grid_document([*form[:place], *rows, *form[place:]]))
    assert table.form == "A"


def test_a_row_of_another_form_inside_one_of_the_tables() -> None:
    grid = [*TITLED[:30], [("行政许可", 1, 3), *"0000000"], *TITLED[30:]]
    tables = tables_of(grid_document(grid))
    assert [table.form for table in tables] == ["C.2", "C.3", "C.4"]
    assert values_of(tables[1]) == expected_three(ITEMS_C)


def test_a_merged_cell_ends_with_its_table() -> None:
    grid = [*TWO_C[:-1], [("行政事业性收费", 3, 1), ("12.5", 1, 3)], *FOUR]
    two, four = tables_of(grid_document(grid))
    assert max(cell.row + cell.row_span for cell in two.cells) == len(TWO_C)
    assert (two.form, four.form) == ("C.2", "C.4")
