"""A row of a table of documents, JSON Lines or Parquet, to a document."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from gongkai.errors import DamagedInput, EmptyInput
from gongkai.ingest.content import Content
from gongkai.ingest.decode import Decoded
from gongkai.ingest.html import read_html
from gongkai.ingest.parts import Place, document_id
from gongkai.types import Document, Meta, Source

_META_FIELDS = ("title", "issuer", "published", "index_number", "docno")
REMEDY = 'It must have a string "text" or "html".'


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What is read of a row; other fields are left alone. `text` goes before `html`.

    Fields of type Any are other people's, and taken where they are strings.
    """

    text: str | None = None
    html: Any = None
    id: str | int | None = None
    url: Any = None
    title: Any = None
    meta: dict[str, Any] | None = None


def row_document(
    row: Row, place: Place, media_type: str, *, digest: str | None = None, encoding: str | None = "utf-8"
) -> Document:
    """The document of a row: its `id` if it has one, what it says itself before what its page says.

    Args:
        digest: SHA-256 of the bytes of the row, where the row has bytes of its own; else of its text's.

    Raises:
        DamagedInput: There is neither text nor page.
        EmptyInput: There is none in them.
    """
    content = _content(row, place, media_type, encoding)
    if not content.text.strip():
        raise EmptyInput(place.where, "It holds no text.", "Leave it out.")
    own = _digest(row)
    return Document(
        id=row_id(row, place),
        text=content.text,
        source=Source(
            path=place.path,
            member=place.member,
            sha256=digest or own,
            media_type=content.media_type,
            encoding=content.encoding,
            url=row.url if isinstance(row.url, str) else None,
        ),
        meta=_meta(row, content.meta),
        tables=content.tables,
    )


def row_id(row: Row, place: Place) -> str:
    """Id of the document of a row that holds one: its own, else by its text and place."""
    return str(row.id) if row.id not in (None, "") else document_id(_digest(row), place.member)


def _digest(row: Row) -> str:
    return hashlib.sha256((row.text or row.html).encode("utf-8", "surrogatepass")).hexdigest()


def _content(row: Row, place: Place, media_type: str, encoding: str | None) -> Content:
    if row.text is not None:
        return Content(text=row.text, media_type=media_type, encoding=encoding)
    if not isinstance(row.html, str):
        raise DamagedInput(place.where, "It holds no document.", REMEDY)
    return msgspec.structs.replace(read_html(Decoded(row.html, "utf-8")), encoding=encoding)


def _meta(row: Row, stated: Meta) -> Meta:
    given = {"title": row.title} | (row.meta or {})
    known = {name: given[name] for name in _META_FIELDS if isinstance(given.get(name), str) and given[name]}
    return msgspec.structs.replace(stated, **known)
