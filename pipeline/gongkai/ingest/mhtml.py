"""MHTML: a page saved by a browser together with its parts; only its main HTML part is read."""

from __future__ import annotations

import email
import email.policy
from email.errors import CloseBoundaryNotFoundDefect, StartBoundaryNotFoundDefect
from email.message import Message

import msgspec

from gongkai.errors import DamagedInput
from gongkai.ingest.content import Content
from gongkai.ingest.decode import decode
from gongkai.ingest.html import declared_encoding, read_html

MEDIA_TYPE = "multipart/related"


def read_mhtml(data: bytes, where: str) -> Content:
    """Content of the page that an MHTML file holds.

    Raises:
        DamagedInput: No part holds the page, or the file ends within it.
        BinaryInput: The part's bytes are not text.
    """
    try:
        message = email.message_from_bytes(data, policy=email.policy.compat32)
    except RecursionError:
        problem = "Its parts nest deeper than any browser saves them."
        raise DamagedInput(where, problem, "Save the page again.") from None
    leaves = [part for part in message.walk() if not part.is_multipart()]
    page = _main_part(message, leaves)
    if page is None:
        raise DamagedInput(where, "No part of it holds an HTML page.", "Save the page again.")
    if page is leaves[-1] and _cut(message):
        raise DamagedInput(where, "It ends within the page: the file is truncated.", "Save the page again.")
    payload = page.get_payload(decode=True)
    body = payload if isinstance(payload, bytes) else b""
    decoded = decode(body, where, page.get_content_charset() or declared_encoding(body))
    if page.get_content_type() == "text/plain":
        return Content(text=decoded.text, media_type=MEDIA_TYPE, encoding=decoded.encoding)
    return msgspec.structs.replace(read_html(decoded), media_type=MEDIA_TYPE)


def _main_part(message: Message, leaves: list[Message]) -> Message | None:
    """The part that `start` names (RFC 2387), else the first of HTML, else the first of plain text."""
    start = message.get_param("start")
    if isinstance(start, str):
        for part in leaves:
            if part.get("Content-ID", "").strip() == start.strip() and "html" in part.get_content_type():
                return part
    for kind in ("text/html", "application/xhtml+xml", "text/plain"):
        for part in leaves:
            if part.get_content_type() == kind:
                return part
    return None


def _cut(message: Message) -> bool:
    defects = (CloseBoundaryNotFoundDefect, StartBoundaryNotFoundDefect)
    return any(isinstance(defect, defects) for part in message.walk() for defect in part.defects)
