"""A page's elements to lines and tables, in reading order, as a browser would set them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
from lxml import etree  # type: ignore[import-untyped]

from gongkai.ingest.grid import RawCell, state_of
from gongkai.ingest.markup import SKIPPED, Element, Size
from gongkai.ingest.page_metadata import Statement, bare_label, statements_of

# fmt: off
_BLOCKS = frozenset((
    "address", "article", "aside", "blockquote", "body", "br", "caption", "center", "dd", "details", "dir",
    "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5",
    "h6", "header", "hr", "html", "legend", "li", "main", "menu", "nav", "ol", "p", "pre", "section",
    "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
))
# fmt: on
_HEADINGS = frozenset({"h1", "h2", "h3"})
_WIDE = "\u2e80-\ufaff\uff00-\uffef"
_WRAP = re.compile(rf"(?<=[{_WIDE}])[ \t]*[\r\n][ \t\r\n]*(?=[{_WIDE}])")
_SPACES = re.compile(r"[ \t\r\n\f\v]+")
_GAPS = re.compile(r"\s{2,}")
_EDGES = " \t\r\n\f\v\xa0\u2002\u2003\u3000\u200b\u200c\u200d\ufeff"
_LONG_CELL = 200
_LONGEST_METADATA_CELL = 200
_FEWEST_PAIRS = 2


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the page: how many of its characters are links, how many links it has, where it stands.

    `part` is `before`, `inside` or `after` the element that holds the document; `term` and
    `definition` say that it is one of a definition list.
    """

    text: str
    part: str
    linked: int = 0
    links: int = 0
    heading: bool = False
    metadata: bool = False
    term: bool = False
    definition: bool = False


class Grid(msgspec.Struct, frozen=True, kw_only=True):
    """A data table: rows of cells as they are marked up."""

    rows: list[list[RawCell]]
    part: str


def collapse(text: str) -> str:
    """White space as a browser sets it; the ends trimmed, ideographic and zero-width spaces too.

    A line break of the source between two Chinese characters is none on the page (CSS Text 3, 4.1.2).

    >>> collapse("　政府信\\n  息公开  工作 ")
    '政府信息公开 工作'
    """
    return _SPACES.sub(" ", _WRAP.sub("", text)).strip(_EDGES)


class Layout:
    """Walks the body once. No recursion: pages nest as deep as they like."""

    def __init__(self, body: Element, sizes: dict[Element, Size], dropped: set[Element], content: Element):
        self._body = body
        self._sizes = sizes
        self._dropped = dropped
        self._content = content
        self._blocks: list[Line | Grid] = []
        self._parts: list[str] = []
        self._part = "before"
        self._linked = 0
        self._links = 0
        self._in_link = 0
        self._in_heading = 0
        self._in_term = 0
        self._in_definition = 0
        self._in_pre = 0
        self._set_tables: set[Element] = set()

    def blocks(self) -> list[Line | Grid]:
        walker = etree.iterwalk(self._body, events=("start", "end"))
        for event, element in walker:
            if event == "end":
                self._leave(element)
            elif element in self._dropped or element.tag in SKIPPED or self._table(element):
                walker.skip_subtree()
            else:
                self._enter(element)
        self._flush()
        return self._blocks

    def _enter(self, element: Element) -> None:
        if element.tag in _BLOCKS:
            self._flush()
        if element is self._content:
            self._flush()
            self._part = "inside"
        if element.tag == "a" and element.get("href") is not None:
            self._in_link += 1
            self._links += 1
        self._in_heading += element.tag in _HEADINGS
        self._in_term += element.tag == "dt"
        self._in_definition += element.tag == "dd"
        self._in_pre += element.tag == "pre"
        self._text(element.text)

    def _leave(self, element: Element) -> None:
        # A subtree that was skipped was not entered; only its tail is still to come.
        skipped = element in self._dropped or element.tag in SKIPPED or element in self._set_tables
        if not skipped:
            if element.tag in _BLOCKS:
                self._flush()
            self._in_link -= element.tag == "a" and element.get("href") is not None
            self._in_heading -= element.tag in _HEADINGS
            self._in_term -= element.tag == "dt"
            self._in_definition -= element.tag == "dd"
            self._in_pre -= element.tag == "pre"
        if element is self._content:
            self._flush()
            self._part = "after"
        if element is not self._body:
            self._text(element.tail)

    def _text(self, text: str | None) -> None:
        if not text:
            return
        if self._in_pre and "\n" in text:
            first, *rest = text.splitlines()
            self._append(first)
            for line in rest:
                self._flush()
                self._append(line)
            return
        self._append(text)

    def _append(self, text: str) -> None:
        self._parts.append(text)
        if self._in_link:
            self._linked += len(text.strip())

    def _flush(self) -> None:
        text = collapse("".join(self._parts))
        if text:
            self._blocks.append(
                Line(
                    text=text,
                    part=self._part,
                    linked=self._linked,
                    links=self._links,
                    heading=self._in_heading > 0,
                    term=self._in_term > 0,
                    definition=self._in_definition > 0,
                )
            )
        self._parts.clear()
        self._linked = 0
        self._links = 0

    def _table(self, element: Element) -> bool:
        """Set a table as a whole if it is one of data or of metadata; a layout table flows like any block."""
        if element.tag != "table":
            return False
        table = tabulate(element, self._sizes, self._dropped)
        if table is None:
            return False
        pairs = metadata_lines(table)
        if pairs is None and not is_data(table):
            return False
        self._flush()
        part = "inside" if element is self._content else self._part
        if pairs is not None:
            self._blocks.extend(Line(text=line, part=part, metadata=True) for line in pairs)
        else:
            self._blocks.extend(Line(text=line, part=part) for line in table.stray)
            self._blocks.append(Grid(rows=table.rows, part=part))
        self._set_tables.add(element)
        return True


class Tabulated(msgspec.Struct, frozen=True, kw_only=True):
    """The cells of a table element, and the text in it that stands in no cell (captions, slips)."""

    rows: list[list[RawCell]]
    stray: list[str]
    linked: int
    chars: int
    layout_role: bool


def tabulate(table: Element, sizes: dict[Element, Size], dropped: set[Element]) -> Tabulated | None:
    """The cells of a table; None for one that holds most of its text in tables of its own: a layout."""
    size = sizes[table]
    if size.tabled * 2 >= size.chars:
        return None
    rows: list[list[RawCell]] = []
    stray: list[str] = []
    walker = etree.iterwalk(table, events=("start", "end"))
    for event, element in walker:
        if event == "end":
            if element is not table:
                _add_stray(stray, element.tail)
        elif element in dropped or element.tag in SKIPPED:
            walker.skip_subtree()
        elif element.tag == "tr":
            rows.append([])
            _add_stray(stray, element.text)
        elif element.tag in ("td", "th"):
            if not rows:
                rows.append([])
            rows[-1].append(_raw_cell(element, dropped))
            walker.skip_subtree()
        else:
            _add_stray(stray, element.text)
    return Tabulated(
        rows=rows,
        stray=stray,
        linked=size.linked,
        chars=size.chars,
        layout_role=table.get("role") in ("presentation", "none"),
    )


def _add_stray(stray: list[str], text: str | None) -> None:
    line = collapse(text) if text else ""
    if line:
        stray.append(line)


def _raw_cell(cell: Element, dropped: set[Element]) -> RawCell:
    return RawCell(
        _cell_text(cell, dropped),
        row_span=_span(cell.get("rowspan"), least=0),
        column_span=_span(cell.get("colspan"), least=1),
        header=cell.tag == "th",
    )


def _span(value: str | None, *, least: int) -> int:
    """A stated span; anything but a plain small number is 1, as in a browser."""
    if value is None:
        return 1
    digits = value.strip()
    if not (digits.isascii() and digits.isdecimal()):
        return 1
    return max(int(digits[:6]), least)


def _cell_text(cell: Element, dropped: set[Element]) -> str:
    parts: list[str] = []
    walker = etree.iterwalk(cell, events=("start", "end"))
    for event, element in walker:
        if event == "start" and (element in dropped or element.tag in SKIPPED):
            walker.skip_subtree()
            continue
        if element is not cell and element.tag in _BLOCKS:
            parts.append(" ")
        text = element.text if event == "start" else element.tail
        if text and not (event == "end" and element is cell):
            parts.append(text)
    return _GAPS.sub(" ", collapse("".join(parts)))


def is_data(table: Tabulated) -> bool:
    """Whether a table holds data: rows and columns of short cells, no page columns, no list of links."""
    rows = [row for row in table.rows if row]
    if table.layout_role or len(rows) < 2 or max(map(len, rows)) < 2:
        return False
    if table.linked * 5 > table.chars * 4:
        return False
    lengths = [len(cell.text) for row in rows for cell in row if cell.text]
    total = sum(lengths)
    if len(lengths) < 3 or (max(lengths) > _LONG_CELL and max(lengths) * 2 > total):
        return False
    numbered = any(state_of(cell.text) == "number" for row in rows for cell in row)
    headed = any(cell.header for row in rows for cell in row)
    return numbered or headed or len(lengths) >= 4


def metadata_lines(table: Tabulated) -> list[str] | None:
    """`label：value` lines of a table that states the document's metadata; None for any other table.

    A row of labels alone heads a list of documents; labels beside values, two of them at least, are
    metadata. A label without a value says nothing and gives no line.
    """
    lines: list[str] = []
    pairs = 0
    cells = 0
    for row in table.rows:
        label: str | None = None
        for cell in row:
            cells += 1
            if len(cell.text) > _LONGEST_METADATA_CELL:
                return None
            own = bare_label(cell.text)
            if own is not None:
                if label is not None:
                    pairs += cell.text.rstrip().endswith(("：", ":"))
                label = own
                continue
            statements = statements_of(cell.text)
            if label is not None:
                if cell.text:
                    lines.append(f"{label}：{cell.text}")
                pairs += 1
            elif statements:
                lines.extend(_stated(statements))
                pairs += len(statements)
            elif cell.text:
                lines.append(cell.text)
            label = None
        pairs += label is not None and len(row) > 1
    return lines if pairs >= _FEWEST_PAIRS and pairs * 3 >= cells else None


def _stated(statements: list[Statement]) -> Iterator[str]:
    return (f"{statement.label}：{statement.value}" for statement in statements if statement.value)
