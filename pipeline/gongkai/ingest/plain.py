"""Text that is already decoded."""

from __future__ import annotations

import hashlib

from gongkai.types import Document, Source

MEDIA_TYPE = "text/plain"


def read_text(text: str, name: str = "text") -> Document:
    """A document of a string that is already decoded; `text` is kept as it is, even if it is empty.

    Args:
        name: Stands for the path in the document's source.

    >>> read_text("主动公开政府信息863条").text
    '主动公开政府信息863条'
    """
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return Document(id=digest[:16], text=text, source=Source(path=name, sha256=digest, media_type=MEDIA_TYPE))
