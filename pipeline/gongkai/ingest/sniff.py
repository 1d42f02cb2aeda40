"""What a file is, by its first bytes: names lie more often than signatures."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Literal

from gongkai.errors import BinaryInput, EncryptedInput, UnsupportedInput

Kind = Literal["pdf", "zip", "mhtml", "html", "text"]
Holder = Literal["gzip", "zstd", "zip", "7z", "tar", "warc", "parquet", "jsonl"]
"""What holds other inputs, or many documents. A ZIP may turn out to be an office document."""

SUFFIXES = frozenset(
    {".txt", ".html", ".htm", ".mhtml", ".mht", ".pdf", ".docx", ".jsonl", ".ndjson", ".parquet"}
    | {".zip", ".7z", ".tar", ".tgz", ".tzst", ".warc"}
)
"""Suffixes that are read within folders and archives, also with .gz or .zst after them; a file that is named
explicitly is read whatever its suffix."""

_PACKED = frozenset({".gz", ".zst"})
_LINES = frozenset({".jsonl", ".ndjson"})
_MAGIC: tuple[tuple[bytes, Holder], ...] = (
    (b"\x1f\x8b\x08", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"WARC/", "warc"),
)
_TAR_MAGIC = slice(257, 262)

_PICTURES_AND_ARCHIVES = (
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"\x89PNG\r\n", "a PNG picture"),
    (b"GIF87a", "a GIF picture"),
    (b"GIF89a", "a GIF picture"),
    (b"II*\x00", "a TIFF picture"),
    (b"MM\x00*", "a TIFF picture"),
    (b"BM", "a BMP picture"),
    (b"RIFF", "a RIFF media file"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
_HEAD = 4096
_MHTML = re.compile(rb"(?:[A-Za-z0-9-]+:[^\r\n]*\r?\n(?:[ \t][^\r\n]*\r?\n)*){1,60}")
_HTML = re.compile(
    r"<(?:!doctype\s+html|html|head|body|meta|title|table|div|p|span|center|font|script|style|link)\b", re.I
)
_ANY_TAG = re.compile(r"<[a-zA-Z!/]")


def suffix_of(name: str) -> str:
    """Suffix in lower case, that of the content where the file is compressed.

    >>> suffix_of("2019/A.HTML"), suffix_of("a.warc.gz"), suffix_of("a.gz"), suffix_of(".html")
    ('.html', '.warc', '', '')
    """
    path = PurePosixPath(name)
    suffix = path.suffix.lower()
    return PurePosixPath(path.stem).suffix.lower() if suffix in _PACKED else suffix


def is_supported(name: str) -> bool:
    """Whether a file that was not named explicitly is read."""
    return suffix_of(name) in SUFFIXES


def holder_of(head: bytes, name: str) -> Holder | None:
    """The kind of container by its first 512 bytes, or by its name where these cannot tell; None for others.

    >>> holder_of(b"PK\\x03\\x04...", "a.txt"), holder_of(b'{"text": ""}', "a.jsonl.gz"), holder_of(b"<p>", "a.zip")
    ('zip', 'jsonl', None)
    """
    for magic, holder in _MAGIC:
        if head.startswith(magic):
            return holder
    if head[_TAR_MAGIC] == b"ustar":
        return "tar"
    suffix = suffix_of(name)
    if head.startswith(b"PAR1") and (suffix == ".parquet" or b"\0" in head):
        return "parquet"
    if suffix in _LINES:
        return "jsonl"
    return "tar" if suffix == ".tar" else None


def kind_of_bytes(data: bytes, suffix: str, where: str) -> Kind:
    """The kind that the bytes show; `text` where only their characters can tell (see `is_html`).

    Raises:
        BinaryInput: A picture, an archive, a program.
        EncryptedInput: An Office file behind a password.
        UnsupportedInput: An office format that no reader handles.
    """
    # The standard allows other bytes before the mark; a text that speaks of it is no PDF.
    if data.lstrip().startswith(b"%PDF-") or (suffix == ".pdf" and b"%PDF-" in data[:1024]):
        return "pdf"
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if data.startswith(_OLE):
        _refuse_ole(data, where)
    if data.startswith(b"{\\rtf"):
        raise UnsupportedInput(where, "It is RTF, which no reader handles.", "Save it as DOCX.")
    for signature, name in _PICTURES_AND_ARCHIVES:
        if data.startswith(signature) and (len(signature) > 2 or b"\0" in data[:64]):
            raise BinaryInput(where, f"It is {name}, not text.", "Unpack it, or give the text itself.")
    return "mhtml" if _is_mhtml(data, suffix) else "text"


def is_html(text: str, suffix: str) -> bool:
    """Whether decoded text is HTML: it opens with a tag, or is named so and holds one.

    >>> is_html("<!DOCTYPE html><p>概述", ".txt"), is_html("a < b", ".html"), is_html("一、概述", ".htm")
    (True, False, False)
    """
    if suffix in {".html", ".htm"}:
        return _ANY_TAG.search(text) is not None
    head = text[:_HEAD].lstrip("\ufeff \t\r\n\u3000")
    if head.startswith("<?xml"):
        head = head.partition("?>")[2].lstrip()
    while head.startswith("<!--"):
        head = head.partition("-->")[2].lstrip()
    return _HTML.match(head) is not None


def _is_mhtml(data: bytes, suffix: str) -> bool:
    block = _MHTML.match(data[: 4 * _HEAD].lstrip())
    headers = block[0].lower() if block else b""
    multipart = b"content-type:" in headers and b"multipart/" in headers
    return multipart or (suffix in {".mhtml", ".mht"} and b"content-type:" in headers)


def _refuse_ole(data: bytes, where: str) -> None:
    if _ENCRYPTED_PACKAGE in data:
        raise EncryptedInput(where, "The Office file is encrypted.", "Save a copy without a password.")
    raise UnsupportedInput(
        where, "It is an old Office file (.doc, .xls, .wps), which no reader handles.", "Save it as DOCX."
    )
