"""Worker processes: kept fed, watched, replaced. What hangs or crashes them is found and left out."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterator
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import TracebackType
from typing import NamedTuple, Self

import msgspec

from gongkai import errors
from gongkai.batch.messages import At, Broken, Committed, News, Ready, Task
from gongkai.batch.processes import LOST_IN_A_ROW, SPAWN, ending, overdue, undisturbed
from gongkai.batch.worker import Orders, work
from gongkai.errors import GongkaiError, WorkerLost

_TICK = 0.5
"""Seconds between looks at the clock."""
_ATTEMPTS = 2
"""How often an item may be the ruin of a worker that has nothing else in hand."""
_TOLD = msgspec.json.Decoder(News)


class Poison(NamedTuple):
    """An item that is not tried again, and why."""

    shard: int
    item: int
    reason: str


class Step(NamedTuple):
    """A shard has come to an item."""

    shard: int
    item: int


class _Worker:
    """A process, its connection and what it has in hand."""

    def __init__(self, orders: Orders) -> None:
        self.connection, theirs = SPAWN.Pipe()
        self.process: SpawnProcess = SPAWN.Process(target=work, args=(theirs, orders), daemon=True)
        with undisturbed():
            self.process.start()
        theirs.close()
        self.task: Task | None = None
        self.item: int | None = None
        self.heard = time.monotonic()

    def give(self, task: Task) -> None:
        self.task, self.item, self.heard = task, None, time.monotonic()
        self.connection.send_bytes(msgspec.json.encode(task))

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.connection.close()


class Pool:
    """Worker processes; a context manager that leaves none behind.

    Args:
        orders: For every worker.
        size: Of them at most; they are started as there is work.
        timeout: Seconds that a document may take, alone or with those of its batch before it is taken alone.
    """

    def __init__(self, orders: Orders, size: int, timeout: float) -> None:
        self._orders = orders
        self._size = size
        self._timeout = timeout
        self._workers: list[_Worker] = []
        self._queue: deque[Task] = deque()
        self._attempts: Counter[tuple[int, int]] = Counter()
        self._blameless = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with undisturbed():
            for worker in self._workers:
                worker.end()
            self._workers.clear()

    def run(self, tasks: Iterator[Task]) -> Iterator[Committed | Poison | Step]:
        """Do the tasks, whose results come as they are done; no more tasks are taken
        ahead than there are workers.

        Raises:
            GongkaiError: What a worker cannot go on with: results that cannot be written, a missing model.
            WorkerLost: Workers end before they take anything.
        """
        more = True
        while more or self._queue or any(worker.task for worker in self._workers):
            # One ahead for each worker, so that none waits while the next shard is cut.
            if more and len(self._queue) < self._size:
                task = next(tasks, None)
                more = task is not None
                if task is not None:
                    self._queue.append(task)
            while self._queue and (worker := self._idle()) is not None:
                self._give(worker, self._queue.popleft())
            full = not more or len(self._queue) >= self._size
            yield from self._news(_TICK if full else 0.0)

    def _give(self, worker: _Worker, task: Task) -> None:
        try:
            worker.give(task)
        except OSError:  # it was killed while it had nothing to do
            self._queue.appendleft(task)
            self._drop(worker)

    def _idle(self) -> _Worker | None:
        for worker in self._workers:
            if worker.task is None:
                return worker
        if len(self._workers) == self._size:
            return None
        self._workers.append(_Worker(self._orders))
        return self._workers[-1]

    def _news(self, timeout: float) -> Iterator[Committed | Poison | Step]:
        connections = {worker.connection: worker for worker in self._workers}
        heard = wait(list(connections), timeout=timeout) if connections else []
        for connection in heard:
            assert isinstance(connection, Connection)
            yield from self._listen(connections[connection])
        now = time.monotonic()
        for worker in [each for each in self._workers if each.item is not None]:
            if now - worker.heard > self._timeout and not worker.connection.poll():
                yield from self._lost(worker, overdue(self._timeout))

    def _listen(self, worker: _Worker) -> Iterator[Committed | Poison | Step]:
        try:
            news: News = _TOLD.decode(worker.connection.recv_bytes())
        except (EOFError, OSError):
            worker.process.join()
            yield from self._lost(worker, ending(worker.process.exitcode))
            return
        worker.heard = time.monotonic()
        match news:
            case Ready():
                pass
            case At(item):
                worker.item = item
                if worker.task is not None and item is not None:
                    yield Step(worker.task.shard, item)
            case Committed():
                worker.task, worker.item = None, None
                self._blameless = 0
                yield news
            case Broken():
                raise _error(news)

    def _lost(self, worker: _Worker, reason: str) -> Iterator[Poison]:
        """Replace a worker. Its shard is done again with care, where that had been so without the item in hand."""
        task, item = worker.task, worker.item
        self._drop(worker)
        if task is None:
            return
        if item is None:
            self._blameless += 1
            if self._blameless >= LOST_IN_A_ROW:
                raise WorkerLost("worker", reason, "See whether memory or the disk is full.")
        elif task.careful:
            self._attempts[task.shard, item] += 1
            if self._attempts[task.shard, item] >= _ATTEMPTS:
                poison = Poison(task.shard, item, reason)
                yield poison
                task = msgspec.structs.replace(task, poisoned={**task.poisoned, item: reason})
        self._queue.appendleft(msgspec.structs.replace(task, careful=item is not None or task.careful))

    def _drop(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        worker.end()


def _error(news: Broken) -> GongkaiError:
    kind: type[GongkaiError] = getattr(errors, news.error, GongkaiError)
    return kind(news.where, news.problem, news.remedy)
