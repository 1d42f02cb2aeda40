"""Small archives of every kind, packed in memory."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.parquet as pq

Members = Mapping[str, bytes]


def zip_of(members: Members, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def tar_of(members: Members) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in members.items():
            header = tarfile.TarInfo(name)
            header.size = len(data)
            archive.addfile(header, io.BytesIO(data))
    return buffer.getvalue()


def seven_zip_of(members: Members) -> bytes:
    import py7zr

    buffer = io.BytesIO()
    with py7zr.SevenZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(data, name)
    return buffer.getvalue()


def zst(data: bytes) -> bytes:
    packed: bytes = pa.compress(data, codec="zstd", asbytes=True)
    return packed


def gz(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def parquet_of(columns: Mapping[str, list[object]], rows_in_group: int = 2) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(dict(columns)), buffer, row_group_size=rows_in_group)
    return buffer.getvalue()


def response(
    body: bytes,
    url: str = "http://www.example.gov.cn/a.html",
    content_type: str | None = "text/html",
    status: str = "200 OK",
    headers: str = "",
    kind: str = "response",
) -> bytes:
    """One WARC record."""
    declared = f"Content-Type: {content_type}\r\n" if content_type is not None else ""
    block = f"HTTP/1.1 {status}\r\n{declared}{headers}\r\n".encode() + body
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {url}\r\n"
        f"Content-Type: application/http; msgtype={kind}\r\nContent-Length: {len(block)}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


def warc_gz(*records: bytes) -> bytes:
    """Each record is a gzip member of its own, as crawlers write them."""
    return b"".join(map(gz, records))
