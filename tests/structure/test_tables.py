"""The table stage: order, ids, offsets, whatever the text."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from form_tables import (
    A_LINES,
    FOUR,
    FOUR_VALUES,
    ITEMS_C,
    PROSE,
    TWO_C,
    TWO_C_VALUES,
    check_offsets,
    expected_three,
    flat,
    flat_three,
    grid_document,
    grid_three,
    paragraphs_of,
    tables_of,
    values_of,
)
from gongkai.structure.tables import recognise_tables
from gongkai.text import fold


def test_lines_of_a_marked_up_table_are_not_read_twice() -> None:
    assert len(tables_of(grid_document(grid_three(ITEMS_C), before="表如下\n", after="完\n"))) == 1


def test_three_tables_one_after_the_other() -> None:
    lines = [
        "二、主动公开政府信息情况",
        *flat(TWO_C),
        "三、收到和处理政府信息公开申请情况",
        *flat_three(ITEMS_C),
        "四、政府信息公开行政复议、行政诉讼情况",
        *flat(FOUR),
        "五、存在的主要问题及改进情况",
    ]
    two, three, four = tables_of("\n".join(lines) + "\n" + PROSE)
    assert [t.form for t in (two, three, four)] == ["C.2", "C.3", "C.4"]
    assert [t.id for t in (two, three, four)] == ["TB1", "TB2", "TB3"]
    assert values_of(two) == TWO_C_VALUES
    assert values_of(three) == expected_three(ITEMS_C)
    assert values_of(four) == FOUR_VALUES


_CONTENT = st.text(alphabet="自然人总计规章信息内容结果维持1230.,/-— \u200b\u3000件%（）\n2年", max_size=8)
_GRIDS = st.lists(
    st.lists(
        st.one_of(_CONTENT, st.tuples(_CONTENT, st.integers(1, 3), st.integers(1, 3))), min_size=1, max_size=5
    ),
    min_size=1,
    max_size=6,
)


@settings(deadline=None)
@given(_GRIDS)
def test_any_grid_keeps_its_cells(grid: list[list[str]]) -> None:
    document = grid_document(grid)
    (table, *_) = recognise_tables(document, fold(document.text), paragraphs_of(document.text))
    check_offsets(document.text, table)
    assert [(c.row, c.column, c.row_span, c.column_span) for c in table.cells] == [
        (c.row, c.column, c.row_span, c.column_span) for c in document.tables[0].cells
    ]


_LINES = st.lists(
    st.one_of(
        st.sampled_from(flat_three(ITEMS_C) + flat(TWO_C) + flat(FOUR) + A_LINES["cells"]),
        st.text(alphabet="总计1 \t|件\u200b。/0结果维持（一", max_size=12),
    ),
    max_size=40,
)


@settings(deadline=None)
@given(_LINES, st.sampled_from(["\n", "\n\n", " ", "\t", "\r\n"]))
def test_any_lines_give_offsets_that_select_their_text(lines: list[str], separator: str) -> None:
    tables = tables_of(separator.join(lines))
    assert [t.id for t in tables] == [f"TB{n}" for n in range(1, len(tables) + 1)]
    for a, b in pairwise(tables):
        assert a.end <= b.start


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_read_without_error(text: str) -> None:
    tables_of(text)


@pytest.mark.parametrize(
    "piece",
    [
        "(",
        "1",
        "1\n",
        "总计\n",
        "总计\n1\n",
        "自然人 ",
        "|",
        "\t",
        "1 2 3\n",
        "a|1|2\n",
        "结果维持\n0\n",
        "甲\n1\n",
        "件\n",
    ],
)
def test_hostile_repetition_stays_linear(piece: str) -> None:
    text = piece * (20_000 // len(piece))
    begin = time.perf_counter()
    tables_of(text)
    assert time.perf_counter() - begin < 5
