"""Which files to read."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import overload

from gongkai.errors import IngestError, UnreadableInput, UnsupportedInput
from gongkai.ingest.location import Entry, Location, child, entries, is_folder, located
from gongkai.ingest.sniff import is_supported

Refused = Callable[[IngestError], None]
"""Told of what is left out for cause."""
Seen = set[tuple[int, int]]
"""Folders that were entered: device and inode."""


@overload
def discover(
    paths: Iterable[Path], *, refused: Refused | None = None, seen: Seen | None = None
) -> Iterator[Path]: ...
@overload
def discover(
    paths: Iterable[Location], *, refused: Refused | None = None, seen: Seen | None = None
) -> Iterator[Location]: ...
def discover(
    paths: Iterable[Location], *, refused: Refused | None = None, seen: Seen | None = None
) -> Iterator[Location]:
    """Files as given, and the supported files of folders, recursively, in the order of their names.

    Within folders, hidden entries (`.name`) and lock files of open Word documents (`~$name`) are left out.

    Lazy: a folder is listed when the caller gets there, and no more than its own entries and those of the
    folders around it are held, so ten million files need no list. A path that does not exist, or a folder
    that cannot be listed, is yielded as it is: reading it gives the error that names it.

    A link that is named explicitly is followed. Within a folder one is followed if it stays in that folder;
    each folder is entered once, so that a loop of links ends.

    Args:
        paths: Files and folders; strings may be URLs that fsspec understands (`s3://bucket/2019/`).
        refused: Told of each link that leads out of its folder, when the caller would have got there;
            without it they are warned of.
        seen: Folders that are not entered again; those that are entered are added.
    """
    entered = set() if seen is None else seen
    for path in map(located, paths):
        if is_folder(path):
            yield from _walk(path, entered, refused or _warn)
        else:
            yield path


def _walk(root: Location, seen: Seen, refused: Refused) -> Iterator[Location]:
    tree = os.path.realpath(root) if isinstance(root, Path) else ""
    # The folders that are being walked, each within the one before, and what is left of them.
    pending: list[tuple[Location, Iterator[Entry]]] = []

    def enter(folder: Location) -> Iterator[Location]:
        if not _is_new(folder, seen):
            return
        try:
            pending.append((folder, iter(sorted(filter(_wanted, entries(folder))))))
        except UnreadableInput:
            yield folder

    yield from enter(root)
    while pending:
        folder, rest = pending[-1]
        entry = next(rest, None)
        if entry is None:
            pending.pop()
            continue
        location = child(folder, entry.name)
        if entry.link and not _within(tree, location):
            refused(_leading_out(location))
        elif entry.folder:
            yield from enter(location)
        else:
            yield location


def _wanted(entry: Entry) -> bool:
    if entry.name.startswith((".", "~$")):
        return False
    # A link that leads nowhere is taken along: reading it names it.
    return entry.folder or (is_supported(entry.name) and (entry.file or entry.link))


def _within(tree: str, link: Location) -> bool:
    target = os.path.realpath(link)
    return target == tree or target.startswith(tree.rstrip(os.sep) + os.sep)


def _is_new(folder: Location, seen: Seen) -> bool:
    """Whether a local folder has not been entered yet; remote stores have no links."""
    if isinstance(folder, str):
        return True
    try:
        status = folder.stat()
    except OSError:
        return True  # listing it fails, too
    key = (status.st_dev, status.st_ino)
    if key in seen:
        return False
    seen.add(key)
    return True


def _leading_out(link: Location) -> IngestError:
    return UnsupportedInput(
        str(link),
        "It is a link that leads out of its folder.",
        "Name its target itself to have it read.",
    )


def _warn(error: IngestError) -> None:
    warnings.warn(str(error), stacklevel=2)
