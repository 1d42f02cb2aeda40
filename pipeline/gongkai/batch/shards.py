"""Shards: consecutive inputs by the hundred, each a file of its own until its results are in place."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from gongkai.batch.durable import sync_folder, synced
from gongkai.batch.inputs import Input
from gongkai.batch.messages import Item

_LENGTH = 8
_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Item] = msgspec.msgpack.Decoder(Item)


class ShardSize(msgspec.Struct, frozen=True):
    """When a shard is full: at so many items, or once it holds so many bytes.

    Small enough that two workers share a few hundred reports and that little is lost with one, large enough that
    the model's batches are full and that committing costs nothing beside extraction.
    """

    items: int = 128
    bytes: int = 4 * 1024 * 1024


def cut(found: Iterable[Input], size: ShardSize) -> Iterator[list[Input]]:
    """Consecutive inputs in lists; where they are cut depends on nothing but the inputs and the size."""
    shard: list[Input] = []
    held = 0
    for each in found:
        shard.append(each)
        held += len(getattr(each.leaf, "data", b""))
        if len(shard) >= size.items or held >= size.bytes:
            yield shard
            shard, held = [], 0
    if shard:
        yield shard


def write_items(path: Path, items: Iterable[Item]) -> str:
    """Write a shard's input file, whole or not at all; its SHA-256."""
    digest = hashlib.sha256()
    unfinished = path.with_suffix(".unfinished")
    with synced(unfinished) as file:
        for item in items:
            packed = _encoder.encode(item)
            for piece in (len(packed).to_bytes(_LENGTH, "little"), packed):
                digest.update(piece)
                file.write(piece)
    unfinished.replace(path)
    sync_folder(path.parent)
    return digest.hexdigest()


def read_items(path: Path) -> Iterator[Item]:
    """The items of an input file, one in memory at a time."""
    with path.open("rb") as file:
        while length := file.read(_LENGTH):
            yield _decoder.decode(file.read(int.from_bytes(length, "little")))


def is_whole(path: Path, sha256: str) -> bool:
    """Whether the file is there, and as it was written."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except FileNotFoundError:
        return False
