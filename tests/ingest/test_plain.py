"""Plain text and strings: the characters exactly."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gongkai.ingest import read_text

TEXT = "\ufeff政府信息公开\r\n\r\n　　一、概述 \n浏览次数：8\r尾\t"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_nothing_is_removed_but_the_mark(read_bytes, encoding: str) -> None:
    doc = read_bytes(TEXT.encode(encoding))
    assert doc.text == TEXT[1:]
    assert doc.source.encoding == encoding
    assert doc.source.media_type == "text/plain"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"], include_characters="\r\n\t"), min_size=1))
def test_any_file_of_text_is_its_characters(read_bytes, text: str) -> None:
    marked = "概" + text
    assert read_bytes(marked.encode()).text == marked


def test_id_and_digest_are_of_the_bytes(read_bytes) -> None:
    data = "概述".encode("utf-16")
    doc = read_bytes(data)
    assert doc.source.sha256 == hashlib.sha256(data).hexdigest()
    assert doc.id == doc.source.sha256[:16]
    assert doc.source.path.endswith("report.txt")


def test_read_text_keeps_any_string() -> None:
    doc = read_text("\ufeff概述\r\n", name="clipboard")
    assert (doc.text, doc.source.path) == ("\ufeff概述\r\n", "clipboard")
    assert read_text("").text == ""
    assert read_text("a").id != read_text("b").id
