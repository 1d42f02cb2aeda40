"""One system in a process of its own: a JSON job on stdin, one JSON answer on stdout.

    python -m gongkai.evaluate.speed.child < job.json

The process pins itself to as many cores as it has threads, so that no library's pool can take more.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import msgspec

from gongkai.batching import batches
from gongkai.errors import GongkaiError
from gongkai.evaluate.speed.results import (
    Answer,
    Count,
    Failure,
    Job,
    Measured,
    Measurement,
    Operations,
    Preparation,
    Prepared,
    Round,
    Settings,
)
from gongkai.evaluate.speed.systems import Loaded, Run, StageClock, find
from gongkai.evaluate.speed.usage import usage


def pin(threads: int) -> int:
    """Keep this process to `threads` cores, where the system can; returns how many it may use."""
    if not hasattr(os, "sched_setaffinity"):
        return os.cpu_count() or 1
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    return len(os.sched_getaffinity(0))


def prepare(job: Preparation) -> Prepared:
    """Write the model files of a system."""
    write = find(job.system).prepare
    if write is not None:
        write(Path(job.folder))
    return Prepared()


def measure(job: Measurement) -> Measured:
    """Load a system, warm it up, time it.

    Raises:
        GongkaiError: The system found different things in the same documents.
    """
    settings = job.settings
    system = find(job.system, settings.model_folder)
    cores = pin(settings.threads)
    calls = list(batches(job.texts, len, system.batch_characters))
    start_bytes = usage().peak_bytes

    start = perf_counter()
    loaded = system.load(Path(job.folder), settings.threads)
    load_s = perf_counter() - start

    start = perf_counter()
    loaded.run(job.texts[:1])
    first_document_s = perf_counter() - start
    warm_up(loaded.run, calls, settings.warm_up_s - first_document_s)

    timing = timed(job.system, loaded, calls, settings)
    return Measured(
        round=Round(
            load_s=load_s,
            first_document_s=first_document_s,
            passes=timing.passes,
            documents=timing.documents,
            characters=timing.characters,
            found=timing.found,
            seconds=timing.seconds,
            cpu_seconds=timing.cpu_seconds,
            cores=cores,
            start_bytes=start_bytes,
            peak_bytes=loaded.usage().peak_bytes,
        ),
        latencies=tuple(latencies(loaded.run, job.texts, min(settings.seconds, settings.budget_s))),
        stages=fastest_stages(loaded.stages, job.texts, settings.seconds) if loaded.stages else {},
    )


def count(job: Count) -> Operations:
    """The operations of the model, and the machine's rates."""
    from gongkai.evaluate.speed.limit import operations

    settings = job.settings
    pin(settings.threads)
    return operations(job.texts, settings.threads, settings.seconds, settings.model_folder)


def warm_up(run: Run, calls: Sequence[Sequence[str]], seconds: float) -> None:
    """Run without timing, until the first call that ends after so long."""
    end = perf_counter() + seconds
    for batch in cycle(calls):
        if perf_counter() >= end:
            return
        run(batch)


class Timing(NamedTuple):
    """The timed part of a round; the fields are those of `Round`."""

    passes: int
    documents: int
    characters: int
    found: int
    seconds: float
    cpu_seconds: float


def timed(system: str, loaded: Loaded, calls: Sequence[Sequence[str]], settings: Settings) -> Timing:
    """Run whole passes for `settings.seconds`, or what can be done in `settings.budget_s`."""
    passes = documents = characters = found = 0
    expected: dict[int, int] = {}
    cpu_start = loaded.usage().cpu_seconds
    start = perf_counter()
    seconds = 0.0
    while seconds < min(settings.seconds, settings.budget_s):
        for number, batch in enumerate(calls):
            things = loaded.run(batch)
            seconds = perf_counter() - start
            if things != expected.setdefault(number, things):
                raise GongkaiError(
                    system,
                    f"Call {number} found {expected[number]} things at first and {things} later.",
                    "Speed means nothing without the same results: look for state kept between calls.",
                )
            documents += len(batch)
            characters += sum(map(len, batch))
            found += things
            if seconds >= settings.budget_s:
                break
        passes += number == len(calls) - 1
    return Timing(passes, documents, characters, found, seconds, loaded.usage().cpu_seconds - cpu_start)


def latencies(run: Run, texts: Sequence[str], seconds: float) -> Iterator[float]:
    """Seconds of each document by itself: of all, or of as many as can be begun in so long."""
    start = before = perf_counter()
    for text in texts:
        if before - start >= seconds:
            return
        run([text])
        after = perf_counter()
        yield after - before
        before = after


def fastest_stages(clock: StageClock, texts: Sequence[str], seconds: float) -> dict[str, float]:
    """Seconds by stage for one pass: each stage's fastest of the passes that so long allows."""
    end = perf_counter() + seconds
    best = clock(texts)
    while perf_counter() < end:
        best = {name: min(spent, best[name]) for name, spent in clock(texts).items()}
    return best


def answer(job: Job) -> Answer:
    """Do the job; what the user can act on comes back as a failure."""
    try:
        match job:
            case Preparation():
                return prepare(job)
            case Measurement():
                return measure(job)
            case Count():
                return count(job)
    except GongkaiError as error:
        return Failure(where=error.where, problem=error.problem, remedy=error.remedy)
    except ModuleNotFoundError as error:
        return Failure(
            where=job.system,
            problem=f"The Python package {error.name} is not installed.",
            remedy="Install it with: pip install 'gongkai[speed]'",
        )


def main() -> None:
    # Whatever a library prints goes to stderr: stdout carries the answer and nothing else.
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as stdout:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
        stdout.write(msgspec.json.encode(answer(job)))


if __name__ == "__main__":
    main()
