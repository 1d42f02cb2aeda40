"""A study's runs, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from gongkai.errors import ConfigError, Unpaired

from ..trainer import Event
from .outcomes import Failed, Measured, Outcome, carry_out, outcome_of
from .settings import Run, Study, runs_of
from .table import write_comparison


def run_study(
    study: Study,
    out: Path,
    *,
    only: Sequence[str] = (),
    force: bool = False,
    report: Callable[[Event], None] = lambda event: None,
    announce: Callable[[str], None] = lambda line: None,
) -> tuple[Outcome, ...]:
    """Run what of a study is not finished; a run that fails leaves its error, and the next begins.

    After each run the table of all of them is written anew (see `gongkai_training.study.table`).

    Args:
        out: Folder of the runs. A finished run of the same settings and data is left alone, a killed one goes on.
        only: Names of variants to run; all of them if empty.
        force: Begin these runs anew.
        report: Called with every event of every run.
        announce: Called with a line as a run begins, is left alone, or fails.

    Returns:
        Of the runs that were asked for.

    Raises:
        ConfigError: As `runs_of`, or there is no such variant; nothing was run yet.
        Unpaired: All were run, but on different documents of dev, so that there is no table of them.
    """
    runs = runs_of(study, out)
    unknown = set(only) - {run.variant for run in runs}
    if unknown:
        known = ", ".join(variant.name for variant in study.variants)
        raise ConfigError("--only", f"There is no variant {min(unknown)}.", f"There are {known}.")
    asked = [run for run in runs if not only or run.variant in only]
    outcomes: list[Outcome] = []
    unpaired: Unpaired | None = None
    for number, run in enumerate(asked, 1):
        before = None if force else outcome_of(run)
        place = f"{run.folder.name} ({number} of {len(asked)})"
        announce(f"{place}: finished before" if isinstance(before, Measured) else place)
        outcome = before if isinstance(before, Measured) else carry_out(run, force, report)
        if isinstance(outcome, Failed):
            announce(f"{run.folder.name} failed: {outcome.problem}")
        outcomes.append(outcome)
        unpaired = _compare(out, study, runs)
        if unpaired is not None:
            announce(str(unpaired))
    if unpaired is not None:
        raise unpaired
    return tuple(outcomes)


def _compare(out: Path, study: Study, runs: Sequence[Run]) -> Unpaired | None:
    """Write the table; the error if there is none of such runs, for the next of them may put it right."""
    try:
        write_comparison(out, study, runs)
    except Unpaired as error:
        return error
    return None
