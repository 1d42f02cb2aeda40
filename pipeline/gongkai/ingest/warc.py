"""WARC (ISO 28500): the pages that a crawler was answered with."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from email.message import Message
from typing import Any

from warcio.bufferedreaders import ChunkedDataReader
from warcio.recordloader import ArcWarcRecord, ArcWarcRecordLoader

from gongkai.errors import DamagedInput, IngestError, OversizedInput, UnsupportedInput
from gongkai.ingest.limits import Limits
from gongkai.ingest.parts import Part, Place
from gongkai.ingest.streams import BUFFER, damaged, member_stream

_START = re.compile(rb"WARC/[01]\.\d")
_MOST_HEADERS = 1024 * 1024
_SUFFIXES = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "text/plain": ".txt",
    "application/pdf": ".pdf",
    "application/x-pdf": ".pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "multipart/related": ".mhtml",
}
_UNDECLARED = frozenset({"", "application/octet-stream", "application/download", "application/x-download"})
_SNIFFED = ((b"%PDF-", ".pdf"), (b"<!doctype html", ".html"), (b"<html", ".html"))
_SNIFFED_BYTES = 512
_READ_ENCODINGS = frozenset({"", "identity", "gzip", "x-gzip", "zstd"})


def warc_parts(stream: io.BufferedReader, place: Place, limits: Limits) -> Iterator[Part | IngestError]:
    """The pages among the responses: successful answers that are HTML, text, PDF or DOCX.

    The declared type decides which; where it says nothing (octet-stream), the first bytes. Pictures, styles,
    scripts, redirections and pages that were not found are passed over. Bytes between records that are none
    are an error in their place; reading goes on at the next record.
    """
    loader = ArcWarcRecordLoader(verify_http=False)
    sound = True
    number = 0
    while line := stream.readline(BUFFER):
        start = _START.search(line)
        if sound and line[: start.start() if start else None].strip():
            sound = False
            problem = "There are bytes that are no record."
            yield DamagedInput(place.at(f"after record {number}").where, problem, "Fetch it again.")
        if start is None:
            continue
        sound = True
        number += 1
        inner = place.at(f"record {number}")
        try:
            record = loader.parse_record_stream(
                _Headed(stream, inner.where), line[start.start() :], known_format="warc"
            )
        except IngestError:
            raise
        # warcio raises whatever parsing a broken header raises, end of file included.
        except Exception as error:
            yield damaged(inner.where, error)
            continue
        if record.length is None:
            yield DamagedInput(inner.where, "It does not say how long it is.", "Fetch it again.")
            continue
        found = _part(record, inner, limits)
        if found is not None:
            yield found
        if not _passed(record) and found is None:
            yield damaged(inner.where, EOFError("it ends within the record"))


class _Headed:
    """A record's bytes for warcio, which reads header lines of any length and any number."""

    def __init__(self, stream: io.BufferedReader, where: str) -> None:
        self.read = stream.read
        self.tell = lambda: 0
        self._readline = stream.readline
        self._left = _MOST_HEADERS
        self._where = where

    def readline(self, length: int | None = None) -> bytes:
        line = self._readline(min(length or self._left, self._left))
        self._left -= len(line)
        if self._left <= 0:
            raise DamagedInput(self._where, "Its headers do not end.", "Fetch it again.")
        return line


class _Body(io.RawIOBase):
    """The bytes of a record's page, the record's own length being kept to."""

    def __init__(self, record: ArcWarcRecord) -> None:
        chunked = (_header(record, "transfer-encoding") or "").lower() == "chunked"
        self._stream: Any = ChunkedDataReader(record.raw_stream) if chunked else record.raw_stream
        self._record = record

    def read(self, size: int = -1, /) -> bytes:
        data: bytes = self._stream.read(size)
        if not data and _left(self._record):
            raise EOFError("it ends within the record")
        return data


def _part(record: ArcWarcRecord, place: Place, limits: Limits) -> Part | IngestError | None:
    if record.rec_type != "response" or record.http_headers is None:
        return None
    if not record.http_headers.get_statuscode().startswith("2"):
        return None
    declared = Message()
    declared["Content-Type"] = _header(record, "content-type") or ""
    media_type = declared.get_content_type() if declared["Content-Type"].strip() else ""
    if media_type not in _SUFFIXES and media_type not in _UNDECLARED:
        return None
    encoding = (_header(record, "content-encoding") or "").strip().lower()
    if encoding not in _READ_ENCODINGS:
        problem = f"Its page is packed with {encoding}, which is not read."
        return UnsupportedInput(place.where, problem, "Have the crawler ask for gzip.")
    if record.length > limits.max_bytes:  # a chunk of it is read at once
        problem = f"It is larger than {limits.max_bytes:,} bytes."
        return OversizedInput(place.where, problem, "Leave it out, or raise Limits.max_bytes.")
    stream = member_stream(_Body(record), place.where)
    suffix = _SUFFIXES.get(media_type)
    if suffix is None:
        suffix = _sniffed(stream)
    if suffix is None:
        return None
    return Part(
        place,
        f"page{suffix}",
        stream,
        url=record.rec_headers.get_header("WARC-Target-URI"),
        declared=declared.get_content_charset(),
    )


def _sniffed(stream: io.BufferedReader) -> str | None:
    head = stream.peek(_SNIFFED_BYTES)[:_SNIFFED_BYTES].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return next((suffix for magic, suffix in _SNIFFED if head.startswith(magic.lower())), None)


def _header(record: ArcWarcRecord, name: str) -> str | None:
    value: str | None = record.http_headers.get_header(name)
    return value


def _left(record: ArcWarcRecord) -> int:
    """Bytes of the record that were not read."""
    return int(getattr(record.raw_stream, "limit", 0))


def _passed(record: ArcWarcRecord) -> bool:
    """Read the rest of a record; whether all of it was there."""
    while record.raw_stream.read(BUFFER):
        pass
    return not _left(record)
