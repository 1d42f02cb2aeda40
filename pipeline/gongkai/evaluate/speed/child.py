"""One system in a process of its own: a JSON job on stdin, one JSON answer on stdout.

    python -m gongkai.evaluate.speed.child < job.json

The process pins itself to as many cores as it has threads, so that no library's pool can take more.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from time import perf_counter, process_time
from typing import NamedTuple

import msgspec

from gongkai.errors import GongkaiError
from gongkai.evaluate.speed.results import (
    Answer,
    Failure,
    Job,
    Measured,
    Measurement,
    Preparation,
    Prepared,
    Round,
    Settings,
)
from gongkai.evaluate.speed.systems import Run, StageClock, find


def peak_memory() -> int:
    """Peak resident memory of this process in bytes."""
    try:
        # Not `ru_maxrss`: on Linux a child starts with its parent's.
        status = Path("/proc/self/status").read_text(encoding="utf-8")
    except FileNotFoundError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS
    kilobytes = status.partition("VmHWM:")[2].split(maxsplit=1)[0]
    return int(kilobytes) * 1024


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
    settings, size = job.settings, job.settings.batch_size
    cores = pin(settings.threads)
    batches = [job.texts[at : at + size] for at in range(0, len(job.texts), size)]
    start_bytes = peak_memory()

    start = perf_counter()
    run, stages = find(job.system).load(Path(job.folder), settings.threads)
    load_s = perf_counter() - start

    start = perf_counter()
    run(batches[0])
    first_document_s = perf_counter() - start
    warm_up(run, batches, settings.warm_up_s - first_document_s)

    timing = timed(job.system, run, batches, settings)
    return Measured(
        round=Round(
            load_s=load_s,
            first_document_s=first_document_s,
            passes=timing.passes,
            documents=len(timing.latencies),
            characters=timing.characters,
            found=timing.found,
            seconds=timing.seconds,
            cpu_seconds=timing.cpu_seconds,
            cores=cores,
            start_bytes=start_bytes,
            peak_bytes=peak_memory(),
        ),
        latencies=tuple(timing.latencies),
        stages=fastest_stages(stages, job.texts, settings.seconds) if stages else {},
    )


def warm_up(run: Run, batches: Sequence[Sequence[str]], seconds: float) -> None:
    """Run without timing, until the first call that ends after so long."""
    end = perf_counter() + seconds
    for batch in cycle(batches):
        if perf_counter() >= end:
            return
        run(batch)


class Timing(NamedTuple):
    """The timed part of a round; the fields are those of `Round`."""

    passes: int
    characters: int
    found: int
    seconds: float
    cpu_seconds: float
    latencies: list[float]


def timed(system: str, run: Run, batches: Sequence[Sequence[str]], settings: Settings) -> Timing:
    """Run whole passes for `settings.seconds`, or what can be done in `settings.budget_s`."""
    passes = characters = found = 0
    latencies: list[float] = []
    expected: dict[int, int] = {}
    start, cpu_start = perf_counter(), process_time()
    seconds = 0.0
    while seconds < min(settings.seconds, settings.budget_s):
        for number, batch in enumerate(batches):
            before = perf_counter()
            count = run(batch)
            after = perf_counter()
            if count != expected.setdefault(number, count):
                raise GongkaiError(
                    system,
                    f"Call {number} found {expected[number]} things at first and {count} later.",
                    "Speed means nothing without the same results: look for state kept between calls.",
                )
            latencies += [after - before] * len(batch)
            characters += sum(map(len, batch))
            found += count
            seconds = after - start
            if seconds >= settings.budget_s:
                break
        passes += number == len(batches) - 1
    return Timing(passes, characters, found, seconds, process_time() - cpu_start, latencies)


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
        return prepare(job) if isinstance(job, Preparation) else measure(job)
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
