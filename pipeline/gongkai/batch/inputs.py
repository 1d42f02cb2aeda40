"""All inputs of a run in their order, from any position on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import NamedTuple, TypeVar

from gongkai.batch.messages import Position
from gongkai.errors import DamagedInput, IngestError, UnreadableInput
from gongkai.ingest import Leaf, Location, discover, leaves, located, printable

T = TypeVar("T")
Key = tuple[int, tuple[str, ...]]
"""Number of the given path, names of the folders and of the file in it: sorts as `discover` yields."""

Read = Callable[[Location], Iterator[Leaf | IngestError]]


class Input(NamedTuple):
    """A leaf, or why there is none, with the file (as printed) and the position after it."""

    path: str
    leaf: Leaf | IngestError
    position: Position


def inputs(
    paths: Sequence[Location],
    own: Callable[[Path], bool],
    after: Position | None = None,
    *,
    read: Read = leaves,
) -> Iterator[Input]:
    """Every leaf under the paths, or only those after a position.

    The position is one of names, not of ordinals: files that came or went since it was taken shift nothing. What
    came before it is not seen. A file of which only the first part had been taken is an error in the place of its
    rest if it has gone or changed.

    Args:
        own: Whether a file is one of the run's own results.
        read: Opens a file and gives its leaves.
    """
    files = after.files if after else 0
    for key, found in _walk(paths):
        if isinstance(found, Path) and own(found):
            continue
        begun = None
        if after is not None:
            if key < _key_of(after) or (key == _key_of(after) and after.whole):
                continue
            if key == _key_of(after):
                begun = after
            elif not after.whole:
                yield _gone(after, paths)
            after = None
        if begun is None and not isinstance(found, IngestError):
            files += 1
        yield from _of_file(key, found, files, begun, read)
    if after is not None and not after.whole:
        yield _gone(after, paths)


def _of_file(
    key: Key, found: Location | IngestError, files: int, begun: Position | None, read: Read
) -> Iterator[Input]:
    """The leaves of a file, without those taken before."""
    root, path = key[0], os.fsencode("/".join(key[1]))
    if isinstance(found, IngestError):
        yield Input(printable(found.where), found, Position(root, path, 1, True, files))
        return
    where, stamp = printable(found), _stamp(found)
    taken = 0 if begun is None else begun.items
    if begun is not None and begun.stamp != stamp:
        changed = DamagedInput(where, f"It changed after {taken:,} documents of it had been read.", _AGAIN)
        yield Input(where, changed, Position(root, path, taken + 1, True, files, stamp))
        return
    numbered = zip(count(1), read(found), strict=False)
    for (number, leaf), last in _with_last(numbered):
        if number > taken:
            yield Input(where, leaf, Position(root, path, number, last, files, stamp))


_AGAIN = "Extract it again, into another folder."


def _gone(position: Position, paths: Sequence[Location]) -> Input:
    root = printable(located(paths[position.root]))
    inner = printable(os.fsdecode(position.path))
    where = f"{root.rstrip('/')}/{inner}" if inner else root
    error = UnreadableInput(where, f"It went after {position.items:,} documents of it had been read.", _AGAIN)
    whole = Position(position.root, position.path, position.items + 1, True, position.files, position.stamp)
    return Input(where, error, whole)


def _walk(paths: Iterable[Location]) -> Iterator[tuple[Key, Location | IngestError]]:
    """Every file, and in its place every link that is left out, with what it sorts by."""
    seen: set[tuple[int, int]] = set()
    for number, root in enumerate(map(located, paths)):
        refused: list[IngestError] = []
        for location in discover([root], refused=refused.append, seen=seen):
            yield from _refusals(number, root, refused)
            yield (number, _names(root, location)), location
        yield from _refusals(number, root, refused)


def _refusals(number: int, root: Location, refused: list[IngestError]) -> Iterator[tuple[Key, IngestError]]:
    for error in refused:
        yield (number, _names(root, located(error.where))), error
    refused.clear()


def _names(root: Location, location: Location) -> tuple[str, ...]:
    if isinstance(root, Path) and isinstance(location, Path):
        return location.relative_to(root).parts
    inner = str(location).removeprefix(str(root).rstrip("/")).strip("/")
    return tuple(inner.split("/")) if inner else ()


def _key_of(position: Position) -> Key:
    path = os.fsdecode(position.path)
    return position.root, tuple(path.split("/")) if path else ()


def _stamp(location: Location) -> tuple[int, int] | None:
    if not isinstance(location, Path):
        return None
    try:
        status = location.stat()
    except OSError:
        return None  # reading it names the error
    return status.st_size, status.st_mtime_ns


def _with_last(items: Iterable[T]) -> Iterator[tuple[T, bool]]:
    """Each item, and whether it is the last.

    >>> list(_with_last("ab"))
    [('a', False), ('b', True)]
    """
    items = iter(items)
    for held in items:
        for item in items:
            yield held, False
            held = item
        yield held, True
