"""Batch runs over generated archives: throughput against workers and archive size, memory over time, overhead.

    python tests/benchmarks/archives.py --documents 100 1000 10000 --workers 1 2 --mode rules

Each run is `gongkai extract` in processes of its own, on an archive of `gongkai generate`; the resident memory and
CPU time of every process of the run are sampled. What the extractor's stages alone take is measured on the first
documents of the same archive, through `Extractor.extract_all` in one process; the rest of the run's CPU time is
overhead: start-up, reading, passing on, writing. Prints a table; `--json FILE` keeps all figures.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from statistics import fmean

import msgspec
import psutil
from rich.console import Console
from rich.table import Table

from gongkai.generate.archive import write_archive
from gongkai.generate.generator import Generator, Truth
from gongkai.generate.settings import Kind
from gongkai.generate.sources import load_templates

SIZES = (100, 1_000, 10_000, 100_000)
WORKERS = (1, 2)
STAGES_ON = 500
"""Documents on which the stages alone are measured."""
INTERVAL = 0.25
LOADING = 5.0
"""Seconds that a worker may take to load what it needs."""
MINUTE = 60.0
MEBIBYTE = 1024 * 1024
SMALLEST_WORKER = 150 * MEBIBYTE
"""What is smaller reads archives or looks after the processes."""
GONGKAI = str(Path(sys.executable).with_name("gongkai"))


class Sample(msgspec.Struct, frozen=True):
    """Resident memory in bytes and CPU seconds so far of each process, by pid, at a time since the start."""

    at: float
    memory: dict[int, int]
    cpu: dict[int, float]


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One batch run. Memory in MiB.

    Attributes:
        cpu_seconds: Of all its processes.
        peaks: Peak of each process that lived for more than one sample, the largest first.
        first_minute, last_minute: Mean memory of a worker, in the first minute after it has loaded what it needs
            and in its last one; of shorter runs, both minutes are the same.
        stages_seconds: CPU seconds that the extractor's stages alone would take for these documents.
    """

    documents: int
    workers: int
    seconds: float
    characters: int
    cpu_seconds: float
    peaks: tuple[float, ...]
    first_minute: float
    last_minute: float
    stages_seconds: float
    samples: tuple[Sample, ...]

    @property
    def rate(self) -> float:
        """Documents a second."""
        return self.documents / self.seconds

    @property
    def overhead(self) -> float:
        """Share of the CPU time that is not the stages'."""
        return 1 - self.stages_seconds / self.cpu_seconds


def sampled(process: psutil.Popen) -> Iterator[Sample]:
    """Samples of a process and all below it, until it ends."""
    start = time.perf_counter()
    while process.poll() is None:
        memory, cpu = {}, {}
        for each in (process, *process.children(recursive=True)):
            try:
                with each.oneshot():
                    memory[each.pid] = each.memory_info().rss
                    times = each.cpu_times()
                    cpu[each.pid] = times.user + times.system
            except psutil.NoSuchProcess:
                continue
        yield Sample(time.perf_counter() - start, memory, cpu)
        time.sleep(INTERVAL)


def measure(folder: Path, workers: int, mode: str, stages: float) -> Run:
    """Run `gongkai extract` on a generated folder.

    Args:
        stages: CPU seconds a document of the extractor's stages alone.
    """
    truths = [msgspec.json.decode(line, type=Truth) for line in (folder / "truth.jsonl").open("rb")]
    distinct = sum(truth.duplicate_of is None for truth in truths)
    with tempfile.TemporaryDirectory() as out:
        command = [GONGKAI, "extract", str(folder / "archive"), "-o", f"{out}/out", "--mode", mode]
        command += ["--workers", str(workers)]
        start = time.perf_counter()
        process = psutil.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        samples = tuple(sampled(process))
        seconds = time.perf_counter() - start
        assert process.returncode == 0, f"{' '.join(command)} ended with {process.returncode}"
        with Path(out, "out", "documents.jsonl").open("rb") as lines:
            records = sum(1 for _ in lines)
    assert records == distinct, f"{records} records of {distinct} documents"
    return Run(
        documents=len(truths),
        workers=workers,
        seconds=seconds,
        characters=sum(truth.characters for truth in truths),
        cpu_seconds=sum(last_of_each(samples).values()),
        peaks=peaks(samples),
        first_minute=of_a_worker(samples, process.pid, LOADING, LOADING + MINUTE),
        last_minute=of_a_worker(samples, process.pid, samples[-1].at - MINUTE, samples[-1].at),
        stages_seconds=stages * records,
        samples=samples,
    )


def last_of_each(samples: tuple[Sample, ...]) -> dict[int, float]:
    """CPU seconds of each process when it was last seen."""
    seen: dict[int, float] = {}
    for sample in samples:
        seen |= sample.cpu
    return seen


def peaks(samples: tuple[Sample, ...]) -> tuple[float, ...]:
    """Peak of each process that was seen more than once, in MiB, the largest first."""
    of_each: dict[int, list[int]] = {}
    for sample in samples:
        for pid, memory in sample.memory.items():
            of_each.setdefault(pid, []).append(memory)
    lasting = [max(seen) / MEBIBYTE for seen in of_each.values() if len(seen) > 1]
    return tuple(sorted(lasting, reverse=True))


def of_a_worker(samples: tuple[Sample, ...], main: int, start: float, end: float) -> float:
    """Mean memory in MiB of a process other than the main one, from `start` to `end` in seconds of the run."""
    chosen = [sample for sample in samples if start <= sample.at <= end] or samples
    seen = [size for sample in chosen for pid, size in sample.memory.items() if pid != main]
    workers = [size for size in seen if size > SMALLEST_WORKER]
    return fmean(workers or [0]) / MEBIBYTE


def stages_alone(archive: Path, mode: str) -> float:
    """CPU seconds a document through `Extractor.extract_all` in this process, after a first batch to warm up."""
    from gongkai.ingest import discover, read
    from gongkai.pipeline import Extractor
    from gongkai.types import Document

    every = (item for path in discover([archive]) for item in read(path) if isinstance(item, Document))
    documents = list(islice(every, STAGES_ON))
    extractor = Extractor(mode)
    for _ in extractor.extract_all(documents[:20]):
        pass
    start = time.process_time()
    for _ in extractor.extract_all(documents):
        pass
    return (time.process_time() - start) / len(documents)


def stages_in_own_process(archive: Path, mode: str) -> float:
    """`stages_alone` where nothing else was loaded before."""
    command = [sys.executable, __file__, "--stages", str(archive), "--mode", mode]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def table(runs: list[Run]) -> Table:
    """All runs, each beside the run of one worker on the same archive."""
    shown = Table(
        "documents", "workers", "seconds", "documents/s", "characters/s", "speed-up", "CPU s", "overhead",
        "peak MiB of each process", "MiB a worker, first minute", "last minute",
    )  # fmt: skip
    for run in runs:
        alone = next((r for r in runs if r.documents == run.documents and r.workers == 1), run)
        shown.add_row(
            f"{run.documents:,}",
            str(run.workers),
            f"{run.seconds:,.1f}",
            f"{run.rate:,.1f}",
            f"{run.characters / run.seconds:,.0f}",
            f"{alone.seconds / run.seconds:.2f}",
            f"{run.cpu_seconds:,.1f}",
            f"{run.overhead:.0%}",
            ", ".join(f"{peak:,.0f}" for peak in run.peaks),
            f"{run.first_minute:,.0f}",
            f"{run.last_minute:,.0f}",
        )
    return shown


def benchmark(options: argparse.Namespace, work: Path) -> list[Run]:
    """Every size with every number of workers; archives that lie in the working folder already are used again."""
    runs = []
    for size in options.documents:
        folder = work / f"{options.kind.value}-{options.seed}-{size}"
        if not (folder / "truth.jsonl").exists():
            write_archive(Generator(load_templates(), options.seed), folder, size, kind=options.kind)
        stages = stages_in_own_process(folder / "archive", options.mode)
        runs += [measure(folder, workers, options.mode, stages) for workers in options.workers]
    return runs


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--documents", type=int, nargs="+", default=SIZES, help="sizes of archives")
    parser.add_argument("--workers", type=int, nargs="+", default=WORKERS)
    parser.add_argument("--mode", default="rules", choices=("rules", "model", "hybrid"))
    parser.add_argument("--kind", type=Kind, choices=list(Kind), default=Kind.ZIP)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--work", type=Path, help="folder for archives, where they stay; else a temporary one"
    )
    parser.add_argument("--json", type=Path, help="file for all figures and samples")
    parser.add_argument("--stages", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stages is not None:
        print(stages_alone(options.stages, options.mode))
        return
    with tempfile.TemporaryDirectory() as folder:
        runs = benchmark(options, options.work or Path(folder))
    Console(width=max(Console().width, 150)).print(table(runs))
    if options.json is not None:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(runs)))


if __name__ == "__main__":
    main()
