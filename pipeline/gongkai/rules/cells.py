"""Numbers of table cells: COUNT or PERCENT, with the METRIC of their row (or column) and their total."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gongkai.types import Cell, Mention, Table

_NUMBERING = re.compile(
    r"[ \u200b]*(?:其中[:,]?)?[ \u200b]*"
    r"(?:\(?[一二三四五六七八九十]{1,3}[)、.]+|\(?\d{1,2}[)、.]+(?!\d))?[ \u200b]*(?:其中[:,]?)?"
)
_LINKING_END = re.compile(r"(?:(?<![总次])数)?[ \u200b:]*(?:\([^()]*\)?)?[ \u200b:]*$")
_HAN = re.compile("[一-鿿]")


class CellReading(NamedTuple):
    """The mentions of one number cell.

    Attributes:
        metric: The label that names it.
        metric_id: Its row of the ontology, if the table is a standard form.
        unit: As its row prints it (万元); None if it does not.
        parent: Place in the list of the reading that it is part of.
    """

    number: Mention
    metric: Mention | None
    metric_id: str | None
    unit: str | None
    parent: int | None


def read_cells(
    view: str, tables: Sequence[Table], units: frozenset[str], parents: Mapping[str, str]
) -> list[CellReading]:
    """Read every number cell of the tables.

    Args:
        view: Folded text.
        tables: As recognised by the structure stage.
        units: Folded names of units; a cell that holds only one is no label.
        parents: Metric id → id of the metric it is part of.
    """
    readings: list[CellReading] = []
    for table in tables:
        readings += _read_table(view, table, units, parents, len(readings))
    return readings


def _read_table(
    view: str, table: Table, units: frozenset[str], parents: Mapping[str, str], offset: int
) -> list[CellReading]:
    numbers = [cell for cell in table.cells if cell.state == "number"]
    labels = _Labels(view, table, units)
    place_of: dict[tuple[str, str | None], int] = {}
    for place, cell in enumerate(numbers):
        if cell.metric_id is not None:
            place_of.setdefault((cell.metric_id, cell.category), offset + place)
    readings = []
    for cell in numbers:
        percent = view[cell.start : cell.end].endswith("%")
        number = Mention("PERCENT" if percent else "COUNT", cell.start, cell.end, "rule:count.cell", 0.9)
        parent = _place_of_total(cell, place_of, parents)
        readings.append(CellReading(number, labels.of(cell), cell.metric_id, labels.unit_of(cell), parent))
    return readings


def _place_of_total(
    cell: Cell, place_of: Mapping[tuple[str, str | None], int], parents: Mapping[str, str]
) -> int | None:
    """Place of the nearest total above the cell's metric that the table states, in the cell's column.

    A group without numbers of its own (（三）不予公开) is passed over: its items are summed in 总计.
    """
    above = parents.get(cell.metric_id or "")
    while above is not None:
        if (above, cell.category) in place_of:
            return place_of[above, cell.category]
        above = parents.get(above)
    return None


class _Labels:
    """Which cell of a table names a number: the nearest to its left, else the nearest above."""

    def __init__(self, view: str, table: Table, units: frozenset[str]) -> None:
        self._view = view
        self._rows: dict[int, list[Cell]] = {}
        self._columns: dict[int, list[Cell]] = {}
        self._units: dict[int, str] = {}
        for cell in table.cells:
            if cell.state not in ("header", "text"):
                continue
            words = view[cell.start : cell.end].strip(" \u200b()\n")
            if words.lstrip("万亿千百") in units:
                self._units[cell.row] = words
                continue
            if not _HAN.search(words):
                continue
            for row in range(cell.row, cell.row + cell.row_span):
                self._rows.setdefault(row, []).append(cell)
            for column in range(cell.column, cell.column + cell.column_span):
                self._columns.setdefault(column, []).append(cell)

    def unit_of(self, cell: Cell) -> str | None:
        """The unit that stands in a cell of its own in the same row."""
        return self._units.get(cell.row)

    def of(self, cell: Cell) -> Mention | None:
        left = [label for label in self._rows.get(cell.row, ()) if label.column < cell.column]
        above = [label for label in self._columns.get(cell.column, ()) if label.row < cell.row]
        if not left and not above:
            return None
        label = max(left, key=lambda c: c.column) if left else max(above, key=lambda c: c.row)
        start, end = label.start, label.end
        numbering = _NUMBERING.match(self._view, start, end)
        start = numbering.end() if numbering else start
        linking = _LINKING_END.search(self._view, start, end)
        end = linking.start() if linking and linking.start() > start else end
        if not _HAN.search(self._view, start, end) or "\n" in self._view[start:end]:
            return None
        return Mention("METRIC", start, end, "rule:metric.cell", 0.9)
