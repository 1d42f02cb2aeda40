"""An evaluation or a comparison on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich import box
from rich.table import Table
from rich.text import Text

from gongkai.evaluate.report import (
    LEVELS,
    MAIN_LEVELS,
    count_text,
    difference_text,
    label_text,
    level_rows,
    main_levels,
    overall,
    p_text,
    ratio_text,
    scored_text,
    share_text,
    threshold_for,
)
from gongkai.evaluate.result import Calibration, Comparison, Evaluation, LevelResult, Verdict
from gongkai.evaluate.types import Level
from gongkai.show import visible

_VERDICTS: Mapping[Verdict, str] = {"better": "bold green", "worse": "bold red", "can't tell": "dim"}


def tables(evaluation: Evaluation) -> list[Table]:
    """The levels' tables, the main ones first; then calibration, where it was measured."""
    levels = evaluation.all.levels
    main = main_levels(evaluation.all)
    ordered = [*main, *(level for level in levels if level not in main)]
    drawn = [_level(level, levels[level]) for level in ordered]
    calibrations = overall(evaluation)
    if calibrations:
        drawn.append(_calibration(calibrations))
    return drawn


def comparison_table(comparison: Comparison) -> Table:
    """B against A at the main levels: a line for each level (all labels) and label. The Markdown has all levels."""
    title = f"{comparison.b.system} against {comparison.a.system}, {comparison.documents:,} documents"
    table = _table(title, ("",), ("A", "B", "F1, B − A (95 %)", "p"))
    table.add_column("B is", no_wrap=True)
    for difference in comparison.differences:
        if difference.level not in MAIN_LEVELS:
            continue
        _add(
            table,
            (
                LEVELS[difference.level].title if difference.label is None else label_text(difference.label),
                share_text(difference.a.f1),
                share_text(difference.b.f1),
                difference_text(difference),
                p_text(difference.p),
            ),
            Text(difference.verdict, style=_VERDICTS[difference.verdict]),
            style="bold" if difference.label is None else "",
        )
    return table


def threshold_table(evaluation: Evaluation, precision: float) -> Table:
    """From which score on predictions are right at least `precision` of the time, and how many that keeps."""
    columns = ("predictions", "scores from", "keeps", "precision")
    table = _table(f"To be right in {precision:.1%} of the predictions kept", ("of",), columns)
    for calibration in evaluation.calibration:
        point = threshold_for(calibration, precision)
        kept = (
            (share_text(point.threshold), f"{point.coverage:.1%}", share_text(1 - point.risk))
            if point
            else ("not reached", "", "")
        )
        style = "bold" if calibration.label is None else ""
        _add(table, (scored_text(calibration), count_text(calibration.count), *kept), style=style)
    return table


def _level(level: Level, result: LevelResult) -> Table:
    words = LEVELS[level]
    columns = ("gold", "pred.", "correct", "P", "R", "F1 (95 %)")
    table = _table(f"{words.title}: {words.meaning}", ("label",), columns)
    for row in level_rows(result):
        cells = (
            row.name,
            count_text(row.gold),
            count_text(row.predicted),
            count_text(row.correct),
            share_text(row.precision.value),
            share_text(row.recall.value),
            ratio_text(row.f1),
        )
        _add(table, cells, style="bold" if row.total else "")
    return table


def _calibration(calibrations: Iterable[Calibration]) -> Table:
    table = _table("Calibration", ("scores of",), ("predictions", "ECE", "AURC"))
    for one in calibrations:
        _add(table, (one.level, count_text(one.count), share_text(one.ece), share_text(one.aurc)))
    return table


def _table(title: str, names: Iterable[str], figures: Iterable[str]) -> Table:
    table = Table(
        title=Text(visible(title)),
        box=box.SIMPLE_HEAD,
        title_justify="left",
        pad_edge=False,
        collapse_padding=True,
    )
    for heading in names:
        table.add_column(heading, no_wrap=True)
    for heading in figures:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _add(table: Table, cells: Iterable[str], *more: Text, style: str = "") -> None:
    """Add a row; what the cells say is never read as markup."""
    table.add_row(*(Text(visible(cell)) for cell in cells), *more, style=style)
