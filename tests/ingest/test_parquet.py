"""Parquet: rows to documents, row groups one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from gongkai.errors import DamagedInput, EmptyInput, IngestError, OversizedInput, UnsupportedInput
from gongkai.ingest import Limits, read
from gongkai.types import Document
from packing import parquet_of, zip_of

PAGE = "<title>年度报告</title><p>收到申请26件。</p>"


def _write(tmp_path: Path, columns: Mapping[str, list[object]]) -> Path:
    path = tmp_path / "reports.parquet"
    path.write_bytes(parquet_of(columns))
    return path


def test_rows_of_text(tmp_path: Path) -> None:
    path = _write(
        tmp_path,
        {
            "text": ["概述", None, " ", "概述", "x" * 100],
            "id": [1, 2, 3, 4, None],
            "url": ["http://a/1", None, None, None, None],
            "title": ["给定", None, None, None, None],
            "other": [[1], None, None, None, None],
        },
    )
    first, *middle, last = read(path, limits=Limits(max_bytes=99))
    assert isinstance(first, Document)
    assert (first.id, first.text, first.meta.title) == ("1", "概述", "给定")
    assert (first.source.path, first.source.member, first.source.url) == (str(path), "row 1", "http://a/1")
    assert first.source.media_type == "application/vnd.apache.parquet"
    assert [type(item) for item in middle] == [DamagedInput, EmptyInput, Document]
    assert [item.where for item in middle if isinstance(item, IngestError)] == [
        f"{path} row 2",
        f"{path} row 3",
    ]
    assert isinstance(last, OversizedInput)
    assert last.where == f"{path} row 5"


@pytest.mark.parametrize("page", [PAGE, PAGE.encode("gbk")])
def test_rows_of_pages(tmp_path: Path, page: object) -> None:
    (doc,) = read(_write(tmp_path, {"html": [page]}))
    assert isinstance(doc, Document)
    assert (doc.text, doc.source.media_type) == ("收到申请26件。", "text/html")
    assert doc.meta.title == "年度报告"
    assert len(doc.id) == 16


def test_text_goes_before_html(tmp_path: Path) -> None:
    docs = list(read(_write(tmp_path, {"text": ["A", None], "html": [PAGE, PAGE]})))
    assert [doc.text for doc in docs if isinstance(doc, Document)] == ["A", "收到申请26件。"]


def test_same_text_in_two_rows_is_two_documents(tmp_path: Path) -> None:
    docs = list(read(_write(tmp_path, {"text": ["A", "A"]})))
    assert len({doc.id for doc in docs if isinstance(doc, Document)}) == 2


def test_other_columns_alone(tmp_path: Path) -> None:
    (error,) = read(_write(tmp_path, {"content": ["A"], "id": [1]}))
    assert isinstance(error, UnsupportedInput)
    assert "content, id" in error.problem
    assert "Name the column" in error.remedy


def test_text_that_is_no_string(tmp_path: Path) -> None:
    (error,) = read(_write(tmp_path, {"text": [5]}))
    assert isinstance(error, DamagedInput)


def test_a_broken_row_group_leaves_the_others(tmp_path: Path) -> None:
    path = _write(tmp_path, {"text": [f"text of row {number}" for number in range(6)]})
    data = bytearray(path.read_bytes())
    at = data.index(b"text of row 2")
    data[at - 16 : at - 6] = b"\xff" * 10  # the header of the page
    path.write_bytes(data)
    found = [item.text if isinstance(item, Document) else item.where for item in read(path)]
    assert found == [*(f"text of row {n}" for n in (0, 1)), f"{path} row group 2",
                     *(f"text of row {n}" for n in (4, 5))]  # fmt: skip
    members = [item.source.member for item in read(path) if isinstance(item, Document)]
    assert members == ["row 1", "row 2", "row 5", "row 6"]


def test_a_truncated_file(tmp_path: Path) -> None:
    path = _write(tmp_path, {"text": ["A"]})
    path.write_bytes(path.read_bytes()[:-20])
    (error,) = read(path)
    assert isinstance(error, DamagedInput)


def test_within_an_archive(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(zip_of({"x/reports.parquet": parquet_of({"text": ["A"]})}))
    (doc,) = read(path)
    assert isinstance(doc, Document)
    assert doc.source.member == "x/reports.parquet row 1"
