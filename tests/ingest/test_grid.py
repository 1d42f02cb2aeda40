"""Tables: merged cells resolved, offsets that select each cell's text."""

from __future__ import annotations

import html

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gongkai.ingest.decode import Decoded
from gongkai.ingest.grid import RawCell, place, state_of, value_of
from gongkai.ingest.html import read_html
from gongkai.ingest.layout import collapse

CELL = st.tuples(
    st.text(st.sampled_from("政府信息公开1234567890/ <&　\n字"), max_size=8),
    st.integers(0, 4),
    st.integers(1, 4),
)
ROWS = st.lists(st.lists(CELL, min_size=1, max_size=6), min_size=2, max_size=6)


def _place(*rows: list[tuple[str, int, int]]) -> list[tuple[str, int, int, int, int]]:
    raws = [[RawCell(text, row_span=down, column_span=across) for text, down, across in row] for row in rows]
    return [(cell.text, cell.row, cell.column, cell.row_span, cell.column_span) for cell in place(raws)]


def test_merged_cells() -> None:
    placed = _place(
        [("a", 2, 1), ("b", 1, 2), ("c", 2, 1)],
        [("d", 1, 1), ("e", 1, 1)],
        [("f", 1, 4)],
    )
    assert placed == [
        ("a", 0, 0, 2, 1),
        ("b", 0, 1, 1, 2),
        ("c", 0, 3, 2, 1),
        ("d", 1, 1, 1, 1),
        ("e", 1, 2, 1, 1),
        ("f", 2, 0, 1, 4),
    ]


@pytest.mark.parametrize(
    ("row_span", "column_span", "expected"),
    [(0, 1, (2, 1)), (9, 1, (2, 1)), (1, 10**9, (1, 2)), (65534, 1000, (2, 2))],
)
def test_spans_are_clipped_to_the_table(row_span: int, column_span: int, expected: tuple[int, int]) -> None:
    first = _place([("a", row_span, column_span)], [("b", 1, 1), ("c", 1, 1)])[0]
    if column_span == 1000:
        # Both rows are covered: the cells of the second stand to the right of the bound.
        assert first[3] == 2
    else:
        assert first[3:] == expected


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("0", "number"),
        ("1,318", "number"),
        ("１３１８", "number"),
        ("-3.5", "number"),
        ("1,31", "text"),
        ("12件", "text"),
        ("41.67%", "number"),
        ("１００ ％", "number"),
        ("增长5%", "text"),
        ("%", "text"),
        ("", "empty"),
        ("\u3000\u200b", "empty"),
        ("/", "slash"),
        ("——", "slash"),
        ("－", "slash"),
        ("\\", "slash"),
        ("自然人", "text"),
    ],
)
def test_states(text: str, state: str) -> None:
    assert state_of(text) == state


@pytest.mark.parametrize(
    ("text", "value"),
    [("1,318", 1318.0), ("-3.5", -3.5), ("41.67%", 0.4167), ("+12.3％", 0.123), ("12件", None), ("", None)],
)
def test_values(text: str, value: float | None) -> None:
    assert value_of(text) == value


@settings(deadline=None)
@given(ROWS)
def test_offsets_select_the_cells(rows: list[list[tuple[str, int, int]]]) -> None:
    markup = "".join(
        "<tr>"
        + "".join(
            f"<td rowspan={down} colspan={across}>{html.escape(text)}</td>" for text, down, across in row
        )
        + "</tr>"
        for row in rows
    )
    first, last = "<tr><th>名</th><th>1</th></tr>", "<tr><td>末</td><td>2</td></tr>"
    page = f"<p>前言</p><table>{first}{markup}{last}</table><p>后</p>"
    content = read_html(Decoded(page, "utf-8"))
    for table in content.tables:
        found = [content.text[cell.start : cell.end] for cell in table.cells]
        given_texts = [collapse(text) for row in rows for text, _, _ in row]
        assert ["".join(text.split()) for text in found[2:-2]] == [
            "".join(text.split()) for text in given_texts
        ]
        ends = [0, *(cell.end for cell in table.cells)]
        assert all(end <= cell.start for end, cell in zip(ends, table.cells, strict=False))
        corners = [(cell.row, cell.column) for cell in table.cells]
        assert len(set(corners)) == len(corners)
        assert corners == sorted(corners)
        assert content.text[table.start : table.end].count("\n") == len({row for row, _ in corners}) - 1
