"""One file to documents and errors: the kind is found, its reader called, nothing raised for bad input."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from gongkai.errors import DamagedInput, EmptyInput, IngestError, OversizedInput, UnreadableInput
from gongkai.ingest.content import Content
from gongkai.ingest.decode import decode
from gongkai.ingest.docx import read_docx
from gongkai.ingest.html import declared_encoding, read_html
from gongkai.ingest.jsonl import read_lines
from gongkai.ingest.limits import Limits
from gongkai.ingest.mhtml import read_mhtml
from gongkai.ingest.pdf import read_pdf
from gongkai.ingest.plain import MEDIA_TYPE as PLAIN
from gongkai.ingest.sniff import is_html, kind_of_bytes
from gongkai.types import Document, Source

_DEFAULT = Limits()
_CONTAINERS = {".pdf": "a PDF file", ".docx": "a DOCX file"}


def read(path: Path, *, limits: Limits = _DEFAULT) -> Iterator[Document | IngestError]:
    """The documents of a file, in order, with an error in the place of each that could not be read.

    A JSONL file yields one document or error a line (`"text"` is the document, `"id"` and `"meta"` are
    taken if given); every other file yields exactly one document or one error. Bad input never raises.

    What the file is, its content decides before its name: a PDF named .txt is read as PDF. `Document.text`
    of plain text is exactly the decoded file, of the other kinds what their reader makes of it; a byte
    order mark is never part of it. `Document.id` is the start of the SHA-256 of the bytes that were read.
    """
    if path.suffix.lower() == ".jsonl":
        yield from read_lines(path, limits)
        return
    try:
        yield _read_one(path, limits)
    except IngestError as error:
        yield error


def _read_one(path: Path, limits: Limits) -> Document:
    where = str(path)
    data = _bytes_of(path, limits)
    content = _content(data, path.suffix.lower(), where, limits)
    if not content.text.strip():
        raise EmptyInput(where, "It holds no text.", "Check the file, or leave it out.")
    digest = hashlib.sha256(data).hexdigest()
    return Document(
        id=digest[:16],
        text=content.text,
        source=Source(path=where, sha256=digest, media_type=content.media_type, encoding=content.encoding),
        meta=content.meta,
        tables=content.tables,
    )


def _bytes_of(path: Path, limits: Limits) -> bytes:
    where = str(path)
    try:
        if path.is_dir():
            raise UnreadableInput(where, "The folder cannot be listed.", "Check its permissions.")
        with path.open("rb") as file:
            data = file.read(limits.max_bytes + 1)
    except OSError as error:
        raise UnreadableInput(
            where, f"{error.strerror or error}.", "Check the path and its permissions."
        ) from None
    if len(data) > limits.max_bytes:
        raise OversizedInput(
            where, f"It is larger than {limits.max_bytes:,} bytes.", "Split it, or raise Limits.max_bytes."
        )
    if not data:
        raise EmptyInput(where, "It is empty (0 bytes).", "Check the file, or leave it out.")
    return data


def _content(data: bytes, suffix: str, where: str, limits: Limits) -> Content:
    kind = kind_of_bytes(data, suffix, where)
    if kind == "pdf":
        return read_pdf(data, where)
    if kind == "zip":
        return read_docx(data, where, limits)
    if kind == "mhtml":
        return read_mhtml(data, where)
    if suffix in _CONTAINERS:
        problem = f"It does not begin as {_CONTAINERS[suffix]} does."
        raise DamagedInput(where, problem, "Fetch it again, or correct its suffix.")
    decoded = decode(data, where, declared_encoding(data))
    if is_html(decoded.text, suffix):
        return read_html(decoded)
    return Content(text=decoded.text, media_type=PLAIN, encoding=decoded.encoding)
