"""Plain text: the decoded characters and nothing else."""

from __future__ import annotations

import hashlib

from gongkai.ingest.content import Content
from gongkai.ingest.decode import decode
from gongkai.types import Document, Source

MEDIA_TYPE = "text/plain"


def read_plain(data: bytes, where: str) -> Content:
    """The characters of a text file exactly: nothing trimmed, `\\r\\n` kept; only a byte order mark is left out.

    Raises:
        BinaryInput: The bytes are not text.
    """
    decoded = decode(data, where)
    return Content(text=decoded.text, media_type=MEDIA_TYPE, encoding=decoded.encoding)


def read_text(text: str, name: str = "text") -> Document:
    """A document of a string that is already decoded; `text` is kept as it is, even if it is empty.

    Args:
        name: Stands for the path in the document's source.

    >>> read_text("主动公开政府信息863条").text
    '主动公开政府信息863条'
    """
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return Document(id=digest[:16], text=text, source=Source(path=name, sha256=digest, media_type=MEDIA_TYPE))
