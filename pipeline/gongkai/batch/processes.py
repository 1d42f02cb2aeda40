"""Processes beside the main one: started anew, left alone by Ctrl-C, gone when it is."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import parent_process
from multiprocessing.connection import wait

SPAWN = multiprocessing.get_context("spawn")
LOST_IN_A_ROW = 3
"""How many processes may be lost in a row before they take anything."""


@contextmanager
def undisturbed() -> Iterator[None]:
    """Ctrl-C waits; a process started meanwhile never hears it, even before it can say so itself."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def serve_parent() -> None:
    """What a process says of itself first: Ctrl-C goes to all, and the main process ends the others; where that
    was killed, nobody wants the results, and nobody would end this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


def limit_memory(limit: int | None) -> None:
    """Have this process fail to get more memory than so many bytes; what it holds already counts."""
    if limit is None:
        return
    import resource

    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def ending(code: int | None) -> str:
    """How a process ended.

    >>> ending(-11), ending(1)
    ('It ended its process (signal SIGSEGV).', 'It ended its process (exit status 1).')
    """
    how = f"signal {signal.Signals(-code).name}" if code is not None and code < 0 else f"exit status {code}"
    return f"It ended its process ({how})."


def overdue(seconds: float) -> str:
    """What is said of what took longer."""
    return f"It took longer than {seconds:g} s."
