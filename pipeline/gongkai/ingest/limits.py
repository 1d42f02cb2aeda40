"""How much of one input is read at most."""

from __future__ import annotations

import msgspec

MEBIBYTE = 1024 * 1024


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds on one document, so that one file cannot take a run's memory.

    Attributes:
        max_bytes: Largest file, and largest line of a JSONL file (the file itself may be of any size: it is
            read line by line). The default, 64 MiB, is some 20 million Chinese characters. The unpacked
            parts of a DOCX may be eight times as large.
    """

    max_bytes: int = 64 * MEBIBYTE
