"""DOCX: paragraphs and tables in document order.

The text of a paragraph is that of its runs, inserted ones too and deleted ones not. Numbers that Word
counts itself (automatic lists) stand nowhere in the file and are not reproduced; headers, footers,
footnotes and text boxes are left out.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import docx
from docx.oxml.ns import qn

from gongkai.errors import BinaryInput, DamagedInput, OversizedInput, UnsupportedInput
from gongkai.ingest.content import Content, TextBuilder
from gongkai.ingest.grid import RawCell, cells_of
from gongkai.ingest.limits import Limits

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_UNPACKED = 8
_OTHER_OFFICE = {"xl/": "an Excel workbook", "ppt/": "a presentation", "OFD.xml": "an OFD file"}
_PARAGRAPH, _TABLE, _ROW, _CELL = qn("w:p"), qn("w:tbl"), qn("w:tr"), qn("w:tc")
_TEXT, _TAB, _BREAKS = qn("w:t"), qn("w:tab"), frozenset({qn("w:br"), qn("w:cr")})
_PASSED_OVER = frozenset({qn("w:txbxContent"), qn("w:del"), qn("w:pPr"), qn("w:rPr")})
_WRAPPERS = frozenset({qn("w:sdt"), qn("w:sdtContent"), qn("w:ins"), qn("w:customXml"), qn("w:smartTag")})


def read_docx(data: bytes, where: str, limits: Limits) -> Content:
    """Content of a DOCX file.

    Raises:
        DamagedInput: The archive is truncated or its document broken.
        OversizedInput: Its unpacked parts exceed eight times `limits.max_bytes`.
        UnsupportedInput, BinaryInput: It is another office format, another archive.
    """
    _check_archive(data, where, limits)
    try:
        body = docx.Document(io.BytesIO(data)).element.body
        if body.getroottree().docinfo.internalDTD is not None:
            raise ValueError("it declares entities")  # which the standard forbids (ECMA-376-2, 8.2.5)
        builder = TextBuilder()
        for block in _blocks(body):
            if block.tag == _TABLE:
                builder.add_table(cells_of(_rows(block)))
            elif line := _text_of(block).strip():
                builder.add_line(line)
    # python-docx lets through whatever the broken part made its layers raise.
    except Exception as error:
        problem = f"Its document is broken ({type(error).__name__}: {error})."
        raise DamagedInput(where, problem, "Fetch it again, or save it anew.") from error
    return Content(text=builder.text, media_type=MEDIA_TYPE, tables=builder.tables)


def _check_archive(data: bytes, where: str, limits: Limits) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise DamagedInput(where, f"The DOCX archive is truncated ({error}).", "Fetch it again.") from None
    names = [info.filename for info in infos]
    if "word/document.xml" not in names and "[Content_Types].xml" not in names:
        _refuse(names, where, otherwise=BinaryInput(where, "It is a ZIP archive.", "Unpack it first."))
    if "word/document.xml" not in names:
        damaged = DamagedInput(where, "The DOCX archive holds no document.", "Fetch it again.")
        _refuse(names, where, otherwise=damaged)
    if sum(info.file_size for info in infos) > _UNPACKED * limits.max_bytes:
        problem = f"It unpacks to more than {_UNPACKED * limits.max_bytes:,} bytes."
        raise OversizedInput(where, problem, "Split it, or raise Limits.max_bytes.")


def _refuse(names: list[str], where: str, *, otherwise: Exception) -> None:
    for start, name in _OTHER_OFFICE.items():
        if any(entry.startswith(start) for entry in names):
            raise UnsupportedInput(where, f"It is {name}, which no reader handles.", "Save it as DOCX.")
    raise otherwise


def _blocks(parent: Any) -> Iterator[Any]:
    for child in parent:
        if child.tag in (_PARAGRAPH, _TABLE):
            yield child
        elif child.tag in _WRAPPERS:
            yield from _blocks(child)


def _text_of(element: Any) -> str:
    """Characters of the runs in document order; a break is a line break."""
    parts: list[str] = []
    pending = [element]
    while pending:
        node = pending.pop()
        if node.tag == _TEXT:
            parts.append(node.text or "")
        elif node.tag == _TAB:
            parts.append("\t")
        elif node.tag in _BREAKS:
            parts.append("\n")
        elif node.tag not in _PASSED_OVER:
            pending.extend(reversed(node))
    return "".join(parts)


def _cell_text(cell: Any) -> str:
    lines = (_text_of(paragraph) for paragraph in cell.iter(_PARAGRAPH))
    return " ".join(" ".join(lines).split())


def _children(parent: Any, tag: str) -> Iterator[Any]:
    for child in parent:
        if child.tag == tag:
            yield child
        elif child.tag in _WRAPPERS:
            yield from _children(child, tag)


def _rows(table: Any) -> list[list[RawCell]]:
    """Rows of cells; a cell that continues the one above (vMerge) becomes part of that one's row span."""
    rows: list[list[RawCell]] = []
    open_cells: dict[int, tuple[int, int]] = {}
    for number, row in enumerate(_children(table, _ROW)):
        cells: list[RawCell] = []
        column = 0
        for cell in _children(row, _CELL):
            span = _grid_span(cell)
            if column in open_cells and _continues(cell):
                _extend(rows, open_cells[column], number)
            else:
                open_cells[column] = (number, len(cells))
                cells.append(RawCell(_cell_text(cell), column_span=span))
            column += span
        rows.append(cells)
    return rows


def _extend(rows: list[list[RawCell]], place: tuple[int, int], number: int) -> None:
    row, index = place
    if row == number:
        return
    old = rows[row][index]
    rows[row][index] = RawCell(old.text, number - row + 1, old.column_span, old.header)


def _grid_span(cell: Any) -> int:
    found = cell.find(f"{qn('w:tcPr')}/{qn('w:gridSpan')}")
    value = "1" if found is None else found.get(qn("w:val"), "1")
    return int(value) if value.isdecimal() and len(value) < 5 else 1


def _continues(cell: Any) -> bool:
    found = cell.find(f"{qn('w:tcPr')}/{qn('w:vMerge')}")
    return found is not None and found.get(qn("w:val"), "continue") == "continue"
