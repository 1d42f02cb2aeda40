"""How a run reports itself: a live line on a terminal, plain lines in a log, a table at the end."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TextIO

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from gongkai import run
from gongkai.show import CHECKS, LABELS

LOG_SECONDS = 10.0
LOG_DOCUMENTS = 1000
"""A log gets a line when so many seconds have passed, or so many documents since the last."""


@contextmanager
def reporting(stream: TextIO = sys.stderr) -> Iterator[run.Progress]:
    """The progress of a run on `stream`: a bar if it is a terminal, else a line now and then."""
    if not stream.isatty():
        yield LogLines(stream)
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.fields[counts]}"),
        BarColumn(bar_width=20),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(file=stream), transient=True) as bar:
        # How many files there are is not known until the last folder has been walked: until then the bar pulses.
        task = bar.add_task("", total=None, counts="")

        def update(summary: run.RunSummary) -> None:
            bar.update(task, total=summary.total, completed=summary.files, counts=_counts(summary))

        yield update


class LogLines:
    """Writes one plain line every `LOG_SECONDS` or `LOG_DOCUMENTS`, whichever is first."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._at = time.monotonic()
        self._documents = 0

    def __call__(self, summary: run.RunSummary) -> None:
        now = time.monotonic()
        if now - self._at < LOG_SECONDS and summary.documents - self._documents < LOG_DOCUMENTS:
            return
        self._at, self._documents = now, summary.documents
        print(_counts(summary), file=self._stream, flush=True)


def _counts(summary: run.RunSummary) -> str:
    counts = (
        f"{summary.documents:,} documents, {summary.failed:,} failed, "
        f"{summary.documents_per_second:,.1f} documents/s, {summary.characters_per_second:,.0f} characters/s"
    )
    if summary.remaining is None:
        return counts
    return f"{counts}, {timedelta(seconds=round(summary.remaining))} left"


def summary_table(summary: run.RunSummary) -> Table:
    """The counts of a finished run."""
    table = Table(box=box.SIMPLE, show_header=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_row("files", f"{summary.files:,}")
    table.add_row("documents", f"{summary.documents:,}")
    table.add_row("characters", f"{summary.characters:,}")
    _add(table, "entities", summary.entities, {label: f"{label} {name}" for label, name in LABELS.items()})
    table.add_row("relations", f"{summary.relations:,}")
    table.add_row("facts", f"{summary.facts:,}")
    _add(table, "findings", summary.findings, {check: f"{check} {name}" for check, name in CHECKS.items()})
    table.add_row("duplicates", f"{summary.duplicates:,}")
    _add(table, "failed", summary.errors, {})
    table.add_row("quarantined", f"{summary.quarantined:,}")
    table.add_row("seconds", f"{summary.seconds:,.1f}")
    table.add_row("characters/s", f"{summary.characters_per_second:,.0f}")
    return table


def _add(table: Table, heading: str, counts: Counter[str], names: dict[str, str]) -> None:
    table.add_row(heading, f"{counts.total():,}")
    for key, count in counts.most_common():
        table.add_row(Text(f"  {names.get(key, key)}", style="dim"), Text(f"{count:,}", style="dim"))
