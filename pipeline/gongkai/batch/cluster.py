"""Workers on the nodes of a Ray cluster, in the place of those of `gongkai.batch.pool`.

The main process plans, commits and assembles as ever; inputs of shards travel to the nodes as bytes, and their
results back. A Ray actor keeps a `Pool` of one process on its node, so that what hangs or crashes is found and
left out there, in the same way.

Plain actors, not Ray Data: that reads its source in tasks of its own, ahead of need, and reads it again where a
node took blocks with it (which, when tried, found no free CPU and never came back), while shards are planned once,
here, and no earlier than they can be done.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

import msgspec

from gongkai import __version__
from gongkai.batch.messages import Committed, Task
from gongkai.batch.pool import Poison, Pool, Step
from gongkai.batch.worker import Orders, settled
from gongkai.errors import GongkaiError, UnusableCluster, WorkerLost
from gongkai.export import writing
from gongkai.resources import fingerprint

_IN_FLIGHT = 2
"""Shards an actor has at once: the one it does and the next, which travels meanwhile."""
_ATTEMPTS = 5
"""How many actors may be lost over a shard, and how many, beyond their number, before any of them is ready."""
_CONNECTING = 10.0
"""Seconds that a cluster has to answer."""


class _Build(NamedTuple):
    """What records depend on and every node brings along itself: the package, its configs and models."""

    version: str
    resources: str

    @classmethod
    def here(cls) -> _Build:
        return cls(__version__, fingerprint())


class _Done(NamedTuple):
    """A shard done on a node: what became of it, and its result files by name."""

    poisons: list[Poison]
    committed: Committed
    files: dict[str, bytes]


class _Remote:
    """What an actor is on its node: one worker process, which loads the model once."""

    def __init__(self, orders: Orders, timeout: float) -> None:
        # That of Ray, which a new process would import, as it does any main module.
        sys.modules["__main__"].__file__ = None
        self._pool = Pool(orders, 1, timeout)

    def build(self) -> _Build:
        return _Build.here()

    def do(self, task: Task, data: bytes) -> _Done | GongkaiError:
        """Do a shard whose input file's content is `data`; an error that would end the run is the answer, too."""
        with TemporaryDirectory(prefix="gongkai-") as folder:
            here = msgspec.structs.replace(task, input=f"{folder}/in", target=f"{folder}/out")
            Path(here.input).write_bytes(data)
            poisons: list[Poison] = []
            try:
                for news in self._pool.run(iter([here])):
                    if isinstance(news, Poison):
                        poisons.append(news)
                    elif isinstance(news, Committed):
                        committed = news
            except GongkaiError as error:
                return type(error)(f"{socket.gethostname()}: {error.where}", error.problem, error.remedy)
            files = {path.name: path.read_bytes() for path in Path(here.target).iterdir()}
        return _Done(poisons, committed, files)


class _Actor:
    """An actor as the main process sees it."""

    def __init__(self, handle: Any) -> None:
        self.handle = handle
        self.ready = False
        self.tasks: dict[Any, Task] = {}
        """Shards given to it, by the reference of the answer; it does them in this order."""


class RayPool:
    """Workers on a Ray cluster; a context manager that leaves none behind.

    A shard whose actor or node is lost is done again by another. An actor that is lost is replaced as soon as there
    is a free CPU; while the cluster has none, the run waits.

    Args:
        orders: For every worker.
        size: Of them, a CPU each; as many as the cluster has CPUs if None.
        timeout: Seconds that a document may take.
        address: `HOST:PORT` of a cluster to which this machine belongs, or `auto`; that of `RAY_ADDRESS`, or else a
            new one on this machine, if None.

    Raises:
        UnusableCluster: Ray is not installed, or no cluster answers (both when the block is entered), or its nodes
            have another gongkai.
    """

    def __init__(
        self, orders: Orders, size: int | None, timeout: float, *, address: str | None = None
    ) -> None:
        self._orders = orders
        self._size = size
        self._timeout = timeout
        self._address = address or os.environ.get("RAY_ADDRESS") or "local"
        self._actors: list[_Actor] = []
        self._starting: dict[Any, _Actor] = {}
        """Actors that are not ready, by the reference of what they will say then."""
        self._again: deque[Task] = deque()
        self._losses: Counter[int] = Counter()
        self._stillborn = 0

    def __enter__(self) -> Self:
        self._ray = _connected(self._address, self._size)
        self._build = _Build.here()
        size = self._size or max(1, int(self._ray.cluster_resources().get("CPU", 0)))
        self._patience = size + _ATTEMPTS
        self._remote = self._ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0)(_Remote)
        for _ in range(size):
            self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for actor in self._actors:
            self._ray.kill(actor.handle)
        self._ray.shutdown()

    def run(self, tasks: Iterator[Task]) -> Iterator[Committed | Poison | Step]:
        """Do the tasks, whose results come as they are done and are on this machine's disk then; no more tasks are
        taken than actors are ready for, and one ahead for each.

        Raises:
            GongkaiError: What a worker cannot go on with.
            WorkerLost: A shard was the end of several actors.
            UnusableCluster: Actors cannot be started.
        """
        while True:
            actor = self._free()
            task = None if actor is None else self._next(tasks)
            if actor is not None and task is not None:
                self._give(actor, task)
            elif actor is not None and not any(each.tasks for each in self._actors):
                return
            yield from self._news(wait=task is None)

    def _next(self, tasks: Iterator[Task]) -> Task | None:
        return self._again.popleft() if self._again else next(tasks, None)

    def _start(self) -> None:
        actor = _Actor(self._remote.remote(self._orders, self._timeout))
        self._actors.append(actor)
        self._starting[actor.handle.build.remote()] = actor

    def _free(self) -> _Actor | None:
        """The actor that has least to do, if it may have more."""
        free = [each for each in self._actors if each.ready and len(each.tasks) < _IN_FLIGHT]
        return min(free, key=lambda each: len(each.tasks), default=None)

    def _give(self, actor: _Actor, task: Task) -> None:
        actor.tasks[actor.handle.do.remote(task, Path(task.input).read_bytes())] = task

    def _news(self, *, wait: bool) -> Iterator[Committed | Poison]:
        answers = self._starting | {ref: actor for actor in self._actors for ref in actor.tasks}
        heard, _ = self._ray.wait(list(answers), timeout=None if wait else 0)
        for ref in heard:
            yield from self._listen(answers[ref], ref)

    def _listen(self, actor: _Actor, ref: Any) -> Iterator[Committed | Poison]:
        try:
            answer = self._ray.get(ref)
        except self._ray.exceptions.RayTaskError as error:
            problem = f"A node failed: {_last_line(error)}."
            raise UnusableCluster(
                self._address, problem, "Install the same gongkai on every node."
            ) from error
        except self._ray.exceptions.RayError as error:
            self._lost(actor, _last_line(error))
            return
        if isinstance(answer, GongkaiError):
            raise answer
        if isinstance(answer, _Build):
            self._greet(actor, ref, answer)
            return
        yield from answer.poisons
        self._land(actor.tasks.pop(ref), answer)
        yield answer.committed

    def _greet(self, actor: _Actor, ref: Any, build: _Build) -> None:
        if build != self._build:
            problem = (
                f"A node has gongkai {build.version} with other rules or models than this {__version__}."
            )
            raise UnusableCluster(self._address, problem, "Install the same gongkai on every node.")
        del self._starting[ref]
        actor.ready = True
        self._stillborn = 0

    def _land(self, task: Task, done: _Done) -> None:
        """Write a shard's results to where a worker of this machine would have."""
        target = Path(task.target)
        with writing(target):
            target.mkdir()
            for name, data in done.files.items():
                (target / name).write_bytes(data)
        settled(target)

    def _lost(self, actor: _Actor, reason: str) -> None:
        """Replace an actor; its shards go first to the others. The first of them may have been its end."""
        self._actors.remove(actor)
        self._starting = {ref: each for ref, each in self._starting.items() if each is not actor}
        self._ray.kill(actor.handle)  # it may only be out of reach
        if not actor.ready:
            self._stillborn += 1
            if self._stillborn > self._patience:
                problem = f"No worker can be started: {reason}."
                raise UnusableCluster(self._address, problem, "See what Ray says on its nodes.")
        tasks = list(actor.tasks.values())
        if tasks:
            self._blame(tasks[0].shard, reason)
        self._again.extendleft(reversed(tasks))
        self._start()

    def _blame(self, shard: int, reason: str) -> None:
        self._losses[shard] += 1
        if self._losses[shard] >= _ATTEMPTS:
            problem = f"It was the end of {_ATTEMPTS} workers: {reason}."
            raise WorkerLost(
                f"shard {shard}", problem, "Limit what a process may take: --memory, then --resume."
            )


def _connected(address: str, size: int | None) -> Any:
    """The module `ray`, connected to a cluster; quiet, and nothing is told to its makers."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as error:
        raise UnusableCluster(
            "--engine ray", "Ray is not installed.", "Run: pip install 'gongkai[cluster]'."
        ) from error
    new: dict[str, Any] = {"num_cpus": size, "include_dashboard": False} if address == "local" else {}
    try:
        _call(address)
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **new)
    except (OSError, RuntimeError, ValueError) as error:
        problem = f"No cluster answers: {_last_line(error)}."
        remedy = "Give the HOST:PORT that `ray start` printed, and RAY_AUTH_MODE as it was there."
        raise UnusableCluster(address, problem, remedy) from error
    return ray


def _call(address: str) -> None:
    """See whether anybody listens; Ray would take two minutes over it, and then end the process.

    Raises:
        OSError, ValueError: Nobody does.
    """
    if address in ("local", "auto"):
        return
    place = urlsplit(f"//{address}")
    if place.hostname is None or place.port is None:
        raise ValueError("it is no HOST:PORT")
    socket.create_connection((place.hostname, place.port), timeout=_CONNECTING).close()


def _last_line(error: BaseException) -> str:
    lines = str(getattr(error, "strerror", None) or error).strip().splitlines() or [type(error).__name__]
    return lines[-1].strip().rstrip(".")
