"""How training reports itself: live on a terminal, plain lines in a log."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from .trainer import Epoch, Event, Step


@contextmanager
def reporting(stream: TextIO | None = None) -> Iterator[Callable[[Event], None]]:
    """Where a run's events go: on a terminal a bar with the last step below a line an epoch, else a line an event.

    Args:
        stream: By default stderr.
    """
    stream = stream or sys.stderr
    if not stream.isatty():
        yield lambda event: print(line_of(event), file=stream, flush=True)
        return
    columns = (
        BarColumn(bar_width=20),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(file=stream)) as bar:
        task = bar.add_task("", total=1.0)

        def show(event: Event) -> None:
            if isinstance(event, Step):
                bar.update(task, completed=event.progress, description=line_of(event))
            else:
                bar.console.print(line_of(event), markup=False, highlight=False)

        yield show


@contextmanager
def counting(what: str, stream: TextIO | None = None) -> Iterator[Callable[[int, int], None]]:
    """Where a count of how much of how much is done goes: on a terminal a bar, else a line for each hundredth.

    Args:
        what: Is counted.
        stream: By default stderr.
    """
    stream = stream or sys.stderr
    if stream.isatty():
        with Progress(console=Console(file=stream)) as bar:
            task = bar.add_task(what)
            yield lambda done, everything: bar.update(task, completed=done, total=everything)
        return
    told = -1

    def tell(done: int, everything: int) -> None:
        nonlocal told
        share = 100 * done // max(1, everything)
        if share > told:
            told = share
            print(f"{share}%  {done:,} of {everything:,} {what}", file=stream, flush=True)

    yield tell


def line_of(event: Event) -> str:
    """An event in one line."""
    if isinstance(event, Epoch):
        mark = "  best" if event.best else ""
        return (
            f"epoch {event.epoch + 1}: dev F1 {event.f1:.3f}  spans {event.span_f1:.3f}  "
            f"relations {event.relation_f1:.3f}  {event.seconds:.0f} s{mark}"
        )
    return (
        f"step {event.step:,}  {event.progress:.0%}  loss {event.loss:.3f} "
        f"(spans {event.span_loss:.3f}, relations {event.relation_loss:.3f})  "
        f"rate {event.learning_rate:.1e}  {event.characters_per_second:,.0f} characters/s"
    )
