"""Hostile input: no crash, no hang, nothing but a document or a named error."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from gongkai.errors import IngestError
from gongkai.ingest import read

N = 20_000
SECONDS = 20
BODY = "<html><body>"
CASES = {
    "deep div": BODY + "<div>" * 100_000 + "深处</div><p>尾",
    "deep font": BODY + "<font>" * N + "深处<p>尾",
    "deep tables": BODY + "<table><tr><td>" * 3000 + "深处",
    "formatting": BODY + "".join(f"<b id={n}>" for n in range(300)) + "<p>条" * N,
    "cells": BODY + "<table><tr>" + "<td>1" * N,
    "rows": BODY + "<table>" + "<tr><td>1<td>2" * N,
    "spans": BODY + "<table>" + "<tr><td colspan=1000 rowspan=65534>1<td colspan=99999999999>2" * 5000,
    "bad spans": BODY + "<table><tr><td colspan=-1 rowspan=x>1<td colspan=²>2<tr><td>3<td>4</table>",
    "less than": "<p>" + "<" * N,
    "open tags": "<p>" + "<a " * N,
    "open comments": BODY + "<!--" * N,
    "open scripts": BODY + "<script>" * N,
    "entities": "<p>" + "&#x110000;&#0;&" * N,
    "labels": BODY + "<p>索引号：" * N + "<p>" + "索引号：" * N,
    "colons": BODY + "<p>:" * N,
    "brackets": BODY + "<p>" + "【" * N + "<p>【】" * N,
    "links": BODY + "<a href=x>链" * N,
    "null bytes": "<p>中\0文</p>\0",
    "long class": BODY + f"<div class='{'nav ' * N}'>字</div>",
}


@pytest.mark.parametrize("name", CASES)
def test_pages(tmp_path: Path, name: str) -> None:
    _survives(tmp_path / "page.html", CASES[name].encode())


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.txt", b"(" * 1_000_000),
        ("a.txt", b"\0" * 100_000),
        ("a.txt", "〔".encode("gb18030") * 100_000),
        ("a.mht", b"Content-Type: multipart/related; boundary=x\n\n" + b"--x\n" * N),
        ("a.mht", b"A: b\n" * N),
        ("a.mht", b"".join(b"Content-Type: multipart/x; boundary=%d\n\n--%d\n" % (n, n) for n in range(N))),
        ("a.pdf", b"%PDF-1.4\n" + b"1 0 obj <<" * N),
        ("a.jsonl", b"[" * 1_000_000),
        ("a.jsonl", b'{"text":"x","meta":{"a":' + b"[" * 1_000_000),
        ("a.docx", b"PK\x03\x04" + b"\0" * 10_000),
    ],
)  # fmt: skip
def test_files(tmp_path: Path, name: str, data: bytes) -> None:
    _survives(tmp_path / name, data)


def test_what_stands_below_the_deepest_level_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "deep.html"
    path.write_bytes((BODY + "<div>" * 5000 + "深处" + "</div>" * 5000 + "<p>尾</p>").encode())
    (doc,) = read(path)
    assert not isinstance(doc, IngestError)
    assert doc.text.split("\n") == ["深处", "尾"]


def _survives(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    started = time.perf_counter()
    results = list(read(path))
    assert time.perf_counter() - started < SECONDS
    assert len(results) == 1
    for doc in results:
        if isinstance(doc, IngestError):
            continue
        for table in doc.tables:
            assert all(0 <= cell.start <= cell.end <= len(doc.text) for cell in table.cells)
