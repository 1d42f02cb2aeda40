"""Writing that outlives a loss of power: what is said to be there is on the disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def synced(path: Path, mode: str = "wb") -> Iterator[BinaryIO]:
    """A file to write whose bytes are on the disk when the block ends."""
    with path.open(mode) as file:
        yield file  # type: ignore[misc]
        file.flush()
        os.fsync(file.fileno())


def sync_file(path: Path) -> None:
    """Have the bytes of a closed file on the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk: new files, renamed ones."""
    if os.name == "nt":
        return  # folders cannot be opened there, and are journalled
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_whole(path: Path, data: bytes) -> None:
    """Put a small file in place of an older one, whole or not at all."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    with synced(unfinished) as file:
        file.write(data)
    unfinished.replace(path)
    sync_folder(path.parent)
