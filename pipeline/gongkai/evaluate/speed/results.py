"""The typed data of a speed measurement: what a child process is asked, what it answers, what the user gets."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Final, Literal

import msgspec

Weights = Literal["random", "shipped"]
"""`random`: the architecture with untrained weights, as fast as trained ones; `shipped`: the real thing."""

ENCODING: Final = "gongkai_model: encoding graph"
DECODE: Final = "gongkai_model: decode"
RELATIONS: Final = "gongkai_model: relations graph"
NUMPY: Final = "gongkai_model: numpy"
"""Parts of the model's stage: `spans.onnx`, from scores to spans and relations, `relations.onnx`, all the rest."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What every system of a comparison is given alike.

    Attributes:
        threads: Cores a child process may use; the pools of OpenMP, MKL, torch and ONNX Runtime have as many.
        rounds: Repetitions, each in a fresh process.
        seconds: A round is over with the first pass over all texts that ends after so long.
        budget_s: A round is over with the first call that ends after so long, wherever in the texts it is.
        warm_up_s: How long to run before anything is timed; the first document counts towards it.
        model: Folder of the exported model that gongkai reads with; None for the one that comes with it.
    """

    threads: int = 1
    rounds: int = 3
    seconds: float = 2.0
    budget_s: float = 20.0
    warm_up_s: float = 1.0
    model: str | None = None

    @property
    def model_folder(self) -> Path | None:
        return None if self.model is None else Path(self.model)


class Preparation(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Asks a child to write to `folder` the model files that a user of the system would have."""

    system: str
    folder: str


class Measurement(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Asks a child for one round."""

    system: str
    folder: str
    texts: tuple[str, ...]
    settings: Settings


class Count(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Asks a child for the operations of the model on some texts, and for the machine's rates."""

    texts: tuple[str, ...]
    settings: Settings

    @property
    def system(self) -> str:
        return self.settings.model or "the shipped model"


Job = Preparation | Measurement | Count


class Failure(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A child's answer that becomes a `GongkaiError` of its parent: where, problem, remedy."""

    where: str
    problem: str
    remedy: str


class Prepared(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A child's answer to a preparation."""


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """One repetition, in a process of its own.

    Attributes:
        load_s: Seconds to import and construct the system.
        first_document_s: Seconds of the first call, which pays for whatever is built lazily.
        passes: Whole passes over the texts; 0 if the budget ended within the first.
        documents, characters: Processed in the timed part, every pass counted.
        found: Spans or words found in the timed part.
        seconds: Wall-clock time of the timed part.
        cpu_seconds: CPU time spent in it, over all threads and worker processes.
        cores: Cores the operating system let the process use.
        start_bytes: Peak resident memory of the interpreter, before the system was imported.
        peak_bytes: The same after the timed part, workers included.
    """

    load_s: float
    first_document_s: float
    passes: int
    documents: int
    characters: int
    found: int
    seconds: float
    cpu_seconds: float
    cores: int
    start_bytes: int
    peak_bytes: int

    @property
    def characters_per_second(self) -> float:
        return self.characters / self.seconds

    @property
    def characters_per_cpu_second(self) -> float:
        return self.characters / self.cpu_seconds


class Measured(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A child's answer to a measurement.

    Attributes:
        latencies: Seconds of documents handed over alone.
        stages: Seconds by stage for a pass over the texts, in batches; empty if the system has no stages.
    """

    round: Round
    latencies: tuple[float, ...]
    stages: dict[str, float]


class Operations(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A child's answer to a count.

    Attributes:
        multiply_adds: Of matrix products and convolutions, by graph, per character of the texts. Windows overlap and
            are padded, and paragraphs that can hold no entity are not read: it is what these texts take.
        product: Rows, depth and columns of the product that was timed, that of the larger graph that takes most.
        rates: Multiply-adds a second of the machine's cores in it, by the kind of numbers: float32, int8.
    """

    multiply_adds: dict[str, float]
    product: tuple[int, int, int]
    rates: dict[str, float]

    @property
    def multiply_adds_per_character(self) -> float:
        return sum(self.multiply_adds.values())

    def allowed(self, numbers: str) -> float:
        """Characters a second, were there nothing but the multiply-adds, at full rate."""
        return self.rates[numbers] / self.multiply_adds_per_character


Answer = Prepared | Measured | Operations | Failure


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """A figure over the rounds."""

    min: float
    median: float
    max: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """The spread of at least one value.

        >>> Spread.of([3.0, 1.0, 2.0])
        Spread(min=1.0, median=2.0, max=3.0)
        """
        ordered = sorted(values)
        return cls(min=ordered[0], median=median(ordered), max=ordered[-1])


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds from handing a document over, alone, to its result, over all rounds.

    Attributes:
        p50, p90, p99: Nearest-rank percentiles, so each is a time that was measured.
        documents: How many times they are taken from.
    """

    p50: float
    p90: float
    p99: float
    documents: int

    @classmethod
    def of(cls, seconds: Iterable[float]) -> Latency:
        """The percentiles of at least one time.

        >>> Latency.of([0.4, 0.1, 0.3, 0.2])
        Latency(p50=0.2, p90=0.4, p99=0.4, documents=4)
        """
        ordered = sorted(seconds)

        def rank(percent: int) -> float:
            return ordered[math.ceil(percent * len(ordered) / 100) - 1]

        return cls(p50=rank(50), p90=rank(90), p99=rank(99), documents=len(ordered))


class StageTime(msgspec.Struct, frozen=True, kw_only=True):
    """Where the time of a pipeline goes.

    Attributes:
        name: As in `nlp.pipe_names`, but for the model's stage its parts; `tokenizer` and `record` are what comes
            before and after the stages.
        seconds_per_million: Wall-clock seconds a million characters.
        share: Fraction of the time of all stages.
    """

    name: str
    seconds_per_million: float
    share: float


class SpeedResult(msgspec.Struct, frozen=True, kw_only=True):
    """How fast one system is.

    Attributes:
        weights: `random` if the system ran with untrained weights.
        documents, characters: The texts it was given; `rounds` tells how much of them it was timed on.
        characters_per_cpu_second: The same by CPU time over all threads: what other work on the machine takes
            away does not count.
        cores_used: CPU time over wall-clock time; below what the system can use, other work was in the way.
        peak_bytes, start_bytes: Largest over the rounds; see `Round`.
        stages: Fastest over the rounds; empty for systems that are not a pipeline of ours.
        speedup, cpu_speedup: Characters a second (or CPU second) of the comparison's reference over this
            system's, round by round; None outside a comparison.
    """

    system: str
    description: str
    weights: Weights
    settings: Settings
    documents: int
    characters: int
    characters_per_second: Spread
    characters_per_cpu_second: Spread
    documents_per_second: Spread
    latency: Latency
    load_s: Spread
    first_document_s: Spread
    cores_used: Spread
    peak_bytes: int
    start_bytes: int
    stages: tuple[StageTime, ...]
    rounds: tuple[Round, ...]
    speedup: Spread | None = None
    cpu_speedup: Spread | None = None


class Skipped(msgspec.Struct, frozen=True, kw_only=True):
    """A system that could not be measured, and what to do about it."""

    system: str
    reason: str


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """Where the figures were taken.

    Attributes:
        cpu: Model name as the operating system gives it.
        cores: Logical cores of the machine; `cores_available` of them may be used.
        load_average: Processes that were running or waiting in the minute before; None where unknown.
        packages: Distribution → version, of what was measured.
    """

    python: str
    platform: str
    cpu: str
    cores: int
    cores_available: int
    load_average: float | None
    packages: dict[str, str]


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """How near something comes to what the operations alone would allow.

    Attributes:
        name: Of a system, or of a part of the model's stage.
        shares: Of the characters a second that each kind of numbers would allow.
    """

    name: str
    characters_per_second: float
    shares: dict[str, float]


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """What the model's operations alone would allow, and how much of it is reached.

    Attributes:
        characters_per_second: By the kind of numbers.
        reached: The graphs alone, the model's stage, and the systems with the model.
    """

    operations: Operations
    characters_per_second: dict[str, float]
    reached: tuple[Reached, ...]


class SpeedReport(msgspec.Struct, frozen=True, kw_only=True):
    """Systems side by side.

    Attributes:
        reference: The system that the speedups are of: the first of gongkai, else the first.
        results, skipped: In the order asked for.
        limit: If a system with the model was measured.
    """

    environment: Environment
    settings: Settings
    documents: int
    characters: int
    reference: str
    results: tuple[SpeedResult, ...]
    skipped: tuple[Skipped, ...]
    limit: Limit | None = None
