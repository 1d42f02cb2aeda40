"""A study as a table, a file of results and a learning curve, from what its runs left in their folders."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from gongkai.errors import Unpaired
from gongkai.evaluate import bootstrap
from gongkai.evaluate.bootstrap import Resampler, ratio
from gongkai.evaluate.report.markdown import escaped
from gongkai.evaluate.types import Counts

from ..artifacts import write_file
from ..evaluate import Count, Scores, total
from .outcomes import DocumentScores, Failed, Measured, Outcome, outcome_of
from .settings import Run, Study, Variant

RESULTS: Final = "results.jsonl"
TABLE: Final = "table.md"
CURVE: Final = "curve.svg"
RESAMPLES: Final = 2000

_OVERALL: Final = ("all", "spans", "relations")
_NOTHING: Final = "–"

Array = npt.NDArray[np.float64]


class Measure(NamedTuple):
    """What F1 is taken of.

    Attributes:
        counted: What a document adds.
    """

    name: str
    counted: Callable[[DocumentScores], Count]


class Result(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="measured"):
    """A line of `results.jsonl`: F1 by measure; seconds and characters as `Measured` has them."""

    variant: str
    seed: int
    documents: int
    f1: dict[str, float]
    epochs: int
    seconds: float
    characters: int


class Failure(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="failed"):
    """A line of `results.jsonl`: a run that did not come to its end."""

    variant: str
    seed: int
    problem: str


class Comparison:
    """The finished runs of a study, each measure plain and over the same bootstrap samples of the dev documents.

    Attributes:
        measures: All of dev, and METRIC and value_of of each of its files.

    Raises:
        Unpaired: The runs were measured on different documents.
    """

    def __init__(self, outcomes: Iterable[tuple[Run, Outcome | None]]) -> None:
        everything = [(run, outcome) for run, outcome in outcomes if isinstance(outcome, Measured)]
        _check_paired(everything)
        self.measured: dict[str, list[Measured]] = defaultdict(list)
        for run, outcome in everything:
            self.measured[run.variant].append(outcome)
        self.documents = everything[0][1].documents if everything else ()
        self.measures = tuple(_measures(dict.fromkeys(document.file for document in self.documents)))
        self._resampler: Resampler[None, tuple[str, int, str]] = Resampler(RESAMPLES, seed=0)
        for counts in self._counts():
            self._resampler.add((None,), counts)

    def _counts(self) -> Iterator[dict[tuple[str, int, str], Counts]]:
        """What each document adds to each measure of each run."""
        runs = [(name, n, run) for name, runs in self.measured.items() for n, run in enumerate(runs)]
        for place in range(len(self.documents)):
            yield {
                (name, n, measure.name): _as_counts(measure.counted(run.documents[place]))
                for name, n, run in runs
                for measure in self.measures
            }

    def f1s(self, variant: str, measure: Measure) -> Array:
        """(seeds, 1 + resamples): first the documents as they are; NaN where there is nothing to find or found."""
        keys = [(variant, n, measure.name) for n in range(len(self.measured[variant]))]
        sums = [
            np.vstack([self._resampler.total(None, key), self._resampler.sums(None, key)]) for key in keys
        ]
        return bootstrap.f1(np.stack(sums))

    def difference(self, variant: str, first: str, measure: Measure) -> str:
        """Of the means of the seeds, with its interval."""
        replicates = self.f1s(variant, measure).mean(0) - self.f1s(first, measure).mean(0)
        found = ratio(float(replicates[0]), replicates[1:])
        if found.low is None or found.high is None:
            return _NOTHING
        return f"{replicates[0]:+.3f} ({found.low:+.3f}, {found.high:+.3f})"


def write_comparison(out: Path, study: Study, runs: Sequence[Run]) -> None:
    """Write `results.jsonl`, `table.md` and, of variants that have an x, `curve.svg`."""
    outcomes = [(run, outcome_of(run)) for run in runs]
    comparison = Comparison(outcomes)
    out.mkdir(parents=True, exist_ok=True)
    lines = [msgspec.json.encode(line) + b"\n" for line in _results(outcomes, comparison)]
    write_file(out / RESULTS, b"".join(lines))
    write_file(out / TABLE, _table(study, outcomes, comparison).encode())
    points = sorted(
        (v.x, v.name) for v in study.variants if v.x is not None and comparison.measured.get(v.name)
    )
    if len(points) > 1:
        _draw(out / CURVE, study.x_label, points, comparison)


def _check_paired(measured: Sequence[tuple[Run, Measured]]) -> None:
    runs_on: dict[tuple[tuple[str, str], ...], list[str]] = defaultdict(list)
    for run, outcome in measured:
        runs_on[tuple((d.file, d.id) for d in outcome.documents)].append(run.folder.name)
    if len(runs_on) > 1:
        sets = "; ".join(f"{', '.join(names)} on {_parts(keys)}" for keys, names in runs_on.items())
        raise Unpaired(
            "study",
            f"Its runs were measured on different documents of dev, and cannot be compared: {sets}. "
            "Stand-off gold counts only while the folder of its texts is there.",
            "Train those of the wrong documents anew with --force --only VARIANT.",
        )


def _parts(documents: Collection[tuple[str, str]]) -> str:
    """How many documents of which file."""
    files = Counter(file for file, _ in documents)
    return ", ".join(f"{_short(file)} {count}" for file, count in files.items())


def _measures(files: Iterable[str]) -> Iterator[Measure]:
    yield Measure("all", lambda d: total(d.scores.spans) + total(d.scores.relations))
    yield Measure("spans", lambda d: total(d.scores.spans))
    yield Measure("relations", lambda d: total(d.scores.relations))
    for file in files:
        yield Measure(f"{_short(file)} METRIC", _of(file, lambda scores: scores.spans, "METRIC"))
        yield Measure(f"{_short(file)} value_of", _of(file, lambda scores: scores.relations, "value_of"))


def _of(
    file: str, part: Callable[[Scores], Mapping[str, Count]], label: str
) -> Callable[[DocumentScores], Count]:
    """Of a label in the documents of a file."""
    return lambda d: part(d.scores).get(label, Count()) if d.file == file else Count()


def _short(file: str) -> str:
    path = Path(file)
    return f"{path.parent.name}/{path.stem}"


def _as_counts(count: Count) -> Counts:
    return Counts(correct=count.both, gold=count.gold, predicted=count.predicted)


def _results(
    outcomes: Iterable[tuple[Run, Outcome | None]], comparison: Comparison
) -> Iterator[Result | Failure]:
    for run, outcome in outcomes:
        if isinstance(outcome, Failed):
            yield Failure(variant=run.variant, seed=run.settings.seed, problem=outcome.problem)
        if isinstance(outcome, Measured):
            yield Result(
                variant=run.variant,
                seed=run.settings.seed,
                documents=len(outcome.documents),
                f1={measure.name: round(_f1(outcome, measure), 4) for measure in comparison.measures},
                epochs=outcome.epochs,
                seconds=round(outcome.seconds, 1),
                characters=outcome.characters,
            )


def _f1(outcome: Measured, measure: Measure) -> float:
    return sum((measure.counted(document) for document in outcome.documents), Count()).f1


def _table(study: Study, outcomes: Sequence[tuple[Run, Outcome | None]], comparison: Comparison) -> str:
    names = [measure.name for measure in comparison.measures]
    blocks = [
        _note(study, comparison),
        _markdown(
            ("", "variant", *names, "seconds", "characters"),
            (_row(variant, outcomes, comparison, len(names)) for variant in study.variants),
        ),
    ]
    first, *others = study.variants
    compared = [variant for variant in others if comparison.measured.get(variant.name)]
    if comparison.measured.get(first.name) and compared:
        blocks += [
            f"Difference to `{first.name}`, with its paired 95 % bootstrap interval over the documents "
            f"({RESAMPLES:,} samples; the seeds' F1 averaged in each):",
            _markdown(
                ("", *names),
                (
                    (
                        f"`{variant.name}`",
                        *(comparison.difference(variant.name, first.name, m) for m in comparison.measures),
                    )
                    for variant in compared
                ),
            ),
        ]
    return "\n\n".join(blocks) + "\n"


def _note(study: Study, comparison: Comparison) -> str:
    parts = _parts([(document.file, document.id) for document in comparison.documents])
    seeds = (
        f"means of {len(study.seeds)} seeds, in brackets the lowest and the highest"
        if len(study.seeds) > 1
        else "one seed, so that nothing tells how much of it is chance"
    )
    return (
        f"Strict micro F1 on {len(comparison.documents)} dev documents ({parts or 'none yet'}) after the epoch that was "
        f"best there; {seeds}. Seconds: of training, with measuring on dev after each epoch. Characters: of the "
        "training documents and silver, over all epochs."
    )


def _row(
    variant: Variant, outcomes: Iterable[tuple[Run, Outcome | None]], comparison: Comparison, width: int
) -> tuple[str, ...]:
    own = [(run, outcome) for run, outcome in outcomes if run.variant == variant.name]
    problems = [
        f"**seed {run.settings.seed} failed: {escaped(outcome.problem)}**"
        for run, outcome in own
        if isinstance(outcome, Failed)
    ]
    measured = comparison.measured.get(variant.name, [])
    if 0 < len(measured) < len(own):
        problems.append(f"{len(measured)} of {len(own)} seeds")
    what = "; ".join((escaped(variant.what), *problems))
    if not measured:
        return (f"`{variant.name}`", what, *[_NOTHING] * (width + 2))
    return (
        f"`{variant.name}`",
        what,
        *(_mean(comparison.f1s(variant.name, measure)[:, 0]) for measure in comparison.measures),
        f"{np.mean([outcome.seconds for outcome in measured]):,.0f}",
        f"{np.mean([outcome.characters for outcome in measured]):,.0f}",
    )


def _mean(seeds: Array) -> str:
    if np.isnan(seeds).any():
        return _NOTHING
    spread = f" ({seeds.min():.3f}–{seeds.max():.3f})" if len(seeds) > 1 else ""
    return f"{seeds.mean():.3f}{spread}"


def _markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(
        f"| {' | '.join(cells)} |".replace("|  |", "| |")
        for cells in chain((head, ["---"] * len(head)), rows)
    )


def _draw(path: Path, x_label: str, points: Sequence[tuple[float, str]], comparison: Comparison) -> None:
    """F1 over x: means of the seeds, with a bar from the lowest to the highest."""
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for measure in comparison.measures:
        seeds = [comparison.f1s(variant, measure)[:, 0] for _, variant in points]
        means = np.array([each.mean() for each in seeds])
        lowest, highest = ([end(each) for each in seeds] for end in (np.min, np.max))
        axes.errorbar(
            [x for x, _ in points],
            means,
            yerr=[means - lowest, highest - means],
            marker=".",
            capsize=3,
            label=measure.name,
            linestyle="-" if measure.name in _OVERALL else ":",
        )
    axes.set_xlabel(x_label)
    axes.set_ylabel("dev F1")
    axes.legend()
    figure.savefig(path)
