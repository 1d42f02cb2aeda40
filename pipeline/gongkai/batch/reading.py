"""Archives opened in a process of their own: one that hangs or crashes a library, or never comes, ends only that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from types import TracebackType
from typing import Self

from gongkai.batch.processes import (
    LOST_IN_A_ROW,
    SPAWN,
    ending,
    limit_memory,
    overdue,
    serve_parent,
    undisturbed,
)
from gongkai.errors import IngestError, Quarantined, WorkerLost
from gongkai.ingest import Leaf, Location, is_single, leaves, printable

_PATIENCE = 10
"""How many times as long as one document an input may take to its next one: some archives unpack whole first."""
_ATTEMPTS = 2
"""How often an input may be the ruin of the process in one place."""


class Reader:
    """`gongkai.ingest.leaves`, done in another process for all but single files; a context manager that leaves none.

    Args:
        timeout: Seconds that a document may take; see `_PATIENCE`.
        memory: Bytes that the process may take; an input that takes more fails.
    """

    def __init__(self, timeout: float, memory: int | None = None) -> None:
        self._timeout = timeout * _PATIENCE
        self._memory = memory
        self._process: SpawnProcess | None = None
        self._connection: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end()

    def leaves(self, location: Location) -> Iterator[Leaf | IngestError]:
        """The bytes of each document of a file or URL.

        Where it hangs or crashes the process it is read once more; if it does so in the same place, its last leaf
        is `Quarantined`.

        Raises:
            WorkerLost: No process can be started.
        """
        if is_single(location):
            yield from leaves(location)
            return
        taken = 0
        lost: Counter[int] = Counter()
        while True:
            try:
                for number, leaf in enumerate(self._ask(location), start=1):
                    if number > taken:
                        taken = number
                        yield leaf
                return
            except _Lost as error:
                lost[taken] += 1
                if lost[taken] == _ATTEMPTS:
                    remedy = "What follows in it was left out; please report it, with the file."
                    yield Quarantined(printable(location), str(error), remedy)
                    return

    def _ask(self, location: Location) -> Iterator[Leaf | IngestError]:
        """The answer of the process, which is ended where it cannot be heard to its end."""
        connection = self._ready()
        heard = False
        try:
            with suppress(BrokenPipeError):  # it was killed while it had nothing to do, as is found next
                connection.send(location)
            while (leaf := self._hear(connection)) is not None:
                yield leaf
            heard = True
        finally:
            if not heard:
                self._end()

    def _hear(self, connection: Connection) -> Leaf | IngestError | None:
        if not connection.poll(self._timeout):
            raise _Lost(overdue(self._timeout))
        try:
            leaf: Leaf | IngestError | None = connection.recv()
        except (EOFError, OSError):
            assert self._process is not None
            self._process.join()
            raise _Lost(ending(self._process.exitcode)) from None
        return leaf

    def _ready(self) -> Connection:
        """The connection to a process that waits for a question."""
        if self._connection is not None:
            return self._connection
        for _ in range(LOST_IN_A_ROW):
            self._connection, theirs = SPAWN.Pipe()
            self._process = SPAWN.Process(target=_serve, args=(theirs, self._memory), daemon=True)
            with undisturbed():
                self._process.start()
            theirs.close()
            with suppress(EOFError, OSError):
                self._connection.recv()
                return self._connection
            self._end()
        raise WorkerLost("reader", "It ends before it reads.", "See whether memory or the disk is full.")

    def _end(self) -> None:
        if self._process is not None and self._connection is not None:
            with undisturbed():
                self._process.kill()
                self._process.join()
                self._connection.close()
        self._process = self._connection = None


class _Lost(Exception):
    """The process ended or was too slow; says which."""


def _serve(connection: Connection, memory: int | None) -> None:
    """Say that it is ready, then answer each location by its leaves and None, until the connection is closed."""
    serve_parent()
    limit_memory(memory)
    with suppress(EOFError, OSError):
        connection.send(None)
        while True:
            for leaf in leaves(connection.recv()):
                connection.send(leaf)
            connection.send(None)
