"""Extractors for worker processes that do what a document's text tells them: fail, hang, crash."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from gongkai.types import Document, Record
from handmade import StandIn


class Planted(StandIn):
    """StandIn, but 挂 hangs, 崩 ends the process, 段 is a segmentation fault; each document takes `seconds`."""

    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__()
        self.seconds = seconds

    def extract(self, document: Document) -> Record:
        time.sleep(self.seconds)
        if "挂" in document.text:
            time.sleep(3600)
        if "崩" in document.text:
            os._exit(3)
        if "段" in document.text:
            signal.signal(signal.SIGSEGV, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGSEGV)
        return super().extract(document)


class Batched(Planted):
    """The same in batches, so that nothing shows which document of a batch did harm."""

    def extract_all(self, documents: Iterable[Document]) -> Iterator[Record]:
        yield from list(map(self.extract, documents))


class Greedy(StandIn):
    """StandIn, but 吃 asks for more memory than any limit allows; 吃完 does not get over it."""

    def extract(self, document: Document) -> Record:
        if "吃" in document.text:
            taken = []
            try:
                while True:
                    taken.append(bytearray(2**24))
            except MemoryError:
                if "吃完" in document.text:
                    os.abort()
                raise
        return super().extract(document)


class Forgetful(StandIn):
    """Gives fewer records than documents at once, and all of them one by one."""

    def extract_all(self, documents: Iterable[Document]) -> Iterator[Record]:
        yield self.extract(next(iter(documents)))


def slow(seconds: float) -> partial[Planted]:
    return partial(Planted, seconds)


def unmade() -> StandIn:
    """An extractor that cannot be made."""
    from gongkai.errors import BrokenModel

    raise BrokenModel("model.onnx", "It is damaged.", "Fetch it again.")


class Telling(StandIn):
    """Says on stdout that it is at work, and never ends."""

    def extract(self, document: Document) -> Record:
        print("at work", flush=True)
        time.sleep(3600)
        return super().extract(document)


def telling(mode: str, model: Path | None) -> Telling:
    """In the place of `gongkai.run.load_extractor`."""
    return Telling(mode, model)


def ended() -> StandIn:
    """A worker that ends before it is ready."""
    os._exit(7)


class Vanishing:
    """Takes a file away as soon as the run makes any progress."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, summary: object) -> None:
        self._path.unlink(missing_ok=True)


CLOCK = """
import datetime, itertools, time

steps = itertools.count(0, -3600)
real = time.time
time.time = lambda: real() + next(steps)


class Backwards(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(time.time(), tz)


datetime.datetime = Backwards
"""
"""A `sitecustomize` module, which Python runs first, for a clock that goes back an hour whenever one looks at it."""
