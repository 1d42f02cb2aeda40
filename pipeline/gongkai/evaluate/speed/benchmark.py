"""Measuring systems side by side, each round of each in a fresh process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import msgspec

from gongkai.errors import ConfigError, EmptyInput, GongkaiError
from gongkai.evaluate.speed.environment import cores_available, environment
from gongkai.evaluate.speed.results import (
    DECODE,
    ENCODING,
    NUMPY,
    RELATIONS,
    Answer,
    Count,
    Failure,
    Job,
    Latency,
    Limit,
    Measured,
    Measurement,
    Operations,
    Preparation,
    Prepared,
    Reached,
    Settings,
    Skipped,
    SpeedReport,
    SpeedResult,
    Spread,
    StageTime,
)
from gongkai.evaluate.speed.systems import OURS, PROCESSES, System, find
from gongkai.model.bundle import read_bundle

OnRound = Callable[[str, int], None]
"""Called before each round of a system with its name and the round's number, from 1; 0 is its preparation."""

_POOLS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "RAYON_NUM_THREADS",
)

_OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}

DEFAULTS = Settings()

A = TypeVar("A", Prepared, Measured, Operations)


def read_texts(paths: Iterable[Path]) -> list[str]:
    """The texts of all documents in files and folders.

    Raises:
        IngestError: One of them cannot be read.
    """
    from gongkai.ingest import discover, read  # its readers are heavy, and child processes import this module

    texts = []
    for path in discover(list(paths)):
        for document in read(path):
            if isinstance(document, GongkaiError):
                raise document
            texts.append(document.text)
    return texts


def measure(
    system: str, texts: Sequence[str], settings: Settings = DEFAULTS, on_round: OnRound | None = None
) -> SpeedResult:
    """How fast one system is on some texts.

    Args:
        system: `gongkai:<mode>`, `gongkai:<mode>:processes` or one of `ALTERNATIVES`.

    Raises:
        GongkaiError: The system is unknown, a package is missing (the text says how to install it), its
            process failed, the model is damaged, or the machine has fewer cores than threads are asked for.
        EmptyInput: There is nothing to process.
    """
    measured, failures = _measure_in_turn([find(system)], texts, settings, on_round)
    if failures:
        raise failures[system]
    return _result(find(system), texts, settings, measured[system])


def side_by_side(
    systems: Sequence[str],
    texts: Sequence[str],
    settings: Settings = DEFAULTS,
    on_round: OnRound | None = None,
) -> SpeedReport:
    """Measure systems in turn, round by round (A B C, A B C), so that a machine's drift meets all alike.

    A system that cannot run, for want of a package or of memory, is listed as skipped with the reason; the
    others run all the same.

    Raises:
        ConfigError: A system is unknown, or the machine has fewer cores than threads are asked for.
        BrokenModel: The model that the settings name is missing or damaged.
        EmptyInput: There is nothing to process.
    """
    chosen = [find(name) for name in dict.fromkeys(systems)]
    before = environment({"gongkai", *(package for system in chosen for package in system.packages)})
    measured, failures = _measure_in_turn(chosen, texts, settings, on_round)
    results = [_result(s, texts, settings, measured[s.name]) for s in chosen if s.name not in failures]
    reference = next((s for s in systems if s.startswith(OURS)), systems[0])
    limit: Limit | None = None
    if any(system.with_model and system.name not in failures for system in chosen):
        try:
            limit = _limit(_operations(texts, settings), results)
        except GongkaiError as error:
            failures["limit"] = error
    return SpeedReport(
        environment=before,
        settings=settings,
        documents=len(texts),
        characters=sum(map(len, texts)),
        reference=reference,
        results=_with_speedups(results, reference),
        skipped=tuple(
            Skipped(system=name, reason=f"{error.problem} {error.remedy}") for name, error in failures.items()
        ),
        limit=limit,
    )


def _measure_in_turn(
    systems: Sequence[System], texts: Sequence[str], settings: Settings, on_round: OnRound | None
) -> tuple[dict[str, list[Measured]], dict[str, GongkaiError]]:
    """What each system's child processes answered, and why some systems gave up."""
    _check(systems, texts, settings)
    measured: dict[str, list[Measured]] = {system.name: [] for system in systems}
    failures: dict[str, GongkaiError] = {}
    with TemporaryDirectory(prefix="gongkai-speed-") as temporary:
        for number in range(settings.rounds + 1):
            for system in systems:
                if system.name in failures or (number == 0 and system.prepare is None):
                    continue
                if on_round is not None:
                    on_round(system.name, number)
                folder = Path(temporary, system.name.replace(":", "-"))
                try:
                    if number == 0:
                        folder.mkdir()
                        preparation = Preparation(system=system.name, folder=str(folder))
                        _ask(preparation, cores_available(), Prepared)
                    else:
                        job = Measurement(
                            system=system.name, folder=str(folder), texts=tuple(texts), settings=settings
                        )
                        measured[system.name].append(_ask(job, settings.threads, Measured))
                except GongkaiError as error:
                    failures[system.name] = error
    return measured, failures


def _check(systems: Sequence[System], texts: Sequence[str], settings: Settings) -> None:
    if not any(texts):
        raise EmptyInput("the texts", "There is not one character in them.", "Give documents to process.")
    if settings.model_folder is not None and any(system.with_model for system in systems):
        read_bundle(settings.model_folder)
    if settings.threads > cores_available():
        raise ConfigError(
            f"threads={settings.threads}",
            f"This process may use {cores_available()} cores.",
            "Ask for no more threads than there are cores: they would only wait for each other.",
        )


def _ask(job: Job, threads: int, kind: type[A]) -> A:
    """Let a fresh process do the job.

    Raises:
        GongkaiError: It answered with a failure, or ended without an answer.
    """
    child = subprocess.run(
        [sys.executable, "-P", "-m", "gongkai.evaluate.speed.child"],
        input=msgspec.json.encode(job),
        capture_output=True,
        env=os.environ | dict.fromkeys(_POOLS, str(threads)) | _OFFLINE,
        check=False,
    )
    if child.returncode:
        last_words = child.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise GongkaiError(
            job.system,
            f"Its process ended with status {child.returncode}: {last_words or 'no message'}.",
            "Look for missing memory or a damaged installation, or leave the system out.",
        )
    answer = msgspec.json.decode(child.stdout, type=Answer)
    if isinstance(answer, Failure):
        raise GongkaiError(answer.where, answer.problem, answer.remedy)
    assert isinstance(answer, kind)
    return answer


def _result(
    system: System, texts: Sequence[str], settings: Settings, measured: Sequence[Measured]
) -> SpeedResult:
    rounds = tuple(answer.round for answer in measured)
    characters = sum(map(len, texts))
    return SpeedResult(
        system=system.name,
        description=system.description,
        weights=system.weights,
        settings=settings,
        documents=len(texts),
        characters=characters,
        characters_per_second=Spread.of(r.characters_per_second for r in rounds),
        characters_per_cpu_second=Spread.of(r.characters_per_cpu_second for r in rounds),
        documents_per_second=Spread.of(r.documents / r.seconds for r in rounds),
        latency=Latency.of(seconds for answer in measured for seconds in answer.latencies),
        load_s=Spread.of(r.load_s for r in rounds),
        first_document_s=Spread.of(r.first_document_s for r in rounds),
        cores_used=Spread.of(r.cpu_seconds / r.seconds for r in rounds),
        peak_bytes=max(r.peak_bytes for r in rounds),
        start_bytes=max(r.start_bytes for r in rounds),
        stages=_stage_times([answer.stages for answer in measured], characters),
        rounds=rounds,
    )


def _operations(texts: Sequence[str], settings: Settings) -> Operations:
    return _ask(Count(texts=tuple(texts), settings=settings), settings.threads, Operations)


def _limit(operations: Operations, results: Sequence[SpeedResult]) -> Limit:
    allowed = {numbers: operations.allowed(numbers) for numbers in operations.rates}
    return Limit(
        operations=operations,
        characters_per_second=allowed,
        reached=tuple(
            Reached(
                name=name,
                characters_per_second=rate,
                shares={numbers: rate / most for numbers, most in allowed.items()},
            )
            for result in results
            if find(result.system).with_model
            for name, rate in _rates(result)
        ),
    )


def _rates(result: SpeedResult) -> Iterator[tuple[str, float]]:
    """Characters a second of a system and, where they have all its cores, of the graphs and the model's stage."""
    if not result.system.endswith(PROCESSES):
        spent = {stage.name: stage.seconds_per_million for stage in result.stages}
        yield f"{result.system}: the graphs alone", 1e6 / (spent[ENCODING] + spent[RELATIONS])
        model = sum(spent[part] for part in (ENCODING, DECODE, RELATIONS, NUMPY))
        yield f"{result.system}: the model's stage", 1e6 / model
    yield result.system, result.characters_per_second.median


def _stage_times(rounds: Sequence[dict[str, float]], characters: int) -> tuple[StageTime, ...]:
    fastest = {name: min(stages[name] for stages in rounds) for name in rounds[0]}
    total = sum(fastest.values())
    return tuple(
        StageTime(name=name, seconds_per_million=seconds / characters * 1e6, share=seconds / total)
        for name, seconds in fastest.items()
    )


def _with_speedups(results: Sequence[SpeedResult], reference: str) -> tuple[SpeedResult, ...]:
    """The results with what `reference` was times as fast; as they are, if it was skipped."""
    base = next((result.rounds for result in results if result.system == reference), None)
    if base is None:
        return tuple(results)
    return tuple(
        msgspec.structs.replace(
            result,
            speedup=Spread.of(
                ours.characters_per_second / theirs.characters_per_second
                for ours, theirs in zip(base, result.rounds, strict=True)
            ),
            cpu_speedup=Spread.of(
                ours.characters_per_cpu_second / theirs.characters_per_cpu_second
                for ours, theirs in zip(base, result.rounds, strict=True)
            ),
        )
        for result in results
    )
