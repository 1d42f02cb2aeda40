"""HTML: the document of a web page, its tables and metadata, without the page around it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gongkai.ingest.content import Content, TextBuilder
from gongkai.ingest.decode import Decoded
from gongkai.ingest.grid import cells_of, state_of
from gongkai.ingest.layout import Grid, Layout, Line, collapse, is_data, tabulate
from gongkai.ingest.markup import Element, Size, boilerplate, measure, names_of, parse
from gongkai.ingest.page import load_page, squeeze
from gongkai.ingest.page_metadata import (
    bare_label,
    is_value_below,
    labelled_values,
    meta_of,
    statements_of,
    tag_values,
)
from gongkai.text import fold

MEDIA_TYPE = "text/html"

_DECLARED = re.compile(
    rb"<meta[^<>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]+)"
    rb"|<\?xml[^<>]{0,80}?encoding\s*=\s*[\"']([\w.:-]+)",
    re.I,
)
_HEAD_BYTES = 8192
_COVERED = 0.85
_WHOLE_BLOCKS = frozenset({"p", "ul", "ol", "dl", "pre", "h1", "h2", "h3", "h4", "center", "font", "span"})
_LONGEST_CHROME = 160
_PROSE = 20
_SHORTEST_TITLE = 5
_DOCNO_LINE = re.compile(r"\S{1,20}[〔\[(【]?\d{4}[〕\])】]?\s*第?\d{1,5}号")
_ATTACHMENT = re.compile(r"附件|附:|附表|\.(?:docx?|pdf|xlsx?|wps|et|ofd|zip|rar)\b", re.I)
_WORD = re.compile(r"[^\W_]")
_FOOTER_LINES = 25
_FEWEST_MENU_LINES = 4
_LONGEST_MENU_LINE = 14

Block = Line | Grid


def declared_encoding(data: bytes) -> str | None:
    """The encoding that a page's `<meta charset>` or XML declaration names; it may well be wrong."""
    match = _DECLARED.search(data[:_HEAD_BYTES])
    if match is None:
        return None
    return (match[1] or match[2]).decode("ascii", "replace")


def read_html(page: Decoded) -> Content:
    """Content of a page: its document's lines and tables, the metadata that it states, and nothing else.

    Each block and each `<br>` begins a line, white space is set as a browser sets it, empty lines are left
    out. A data table is one line a row, cells joined by a tab. A metadata table is one `label：value` line
    each. What is not the document is told by the rows of `configs/page.yaml` and by link density.
    """
    root = parse(page.text)
    body = None if root is None else root.find("body")
    if root is None or body is None:
        return Content(text="", media_type=MEDIA_TYPE, encoding=page.encoding)
    blocks, title = _blocks(root, body)
    lines = [block for block in blocks if isinstance(block, Line)]
    headings = [line.text for line in lines if line.heading and len(line.text) > _SHORTEST_TITLE]
    meta = meta_of(
        labelled_values(_metadata_zone(lines)),
        tag_values((_name(tag), tag.get("content") or "") for tag in root.iter("meta")),
        headings,
        title,
    )
    builder = TextBuilder()
    for block in _document(blocks, [name for name in (meta.title, title) if name]):
        if isinstance(block, Grid):
            builder.add_table(cells_of(block.rows))
        else:
            builder.add_line(block.text)
    return Content(
        text=builder.text,
        media_type=MEDIA_TYPE,
        encoding=page.encoding,
        meta=meta,
        tables=builder.tables,
    )


def _name(tag: Element) -> str:
    return tag.get("name") or tag.get("property") or ""


def _blocks(root: Element, body: Element) -> tuple[list[Block], str | None]:
    sizes = measure(body, set())
    dropped = boilerplate(body, sizes)
    if dropped:
        sizes = measure(body, dropped)
    content = _content(body, sizes, dropped)
    title = root.find(".//title")
    text = collapse("".join(title.itertext())) if title is not None else ""
    return list(_with_values(Layout(body, sizes, dropped, content).blocks())), text or None


def _with_values(blocks: list[Block]) -> Iterator[Block]:
    """Join a label that stands alone with the value below it to a `label：value` line.

    The term of a definition list goes with its definition; a label that ends in a colon goes with a line
    that can be its value. A term without a definition says nothing and is left out.
    """
    held: Line | None = None
    for block in blocks:
        if held is not None:
            joined = _joined(held, block)
            if joined is None and not held.term:
                yield held
            held = None
            if joined is not None:
                yield joined
                continue
        if isinstance(block, Line) and _awaits_value(block):
            held = block
        else:
            yield block
    if held is not None and not held.term:
        yield held


def _awaits_value(line: Line) -> bool:
    return (line.term or line.text.endswith(("：", ":"))) and bare_label(line.text) is not None


def _joined(label: Line, block: Block) -> Line | None:
    name = bare_label(label.text)
    if name is None or isinstance(block, Grid):
        return None
    if not (block.definition if label.term else is_value_below(name, block.text)):
        return None
    text = f"{name}：{block.text}"
    return Line(text=text, part=block.part, linked=block.linked, links=block.links, metadata=True)


def _content(body: Element, sizes: dict[Element, Size], dropped: set[Element]) -> Element:
    """The element that holds the document: a named one with half of the page's text, else by density."""
    total = sizes[body].unlinked
    named = [
        element
        for element, size in sizes.items()
        if size.unlinked * 2 > total and any(name in load_page().content for name in names_of(element))
    ]
    if named:
        return min(named, key=lambda element: sizes[element].chars)
    return _densest(body, sizes, dropped)


def _densest(body: Element, sizes: dict[Element, Size], dropped: set[Element]) -> Element:
    """The smallest element that holds nearly all of the unlinked text; a paragraph or data table is whole."""
    needed = max(sizes[body].unlinked * _COVERED, 1)
    element = body
    while True:
        inner = next((child for child in element if sizes[child].unlinked >= needed), None)
        if inner is None or inner.tag in _WHOLE_BLOCKS:
            return element
        if inner.tag == "table":
            table = tabulate(inner, sizes, dropped)
            if table is not None and is_data(table):
                return element
        element = inner


def _metadata_zone(lines: list[Line]) -> Iterator[str]:
    """Lines that may state metadata: all outside the content, and within it those above the first prose."""
    prose = False
    for line in lines:
        prose = prose or _is_prose(line)
        if not prose or line.part != "inside" or line.metadata:
            yield _without_pieces(line.text)


def _is_prose(line: Line) -> bool:
    """Where this stands within the content, the head of the document is over."""
    return line.part == "inside" and not line.metadata and len(line.text) > 2 * _PROSE and "。" in line.text


def _document(blocks: list[Block], titles: list[str]) -> Iterator[Block]:
    """The blocks that are the document, their lines freed of what is not."""
    names = [squeeze(title) for title in titles]
    prose = False
    for block in _without_footer(_without_related(_without_menus(blocks))):
        if isinstance(block, Grid):
            if block.part == "inside" or _has_number(block):
                yield block
            continue
        if _is_chrome(block, fold(block.text)):
            continue
        prose = prose or _is_prose(block)
        kept = _inside(block, head=not prose) if block.part == "inside" else _outside(block, names)
        if kept is not None:
            yield kept


def _has_number(grid: Grid) -> bool:
    return any(state_of(cell.text) == "number" for row in grid.rows for cell in row)


def _is_chrome(line: Line, view: str) -> bool:
    """A line of nothing but what pages hang around documents."""
    if line.metadata or len(view) > 4 * _LONGEST_CHROME:
        return False
    if len(view) <= _LONGEST_CHROME and (load_page().line.fullmatch(view) or not _without_pieces(line.text)):
        return True
    bar = line.links >= 3 and line.linked * 5 >= len(view.replace(" ", "")) * 4
    return bar and not _ATTACHMENT.search(view)


def _without_pieces(text: str) -> str:
    """A line without the pieces that are never the document; empty if they are all of it."""
    view = fold(text)
    page = load_page()
    if len(text) > _LONGEST_CHROME or not page.piece.search(view):
        return text
    kept: list[str] = []
    position = 0
    for match in page.piece.finditer(view):
        kept.append(text[position : match.start()])
        position = match.end()
    rest = collapse("".join([*kept, text[position:]]))
    if not _WORD.search(rest):
        return ""
    return re.sub(r"[\s|【\[(（】\])）]+$", "", rest)


def _inside(line: Line, *, head: bool) -> Line | None:
    """A line of the content; in its head, a label without a value says nothing, a counter beside one goes."""
    statements = statements_of(line.text) if head and not line.metadata else []
    if not statements:
        return line
    if not any(statement.value for statement in statements):
        return None
    return _replaced(line, _without_pieces(line.text))


def _outside(line: Line, titles: list[str]) -> Line | None:
    """What of a line outside the content is the document's: metadata, title, number, attachments, prose."""
    text = _without_pieces(line.text)
    view = fold(text)
    attached = _ATTACHMENT.search(view) is not None
    if line.metadata or any(statement.value for statement in statements_of(text)):
        return _replaced(line, text)
    if line.linked * 2 >= len(text):
        return line if attached and line.part == "after" else None
    name = squeeze(text)
    titled = len(name) > _SHORTEST_TITLE and any(name in title or title in name for title in titles)
    prose = len(text) >= _PROSE and "。" in text
    if line.heading or titled or prose or attached or _DOCNO_LINE.fullmatch(view):
        return _replaced(line, text)
    return None


def _replaced(line: Line, text: str) -> Line | None:
    return Line(text=text, part=line.part, heading=line.heading, metadata=line.metadata) if text else None


def _without_related(blocks: Iterator[Block]) -> Iterator[Block]:
    """Drop headings such as 相关链接 that links follow, and those links."""
    heading: Line | None = None
    dropping = False
    for block in blocks:
        linked = isinstance(block, Line) and block.links > 0 and block.linked * 5 >= len(block.text) * 4
        if linked and (heading is not None or dropping):
            heading, dropping = None, True
            continue
        dropping = False
        if heading is not None:
            yield heading
            heading = None
        if (
            isinstance(block, Line)
            and len(block.text) <= 20
            and load_page().related.fullmatch(fold(block.text))
        ):
            heading = block
        else:
            yield block
    if heading is not None and heading.part != "after":
        yield heading


def _without_menus(blocks: list[Block]) -> Iterator[Block]:
    """Drop runs of short lines that are links alone: menus, lists of columns, friendly links."""
    run: list[Block] = []
    for block in blocks:
        if isinstance(block, Line) and _is_menu_line(block):
            run.append(block)
            continue
        if len(run) < _FEWEST_MENU_LINES:
            yield from run
        run = []
        yield block
    if len(run) < _FEWEST_MENU_LINES:
        yield from run


def _is_menu_line(line: Line) -> bool:
    text = line.text.replace(" ", "")
    linked = line.links > 0 and line.linked >= len(text) - 2
    return linked and len(text) <= _LONGEST_MENU_LINE and not _ATTACHMENT.search(text)


def _without_footer(blocks: Iterator[Block]) -> list[Block]:
    """Drop the page's footer: from the first strong line among the last ones on, and the weak ones above."""
    kept = list(blocks)
    page = load_page()
    start = len(kept)
    for index in range(len(kept) - 1, max(-1, len(kept) - 1 - _FOOTER_LINES), -1):
        block = kept[index]
        if isinstance(block, Grid) or (len(block.text) >= _PROSE and "。" in block.text):
            break
        if _matches(page.strong_footer, block):
            start = index
    if start == len(kept):
        return kept
    part = kept[start].part
    while start > 0 and kept[start - 1].part == part and _matches(page.footer, kept[start - 1]):
        start -= 1
    return kept[:start]


def _matches(pattern: re.Pattern[str], block: Block) -> bool:
    if not isinstance(block, Line) or len(block.text) > _LONGEST_CHROME or block.metadata:
        return False
    view = fold(block.text)
    return "。" not in view and pattern.fullmatch(view) is not None
