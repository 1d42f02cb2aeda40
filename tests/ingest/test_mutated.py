"""Mutated inputs: sound inputs of every reader with bytes flipped, cut out, doubled and spliced in.

`GONGKAI_MUTATIONS=1000` tries as many, other ones each time; else 200, always the same.
"""

from __future__ import annotations

import io
import os
import signal
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import FrameType

import docx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reportlab.pdfgen import canvas

from gongkai.errors import IngestError
from gongkai.ingest import Limits, read
from packing import gz, parquet_of, response, seven_zip_of, tar_of, warc_gz, zip_of, zst

SECONDS = 10
ASKED = os.environ.get("GONGKAI_MUTATIONS")
EXAMPLES = int(ASKED or 200)

PAGE = (
    "<html><head><meta charset=gb2312><title>年度报告</title></head><body><p>收到申请26件。</p>"
    "<table><tr><th>项目<th colspan=2>总计<tr><td>新收<td>3<td>/</table></body></html>"
).encode("gbk")
MHTML = (
    b"Content-Type: multipart/related; boundary=x\r\n\r\n--x\r\nContent-Type: text/html; charset=gbk\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\nPHA+uMXK9jwvcD4=\r\n--x--\r\n"
)
LINES = '{"text": "概述"}\n{"html": "<p>页", "id": 7, "meta": {"title": "报告"}}\n'.encode()


def _pdf() -> bytes:
    buffer = io.BytesIO()
    page = canvas.Canvas(buffer)
    page.drawString(72, 700, "Report 2018")
    page.save()
    return buffer.getvalue()


def _docx() -> bytes:
    buffer = io.BytesIO()
    document = docx.Document()
    document.add_paragraph("概述")
    document.add_table(rows=2, cols=2).cell(0, 0).text = "项目"
    document.save(buffer)
    return buffer.getvalue()


MEMBERS = {"a.html": PAGE, "b/c.txt": "概述".encode(), "d.jsonl": LINES, "e.zip": zip_of({"f.txt": b"inner"})}
SOUND: dict[str, Callable[[], bytes]] = {
    "a.txt": lambda: "一、概述\r\n收到申请26件。".encode("utf-16"),
    "a.html": lambda: PAGE,
    "a.mhtml": lambda: MHTML,
    "a.pdf": _pdf,
    "a.docx": _docx,
    "a.jsonl": lambda: LINES,
    "a.html.gz": lambda: gz(PAGE),
    "a.jsonl.zst": lambda: zst(LINES),
    "a.parquet": lambda: parquet_of(
        {"text": ["概述", None, "x"], "html": [None, "<p>页", ""], "id": [1, 2, 3]}
    ),
    "a.zip": lambda: zip_of(MEMBERS),
    "a.tar": lambda: tar_of(MEMBERS),
    "a.tar.gz": lambda: gz(tar_of(MEMBERS)),
    "a.tar.zst": lambda: zst(tar_of(MEMBERS)),
    "a.7z": lambda: seven_zip_of(MEMBERS),
    "a.warc": lambda: response(PAGE) + response(_pdf(), content_type="application/pdf"),
    "a.warc.gz": lambda: warc_gz(
        response(PAGE), response(b"4\r\n<p>1\r\n0\r\n\r\n", headers="Transfer-Encoding: chunked\r\n")
    ),
}


@cache
def sound(name: str) -> bytes:
    return SOUND[name]()


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, bytes]:
    """The name of a sound input, and its bytes after one to four mutations."""
    name = draw(st.sampled_from(sorted(SOUND)))
    data = sound(name)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        length = draw(st.integers(1, 64))
        match draw(st.sampled_from(["flip", "set", "cut", "truncate", "double", "splice"])):
            case "flip":
                data = (
                    data[:at] + bytes(byte ^ 1 << length % 8 for byte in data[at : at + 1]) + data[at + 1 :]
                )
            case "set":
                data = data[:at] + draw(st.binary(min_size=1, max_size=8)) + data[at + 8 :]
            case "cut":
                data = data[:at] + data[at + length :]
            case "truncate":
                data = data[:at]
            case "double":
                data = data[: at + length] + data[at:]
            case "splice":
                other = sound(draw(st.sampled_from(sorted(SOUND))))
                start = draw(st.integers(0, len(other)))
                data = data[:at] + other[start : start + 8 * length] + data[at:]
    return name, data


class Hung(BaseException):
    """No reader may catch it."""


@contextmanager
def within(seconds: int) -> Iterator[None]:
    def ring(number: int, frame: FrameType | None) -> None:
        raise Hung(f"after {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("name", SOUND)
def test_the_inputs_are_sound(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(sound(name))
    items = list(read(path))
    assert items
    assert not [str(item) for item in items if isinstance(item, IngestError)]


@settings(
    max_examples=EXAMPLES,
    derandomize=ASKED is None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(mutated())
def test_mutated_inputs_give_documents_or_named_errors(tmp_path: Path, case: tuple[str, bytes]) -> None:
    name, data = case
    path = tmp_path / name
    path.write_bytes(data)
    with within(SECONDS), warnings.catch_warnings():
        warnings.simplefilter("error")
        items = list(read(path, limits=Limits(max_spooled=1 << 20)))
    assert items
    for item in items:
        if isinstance(item, IngestError):
            assert item.where.startswith(str(path))
            assert "Reading it failed" not in item.problem, item  # a case that no reader foresaw
        else:
            assert item.source.path == str(path)
            assert item.text.strip()
