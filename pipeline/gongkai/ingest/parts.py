"""A part of an input: bytes that are one document, or hold several, and where they stand."""

from __future__ import annotations

import hashlib
import io
import re
from contextlib import suppress
from typing import Literal

import msgspec

from gongkai.errors import DamagedInput, IngestError
from gongkai.ingest.sniff import is_supported

_DRIVE = re.compile(r"[A-Za-z]:")


class Place(msgspec.Struct, frozen=True):
    """Where a part stands: the path or URL of its file, and what it is within that file.

    >>> inner = Place("a.tar").inside("2019.zip").inside("page.html")
    >>> inner.where, Place("a.zip").inside("b.jsonl").at("line 3").member
    ('a.tar 2019.zip!/page.html', 'b.jsonl line 3')
    """

    path: str
    member: str | None = None

    @property
    def where(self) -> str:
        """As errors name it."""
        return f"{self.path} {self.member}" if self.member else self.path

    def inside(self, name: str) -> Place:
        """The member `name` of an archive that stands here."""
        return Place(self.path, f"{self.member}!/{name}" if self.member else name)

    def at(self, unit: str) -> Place:
        """A line, row or record of what stands here."""
        return Place(self.path, f"{self.member} {unit}" if self.member else unit)


class Part(msgspec.Struct, frozen=True):
    """Bytes still to be read, from `stream`, once and in order.

    Attributes:
        name: What tells the suffix; the last words of a path.
        url: Where the document was fetched from.
        declared: The encoding that whoever served it declared.
    """

    place: Place
    name: str
    stream: io.BufferedReader
    url: str | None = None
    declared: str | None = None


class Leaf(msgspec.Struct, frozen=True, tag=True):
    """The bytes of one document, not parsed yet; can be sent to another process.

    Attributes:
        kind: A `file` (text, page, PDF, DOCX), a `line` of a JSONL file, a `row` of a table (its JSON).
        name, url, declared: As those of the part; of a row, `declared` is the encoding it was decoded from.
    """

    place: Place
    kind: Literal["file", "line", "row"]
    data: bytes
    name: str = ""
    url: str | None = None
    declared: str | None = None


def document_id(digest: str, member: str | None) -> str:
    """Id of a document by the SHA-256 of its bytes, and its place in its container if it stands in one.

    So two members with the same bytes are two documents, and a file has one id wherever it lies.
    """
    if member is None:
        return digest[:16]
    return hashlib.sha256(f"{digest}\0{member}".encode("utf-8", "surrogatepass")).hexdigest()[:16]


def member_name(raw: bytes) -> str:
    r"""Name of a member by its bytes in the archive: UTF-8, else GB18030, with `/` between folders.

    >>> member_name("年报\\概述.txt".encode("gbk")), member_name(b"./a.txt"), member_name(b"\xff.txt")
    ('年报/概述.txt', 'a.txt', '\\xff.txt')
    """
    for encoding in ("utf-8", "gb18030"):
        with suppress(UnicodeDecodeError):
            return raw.decode(encoding).replace("\\", "/").removeprefix("./")
    return raw.decode("utf-8", "backslashreplace").removeprefix("./")


def refusal(name: str, place: Place) -> IngestError | None:
    """The error of a member whose name leads out of its archive.

    Nothing is ever written under a member's name, but whoever made such an archive meant no good by it.
    """
    if not name.startswith("/") and not _DRIVE.match(name) and ".." not in name.split("/"):
        return None
    problem = "Its name leads out of the archive (absolute, or with `..`)."
    return DamagedInput(place.inside(name).where, problem, "Pack the archive anew.")


def is_wanted(name: str) -> bool:
    """Whether a member is read, by its name: of a supported kind, and in no hidden folder.

    >>> is_wanted("2019/a.html"), is_wanted("__MACOSX/._a.html"), is_wanted("style.css")
    (True, False, False)
    """
    hidden = any(piece.startswith((".", "~$")) for piece in name.split("/") if piece != ".")
    return not hidden and is_supported(name)
