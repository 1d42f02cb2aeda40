"""Marked-up tables that hold several of a report's tables, one below the other, taken apart.

The forms print tables 二, 三 and 四 each under its own heading; some pages and word processors run them
together into one grid.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise

from gongkai.structure.cells import DraftCell
from gongkai.structure.forms import known_keys, label_key

_LEAST_LABELS = 2


def parts(cells: Sequence[DraftCell]) -> list[list[DraftCell]]:
    """The cells of each of the forms' tables in a grid, in order, with rows counted from the part's first.

    A part begins after the last row of numbers before its first label, so that it has its title and headers.
    A grid that holds one table, or labels of one table on both sides of another's, is one part.
    """
    runs = _runs(cells)
    families = [family for _, _, family in runs]
    if len(families) < 2 or len(set(families)) < len(families):
        return [list(cells)]
    data = sorted({cell.row for cell in cells if cell.state in ("number", "slash")})
    begins = [0]
    for (_, last, _), (first, _, _) in pairwise(runs):
        before = bisect_right(data, first - 1)
        begins.append(max(last, data[before - 1] if before else last) + 1)
    return _cut(cells, begins)


def _runs(cells: Sequence[DraftCell]) -> list[tuple[int, int, str]]:
    """(first row, last row, family) of each run of rows with labels of one of the forms' tables.

    One label alone (a row 行政处罚 in any other table) makes no run and ends none.
    """
    runs: list[tuple[int, int, str, int]] = []
    for row, families, labels in _labelled_rows(cells):
        first, _, current, count = runs[-1] if runs else (row, row, "", 0)
        if current in families:
            runs[-1] = (first, row, current, count + labels)
        elif len(families) == 1:
            (family,) = families
            runs.append((row, row, family, labels))
    kept = (run[:3] for run in runs if run[3] >= _LEAST_LABELS)
    joined: list[tuple[int, int, str]] = []
    for first, last, family in kept:
        if joined and joined[-1][2] == family:
            first = joined.pop()[0]
        joined.append((first, last, family))
    return joined


def _labelled_rows(cells: Sequence[DraftCell]) -> Iterator[tuple[int, frozenset[str], int]]:
    """(row, families that have all its known labels, or else its last, their number) in order of rows."""
    known = known_keys()
    rows: dict[int, list[frozenset[str]]] = {}
    for cell in cells:
        if cell.is_label and (families := known.get(label_key(cell.text))):
            rows.setdefault(cell.row, []).append(families)
    for row in sorted(rows):
        shared: frozenset[str] = frozenset()
        for families in rows[row]:
            shared = shared & families or families
        yield row, shared, len(rows[row])


def _cut(cells: Sequence[DraftCell], begins: Sequence[int]) -> list[list[DraftCell]]:
    """The cells of the rows from each begin to the next; merged cells end where their part ends."""
    grouped: list[list[DraftCell]] = [[] for _ in begins]
    for cell in cells:
        part = bisect_right(begins, cell.row) - 1
        if part + 1 < len(begins):
            cell.row_span = min(cell.row_span, begins[part + 1] - cell.row)
        cell.row -= begins[part]
        grouped[part].append(cell)
    return grouped
