"""A speed report as tables, for a terminal and as Markdown, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec
from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from gongkai.evaluate.speed.results import Environment, Limit, Settings, SpeedReport, SpeedResult, Spread


def terminal(report: SpeedReport) -> Group:
    """The report as a rich renderable."""
    tables = (_rich_table(title, rows) for title, rows in _tables(report))
    return Group(*tables, *(Text(note, style="dim") for note in _notes(report)))


def markdown(report: SpeedReport) -> str:
    """The report as Markdown: tables, then notes on where and how it was taken."""
    tables = (f"**{title}**\n\n{_markdown_table(rows)}\n" for title, rows in _tables(report))
    return "\n".join([*tables, *(f"- {note}" for note in _notes(report)), ""])


def as_json(report: SpeedReport) -> str:
    """All of the report, for machines."""
    return msgspec.json.format(msgspec.json.encode(report), indent=1).decode() + "\n"


def _tables(report: SpeedReport) -> Iterator[tuple[str, list[Sequence[str]]]]:
    """Title and rows, the first of which is the heading; the first column is text, the others are figures."""
    if report.results:
        size = f"{report.documents:,} documents, {report.characters:,} characters"
        yield f"Speed on {size}", list(_speed_rows(report))
        yield "Latency, start and memory", list(_cost_rows(report))
    for result in report.results:
        if result.stages:
            yield f"Where {result.system} spends its time", list(_stage_rows(result))
    if report.limit is not None:
        yield "What the model's operations alone would allow", list(_limit_rows(report.limit))


def _speed_rows(report: SpeedReport) -> Iterator[Sequence[str]]:
    ratios = (f"{report.reference} is × as fast", "by CPU time")
    yield "system", "characters/s", "characters/CPU s", "documents/s", "cores used", *ratios
    for result in report.results:
        yield (
            _name(result),
            _spread(result.characters_per_second),
            _spread(result.characters_per_cpu_second),
            _spread(result.documents_per_second),
            f"{result.cores_used.median:.2f}",
            _spread(result.speedup),
            _spread(result.cpu_speedup),
        )


def _cost_rows(report: SpeedReport) -> Iterator[Sequence[str]]:
    yield "system", "p50 ms", "p90 ms", "p99 ms", "load s", "first document s", "peak MB", "of it Python"
    for result in report.results:
        latency = result.latency
        yield (
            _name(result),
            *(_figure(1000 * seconds) for seconds in (latency.p50, latency.p90, latency.p99)),
            _spread(result.load_s),
            _spread(result.first_document_s),
            f"{result.peak_bytes / 1e6:,.0f}",
            f"{result.start_bytes / 1e6:,.0f}",
        )


def _name(result: SpeedResult) -> str:
    return f"{result.system} †" if result.weights == "random" else result.system


def _stage_rows(result: SpeedResult) -> Iterator[Sequence[str]]:
    yield "stage", "s / million characters", "share"
    for stage in result.stages:
        yield stage.name, f"{stage.seconds_per_million:.2f}", f"{stage.share:.1%}"


def _limit_rows(limit: Limit) -> Iterator[Sequence[str]]:
    kinds = limit.characters_per_second
    yield "", "characters/s", *(f"of the {numbers} limit" for numbers in kinds)
    for numbers, rate in kinds.items():
        yield (
            f"limit at the {numbers} rate",
            _figure(rate),
            *(f"{rate / other:.0%}" for other in kinds.values()),
        )
    for reached in limit.reached:
        shares = (f"{reached.shares[numbers]:.1%}" for numbers in kinds)
        yield reached.name, _figure(reached.characters_per_second), *shares


def _notes(report: SpeedReport) -> Iterator[str]:
    for skipped in report.skipped:
        yield f"{skipped.system} was skipped: {skipped.reason}"
    if any(result.weights == "random" for result in report.results):
        yield "† with random weights: an architecture's speed does not depend on them."
    yield from (_partial(result) for result in report.results if any(not r.passes for r in result.rounds))
    if report.limit is not None:
        yield _operations(report.limit)
    yield _conditions(report.settings)
    yield _machine(report.environment)


def _partial(result: SpeedResult) -> str:
    done = min(r.documents for r in result.rounds)
    return f"{result.system} had time for {done:,} of the {result.documents:,} documents in a round: its rate is for those."


def _operations(limit: Limit) -> str:
    graphs = ", ".join(f"{name} {_figure(count)}" for name, count in limit.operations.multiply_adds.items())
    rates = ", ".join(f"{numbers} {rate / 1e9:.1f}" for numbers, rate in limit.operations.rates.items())
    shape = " × ".join(map(str, limit.operations.product))
    return (
        f"Multiply-adds a character of these texts: {graphs}. Thousand million of them a second in a matrix product of "
        f"{shape}, on the same cores: {rates}."
    )


def _conditions(settings: Settings) -> str:
    model = "" if settings.model is None else f" Model: {settings.model}."
    return (
        f"Rounds: {settings.rounds}, systems in turn, a fresh process each; given are median and (least–greatest). "
        f"Threads: {settings.threads}, on as many cores. Rates are of documents in batches, latencies of documents alone. "
        f"Time budget of a round: {settings.budget_s:g} s.{model}"
    )


def _machine(environment: Environment) -> str:
    load = "unknown" if environment.load_average is None else f"{environment.load_average:.1f}"
    packages = ", ".join(f"{name} {version}" for name, version in environment.packages.items())
    return (
        f"{environment.cpu}, {environment.cores} cores, load average before the start {load}; "
        f"{environment.platform}, Python {environment.python}; {packages}."
    )


def _spread(spread: Spread | None) -> str:
    if spread is None:
        return ""
    if spread.min == spread.max:
        return _figure(spread.median)
    return f"{_figure(spread.median)} ({_figure(spread.min)}–{_figure(spread.max)})"


def _figure(value: float) -> str:
    """Three digits that matter.

    >>> _figure(93812.4), _figure(271.87), _figure(0.012345), _figure(0)
    ('93,800', '272', '0.0123', '0')
    """
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}" if rounded >= 100 else f"{rounded:g}"


def _rich_table(title: str, rows: Iterable[Sequence[str]]) -> Table:
    heading, *body = rows
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left")
    for number, name in enumerate(heading):
        table.add_column(name, justify="right" if number else "left", no_wrap=not number)
    for row in body:
        table.add_row(*row)
    return table


def _markdown_table(rows: Iterable[Sequence[str]]) -> str:
    heading, *body = rows
    rule = ["---", *["---:"] * (len(heading) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (heading, rule, *body))
