"""DOCX: paragraphs and tables in order, merged cells, tracked changes."""

from __future__ import annotations

import io

import docx
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls


def _bytes(document) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def test_paragraphs_and_tables_in_order(read_bytes) -> None:
    document = docx.Document()
    document.add_heading("2018年年度报告", 1)
    table = document.add_table(rows=3, cols=4)
    table.cell(0, 0).merge(table.cell(1, 0)).text = "项目"
    table.cell(0, 1).merge(table.cell(0, 2)).text = "法人"
    table.cell(0, 3).text = "总计"
    for column, text in enumerate(["企业", "机构"], start=1):
        table.cell(1, column).text = text
    for column, text in enumerate(["新收\n申请", "3", "/", ""]):
        table.cell(2, column).text = text
    document.add_paragraph("　　一、概述\n二、公开 ")
    document.add_paragraph("")
    doc = read_bytes(_bytes(document), "a.docx")
    assert doc.text == "2018年年度报告\n项目\t法人\t总计\n企业\t机构\t\n新收 申请\t3\t/\t\n一、概述\n二、公开"
    cells = {(cell.row, cell.column): cell for cell in doc.tables[0].cells}
    assert (cells[0, 0].row_span, cells[0, 1].column_span) == (2, 2)
    assert [cells[2, column].state for column in range(4)] == ["text", "number", "slash", "empty"]
    assert all(cells[1, column].state == "header" for column in (1, 2))
    assert doc.text[cells[2, 1].start : cells[2, 1].end] == "3"


def test_inserted_text_counts_and_deleted_text_does_not(read_bytes) -> None:
    document = docx.Document()
    paragraph = document.add_paragraph("收到申请")
    for markup in (
        "<w:ins {}><w:r><w:t>26</w:t></w:r></w:ins>",
        "<w:del {}><w:r><w:delText>25</w:delText></w:r></w:del>",
        "<w:sdt {}><w:sdtContent><w:r><w:t>件</w:t></w:r></w:sdtContent></w:sdt>",
    ):
        paragraph._p.append(parse_xml(markup.format(nsdecls("w"))))
    assert read_bytes(_bytes(document), "a.docx").text == "收到申请26件"
