"""Ingest: bytes of whatever kind to documents, `text` with offsets that every later stage points into.

`discover` finds the files, `read` turns one file, archive or URL into documents or named errors, `read_text`
wraps a string. `read` is `leaves` (what the file holds, not parsed yet) and `read_leaf`, which may be had one by one.
"""

from gongkai.ingest.discover import discover
from gongkai.ingest.limits import Limits
from gongkai.ingest.location import Location, located, printable
from gongkai.ingest.parts import Leaf, Place
from gongkai.ingest.plain import read_text
from gongkai.ingest.reader import Identity, identify, is_single, leaves, read, read_leaf
from gongkai.ingest.sniff import SUFFIXES

__all__ = [
    "SUFFIXES",
    "Identity",
    "Leaf",
    "Limits",
    "Location",
    "Place",
    "discover",
    "identify",
    "is_single",
    "leaves",
    "located",
    "printable",
    "read",
    "read_leaf",
    "read_text",
]
