# mypy: disable-error-code="no-untyped-call"
"""A run's folder in one self-contained page: coverage, metrics over years, findings in context, citations, errors,
the run itself.

The page has no script and loads nothing; whatever documents say is escaped. SQL counts (`summary/*.sql`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import duckdb
import msgspec
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from gongkai import __version__
from gongkai.archive import FINDINGS
from gongkai.archive.plots import Line, YearBars, line, year_bars
from gongkai.archive.tables import open_archive
from gongkai.batch.assemble import QUARANTINE_FILE, RUN_FILE
from gongkai.batch.workspace import Settings
from gongkai.errors import BrokenArchive
from gongkai.export import ERRORS_FILE, Failure
from gongkai.show import CHECKS, DOC_TYPES, SEVERITIES, visible
from gongkai.views.statements import statements

METRICS = 12
CITED = 25
ERRORS = 20
"""How many metrics, cited documents, and errors of each kind are shown."""
CONTEXT = 60
"""Characters of the document shown on either side of a doubtful number."""
SPANS = 6
"""Numbers of one finding that are shown in context."""

_CHECK_NAMES: Mapping[str, str] = {
    **dict(CHECKS.items()),
    "carryover": "结转不符",
    "restated": "两年报告不一",
    "titles": "文号异名",
}

Row = Mapping[str, Any]
T = TypeVar("T")


class Metric(NamedTuple):
    """A metric over the years, and how it is drawn."""

    metric_id: str
    label: str
    unit: str
    years: list[Row]
    plot: Line


class Run(msgspec.Struct, frozen=True):
    """What run.json says of the run that wrote the folder."""

    state: str
    started: str
    ended: str
    seconds: float
    python: str
    platform: str
    settings: Settings
    summary: dict[str, Any]
    documents_per_second: float
    characters_per_second: float


class Lost(msgspec.Struct, frozen=True):
    """A line of quarantine.jsonl."""

    path: str
    member: str | None
    reason: str


class Failed(NamedTuple):
    """Inputs that gave no record for one kind of reason: how many, and the first of them."""

    error: str
    number: int
    first: list[Failure]


def summary_page(out: Path, *, findings: int = 200) -> str:
    """The HTML page of a run's folder.

    Args:
        out: Folder of a run that wrote Parquet; findings between reports are shown if `gongkai check` found them.
        findings: How many findings to show in context, the gravest first.

    Raises:
        BrokenArchive: The folder holds no tables of a run, or its lists of errors and what it says of the run are damaged.
    """
    with open_archive(out) as archive:
        coverage = _ask(archive, "coverage")
        metrics = _ask(archive, "metrics", most=METRICS)
        shown = {
            "coverage": coverage,
            "total": {name: sum(row[name] for row in coverage) for name in _SUMMED},
            "issuers": archive.sql("SELECT count(DISTINCT issuer) FROM documents").fetchall()[0][0],
            "kinds": _ask(archive, "kinds"),
            "checks": _ask(archive, "checks"),
            "findings": _ask(archive, "findings", most=findings, around=CONTEXT, spans=SPANS),
            "cited": _ask(archive, "cited", most=CITED),
        }
    environment = Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined, finalize=_shown
    )
    environment.filters |= {"count": _count, "number": _number, "rule": _rule, "oneline": _one_line}
    return environment.from_string(_file("report.html")).render(
        name=out.resolve().name,
        version=__version__,
        bars=_bars(coverage),
        metrics=list(_metrics(metrics)),
        checked=(out / FINDINGS).is_file(),
        run=_run(out / RUN_FILE),
        quarantine=list(_lines(out / QUARANTINE_FILE, Lost)),
        most=ERRORS,
        failures=_failures(out / ERRORS_FILE),
        severities=SEVERITIES,
        doc_types=DOC_TYPES,
        style=Markup(_file("report.css")),
        **shown,
    )


_SUMMED = ("documents", "annual_reports", "characters", "facts", "mapped", "findings")


def _ask(archive: duckdb.DuckDBPyConnection, name: str, **values: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = (
        archive.sql(statements("archive/summary")[name].sql, params=values or None)
        .to_arrow_table()
        .to_pylist()
    )
    return rows


def _bars(coverage: Iterable[Row]) -> YearBars:
    return year_bars({row["year"]: row["documents"] for row in coverage if row["year"] is not None})


def _metrics(rows: Iterable[Row]) -> Iterator[Metric]:
    for (metric_id, label), of_metric in groupby(rows, key=lambda row: (row["metric_id"], row["label"])):
        years = list(of_metric)
        plot = line([(row["year"], row["low"], row["middle"], row["high"]) for row in years])
        yield Metric(metric_id, label, years[-1]["unit"] or "", years, plot)


def _failures(file: Path) -> list[Failed]:
    """Errors by class, the most frequent first."""
    counts: Counter[str] = Counter()
    first: dict[str, list[Failure]] = {}
    for failure in _lines(file, Failure):
        counts[failure.error] += 1
        if counts[failure.error] <= ERRORS:
            first.setdefault(failure.error, []).append(failure)
    return [Failed(error, number, first[error]) for error, number in counts.most_common()]


def _run(file: Path) -> Run | None:
    if not file.is_file():
        return None
    try:
        return msgspec.json.decode(file.read_bytes(), type=Run)
    except msgspec.DecodeError as error:
        raise BrokenArchive(str(file), f"{error}.", "Run gongkai extract again.") from None


def _lines(file: Path, kind: type[T]) -> Iterator[T]:
    if not file.is_file():
        return
    decoder = msgspec.json.Decoder(kind)
    with file.open("rb") as lines:
        for number, line_ in enumerate(lines, start=1):
            try:
                yield decoder.decode(line_)
            except msgspec.DecodeError as error:
                raise BrokenArchive(
                    f"{file} line {number}", f"{error}.", "Run gongkai extract again."
                ) from None


def _shown(value: object) -> object:
    """Text without control characters; what is markup of our own stays."""
    return visible(value) if type(value) is str else value


def _count(number: int) -> str:
    return f"{number:,}"


def _number(value: float, unit: str = "") -> str:
    """A value for people: percentages as such, large numbers with four figures.

    >>> _number(0.4167, "%"), _number(1234567.0), _number(12.5)
    ('41.67%', '1,235,000', '12.5')
    """
    if unit == "%":
        return f"{100 * value:.4g}%"
    return f"{float(f'{value:.4g}'):,.10g}"


def _rule(name: str) -> str:
    """A check's name in Chinese."""
    return _CHECK_NAMES.get(name.partition(".")[0], name)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _file(name: str) -> str:
    return files("gongkai.archive").joinpath(name).read_text(encoding="utf-8")
