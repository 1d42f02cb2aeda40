"""Ingest: bytes of whatever kind to documents, `text` with offsets that every later stage points into.

`discover` finds the files, `read` turns one file, archive or URL into documents or named errors, `read_text`
wraps a string.
"""

from gongkai.ingest.discover import discover
from gongkai.ingest.limits import Limits
from gongkai.ingest.location import Location
from gongkai.ingest.plain import read_text
from gongkai.ingest.reader import read
from gongkai.ingest.sniff import SUFFIXES

__all__ = ["SUFFIXES", "Limits", "Location", "discover", "read", "read_text"]
