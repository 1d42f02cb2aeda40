"""Marked text: what stands between ⟦ and ⟧ is a span."""

from __future__ import annotations

import re

_MARK = re.compile("⟦([^⟦⟧]*)⟧")


def unmark(marked: str) -> tuple[str, list[tuple[int, int]]]:
    """The text without its marks, and the spans that they enclosed.

    >>> unmark("收到⟦3件⟧")
    ('收到3件', [(2, 4)])
    """
    spans = []
    removed = 0
    for match in _MARK.finditer(marked):
        start = match.start() - removed
        spans.append((start, start + len(match[1])))
        removed += 2
    return _MARK.sub(r"\1", marked), spans
