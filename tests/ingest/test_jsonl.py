"""JSON Lines: many documents, errors in the place of bad lines."""

from __future__ import annotations

import json
from pathlib import Path

from gongkai.errors import DamagedInput, EmptyInput, IngestError, OversizedInput
from gongkai.ingest import Limits, read


def _write(tmp_path: Path, *lines: bytes) -> Path:
    path = tmp_path / "reports.jsonl"
    path.write_bytes(b"\n".join(lines))
    return path


def test_bad_lines_do_not_lose_good_ones(tmp_path: Path) -> None:
    path = _write(
        tmp_path,
        b'\xef\xbb\xbf{"text": "A"}',
        b"{broken",
        b"",
        b'{"id": "x-1", "text": "\\u6982\\u8ff0", "other": [1]}\r',
        b'{"id": "x-2"}',
        b'{"text": 5}',
        b'{"text": "  "}',
        b'[{"text": "in a list"}]',
        b'{"text": "' + b"y" * 300 + b'"}',
        b'{"text": "\xff\xfe\x00"}',
        '{"text": "依申请公开政府信息情况"}'.encode("gb18030"),
        b'{"id": 7, "text": "last"}',
    )
    results = list(read(path, limits=Limits(max_bytes=200)))
    kinds = [type(result) if isinstance(result, IngestError) else result.text for result in results]
    assert kinds == [
        "A",
        DamagedInput,
        "概述",
        DamagedInput,
        DamagedInput,
        EmptyInput,
        DamagedInput,
        OversizedInput,
        DamagedInput,
        "依申请公开政府信息情况",
        "last",
    ]
    errors = [result for result in results if isinstance(result, IngestError)]
    assert str(errors[0]).startswith(f"{path} line 2: ")
    assert [error.where.rpartition(" ")[2] for error in errors] == ["2", "5", "6", "7", "8", "9", "10"]
    assert '"text"' in errors[1].remedy
    documents = [result for result in results if not isinstance(result, IngestError)]
    assert [doc.id for doc in documents][1::3] == ["x-1"]
    assert documents[-1].id == "7"
    assert documents[0].source.member == "line 1"
    assert len(documents[0].id) == 16


def test_ids_are_unique_within_the_file_and_stable(tmp_path: Path) -> None:
    path = _write(tmp_path, b'{"text": "A"}', b'{"text":"A"}', b'{"text": "A", "id": ""}')
    ids = [doc.id for doc in read(path)]
    assert len(set(ids)) == 3
    assert ids == [doc.id for doc in read(path)]


def test_pages_in_lines(tmp_path: Path) -> None:
    page = "<title>年度报告</title><p>收到申请26件。</p>"
    path = _write(
        tmp_path,
        json.dumps({"html": page, "url": "http://a/b", "title": "给定"}).encode(),
        json.dumps({"text": "A", "html": 5, "url": 5, "title": None}).encode(),
        b'{"html": 5}',
    )
    first, second, error = read(path)
    assert (first.text, first.meta.title, first.source.url) == ("收到申请26件。", "给定", "http://a/b")
    assert (second.text, second.source.url) == ("A", None)
    assert isinstance(error, DamagedInput)


def test_metadata_is_taken_over(tmp_path: Path) -> None:
    meta = {"title": "年度报告", "issuer": "", "docno": 5, "published": "2019-03-11", "source": "x"}
    path = _write(tmp_path, json.dumps({"text": "A", "meta": meta}).encode())
    (doc,) = read(path)
    assert (doc.meta.title, doc.meta.issuer, doc.meta.docno) == ("年度报告", None, None)
    assert doc.meta.published == "2019-03-11"


def test_text_is_kept_exactly(tmp_path: Path) -> None:
    text = " \r\n概述\u3000\ufeff\n"
    path = _write(tmp_path, json.dumps({"text": text}).encode())
    (doc,) = read(path)
    assert doc.text == text


def test_a_huge_line_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "huge.jsonl"
    with path.open("wb") as file:
        file.write(b'{"text": "')
        for _ in range(20):
            file.write(b"x" * 1_000_000)
        file.write(b'"}\n{"text": "after"}\n')
    error, doc = read(path, limits=Limits(max_bytes=10_000))
    assert isinstance(error, OversizedInput)
    assert doc.text == "after"
