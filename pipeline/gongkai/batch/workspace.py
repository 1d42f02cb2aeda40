"""`OUT/.gongkai`: all that a run must know to go on after whatever stopped it. Gone when the run has ended.

    run.sqlite          the content of every input so far, for repeats; locked as long as the run lives
    settings.json       what a resumed run must have in common with this one
    manifest.jsonl      what was planned, given up and done, a line each, on the disk before the next step
    shards/000012.in    the inputs of a shard, until its results are there
    shards/000012/      its results
    merged/             what will be moved to OUT

A line of the manifest is only written when what it speaks of is on the disk, so that what a loss of power can
take is always the tail, and always made again.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from gongkai.batch.durable import sync_folder, write_whole
from gongkai.batch.inputs import Input
from gongkai.batch.messages import (
    Committed,
    Exhausted,
    Item,
    Line,
    Planned,
    Poisoned,
    Refusal,
    Repeat,
    Task,
)
from gongkai.batch.shards import is_whole, read_items, write_items
from gongkai.batch.worker import failure
from gongkai.errors import IngestError, OutputError, Quarantined
from gongkai.export import writing
from gongkai.ingest import Leaf, identify, printable

FOLDER = ".gongkai"
_LINE = msgspec.json.Decoder(Line)


class Settings(msgspec.Struct, frozen=True):
    """What the results depend on: two runs with equal settings over equal inputs write equal results."""

    version: str
    paths: tuple[str, ...]
    formats: tuple[str, ...]
    fail_fast: bool
    shard_items: int
    shard_bytes: int
    extractor: dict[str, str]


class Workspace:
    """The working folder of a run, locked; a context manager.

    Attributes:
        planned, committed, poisoned: What the manifest says, by shard.
        exhausted: Whether all inputs are planned.

    Raises:
        OutputError: Another run is at work here; an unfinished one is in the way, or is to be resumed with other
            settings; the disk is full (raised by any method).
    """

    def __init__(self, out: Path, settings: Settings, *, resume: bool = False, force: bool = False) -> None:
        self.out = out
        self.folder = out / FOLDER
        self.shards = self.folder / "shards"
        self.merged = self.folder / "merged"
        self.settings = settings
        self._resume = resume
        self._force = force
        self.planned: dict[int, Planned] = {}
        self.committed: dict[int, Committed] = {}
        self.poisoned: dict[int, list[Poisoned]] = {}
        self.exhausted = False
        self._attempt = 0
        self._made = False
        self._done = False

    def __enter__(self) -> Self:
        with writing(self.out), self._locking():
            found = self.folder.exists()
            self._made = not self.out.exists()
            if found and not self._resume and not self._force:
                problem = "An unfinished run lies here, or is at work."
                raise OutputError(
                    str(self.out), problem, "Pass --resume to go on with it, or --force to throw it away."
                )
            self.shards.mkdir(parents=True, exist_ok=True)
            self._seen = _Seen(self.folder / "run.sqlite")
            try:
                self._take_up(found)
                self._manifest = (self.folder / "manifest.jsonl").open("ab")
            except BaseException:
                self._seen.close()
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with suppress(OSError):  # a full disk fails again on close
            self._manifest.close()
        self._seen.close()
        if self._done or not self.committed:  # there is nothing to go on with
            # At one stroke: half a workspace would be taken for an unfinished run.
            ended = self.folder.with_name(f"{FOLDER}.ended")
            shutil.rmtree(ended, ignore_errors=True)
            with writing(self.out):
                self.folder.replace(ended)
            shutil.rmtree(ended, ignore_errors=True)
            if self._made:
                with suppress(OSError):  # of a run that ended before it had results, nothing stays
                    self.out.rmdir()

    def _take_up(self, found: bool) -> None:
        """Read what an earlier run left, or throw it away; throw away what it had not committed."""
        path = self.folder / "settings.json"
        if found and self._resume and path.exists():
            self._compare(msgspec.json.decode(path.read_bytes(), type=Settings))
            self._read_manifest()
        else:
            (self.folder / "manifest.jsonl").unlink(missing_ok=True)
            write_whole(path, msgspec.json.encode(self.settings))
        self._seen.forget(len(self.planned))
        self.committed = {shard: line for shard, line in self.committed.items() if self._in_place(line)}
        kept = {self.results(shard) for shard in self.committed}
        kept |= {self.input(shard) for shard in self.planned.keys() - self.committed}
        for entry in set(self.shards.iterdir()) - kept:
            if entry.is_dir():
                shutil.rmtree(entry)
            else:
                entry.unlink()

    def _compare(self, earlier: Settings) -> None:
        for name in Settings.__struct_fields__:
            was, now = getattr(earlier, name), getattr(self.settings, name)
            if was != now:
                problem = f"The unfinished run was begun with {name.replace('_', ' ')} {was}, not {now}."
                raise OutputError(
                    str(self.out), problem, "Resume it with the same, or pass --force to start anew."
                )

    def _read_manifest(self) -> None:
        """What the manifest says, up to a line that was not written out; that one is cut off."""
        path = self.folder / "manifest.jsonl"
        if not path.exists():
            return
        sound = 0
        for raw in path.read_bytes().splitlines(keepends=True):
            try:
                line = _LINE.decode(raw)
            except msgspec.DecodeError:
                break
            if not raw.endswith(b"\n"):
                break
            sound += len(raw)
            self._note(line)
        with path.open("rb+") as file:
            file.truncate(sound)

    def _note(self, line: Line) -> None:
        match line:
            case Planned():
                self.planned[line.shard] = line
                if line.poisoned:
                    self.poisoned[line.shard] = list(line.poisoned)
            case Exhausted():
                self.exhausted = True
            case Poisoned():
                self.poisoned.setdefault(line.shard, []).append(line)
            case Committed():
                self.committed[line.shard] = line

    def _append(self, line: Line) -> None:
        with writing(self.out):
            self._manifest.write(msgspec.json.encode(line) + b"\n")
            self._manifest.flush()
            os.fsync(self._manifest.fileno())
        self._note(line)

    def results(self, shard: int) -> Path:
        """Folder of a shard's results."""
        return self.shards / f"{shard:06}"

    def input(self, shard: int) -> Path:
        """File of a shard's inputs."""
        return self.shards / f"{shard:06}.in"

    def has_input(self, shard: int) -> bool:
        """Whether a planned shard's inputs are still here."""
        return is_whole(self.input(shard), self.planned[shard].sha256)

    def plan(self, shard: int, inputs: list[Input]) -> None:
        """Put a shard's inputs aside and note them; those of one planned before must be the same.

        Raises:
            OutputError: The shard was lost, and its inputs changed since: neither its old results nor new ones
                would be those of one run.
        """
        with writing(self.out), self._locking():
            items = [self._item(shard, number, each) for number, each in enumerate(inputs)]
            self._seen.settle()
            sha256 = write_items(self.input(shard), items)
            line = Planned(shard, len(items), sha256, inputs[-1].position, tuple(_harmful(shard, inputs)))
        if shard not in self.planned:
            self._append(line)
        elif self.planned[shard].sha256 != line.sha256:
            problem = f"Shard {shard} is damaged, and its inputs changed since."
            raise OutputError(str(self.out), problem, "Start anew: pass --force instead of --resume.")

    def exhaust(self) -> None:
        """Note that all inputs are planned."""
        self._append(Exhausted(len(self.planned)))

    def poison(self, shard: int, item: int, reason: str) -> None:
        """Note that an item is not tried again."""
        leaf = next(islice(read_items(self.input(shard)), item, None))
        assert isinstance(leaf, Leaf)
        self._append(Poisoned(shard, item, leaf.place.path, leaf.place.member, reason))

    def task(self, shard: int) -> Task:
        """What a worker is told of a planned shard."""
        self._attempt += 1
        target = self.shards / f"{shard:06}.{os.getpid()}-{self._attempt}"
        poisoned = {line.item: line.reason for line in self.poisoned.get(shard, ())}
        return Task(shard, str(self.input(shard)), str(target), bool(poisoned), poisoned)

    def commit(self, line: Committed, target: Path) -> None:
        """Move a shard's results to their place and note them; its inputs are needed no more."""
        with writing(self.out):
            target.replace(self.results(line.shard))
            sync_folder(self.shards)
        self._append(line)
        self.input(line.shard).unlink(missing_ok=True)

    def discard(self) -> None:
        """Have the folder removed when the block ends."""
        self._done = True

    def _in_place(self, line: Committed) -> bool:
        folder = self.results(line.shard)
        try:
            return all((folder / name).stat().st_size == size for name, size in line.sizes.items())
        except FileNotFoundError:
            return False

    def _item(self, shard: int, number: int, each: Input) -> Item:
        leaf = each.leaf
        if isinstance(leaf, IngestError):
            member = printable(leaf.where).removeprefix(each.path).strip() or None
            return Refusal(failure(each.path, member, leaf))
        identity = identify(leaf)
        if identity is None:
            return leaf
        first = self._seen.first(identity.content, shard, number, identity.id)
        if first is None:
            return leaf
        return Repeat(leaf.place.path, leaf.place.member, leaf.url, identity.id, first[2], first[0], first[1])

    @contextmanager
    def _locking(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise OutputError(str(self.out), f"Writing failed: {error}.", "Free space.") from error
            problem = "Another run is writing here."
            raise OutputError(str(self.out), problem, "Wait for it, or choose another folder.") from None


def _harmful(shard: int, inputs: Iterable[Input]) -> Iterator[Poisoned]:
    for number, each in enumerate(inputs):
        if isinstance(each.leaf, Quarantined):
            yield Poisoned(shard, number, each.path, None, each.leaf.problem)


class _Seen:
    """Where each content was met first, on the disk. SQLite's lock on the file is the run's lock on its folder:
    it goes with the process, however that ends."""

    def __init__(self, path: Path) -> None:
        self._rows = sqlite3.connect(path, timeout=0, isolation_level=None)
        try:
            self._rows.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._rows.execute("PRAGMA journal_mode = TRUNCATE")
            self._rows.execute("PRAGMA synchronous = FULL")
            self._rows.execute("BEGIN EXCLUSIVE")
            self._rows.execute(
                "CREATE TABLE IF NOT EXISTS seen "
                "(content BLOB PRIMARY KEY, shard INT, item INT, id TEXT) WITHOUT ROWID"
            )
            self._rows.execute("COMMIT")
        except BaseException:
            self._rows.close()
            raise

    def forget(self, shard: int) -> None:
        """Forget what was met in a shard and those after it."""
        self._rows.execute("DELETE FROM seen WHERE shard >= ?", (shard,))

    def first(self, content: bytes, shard: int, item: int, own_id: str) -> tuple[int, int, str] | None:
        """Shard, item and id of where a content was met before; None if that is here, and now noted."""
        if not self._rows.in_transaction:
            self._rows.execute("BEGIN")
        found: tuple[int, int, str] | None = self._rows.execute(
            "SELECT shard, item, id FROM seen WHERE content = ?", (content,)
        ).fetchone()
        if found is None:
            self._rows.execute("INSERT INTO seen VALUES (?, ?, ?, ?)", (content, shard, item, own_id))
        return None if found is None or found[:2] == (shard, item) else found

    def settle(self) -> None:
        """Have it on the disk."""
        if self._rows.in_transaction:
            self._rows.execute("COMMIT")

    def close(self) -> None:
        self._rows.close()
