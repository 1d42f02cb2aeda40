"""Which files to read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

SUFFIXES = frozenset({".txt", ".html", ".htm", ".mhtml", ".mht", ".pdf", ".docx", ".jsonl"})
"""Suffixes that are read within folders; a file that is named explicitly is read whatever its suffix."""


def discover(paths: Iterable[Path]) -> Iterator[Path]:
    """Files as given, and the supported files of folders, recursively, in the order of their names.

    Within folders, hidden entries (`.name`) and lock files of open Word documents (`~$name`) are left out.

    Lazy: a folder is listed when the caller gets there, so ten million files need no list. Each folder is
    entered once, links included, so that a loop of links ends. A path that does not exist, or a folder
    that cannot be listed, is yielded as it is: reading it gives the error that names it.
    """
    seen: set[tuple[int, int]] = set()
    for path in paths:
        if path.is_dir():
            yield from _walk(path, seen)
        else:
            yield path


def _walk(folder: Path, seen: set[tuple[int, int]]) -> Iterator[Path]:
    pending: list[Path] = [folder]
    while pending:
        path = pending.pop()
        if not path.is_dir():
            yield path
            continue
        try:
            status = path.stat()
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(path) as entries:
                found = sorted(entry.name for entry in entries if _wanted(entry))
        except OSError:
            yield path
            continue
        pending.extend(path / name for name in reversed(found))


def _wanted(entry: os.DirEntry[str]) -> bool:
    if entry.name.startswith((".", "~$")):
        return False
    supported = Path(entry.name).suffix.lower() in SUFFIXES
    try:
        return entry.is_dir() or (supported and entry.is_file())
    except OSError:
        # A link that leads to itself, or a file that may not be looked at: reading it names it.
        return supported
