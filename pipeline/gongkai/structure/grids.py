"""Marked-up tables (HTML, DOCX) to typed and labelled cells: header lines, columns, rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from gongkai.structure.cells import DraftCell, Row, join_labels, read_value, trim
from gongkai.structure.forms import form_indexes, label_key
from gongkai.types import CellState, Document, Table

_YEAR = re.compile(r"(?:19|20)\d{2}年?(?:度)?")
_LONGEST_TEXT = 200
_MOST_HEADERS = 8


def read_grid(document: Document, view: str, table: Table) -> list[DraftCell]:
    """Cells of a marked-up table with their states and values, without their outer white space."""
    cells = []
    for cell in table.cells:
        start, end = trim(view, cell.start, cell.end)
        state, value = read_value(view[start:end])
        cells.append(
            DraftCell(
                row=cell.row,
                column=cell.column,
                start=start,
                end=end,
                state=state,
                value=value,
                row_span=max(1, cell.row_span),
                column_span=max(1, cell.column_span),
                text=document.text[start : min(end, start + _LONGEST_TEXT)],
            )
        )
    return cells


def label_grid(cells: Sequence[DraftCell]) -> tuple[list[Row], frozenset[str]]:
    """Set header states and printed labels of a grid's cells; give its rows and the keys of its headers."""
    grid = _Grid(cells)
    headers = frozenset(_mark_headers(grid))
    rows: list[Row] = []
    for block, data in grid.blocks():
        paths = grid.column_paths(block)
        for number in data:
            for row in _rows_of_line(grid, number):
                rows.append(row)
                label = join_labels(cell.text for cell in row.labels)
                for cell in row.values:
                    cell.row_label, cell.column_label = label, paths.get(cell.column)
            _mark_row_labels(grid, number)
    return rows, headers


class _Grid:
    """A table with its merged cells laid out on their rows."""

    def __init__(self, cells: Sequence[DraftCell]) -> None:
        self.cells = cells
        self.height = 1 + max((cell.row for cell in cells), default=-1)
        self.width = 1 + max((cell.column for cell in cells), default=-1)
        self.lines = self._lay_out()
        self.header_lines = self._find_headers()

    def own(self, number: int) -> list[DraftCell]:
        """Cells that begin in a line, not merged from above."""
        return [cell for cell in self.lines[number] if cell.row == number]

    def _lay_out(self) -> list[list[DraftCell]]:
        lines: list[list[DraftCell]] = [[] for _ in range(self.height)]
        spans = ((cell, cell.row, min(cell.row_span, self.height - cell.row)) for cell in self.cells)
        for row, cell in self._covered(spans):
            lines[row].append(cell)
        for number, line in enumerate(lines):
            line.sort(key=lambda cell: cell.column)
            # Cells merged from above stand left of a line's own, however the page misplaced them.
            line.sort(key=lambda cell: cell.row == number or cell.is_value)
        return lines

    def _covered(self, spans: Iterable[tuple[DraftCell, int, int]]) -> Iterator[tuple[int, DraftCell]]:
        """Each place that a cell covers from its first on, with the cell.

        A page may state spans that together cover far more than there are cells: those beyond a bound
        cover their first place alone.
        """
        budget = 8 * len(self.cells) + 4096
        for cell, first, span in spans:
            budget -= span
            for place in range(first, first + (span if budget > 0 else 1)):
                yield place, cell

    def _find_headers(self) -> set[int]:
        """Lines that label those below: no number and no slash, and data further down."""
        states = [{cell.state for cell in self.own(number)} for number in range(self.height)]
        has_data = [bool(found & {"number", "slash"}) for found in states]
        if not any(has_data):
            return {0} if self.height > 1 and states[0] <= {"text", "empty"} else set()
        first = has_data.index(True)
        headers = set(range(first))
        if first == 0 and self._is_year_line(0):
            headers.add(0)
        top = {self._line_key(number) for number in headers}
        for number in range(first, self.height):
            if has_data[number] or "text" not in states[number]:
                continue
            if self._line_key(number) in top or self._restarts(number, states[number]):
                headers.add(number)
        return headers

    def _line_key(self, number: int) -> tuple[str, ...]:
        return tuple(label_key(cell.text) for cell in self.own(number))

    def _is_year_line(self, number: int) -> bool:
        line = self.lines[number]
        numbers = [cell for cell in line if cell.state == "number"]
        if len(line) <= 2 or len(numbers) < len(line) - 1:
            return False
        return all(_YEAR.fullmatch(cell.text.strip()) for cell in numbers)

    def _restarts(self, number: int, states: set[CellState]) -> bool:
        """A line of a form's own column labels, or a title over all columns, inside the table."""
        line = self.own(number)
        if "empty" not in states and len(line) == 1 and line[0].column_span >= max(2, self.width):
            return True
        keys = {label_key(cell.text) for cell in line if cell.state == "text"}
        return len(keys) > 1 and any(keys <= index.headers for index in form_indexes().values())

    def column_paths(self, block: Iterable[int]) -> dict[int, str | None]:
        """Column → texts of the header cells over it in a block of header lines, outermost first."""
        headers = (cell for number in block for cell in self.lines[number] if cell.state == "header")
        spans = ((cell, cell.column, min(cell.column_span, self.width - cell.column)) for cell in headers)
        texts: dict[int, list[str]] = {}
        for column, header in self._covered(spans):
            texts.setdefault(column, []).append(header.text)
        return {column: join_labels(path) for column, path in texts.items()}

    def blocks(self) -> Iterator[tuple[list[int], list[int]]]:
        """Each unbroken run of header lines with the data lines that it governs."""
        headers: list[int] = []
        data: list[int] = []
        for number in range(self.height):
            if number not in self.header_lines:
                data.append(number)
                continue
            if data:
                yield headers[-_MOST_HEADERS:], data
                headers, data = [], []
            headers.append(number)
        yield headers[-_MOST_HEADERS:], data


def _mark_headers(grid: _Grid) -> Iterator[str]:
    """Give the cells of header lines their state; keys of their labels."""
    for number in grid.header_lines:
        for cell in grid.own(number):
            if cell.state in ("text", "number"):
                cell.state, cell.value = "header", None
                yield label_key(cell.text)


def _rows_of_line(grid: _Grid, number: int) -> Iterator[Row]:
    """Runs of labels with the values after them; empty cells between labels are none."""
    row = Row()
    line = grid.lines[number]
    for position, cell in enumerate(line):
        if cell.is_label:
            if cell.is_unit and row.labels:
                continue
            if any(value.state != "empty" for value in row.values):
                yield row
                row = Row()
            row.values = []
            row.labels.append(cell)
        elif cell.row == number and not _is_serial(line, position):
            row.values.append(cell)
    if row.labels or row.values:
        yield row


def _is_serial(line: Sequence[DraftCell], position: int) -> bool:
    """A first number with a label after it, and values after that: the line's own number."""
    if position or len(line) < 3 or line[0].state != "number":
        return False
    return line[1].is_label and any(cell.is_value for cell in line[2:])


def _mark_row_labels(grid: _Grid, number: int) -> None:
    """In a line with numbers, words head them."""
    line = grid.own(number)
    if all(cell.state != "number" for cell in line):
        return
    for cell in line:
        if cell.state == "text" and not cell.is_unit:
            cell.state = "header"
