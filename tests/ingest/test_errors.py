"""Every way in which input is refused, and what the user is told."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import docx
import pypdf
import pytest
from reportlab.pdfgen import canvas

from gongkai.errors import (
    BinaryInput,
    DamagedInput,
    EmptyInput,
    EncryptedInput,
    IngestError,
    NoTextLayer,
    OversizedInput,
    UnreadableInput,
    UnsupportedInput,
)
from gongkai.ingest import Limits, read

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512


def _pdf(text: str = "") -> bytes:
    buffer = io.BytesIO()
    page = canvas.Canvas(buffer)
    page.rect(10, 10, 100, 100)
    if text:
        page.drawString(72, 700, text)
    page.showPage()
    page.save()
    return buffer.getvalue()


def _encrypted_pdf(user_password: str) -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(_pdf("Report 2018")))
    writer.encrypt(user_password, "owner", algorithm="RC4-128")
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def _zip(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, "x" * 1000)
    return buffer.getvalue()


def _docx() -> bytes:
    buffer = io.BytesIO()
    document = docx.Document()
    document.add_paragraph("概述")
    document.save(buffer)
    return buffer.getvalue()


JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(range(256)) * 8
CASES: list[tuple[str, str, bytes, type[IngestError], str, str]] = [
    ("no bytes", "a.txt", b"", EmptyInput, "0 bytes", "leave it out"),
    ("white space alone", "a.txt", "\u3000\r\n ".encode(), EmptyInput, "no text", "leave it out"),
    ("page without text", "a.html", b"<html><body><img src=x></body></html>", EmptyInput, "no text", "Check"),
    ("jsonl without lines", "a.jsonl", b"\n\n", EmptyInput, "no line", "Check"),
    ("picture named .txt", "a.txt", JPEG, BinaryInput, "JPEG", "text itself"),
    ("random bytes", "a.txt", bytes(range(256)) * 20, BinaryInput, "not text", "UTF-8"),
    ("control characters", "a.txt", b"\x01\x02\x03abc" * 50, BinaryInput, "control characters", "UTF-8"),
    ("zip archive without pages", "a.txt", _zip("a.csv"), EmptyInput, "nothing that is read", "leave it out"),
    ("utf-16 jsonl", "a.jsonl", '{"text":"概述"}'.encode("utf-16"), BinaryInput, "UTF-16", "Convert"),
    ("encrypted pdf", "a.pdf", _encrypted_pdf("secret"), EncryptedInput, "password", "without one"),
    (
        "encrypted docx",
        "a.docx",
        OLE + "EncryptedPackage".encode("utf-16-le"),
        EncryptedInput,
        "encrypted",
        "without a password",
    ),
    ("scanned pdf", "a.pdf", _pdf(), NoTextLayer, "text layer", "OCR"),
    ("truncated pdf", "a.pdf", _pdf("x")[:300], DamagedInput, "broken or truncated", "Fetch it again"),
    ("no pdf at all", "a.pdf", "概述".encode(), DamagedInput, "PDF", "suffix"),
    ("truncated docx", "a.docx", _docx()[:2000], DamagedInput, "truncated", "Fetch it again"),
    ("docx without document", "a.docx", _zip("[Content_Types].xml"), DamagedInput, "no document", "Fetch"),
    (
        "docx with broken document",
        "a.docx",
        _zip("[Content_Types].xml", "word/document.xml"),
        DamagedInput,
        "broken",
        "Fetch",
    ),
    ("mhtml without page", "a.mht", b"Content-Type: multipart/related; boundary=x\n\n--x--\n", DamagedInput,
     "No part", "Save the page again"),
    ("large file", "a.txt", "字".encode() * 1000, OversizedInput, "1,024 bytes", "Limits.max_bytes"),
    ("old Word file", "a.doc", OLE, UnsupportedInput, "old Office", "Save it as DOCX"),
    ("workbook", "a.xlsx", _zip("[Content_Types].xml", "xl/workbook.xml"), UnsupportedInput, "Excel", "DOCX"),
    ("rtf", "a.rtf", b"{\\rtf1 x}", UnsupportedInput, "RTF", "DOCX"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "data", "kind", "problem", "remedy"), [case[1:] for case in CASES],
                         ids=[case[0] for case in CASES])  # fmt: skip
def test_refused(
    tmp_path: Path, name: str, data: bytes, kind: type[IngestError], problem: str, remedy: str
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    limits = Limits(max_bytes=1024) if kind is OversizedInput else Limits()
    (error,) = read(path, limits=limits)
    assert type(error) is kind
    assert str(error).startswith(str(path))
    assert problem in error.problem
    assert remedy in error.remedy


def test_an_empty_password_opens_a_pdf(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(_encrypted_pdf(""))
    (doc,) = read(path)
    assert not isinstance(doc, IngestError)
    assert doc.text == "Report 2018"


@pytest.mark.parametrize("suffix", [".txt", ".jsonl", ".pdf"])
def test_a_missing_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"missing{suffix}"
    (error,) = read(path)
    assert isinstance(error, UnreadableInput)
    assert str(path) in str(error)
    assert "permissions" in error.remedy


def test_a_folder_that_cannot_be_listed(tmp_path: Path) -> None:
    (error,) = read(tmp_path)
    assert isinstance(error, UnreadableInput)
    assert "listed" in error.problem


def test_a_huge_file_is_refused_without_reading_it(tmp_path: Path) -> None:
    path = tmp_path / "line.txt"
    with path.open("wb") as file:
        file.truncate(500 * 1024 * 1024)
    (error,) = read(path)
    assert isinstance(error, OversizedInput)
    os.truncate(path, 0)


@pytest.mark.parametrize(
    ("name", "data", "media_type"),
    [
        ("page.txt", "<!DOCTYPE html><html><body><p>概述</p></body></html>".encode(), "text/html"),
        ("words.html", "概述\n一、总体情况".encode(), "text/plain"),
        ("report.txt", _pdf("Report"), "application/pdf"),
        ("report.html", _docx(), "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("report.dat", "概述".encode(), "text/plain"),
    ],
)
def test_a_wrong_suffix_is_seen_through(tmp_path: Path, name: str, data: bytes, media_type: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    (doc,) = read(path)
    assert not isinstance(doc, IngestError)
    assert doc.source.media_type == media_type


def test_nothing_reaches_stderr(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(_pdf("Report").replace(b"xref", b"xrfe"))
    list(read(path))
    assert capfd.readouterr().err == ""
