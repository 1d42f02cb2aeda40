"""Our pipeline in as many processes as there are cores: the rules are Python, of which a process runs one thread."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from gongkai.evaluate.speed.stages import stage_clock
from gongkai.evaluate.speed.usage import Usage, usage
from gongkai.ingest import read_text
from gongkai.pipeline import Extractor


class Workers:
    """Processes of one thread each, which share the documents of a call.

    Args:
        mode: Of the pipeline.
        processes: How many.
        model: Folder of the exported model; None for the one that comes with gongkai.
    """

    def __init__(self, mode: str, processes: int, model: Path | None = None) -> None:
        self._mode, self._model = mode, model
        context = get_context("spawn")
        self._pools = [ProcessPoolExecutor(1, context) for _ in range(processes)]
        self._used: list[Usage] = [Usage(0, 0)] * processes
        self._extract([()] * processes)

    def run(self, texts: Sequence[str]) -> int:
        """How many entities are in the documents; their records are made and stay where they are."""
        return self._extract(shards(texts, len(self._pools)))

    def stages(self, texts: Sequence[str]) -> dict[str, float]:
        """Seconds by stage, of one process by itself."""
        return self._pools[0].submit(_stages, self._mode, self._model, tuple(texts)).result()

    def usage(self) -> Usage:
        """Of this process and the workers, as of their last call."""
        used = [usage(), *self._used]
        return Usage(sum(each.cpu_seconds for each in used), sum(each.peak_bytes for each in used))

    def _extract(self, parts: Sequence[Sequence[str]]) -> int:
        jobs = [
            pool.submit(_extract, self._mode, self._model, tuple(part))
            for pool, part in zip(self._pools, parts, strict=True)
        ]
        done = [job.result() for job in jobs]
        self._used = [each.used for each in done]
        return sum(each.found for each in done)


def shards(texts: Sequence[str], number: int) -> list[list[str]]:
    """The texts in so many parts of about as many characters each.

    >>> shards(["a", "bbbb", "cc", "dd"], 2)
    [['bbbb', 'a'], ['cc', 'dd']]
    """
    parts: list[list[str]] = [[] for _ in range(number)]
    filled = [(0, place) for place in range(number)]
    for text in sorted(texts, key=len, reverse=True):
        characters, place = filled[0]
        parts[place].append(text)
        heapq.heapreplace(filled, (characters + len(text), place))
    return parts


class _Done(NamedTuple):
    found: int
    used: Usage


def _extract(mode: str, model: Path | None, texts: Sequence[str]) -> _Done:
    records = _extractor(mode, model).extract_all(map(read_text, texts))
    return _Done(sum(len(record.entities) for record in records), usage())


def _stages(mode: str, model: Path | None, texts: Sequence[str]) -> dict[str, float]:
    return _clock(mode, model)(texts)


@cache
def _extractor(mode: str, model: Path | None) -> Extractor:
    return Extractor(mode, model, threads=1)


@cache
def _clock(mode: str, model: Path | None) -> Callable[[Sequence[str]], dict[str, float]]:
    return stage_clock(mode, 1, model)
