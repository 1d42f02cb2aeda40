"""Real pages: the metadata as published, and nothing of the page around the document."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gongkai.ingest import read
from gongkai.types import Document

NAVIGATION = ("打印", "关闭窗口", "字体", "主题词", "二维码", "扫一扫", "分享到", "收藏", "首页")


@pytest.mark.shared
def test_policy_pages(shared: Path) -> None:
    folder = shared / "corpus" / "policies_html"
    rows = [json.loads(line) for line in (folder / "index.jsonl").read_text("utf-8").splitlines()]
    assert len(rows) == 40
    for row in rows:
        (doc,) = read(folder / row["file"])
        assert isinstance(doc, Document)
        found = (doc.meta.title, doc.meta.issuer, doc.meta.docno, doc.meta.index_number)
        assert found == (row["title"], row["issuer"], row["number"], row["index_number"])
        assert [word for word in NAVIGATION if word in doc.text] == []
        assert doc.text.startswith("索引号：")
        for table in doc.tables:
            assert all("\n" not in doc.text[cell.start : cell.end] for cell in table.cells)


@pytest.mark.shared
def test_plain_reports_are_kept_exactly(shared: Path) -> None:
    for path in sorted((shared / "corpus" / "work_reports").glob("*.txt")):
        (doc,) = read(path)
        assert isinstance(doc, Document)
        assert doc.text == path.read_bytes().decode("utf-8-sig")
