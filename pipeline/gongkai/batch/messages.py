"""What the main process, its workers and the manifest tell each other."""

from __future__ import annotations

from collections import Counter

import msgspec

from gongkai.export import Failure
from gongkai.ingest import Leaf
from gongkai.types import Record


class Repeat(msgspec.Struct, frozen=True, tag=True):
    """A document whose bytes were met before.

    Attributes:
        id: Its own id.
        duplicate_of: Id of the first document with these bytes.
        shard, item: Where that one stands.
    """

    path: str
    member: str | None
    url: str | None
    id: str
    duplicate_of: str
    shard: int
    item: int


class Refusal(msgspec.Struct, frozen=True, tag=True):
    """An input of which nothing could be read."""

    failure: Failure


Item = Leaf | Repeat | Refusal
"""What a shard holds, in the order in which it was found."""


class Position(msgspec.Struct, frozen=True):
    """How far the inputs have been gone through.

    Attributes:
        root: Which of the given paths, from 0.
        path: The file's path within it, as its bytes; empty for the given path itself.
        items: Items of that file that were taken.
        whole: Whether they are all it holds.
        files: Files so far, this one included.
        stamp: Its size and time of change, where it lies on this machine.
    """

    root: int
    path: bytes
    items: int
    whole: bool
    files: int
    stamp: tuple[int, int] | None = None


class Counts(msgspec.Struct):
    """What came of a shard.

    Attributes:
        errors: Inputs that gave no record, by class of error.
        repeats: Documents met before.
    """

    documents: int = 0
    characters: int = 0
    relations: int = 0
    facts: int = 0
    entities: dict[str, int] = msgspec.field(default_factory=Counter)
    findings: dict[str, int] = msgspec.field(default_factory=Counter)
    errors: dict[str, int] = msgspec.field(default_factory=Counter)
    repeats: int = 0

    def count(self, record: Record) -> None:
        """Add one written record."""
        self.documents += 1
        self.characters += len(record.text)
        for entity in record.entities:
            self.entities[entity.label] += 1
        self.relations += len(record.relations)
        self.facts += len(record.facts)
        for finding in record.findings:
            self.findings[finding.check] += 1


# Lines of the manifest.


class Poisoned(msgspec.Struct, frozen=True, tag="poisoned"):
    """An item is not tried again."""

    shard: int
    item: int
    path: str
    member: str | None
    reason: str


class Planned(msgspec.Struct, frozen=True, tag="planned"):
    """A shard was cut.

    Attributes:
        sha256: Of its input file.
        end: Where the next one begins.
        poisoned: Those of its items that stand for a file which harmed whoever read it.
    """

    shard: int
    items: int
    sha256: str
    end: Position
    poisoned: tuple[Poisoned, ...] = ()


class Exhausted(msgspec.Struct, frozen=True, tag="exhausted"):
    """There are no more inputs than those of so many shards."""

    shards: int


class Committed(msgspec.Struct, frozen=True, tag="committed"):
    """The results of a shard are in place.

    Attributes:
        sizes: Bytes of each of its files.
        failed: Its items that gave no record.
        stopped: The failure that ended a run with `fail_fast` in this shard.
    """

    shard: int
    counts: Counts
    sizes: dict[str, int]
    failed: tuple[int, ...] = ()
    stopped: Failure | None = None


Line = Planned | Exhausted | Poisoned | Committed


# To a worker.


class Task(msgspec.Struct, frozen=True):
    """A shard to be done.

    Attributes:
        input, target: Its input file; the folder, not there yet, for its results.
        careful: Whether its documents are taken one by one, so that it shows which one does harm.
        poisoned: Items that are left out, with the reason.
    """

    shard: int
    input: str
    target: str
    careful: bool = False
    poisoned: dict[int, str] = {}


# From a worker.


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """It has loaded what it needs."""


class At(msgspec.Struct, frozen=True, tag="at"):
    """It is alive, and about to take an item; None once it only writes."""

    item: int | None


class Broken(msgspec.Struct, frozen=True, tag="broken"):
    """It cannot go on, and neither could another: an error of `gongkai.errors` by its class's name."""

    error: str
    where: str
    problem: str
    remedy: str


News = Ready | At | Broken | Committed
