"""Files on this machine and, by URL (s3://, hdfs://, memory:// …), on any store that fsspec reaches."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from gongkai.errors import UnreadableInput
from gongkai.ingest.streams import opened, unreadable

Location = Path | str
"""A file or folder: a path, or a URL that fsspec understands."""

_LOCAL = "file://"
_WEB = ("http://", "https://")


class Entry(NamedTuple):
    """One entry of a folder, small: a folder may have millions. `link`: its target may lie anywhere."""

    name: str
    folder: bool
    file: bool
    link: bool = False


def located(location: Location) -> Location:
    """A URL as a string, anything else as a path.

    >>> located("a.zip"), located("s3://bucket/a.zip")
    (PosixPath('a.zip'), 's3://bucket/a.zip')
    """
    if isinstance(location, Path):
        return location
    if location.startswith(_LOCAL):
        return Path(location.removeprefix(_LOCAL))
    return location if "://" in location else Path(location)


def name_of(location: Location) -> str:
    """The last words of a path or URL.

    >>> name_of("s3://bucket/2019/a.zip")
    'a.zip'
    """
    return location.name if isinstance(location, Path) else location.rstrip("/").rpartition("/")[2]


def printable(location: Location) -> str:
    r"""The location as text that JSON and Arrow can hold: bytes of a name that are no UTF-8 as `\udcXX`.

    >>> printable("\udcb1.txt") == r"\udcb1.txt"
    True
    """
    return str(location).encode("utf-8", "backslashreplace").decode()


def open_location(location: Location) -> io.BufferedReader:
    """The bytes of a file, readable and, where its store can, seekable.

    Raises:
        UnreadableInput: It is not there, is a folder, or may not be read; now or while it is read.
    """
    where = str(location)
    if isinstance(location, Path) and location.is_dir():
        raise UnreadableInput(where, "The folder cannot be listed.", "Check its permissions.")
    try:
        if isinstance(location, Path):
            return opened(location.open("rb", buffering=0), where)
        files, path = _store(location)
        return opened(files.open(path, "rb"), where)
    # Each store raises errors of its own kind.
    except Exception as error:
        raise unreadable(where, error) from None


def is_folder(location: Location) -> bool:
    """Whether the location can be listed; False too where there is nothing, or no answer."""
    if isinstance(location, Path):
        return location.is_dir()
    if location.startswith(_WEB):
        return False  # fsspec takes the links of any page for a folder's entries
    try:
        files, path = _store(location)
        return bool(files.isdir(path))
    except Exception:
        return False  # reading it names the error


def entries(folder: Location) -> Iterator[Entry]:
    """What a folder holds, in no order.

    Raises:
        UnreadableInput: It cannot be listed.
    """
    try:
        yield from _local(folder) if isinstance(folder, Path) else _remote(folder)
    except Exception as error:
        raise unreadable(str(folder), error) from None


def child(folder: Location, name: str) -> Location:
    """The entry `name` of a folder.

    >>> child("s3://bucket/2019/", "a.zip")
    's3://bucket/2019/a.zip'
    """
    return folder / name if isinstance(folder, Path) else f"{folder.rstrip('/')}/{name}"


def _local(folder: Path) -> Iterator[Entry]:
    with os.scandir(folder) as listed:
        for entry in listed:
            yield Entry(entry.name, _is(entry.is_dir), _is(entry.is_file), entry.is_symlink())


def _is(ask: Any) -> bool:
    """False where the system refuses an answer: a link that leads to itself."""
    try:
        return bool(ask())
    except OSError:
        return False


def _remote(folder: str) -> Iterator[Entry]:
    files, path = _store(folder)
    for found in files.ls(path, detail=True):
        name = found["name"].rstrip("/")
        if name.strip("/") != path.strip("/"):  # some stores list an empty object for the folder itself
            yield Entry(name_of(name), found["type"] == "directory", found["type"] == "file")


def _store(url: str) -> tuple[Any, str]:
    from fsspec.core import url_to_fs  # brings stores of its own, of no use to local runs

    files, path = url_to_fs(url, use_listings_cache=False)
    return files, str(path)
