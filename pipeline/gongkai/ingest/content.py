"""What a reader of one format hands back, and how its text is put together with offsets."""

from __future__ import annotations

import msgspec

from gongkai.types import Cell, Meta, Table


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """The content of one file: all of a document but its id and source."""

    text: str
    media_type: str
    encoding: str | None = None
    meta: Meta = Meta()
    tables: tuple[Table, ...] = ()


class PlacedCell(msgspec.Struct, frozen=True, kw_only=True):
    """A cell with its place in the resolved grid, before its text has offsets."""

    text: str
    row: int
    column: int
    row_span: int = 1
    column_span: int = 1
    header: bool = False


class TextBuilder:
    """Puts lines and tables together into one text, one line each, and keeps where every cell lies."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._tables: list[Table] = []

    def add_line(self, line: str) -> None:
        """Append a line (it may hold line breaks of its own)."""
        self._start_line()
        self._append(line)

    def add_table(self, cells: list[tuple[PlacedCell, Cell]]) -> None:
        """Append a table: one line a row, its cells joined by a tab; a merged cell stands at its origin."""
        if not cells:
            return
        self._start_line()
        start = self._length
        placed: list[Cell] = []
        row = cells[0][0].row
        for index, (source, cell) in enumerate(cells):
            if index:
                self._append("\n" if source.row != row else "\t")
            row = source.row
            begin = self._length
            self._append(source.text)
            placed.append(msgspec.structs.replace(cell, start=begin, end=self._length))
        self._tables.append(
            Table(id=f"TB{len(self._tables) + 1}", start=start, end=self._length, cells=tuple(placed))
        )

    @property
    def text(self) -> str:
        return "".join(self._parts)

    @property
    def tables(self) -> tuple[Table, ...]:
        return tuple(self._tables)

    def _start_line(self) -> None:
        if self._parts:
            self._append("\n")

    def _append(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)
