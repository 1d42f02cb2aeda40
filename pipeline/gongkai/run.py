"""One run over files and folders: read, extract, write, count; on any number of processes.

Inputs are cut into shards, worker processes do them, and what is done is on the disk: a run that was killed goes
on where it was (`resume`), and ends with the same bytes. Bad input becomes a line of errors.jsonl, and what hangs
or crashes a worker one of quarantine.jsonl, too, and the run goes on. Memory does not grow with the number of
documents.
"""

from __future__ import annotations

import os
import pickle
import platform
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from pathlib import Path
from threading import Thread
from typing import Any

import msgspec

from gongkai import __version__
from gongkai.batch.assemble import RESULT_NAMES, RUN_FILE, assemble, publish
from gongkai.batch.cluster import RayPool
from gongkai.batch.durable import write_whole
from gongkai.batch.inputs import Input, inputs
from gongkai.batch.messages import Committed, Poisoned, Position, Task
from gongkai.batch.pool import Poison, Pool, Step
from gongkai.batch.reading import Reader
from gongkai.batch.shards import ShardSize, cut
from gongkai.batch.worker import DocumentExtractor, Orders
from gongkai.batch.workspace import FOLDER, Settings, Workspace
from gongkai.errors import IngestError, OutputError, UnreadableInput
from gongkai.export import DERIVED, Failure, Format, writing
from gongkai.ingest import Location, discover, located, printable, read
from gongkai.types import Document

TIMEOUT = 60.0
"""Seconds that one document may take."""
_NOTED = 10.0
"""Seconds between notes of how far a run is."""

_OWN = frozenset((*RESULT_NAMES, *DERIVED, FOLDER))
"""What of its folder is a run's own."""

MakeExtractor = Callable[[], DocumentExtractor]
"""What makes the extractor of a worker process; can be pickled (a class, a `functools.partial` of one)."""
MakePool = Callable[[Orders, int | None, float], Pool | RayPool]
"""What makes the workers, from orders, number and timeout: `processes` on this machine, `RayPool` on a cluster."""


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processes(orders: Orders, size: int | None, timeout: float) -> Pool:
    """Workers on this machine, as many as there are cores if not told."""
    return Pool(orders, size or cores(), timeout)


@dataclass(slots=True)
class RunSummary:
    """What a run has done so far; complete when `run` returns it.

    Attributes:
        files: That were read.
        documents: Records written.
        characters: Of those records.
        entities: By label.
        findings: By check.
        errors: Inputs that gave no record, by class of error.
        duplicates: Documents that are not extracted again, as their bytes are those of an earlier one.
        quarantined: Documents left out, which are among the errors.
        planned: Items read so far, of whatever kind; `done` of them are done.
        total: Files that there are, once they have been counted; None before, and where that would take a store's
            listing.
        seconds: Of all attempts, if it was resumed.
        stopped_by: With `fail_fast`, the failure that ended the run.
    """

    files: int = 0
    documents: int = 0
    characters: int = 0
    entities: Counter[str] = field(default_factory=Counter)
    relations: int = 0
    facts: int = 0
    findings: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    duplicates: int = 0
    quarantined: int = 0
    planned: int = 0
    done: int = 0
    total: int | None = None
    seconds: float = 0.0
    stopped_by: Failure | None = None

    @property
    def failed(self) -> int:
        """Number of inputs that gave no record."""
        return self.errors.total()

    @property
    def characters_per_second(self) -> float:
        return self.characters / self.seconds if self.seconds else 0.0

    @property
    def documents_per_second(self) -> float:
        return self.documents / self.seconds if self.seconds else 0.0

    @property
    def remaining(self) -> float | None:
        """Seconds to the end if files go on as they did; None while nothing can be said."""
        if not self.total or not self.done or not self.files:
            return None
        share = min(self.files / self.total, 1.0) * self.done / self.planned
        return self.seconds * (1 / share - 1)

    def add(self, line: Committed, items: int) -> None:
        """Count a shard of so many items."""
        counts = line.counts
        self.documents += counts.documents
        self.characters += counts.characters
        self.relations += counts.relations
        self.facts += counts.facts
        self.entities.update(counts.entities)
        self.findings.update(counts.findings)
        self.errors.update(counts.errors)
        self.duplicates += counts.repeats
        self.done += items


Progress = Callable[[RunSummary], None]
"""Called with the counts so far whenever a shard is done."""


def run(
    paths: Iterable[Location],
    out: Path,
    *,
    extractor: MakeExtractor,
    formats: Collection[Format] = (Format.JSONL,),
    workers: int | None = None,
    pool: MakePool = processes,
    resume: bool = False,
    force: bool = False,
    fail_fast: bool = False,
    settings: Mapping[str, str] | None = None,
    timeout: float = TIMEOUT,
    memory: int | None = None,
    shard: ShardSize | None = None,
    progress: Progress | None = None,
    log: Path | None = None,
) -> RunSummary:
    """Extract every document under `paths`, files, folders and URLs, into the folder `out`.

    A file that cannot be read, a document on which the extractor fails, and a record that a format cannot
    hold each become one line of errors.jsonl. A document whose bytes were met before becomes a line of
    duplicates.jsonl. The results are the same, byte for byte (but for run.json and gongkai.duckdb), whatever the
    number of workers and however often the run was stopped and resumed.

    Args:
        extractor: Makes the extractor of each worker: one that turns a document into a record, or many at once.
        formats: What to write.
        workers: Processes; as many as there are cores if None.
        pool: Where they are; the results depend on it as little, and a run may be resumed elsewhere.
        resume: Go on with an unfinished run in `out` if there is one; nothing is done if it had finished.
        force: Whether results, finished or not, that lie in `out` already may be replaced.
        fail_fast: End at the first input that fails; what comes before it is kept.
        settings: What the records depend on beside gongkai's version: the mode, the model.
        timeout: Seconds that a document may take.
        memory: Bytes that a worker may take.
        shard: When a shard is full.
        progress: Told of every step.
        log: File to which structured logs are added: one JSON object a line.

    Raises:
        OutputError: `out` holds results and neither `force` nor `resume` is given, belongs to another run, or
            cannot be written; `resume` then goes on.
        UnreadableInput: There is no file under `paths`; nothing is written.
        GongkaiError: The extractor cannot be made.
    """
    paths = list(paths)
    size = shard or ShardSize()
    ours = Settings(
        version=__version__,
        paths=tuple(map(printable, paths)),
        formats=tuple(sorted(set(formats))),
        fail_fast=fail_fast,
        shard_items=size.items,
        shard_bytes=size.bytes,
        extractor=dict(settings or {}),
    )
    finished = _finished(out, ours, resume=resume, force=force)
    if finished is not None:
        return finished
    orders = Orders(pickle.dumps(extractor), _ordered(formats), fail_fast, 1, memory)
    with Workspace(out, ours, resume=resume, force=force) as workspace, Reader(timeout, memory) as reader:
        each = _Run(paths, reader, workspace, size, log)
        with pool(orders, workers, timeout) as workforce:
            return each.go(workforce, orders.formats, progress)


def load_extractor(mode: str, model: Path | None) -> DocumentExtractor:
    """The extractor of a worker, of one thread; nothing of it is imported before."""
    from gongkai.pipeline import Extractor

    return Extractor(mode, model, threads=1)


def _ordered(formats: Collection[Format]) -> tuple[Format, ...]:
    """The formats, each once, in the order of their definition."""
    return tuple(form for form in Format if form in formats)


def nth_document(path: Location, number: int = 1) -> Document:
    """The document of a file, or the `number`-th (from 1) of a file that holds several.

    Raises:
        IngestError: The file, or that part of it, cannot be read, or it holds fewer documents.
    """
    count = 0
    for count, item in enumerate(read(path), start=1):
        if count == number:
            if isinstance(item, IngestError):
                raise item
            return item
    raise UnreadableInput(str(path), f"It holds {count} documents, not {number}.", "Choose a lower --number.")


class _Run:
    """A run in a workspace: plans, commits, counts, tells."""

    def __init__(
        self, paths: list[Location], reader: Reader, workspace: Workspace, size: ShardSize, log: Path | None
    ) -> None:
        self._paths = paths
        self._reader = reader
        self._workspace = workspace
        self._size = size
        self._log = log
        self._out = workspace.out.resolve()
        self._state = _State.read(workspace.folder / RUN_FILE)
        self._clock = time.monotonic()
        self._noted = self._clock
        self._targets: dict[int, Path] = {}
        self._last: int | None = None
        """With fail_fast, the shard in which a failure ended the run."""
        self.summary = RunSummary(seconds=self._state.seconds)
        self._count_what_is_done()

    def go(self, pool: Pool | RayPool, formats: tuple[Format, ...], progress: Progress | None) -> RunSummary:
        """Do what is left to do, and put the results in place."""
        try:
            self._tell("started", done=len(self._workspace.committed), planned=len(self._workspace.planned))
            if progress is not None:
                Thread(target=self._count_files, daemon=True).start()
            for news in pool.run(self._tasks()):
                self._take(news)
                self._time()
                if progress is not None:
                    progress(self.summary)
            return self._finish(formats)
        except BaseException as error:
            self._note("interrupted" if isinstance(error, KeyboardInterrupt) else "failed")
            self._tell("stopped", error=type(error).__name__, message=str(error))
            raise

    def _count_files(self) -> None:
        """Count what there is to read, beside the run; only names are looked at."""
        if any(isinstance(located(path), str) for path in self._paths):
            return
        found = discover(self._paths, refused=lambda _: None)
        total = sum(1 for path in found if not self._own(Path(path)))
        self.summary.total = total

    def _tasks(self) -> Iterator[Task]:
        """The shards that are still to be done, those first that were planned already."""
        for shard in sorted(self._workspace.planned.keys() - self._workspace.committed.keys()):
            if not self._workspace.has_input(shard):
                self._recut(shard)
            if self._wanted(shard):
                yield self._task(shard)
        if self._workspace.exhausted:
            return
        shard = len(self._workspace.planned)
        after = self._workspace.planned[shard - 1].end if shard else None
        for found in cut(self._inputs(after), self._size):
            if not self._wanted(shard):
                return
            self._workspace.plan(shard, found)
            self.summary.planned += len(found)
            self.summary.files = found[-1].position.files
            self._tell("planned", shard=shard, items=len(found))
            for line in self._workspace.poisoned.get(shard, ()):
                self._quarantined(line)
            yield self._task(shard)
            shard += 1
        if not shard:
            where = ", ".join(map(printable, self._paths)) or "PATH"
            raise UnreadableInput(
                where, "No file to read was found there.", "Name a file, or a folder with files."
            )
        self._workspace.exhaust()

    def _task(self, shard: int) -> Task:
        task = self._workspace.task(shard)
        self._targets[shard] = Path(task.target)
        return task

    def _recut(self, shard: int) -> None:
        """Read again the inputs of a shard whose file was lost."""
        planned = self._workspace.planned
        after = planned[shard - 1].end if shard else None
        found = list(islice(self._inputs(after), planned[shard].items))
        self._workspace.plan(shard, found)

    def _inputs(self, after: Position | None) -> Iterator[Input]:
        return inputs(self._paths, self._own, after, read=self._reader.leaves)

    def _wanted(self, shard: int) -> bool:
        return self._last is None or shard < self._last

    def _own(self, path: Path) -> bool:
        """Whether a file is one of the run's results, which a run over its own folder must not read."""
        path = _resolved(path.parent) / path.name
        return path.is_relative_to(self._out) and not _OWN.isdisjoint(path.relative_to(self._out).parts[:1])

    def _take(self, news: Committed | Poison | Step) -> None:
        match news:
            case Committed():
                self._workspace.commit(news, self._targets.pop(news.shard))
                self._count(news)
                self._tell(
                    "committed", shard=news.shard, documents=news.counts.documents, errors=len(news.failed)
                )
            case Poison():
                self._workspace.poison(*news)
                self._quarantined(news)
            case Step():
                pass

    def _quarantined(self, what: Poison | Poisoned) -> None:
        self.summary.quarantined += 1
        self._tell("quarantined", shard=what.shard, item=what.item, reason=what.reason)

    def _count_what_is_done(self) -> None:
        workspace = self._workspace
        self.summary.planned = sum(line.items for line in workspace.planned.values())
        self.summary.quarantined = sum(map(len, workspace.poisoned.values()))
        if workspace.planned:
            self.summary.files = workspace.planned[len(workspace.planned) - 1].end.files
        for line in workspace.committed.values():
            self._count(line)

    def _count(self, line: Committed) -> None:
        self.summary.add(line, self._workspace.planned[line.shard].items)
        if line.stopped is not None and self._wanted(line.shard):
            self._last = line.shard

    def _time(self) -> None:
        now = time.monotonic()
        self.summary.seconds = self._state.seconds + now - self._clock
        if now - self._noted > _NOTED:
            self._noted = now
            self._note("running")

    def _finish(self, formats: tuple[Format, ...]) -> RunSummary:
        workspace = self._workspace
        shards = sorted(workspace.committed)
        if self._last is not None:
            shards = [shard for shard in shards if shard <= self._last]
            self._recount(shards)
        self._tell("assembling", shards=len(shards))
        failed = assemble(workspace, shards, formats)
        self.summary.duplicates -= failed.total()
        self.summary.errors.update(failed)
        self._time()
        with writing(workspace.out):
            write_whole(workspace.merged / RUN_FILE, self._report("finished"))
        publish(workspace)
        workspace.discard()
        self._tell("finished", documents=self.summary.documents, failed=self.summary.failed)
        return self.summary

    def _recount(self, shards: list[int]) -> None:
        """Count only what is kept of a run that a failure ended."""
        workspace = self._workspace
        kept = RunSummary(files=workspace.planned[shards[-1]].end.files, planned=self.summary.planned)
        for shard in shards:
            kept.add(workspace.committed[shard], workspace.planned[shard].items)
            kept.quarantined += len(workspace.poisoned.get(shard, ()))
        kept.stopped_by = workspace.committed[shards[-1]].stopped
        self.summary = kept

    def _report(self, state: str) -> bytes:
        report = _State(
            state=state,
            started=self._state.started,
            ended=_now(),
            seconds=self.summary.seconds,
            settings=self._workspace.settings,
            summary=self.summary,
            documents_per_second=self.summary.documents_per_second,
            characters_per_second=self.summary.characters_per_second,
            quarantine=[
                {"path": line.path, "member": line.member, "reason": line.reason}
                for shard in sorted(self._workspace.poisoned)
                for line in self._workspace.poisoned[shard]
            ],
        )
        return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"

    def _note(self, state: str) -> None:
        """Say in the workspace how far the run is; a full disk leaves the last note."""
        try:
            write_whole(self._workspace.folder / RUN_FILE, self._report(state))
        except OSError:
            return

    def _tell(self, event: str, **fields: Any) -> None:
        if self._log is None:
            return
        line = msgspec.json.encode({"time": _now(), "event": event, **fields})
        with writing(self._log), self._log.open("ab") as log:
            log.write(line + b"\n")


@lru_cache(maxsize=64)
def _resolved(folder: Path) -> Path:
    """The folder without links; asked for once, not for each of its files."""
    return folder.resolve()


class _State(msgspec.Struct, kw_only=True):
    """What run.json says: how the run went. Not the same in two runs, unlike all other results.

    Attributes:
        state: running, interrupted (Ctrl-C), failed (an error, a full disk), finished.
        started, ended: Local clock, which is not what `seconds` are taken from.
    """

    state: str = "running"
    started: str = ""
    ended: str = ""
    seconds: float = 0.0
    python: str = platform.python_version()
    platform: str = platform.platform()
    settings: Settings | None = None
    summary: RunSummary = msgspec.field(default_factory=RunSummary)
    documents_per_second: float = 0.0
    characters_per_second: float = 0.0
    quarantine: list[dict[str, str | None]] = []

    @classmethod
    def read(cls, path: Path) -> _State:
        """What an earlier attempt noted; a new state if there was none."""
        try:
            return msgspec.json.decode(path.read_bytes(), type=cls, dec_hook=_as_counter)
        except (FileNotFoundError, msgspec.DecodeError):
            return cls(started=_now())


def _as_counter(kind: type, value: dict[str, int]) -> Any:
    return kind(value)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _finished(out: Path, ours: Settings, *, resume: bool, force: bool) -> RunSummary | None:
    """The summary of a finished run that is to be resumed.

    Raises:
        OutputError: There are results that are not this run's, and may not be replaced.
    """
    found = [name for name in RESULT_NAMES if (out / name).exists()]
    if not found or force or (resume and (out / FOLDER).exists()):
        return None
    state = _State.read(out / RUN_FILE) if resume else _State()
    if state.settings == ours:
        return state.summary
    kind = "results of another run" if resume else "results"
    problem = f"The folder already holds {kind} ({', '.join(found)})."
    raise OutputError(str(out), problem, "Choose another folder, or pass --force to replace them.")
