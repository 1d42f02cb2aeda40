"""Ingest: bytes of whatever kind to documents, `text` with offsets that every later stage points into.

`discover` finds the files, `read` turns one file into documents or named errors, `read_text` wraps a string.
"""

from gongkai.ingest.discover import SUFFIXES, discover
from gongkai.ingest.limits import Limits
from gongkai.ingest.plain import read_text
from gongkai.ingest.reader import read

__all__ = ["SUFFIXES", "Limits", "discover", "read", "read_text"]
