"""Statistics tables: cells typed and labelled, the standard forms recognised, flattened tables recovered.

Two sources give the same `Table`: grids that ingest found marked up (HTML, DOCX), and lines of plain text
into which a page has flattened a table. The forms themselves are data, `configs/forms.yaml`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gongkai.structure.cells import DraftCell, Row
from gongkai.structure.combined import parts
from gongkai.structure.flattened import flattened_forms
from gongkai.structure.grids import label_grid, read_grid
from gongkai.structure.lines import Lines
from gongkai.structure.matching import assign_metrics, recognise_form, settle_form
from gongkai.structure.regular import regular_tables
from gongkai.types import Document, Table


@dataclass(slots=True)
class _Found:
    """A table before it has its id and its final form."""

    start: int
    end: int
    form: str | None
    flattened: bool
    cells: list[DraftCell]
    rows: list[Row]

    def finish(self, number: int, early: bool | None) -> Table:
        return Table(
            id=f"TB{number}",
            start=self.start,
            end=self.end,
            form=None if self.form is None else settle_form(self.form, self.rows, early),
            flattened=self.flattened,
            cells=tuple(cell.finish() for cell in self.cells),
        )


def recognise_tables(
    document: Document, view: str, paragraphs: Sequence[tuple[int, int]]
) -> tuple[Table, ...]:
    """The document's tables in text order, marked-up and flattened, with states, labels and metrics.

    Args:
        document: Its `tables` hold grids: row, column, spans and offsets of each cell.
        view: `fold(document.text)`.
        paragraphs: (start, end) of the lines that are not boilerplate, in order.

    Raises:
        ConfigError: `configs/forms.yaml` is missing or malformed; the forms' sources are stated there.
    """
    found = [part for table in document.tables for part in _read_marked(document, view, table)]
    found += _read_lines(Lines(document.text, view, _outside(paragraphs, document.tables)))
    found.sort(key=lambda table: (table.start, table.end))
    early = _is_early(document.meta.year, view, found)
    return tuple(table.finish(number, early) for number, table in enumerate(found, 1))


def _read_marked(document: Document, view: str, table: Table) -> list[_Found]:
    """A marked-up table, or each of the forms' tables that it holds."""
    found = [_read_cells(part) for part in parts(read_grid(document, view, table))]
    if len(found) > 1 and len({part.form for part in found if part.form}) < len(found):
        # Not each part is a form of its own: the labels that parted them were another table's.
        found = [_read_cells(read_grid(document, view, table))]
    found[0].start, found[-1].end = table.start, table.end
    return found


def _read_cells(cells: list[DraftCell]) -> _Found:
    """Cells of a grid, labelled and, where it is one of the forms, with their metrics."""
    rows, headers = label_grid(cells)
    form = recognise_form(rows, headers)
    if form is not None:
        assign_metrics(form, rows)
    start, end = (cells[0].start, max(cell.end for cell in cells)) if cells else (0, 0)
    return _Found(start, end, form, False, cells, rows)


def _outside(paragraphs: Sequence[tuple[int, int]], tables: Sequence[Table]) -> list[tuple[int, int]]:
    """The lines with anything on them that touch no marked-up table."""
    spans = sorted((table.start, table.end) for table in tables)
    outside: list[tuple[int, int]] = []
    position = 0
    for start, end in paragraphs:
        while position < len(spans) and spans[position][1] <= start:
            position += 1
        if start < end and (position >= len(spans) or spans[position][0] >= end):
            outside.append((start, end))
    return outside


def _read_lines(lines: Lines) -> Iterator[_Found]:
    """Flattened tables: the standard forms first, then regular runs among the lines that are left."""
    taken: set[int] = set()
    for table in flattened_forms(lines):
        assign_metrics(table.form, table.rows)
        taken.update(table.lines)
        yield _Found(table.start, table.end, table.form, True, table.cells, table.rows)
    for cells in regular_tables(lines, taken):
        rows, _ = label_grid(cells)
        yield _Found(cells[0].start, cells[-1].end, None, True, cells, rows)


_REPORT_YEAR = re.compile(r"(20\d{2})年?度?[^\n]{0,20}年度报告|(20\d{2})年度?政府信息公开")
_HEAD = 4000
_LAST_YEAR_OF_B = 2020
"""国办公开办函〔2021〕30号 put form C in the place of form B from the reports on 2021 on."""


def _is_early(year: int | None, view: str, found: Sequence[_Found]) -> bool | None:
    """Whether the tables are of the generation of 2019 and 2020: by table two, else by the report's year."""
    forms = {table.form for table in found}
    if "B.2" in forms or "C.2" in forms:
        return "B.2" in forms
    stated = _REPORT_YEAR.search(view, 0, _HEAD)
    year = int(stated[1] or stated[2]) if stated else year
    return None if year is None else year <= _LAST_YEAR_OF_B
