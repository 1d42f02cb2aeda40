"""One input to documents and errors: the kind is found, its reader called, nothing raised for bad input."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from gongkai.errors import DamagedInput, EmptyInput, IngestError, UnsupportedInput
from gongkai.ingest.content import Content
from gongkai.ingest.decode import decode
from gongkai.ingest.docx import read_docx
from gongkai.ingest.html import declared_encoding, read_html
from gongkai.ingest.jsonl import line_leaves, read_line
from gongkai.ingest.limits import Limits
from gongkai.ingest.location import Location, located, name_of, open_location, printable
from gongkai.ingest.mhtml import read_mhtml
from gongkai.ingest.parts import Leaf, Part, Place, document_id
from gongkai.ingest.pdf import read_pdf
from gongkai.ingest.plain import MEDIA_TYPE as PLAIN
from gongkai.ingest.rows import Row, row_id
from gongkai.ingest.sniff import Holder, holder_of, is_html, kind_of_bytes, suffix_of
from gongkai.ingest.streams import read_whole, seekable, unpacked
from gongkai.ingest.tar_archive import tar_parts
from gongkai.ingest.zip_archive import is_office, open_zip, zip_parts
from gongkai.types import Document, Source

_DEFAULT = Limits()
_HEAD = 512
_BY_CONTENT = {
    ".pdf": "a PDF file",
    ".docx": "a DOCX file",
    ".zip": "a ZIP archive",
    ".7z": "a 7z archive",
    ".tgz": "a compressed TAR archive",
    ".tzst": "a compressed TAR archive",
    ".warc": "a WARC file",
    ".parquet": "a Parquet file",
}
_ARCHIVES = frozenset({"zip", "7z", "tar", "warc"})

Leaves = Iterator[Leaf | IngestError]


def read(path: Location, *, limits: Limits = _DEFAULT) -> Iterator[Document | IngestError]:
    """The documents of a file or URL, in order, with an error in the place of each that could not be read.

    Plain text, HTML, MHTML, PDF and DOCX yield exactly one document or one error. A JSONL or Parquet file
    yields one for each row, a WARC file one for each page, a ZIP, TAR or 7z archive those of its members, and
    what is compressed with gzip or Zstandard what it unpacks to. Bad input never raises; a bad member does
    not lose the others. One document is in memory at a time.

    What the input is, its content decides before its name: a PDF named .txt is read as PDF. `Document.text`
    of plain text is exactly the decoded file, of the other kinds what their reader makes of it; a byte
    order mark is never part of it. `Document.id` is the start of the SHA-256 of the bytes that were read,
    of a member also of its name; a row's own `id` goes before it. `Source.member` names a member:
    `2019.zip!/a.html`, `line 3`, `reports.jsonl line 3`.
    """
    for leaf in leaves(path, limits=limits):
        yield leaf if isinstance(leaf, IngestError) else read_leaf(leaf, limits=limits)


def leaves(path: Location, *, limits: Limits = _DEFAULT) -> Leaves:
    """The bytes of each document of a file or URL; as `read`, of which it is the part that iterates.

    Whatever holds documents is opened and gone through, but no document is parsed, so that this can be done
    in one process and `read_leaf` in many. A path that is no UTF-8 is named with its bytes as `\\udcXX`.
    """
    location = located(path)
    place = Place(printable(location))
    try:
        with open_location(location) as stream:
            yield from _read(Part(place, printable(name_of(location)), stream), limits)
    except IngestError as error:
        yield error
    except Exception as error:  # as in read_leaf
        yield _unforeseen(place, error)


def is_single(location: Location) -> bool:
    """Whether it is a file on this machine that is one document by its first bytes: nothing in it is unpacked."""
    if not isinstance(location, Path) or not location.is_file():
        return False
    try:
        with location.open("rb", buffering=0) as file:
            return holder_of(file.read(_HEAD), location.name) is None
    except OSError:
        return False


def read_leaf(leaf: Leaf, *, limits: Limits = _DEFAULT) -> Document | IngestError:
    """The document of a leaf, or why there is none."""
    try:
        if leaf.kind == "line":
            return read_line(leaf)
        if leaf.kind == "row":
            from gongkai.ingest.parquet import read_row

            return read_row(leaf)
        return _document(leaf, limits)
    except IngestError as error:
        return error
    # What no reader foresaw must not cost the rest of an archive of millions.
    except Exception as error:
        return _unforeseen(leaf.place, error)


class Identity(NamedTuple):
    """What tells the document of a leaf: SHA-256 of all that its text comes from, and the document's id."""

    content: bytes
    id: str


def identify(leaf: Leaf) -> Identity | None:
    """The identity of a leaf; None for a leaf that holds no document for certain.

    Leaves with equal `content` give equal documents, but for id, path, member and address.
    """
    if not leaf.data.strip():
        return None
    own = hashlib.sha256(leaf.data)
    content = hashlib.sha256(
        f"{leaf.kind}\0{suffix_of(leaf.name)}\0{leaf.declared}\0{own.hexdigest()}".encode()
    )
    if leaf.kind == "file":
        return Identity(content.digest(), document_id(own.hexdigest(), leaf.place.member))
    try:
        return Identity(content.digest(), row_id(msgspec.json.decode(leaf.data, type=Row), leaf.place))
    except (msgspec.DecodeError, UnicodeError, RecursionError, AttributeError):
        return None


def _read(part: Part, limits: Limits, *, nesting: int = 0, packed: bool = False) -> Leaves:
    """The leaves of a part.

    Args:
        nesting: Archives around it.
        packed: Whether it was unpacked already; nothing sound is compressed twice.
    """
    holder = holder_of(part.stream.peek(_HEAD)[:_HEAD], part.name)
    if holder in ("gzip", "zstd"):
        if packed:
            raise _nested(part.place)
        inner = unpacked(part.stream, holder, part.place.where, limits)
        yield from _read(_renamed(part, inner), limits, nesting=nesting, packed=True)
        return
    if holder in _ARCHIVES and nesting > limits.max_nesting:
        raise _nested(part.place)
    if holder == "jsonl":
        yield from line_leaves(part.stream, part.place, limits)
    elif holder == "tar":
        yield from _members(tar_parts(part.stream, part.place, limits), part.place, limits, nesting)
    elif holder == "warc":
        from gongkai.ingest.warc import warc_parts  # as below: only where there is one to read

        yield from _members(warc_parts(part.stream, part.place, limits), part.place, limits, nesting)
    elif holder is not None:
        with seekable(part.stream, part.place.where, limits) as file:
            yield from _seek(part, file, holder, limits, nesting)
    else:
        yield _leaf(part, part.stream, limits)


def _seek(part: Part, file: io.BufferedReader, holder: Holder, limits: Limits, nesting: int) -> Leaves:
    """The leaves of a part whose format keeps its directory at the end."""
    if holder == "parquet":
        from gongkai.ingest.parquet import row_leaves

        yield from row_leaves(file, part.place, limits)
        return
    if holder == "7z":
        from gongkai.ingest.seven_zip import seven_zip_parts

        yield from _members(seven_zip_parts(file, part.place, limits), part.place, limits, nesting)
        return
    if suffix_of(part.name) == ".docx":
        yield _leaf(part, file, limits)
        return
    archive = open_zip(file, part.place, limits)
    if is_office(archive):
        file.seek(0)
        yield _leaf(part, file, limits)
    else:
        yield from _members(zip_parts(archive, part.place, limits), part.place, limits, nesting)


def _members(parts: Iterable[Part | IngestError], place: Place, limits: Limits, nesting: int) -> Leaves:
    """The leaves of each member; one that fails leaves the others alone."""
    empty = True
    told = ""
    for part in _ended(parts):
        empty = False
        if isinstance(part, IngestError):
            # An archive that breaks off within a member has been told of with that member.
            if str(part) != told:
                yield part
            continue
        try:
            with part.stream:
                yield from _read(part, limits, nesting=nesting + 1)
        except IngestError as error:
            told = str(error)
            yield error
        except Exception as error:  # as in read_leaf
            yield _unforeseen(part.place, error)
    if empty:
        problem = "It holds nothing that is read."
        yield EmptyInput(place.where, problem, "Check what it holds, or leave it out.")


def _ended(parts: Iterable[Part | IngestError]) -> Iterator[Part | IngestError]:
    """The parts, and the error that ended them as their last."""
    try:
        yield from parts
    except IngestError as error:
        yield error


def _renamed(part: Part, stream: io.BufferedReader) -> Part:
    """The part unpacked, named by what it unpacks to."""
    suffix = suffix_of(part.name)
    name = f"unpacked{'.tar' if suffix in ('.tgz', '.tzst') else suffix}"
    return Part(part.place, name, stream, part.url, part.declared)


def _nested(place: Place) -> UnsupportedInput:
    return UnsupportedInput(
        place.where, "It nests deeper than archives are read.", "Unpack it, or raise Limits.max_nesting."
    )


def _unforeseen(place: Place, error: Exception) -> DamagedInput:
    problem = f"Reading it failed ({type(error).__name__}: {error})."
    return DamagedInput(place.where, problem, "Please report it, with the file.")


def _leaf(part: Part, stream: io.BufferedReader, limits: Limits) -> Leaf:
    data = read_whole(stream, part.place.where, limits)
    return Leaf(part.place, "file", data, part.name, part.url, part.declared)


def _document(leaf: Leaf, limits: Limits) -> Document:
    where = leaf.place.where
    if not leaf.data:
        raise EmptyInput(where, "It is empty (0 bytes).", "Check the file, or leave it out.")
    content = _content(leaf, limits)
    if not content.text.strip():
        raise EmptyInput(where, "It holds no text.", "Check the file, or leave it out.")
    digest = hashlib.sha256(leaf.data).hexdigest()
    return Document(
        id=document_id(digest, leaf.place.member),
        text=content.text,
        source=Source(
            path=leaf.place.path,
            member=leaf.place.member,
            sha256=digest,
            media_type=content.media_type,
            encoding=content.encoding,
            url=leaf.url,
        ),
        meta=content.meta,
        tables=content.tables,
    )


def _content(leaf: Leaf, limits: Limits) -> Content:
    data, where, suffix = leaf.data, leaf.place.where, suffix_of(leaf.name)
    kind = kind_of_bytes(data, suffix, where)
    if kind == "pdf":
        return read_pdf(data, where)
    if kind == "zip":
        return read_docx(data, where, limits)
    if kind == "mhtml":
        return read_mhtml(data, where)
    if suffix in _BY_CONTENT:
        problem = f"It does not begin as {_BY_CONTENT[suffix]} does."
        raise DamagedInput(where, problem, "Fetch it again, or correct its suffix.")
    decoded = decode(data, where, leaf.declared or declared_encoding(data))
    if is_html(decoded.text, suffix):
        return read_html(decoded)
    return Content(text=decoded.text, media_type=PLAIN, encoding=decoded.encoding)
