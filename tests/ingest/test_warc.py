"""WARC: pages among the responses, by declared and sniffed type, in declared and sniffed encodings."""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path

import pytest
from reportlab.pdfgen import canvas

from gongkai.errors import DamagedInput, EmptyInput, IngestError, OversizedInput, UnsupportedInput
from gongkai.ingest import Limits, read
from gongkai.types import Document
from packing import gz, response, tar_of, warc_gz, zst

TEXT = "收到申请26件。"
PAGE = f"<html><body><p>{TEXT}</p></body></html>"
BIG5 = "<html><body><p>收到申請，本區主動公開政府信息。</p></body></html>"


def _pdf() -> bytes:
    buffer = io.BytesIO()
    page = canvas.Canvas(buffer)
    page.drawString(72, 700, "Report 2018")
    page.save()
    return buffer.getvalue()


def _chunked(body: bytes) -> bytes:
    pieces = [body[start : start + 7] for start in range(0, len(body), 7)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


INFO = b"WARC/1.0\r\nWARC-Type: warcinfo\r\nContent-Length: 4\r\n\r\na: b\r\n\r\n"
READ = {
    "utf-8": response(PAGE.encode()),
    "gbk, declared by the server": response(PAGE.encode("gbk"), content_type="text/html; charset=GB2312"),
    "gbk, declared wrongly": response(PAGE.encode("gbk"), content_type='text/html; charset="utf-8"'),
    "gbk, undeclared": response(PAGE.encode("gbk")),
    "text": response(TEXT.encode(), content_type="text/plain"),
    "xhtml": response(PAGE.encode(), content_type="application/xhtml+xml"),
    "no type": response(PAGE.encode(), content_type=None),
    "octet-stream": response(b"\n" + PAGE.encode(), content_type="application/octet-stream"),
    "gzip": response(gzip.compress(PAGE.encode()), headers="Content-Encoding: gzip\r\n"),
    "gzip that is none": response(PAGE.encode(), headers="Content-Encoding: gzip\r\n"),
    "chunked": response(_chunked(PAGE.encode()), headers="Transfer-Encoding: chunked\r\n"),
    "chunked gzip": response(
        _chunked(gzip.compress(PAGE.encode())),
        headers="Transfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n",
    ),
    "chunked that is none": response(PAGE.encode(), headers="Transfer-Encoding: chunked\r\n"),
}
PASSED_OVER = {
    "request": response(b"", kind="request"),
    "metadata": response(PAGE.encode(), kind="metadata"),
    "revisit": response(b"", kind="revisit"),
    "picture": response(b"\xff\xd8\xff", content_type="image/jpeg"),
    "style": response(b"p {}", content_type="text/css"),
    "script": response(b"x", content_type="application/javascript"),
    "bytes": response(b"\0\1\2", content_type="application/octet-stream"),
    "not found": response(PAGE.encode(), status="404 Not Found"),
    "redirection": response(PAGE.encode(), status="301 Moved"),
    "dns": response(b"x", url="dns:www.example.gov.cn", content_type="text/dns"),
    "no body": b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a/\r\nContent-Length: 0\r\n\r\n\r\n\r\n",
}


@pytest.mark.parametrize("name", READ)
@pytest.mark.parametrize("suffix", [".warc", ".warc.gz", ".warc.zst"])
def test_pages_are_read(tmp_path: Path, name: str, suffix: str) -> None:
    path = tmp_path / f"crawl{suffix}"
    records = (INFO, PASSED_OVER["request"], READ[name])
    plain = b"".join(records)
    path.write_bytes({".warc": plain, ".warc.gz": warc_gz(*records), ".warc.zst": zst(plain)}[suffix])
    (doc,) = read(path)
    assert isinstance(doc, Document), doc
    assert doc.text == TEXT
    assert (doc.source.path, doc.source.member) == (str(path), "record 3")
    assert doc.source.url == "http://www.example.gov.cn/a.html"


@pytest.mark.parametrize("name", PASSED_OVER)
def test_what_is_no_page_is_passed_over(tmp_path: Path, name: str) -> None:
    path = tmp_path / "crawl.warc"
    path.write_bytes(PASSED_OVER[name] + READ["utf-8"])
    assert [item.text for item in read(path) if isinstance(item, Document)] == [TEXT]
    assert not [item for item in read(path) if isinstance(item, IngestError)]


def test_a_declaration_decides_between_plausible_encodings(tmp_path: Path) -> None:
    path = tmp_path / "crawl.warc"
    path.write_bytes(response(BIG5.encode("big5"), content_type="text/html; charset=big5"))
    (doc,) = read(path)
    assert isinstance(doc, Document)
    assert (doc.text, doc.source.encoding) == ("收到申請，本區主動公開政府信息。", "big5hkscs")


@pytest.mark.parametrize("content_type", ["application/pdf", "application/octet-stream", "text/html"])
def test_pdf(tmp_path: Path, content_type: str) -> None:
    path = tmp_path / "crawl.warc.gz"
    path.write_bytes(warc_gz(response(_pdf(), content_type=content_type)))
    (doc,) = read(path)
    assert isinstance(doc, Document)
    assert (doc.text, doc.source.media_type) == ("Report 2018", "application/pdf")


def test_two_captures_of_one_page_are_two_documents(tmp_path: Path) -> None:
    path = tmp_path / "crawl.warc"
    path.write_bytes(READ["utf-8"] * 2)
    docs = list(read(path))
    assert len({doc.id for doc in docs if isinstance(doc, Document)}) == 2


def test_errors_name_the_record_and_leave_the_others(tmp_path: Path) -> None:
    path = tmp_path / "crawl.warc"
    unread = response(zlib.compress(PAGE.encode()), headers="Content-Encoding: br\r\n")
    records = (
        READ["utf-8"],
        response(b""),
        unread,
        response(b"x" * 2000),
        response(b"\xff\xd8\xff\xe0\0\0"),
        b"garbage\r\n" * 5,
        b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a/\r\n\r\n",
        b"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: 5\r\n\r\nHTTP/\r\n\r\n",
        READ["utf-8"],
    )
    path.write_bytes(b"".join(records))
    items = list(read(path, limits=Limits(max_bytes=1000)))
    kinds = [type(item).__name__ for item in items]
    assert kinds == ["Document", "EmptyInput", "UnsupportedInput", "OversizedInput", "BinaryInput",
                     "DamagedInput", "DamagedInput", "DamagedInput", "Document"]  # fmt: skip
    errors = [item for item in items if isinstance(item, IngestError)]
    assert errors[0].where == f"{path} record 2"
    assert "br" in errors[1].problem
    assert errors[4].where == f"{path} after record 5"


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("packed", [True, False])
def test_a_truncated_archive(tmp_path: Path, keep: float, packed: bool) -> None:
    records = [READ["utf-8"]] * 2
    data = warc_gz(*records) if packed else b"".join(records)
    path = tmp_path / "crawl.warc"
    path.write_bytes(data[: int(len(data) * keep)])
    items = list(read(path))
    assert sum(isinstance(item, Document) for item in items) == (0 if keep < 0.5 else 1)
    assert [type(item) for item in items if isinstance(item, IngestError)] == [DamagedInput]


def test_headers_without_end(tmp_path: Path) -> None:
    path = tmp_path / "crawl.warc"
    path.write_bytes(b"WARC/1.0\r\n" + b"a: b\r\n" * 500_000)
    items = list(read(path))
    assert {type(item) for item in items} == {DamagedInput}
    assert "do not end" in str(items[0])


def test_nothing_but_pictures(tmp_path: Path) -> None:
    path = tmp_path / "crawl.warc"
    path.write_bytes(PASSED_OVER["picture"])
    (error,) = read(path)
    assert isinstance(error, EmptyInput)


def test_within_an_archive(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.tar.gz"
    path.write_bytes(gz(tar_of({"crawl.warc.gz": warc_gz(READ["utf-8"], b"garbage", READ["gzip"])})))
    docs = [item for item in read(path) if isinstance(item, Document)]
    assert [doc.source.member for doc in docs] == ["crawl.warc.gz record 1", "crawl.warc.gz record 2"]
    assert capfd.readouterr().err == ""


def test_a_page_that_unpacks_without_end(tmp_path: Path) -> None:
    path = tmp_path / "crawl.warc"
    path.write_bytes(
        response(gzip.compress(bytes(20_000_000)), headers="Content-Encoding: gzip\r\n") + READ["text"]
    )
    error, doc = read(path)
    assert isinstance(error, OversizedInput)
    assert isinstance(doc, Document)
    assert not isinstance(error, UnsupportedInput)
