"""MHTML: the page among its parts."""

from __future__ import annotations

import base64
import quopri
from pathlib import Path

import pytest

from gongkai.errors import DamagedInput

HEAD = b"From: <Saved by Blink>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related;\r\n\ttype=\"text/html\";\r\n\tboundary=\"--b\"\r\n\r\n"  # fmt: skip  # noqa: E501


def _saved(page: bytes, charset: str, transfer: str) -> bytes:
    body = base64.encodebytes(page) if transfer == "base64" else quopri.encodestring(page)
    kind = f'Content-Type: text/html; charset="{charset}"\r\nContent-Transfer-Encoding: {transfer}\r\n\r\n'
    image = b"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n"
    return HEAD + b"----b\r\n" + kind.encode() + body + b"\r\n----b\r\n" + image + b"----b--\r\n"


@pytest.mark.parametrize(
    ("encoding", "charset", "transfer"),
    [
        ("utf-8", "utf-8", "quoted-printable"),
        ("gb18030", "gb2312", "base64"),
        ("gb18030", "utf-8", "quoted-printable"),
    ],
)
@pytest.mark.parametrize("name", ["a.mhtml", "a.txt"])
def test_a_saved_page(pages: Path, read_bytes, encoding: str, charset: str, transfer: str, name: str) -> None:
    page = (pages / "columns.html").read_text(encoding="utf-8")
    doc = read_bytes(_saved(page.encode(encoding), charset, transfer), name)
    assert doc.text == read_bytes(page.encode(), "b.html").text
    assert doc.source.media_type == "multipart/related"
    assert doc.source.encoding == encoding
    assert doc.meta.docno == "青政办发〔2021〕9号"


def test_a_file_cut_within_the_page(pages: Path, fail_bytes) -> None:
    page = (pages / "columns.html").read_bytes()
    data = _saved(page, "utf-8", "quoted-printable")
    error = fail_bytes(data[: len(data) // 2], "a.mht")
    assert isinstance(error, DamagedInput)
    assert "truncated" in str(error)
