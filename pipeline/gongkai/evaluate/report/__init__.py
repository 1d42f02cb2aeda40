"""An evaluation for readers: Markdown for a pull request, a page with an error browser, tables for a terminal.

This module holds what they have in common: how levels, labels and kinds are called, and how a figure reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import NamedTuple

from gongkai.evaluate.result import Calibration, Difference, Evaluation, Group, LevelResult, Ratio, RiskPoint
from gongkai.evaluate.types import Boundary, Kind, Level, Mistake, Part
from gongkai.show import CHECKS, LABELS, number_text, visible

UNDEFINED = "–"
"""How a ratio reads that is not defined."""


class Words(NamedTuple):
    """What something is called, and what it means."""

    title: str
    meaning: str


LEVELS: Mapping[Level, Words] = {
    "entities.strict": Words("Entities", "label, start and end agree"),
    "entities.exact": Words("Entities, exact", "start and end agree, whatever the label"),
    "entities.partial": Words(
        "Entities, partial", "same ends count whole, any overlap half, whatever the label"
    ),
    "entities.type": Words("Entities, type", "the label agrees, with any overlap"),
    "entities.seqeval": Words("Entities, seqeval", "strict, counted by seqeval on IOB2 tags"),
    "relations.strict": Words("Relations", "label and both spans agree"),
    "relations.given": Words(
        "Relations, spans given", "label and both spans agree; the gold spans were given"
    ),
    "values": Words("Values", "the normal form agrees, of spans that both sides have"),
    "facts": Words("Facts", "metric (overlapping spans), value, unit and period agree"),
    "facts.metric_id": Words("Facts with metric id", "as facts, and the ontology's metric agrees"),
    "findings": Words("Findings", "check and doubtful number agree"),
}
MAIN_LEVELS: tuple[Level, ...] = ("entities.strict", "relations.strict", "values", "facts", "findings")
"""The levels that a reader looks at first; the others are variants of them."""

KINDS: Mapping[Kind, Words] = {
    "missed": Words("missed", "in gold, nothing predicted there"),
    "spurious": Words("spurious", "predicted, nothing in gold there"),
    "label": Words("label", "right ends, another label"),
    "boundary": Words("boundary", "right label, other ends"),
    "label_and_boundary": Words("label and boundary", "another label and other ends"),
    "value": Words("value", "another value was read"),
    "unit": Words("unit", "another unit was read"),
    "qualifier": Words("qualifier", "another bound was read (about, at least, …)"),
    "direction": Words("direction", "up and down differ"),
    "period": Words("period", "another period was read"),
    "docno": Words("document number", "another document number was read"),
    "metric_id": Words("metric id", "another metric of the ontology"),
    "metric": Words("metric", "another metric span"),
    "head_or_tail": Words("head or tail", "same label, to another span"),
}
BOUNDARIES: Mapping[Boundary, Words] = {
    "same": Words("same ends", "both ends agree"),
    "longer_left": Words("longer left", "starts too early, ends right"),
    "longer_right": Words("longer right", "starts right, ends too late"),
    "longer_both": Words("longer both", "starts too early, ends too late"),
    "shorter_left": Words("shorter left", "starts too late, ends right"),
    "shorter_right": Words("shorter right", "starts right, ends too early"),
    "shorter_both": Words("shorter both", "starts too late, ends too early"),
    "shifted_left": Words("shifted left", "starts too early, ends too early"),
    "shifted_right": Words("shifted right", "starts too late, ends too late"),
}
CHINESE: Mapping[str, str] = dict(chain[tuple[str, str]](LABELS.items(), CHECKS.items()))
"""Label or check → its Chinese name, for those that have one."""


class Row(NamedTuple):
    """A line of a score table; None where the line has no counts of its own (macro)."""

    name: str
    gold: float | None
    predicted: float | None
    correct: float | None
    precision: Ratio
    recall: Ratio
    f1: Ratio
    total: bool = False


def level_rows(result: LevelResult) -> Iterator[Row]:
    """The lines of a level's table: its labels, then micro and macro."""
    for name, score in [*result.labels.items(), ("micro", result.micro)]:
        counts = score.counts
        yield Row(
            label_text(name),
            counts.gold,
            counts.predicted,
            counts.correct,
            score.precision,
            score.recall,
            score.f1,
            total=score is result.micro,
        )
    macro = result.macro
    yield Row("macro", None, None, None, macro.precision, macro.recall, macro.f1, total=True)


def main_levels(group: Group) -> list[Level]:
    """The main levels that the group has scores of."""
    return [level for level in MAIN_LEVELS if level in group.levels]


def overall(evaluation: Evaluation) -> list[Calibration]:
    """The calibrations of a whole level."""
    return [calibration for calibration in evaluation.calibration if calibration.label is None]


def threshold_for(calibration: Calibration, precision: float) -> RiskPoint | None:
    """The point that keeps most predictions of those at least so precise; None where no point is."""
    reached = (point for point in calibration.risk_coverage if 1 - point.risk >= precision)
    return max(reached, key=lambda point: point.coverage, default=None)


def scored_text(calibration: Calibration) -> str:
    """What a calibration is of."""
    return f"all {calibration.level}" if calibration.label is None else label_text(calibration.label)


def label_text(label: str) -> str:
    """A label with its Chinese name, where it has one.

    >>> label_text("COUNT"), label_text("value_of")
    ('COUNT 数量', 'value_of')
    """
    return f"{label} {CHINESE[label]}" if label in CHINESE else label


def count_text(count: float | None) -> str:
    """A count; fractional where partial credit made it so.

    >>> count_text(1644), count_text(1643.5), count_text(None)
    ('1,644', '1,643.5', '')
    """
    return "" if count is None else number_text(count)


def share_text(share: float | None) -> str:
    """A ratio to three decimals.

    >>> share_text(0.9347), share_text(None)
    ('0.935', '–')
    """
    return UNDEFINED if share is None else f"{share:.3f}"


def interval_text(ratio: Ratio) -> str:
    """The interval of a ratio, empty for none."""
    if ratio.low is None or ratio.high is None:
        return ""
    return f"{ratio.low:.3f}–{ratio.high:.3f}"


def ratio_text(ratio: Ratio) -> str:
    """A ratio with its interval.

    >>> ratio_text(Ratio(value=0.93, low=0.9, high=0.951))
    '0.930 (0.900–0.951)'
    """
    interval = interval_text(ratio)
    return f"{share_text(ratio.value)} ({interval})" if interval else share_text(ratio.value)


def difference_text(difference: Difference) -> str:
    """B minus A in F1 with its interval, each with its sign."""
    ratio = difference.f1
    if ratio.value is None:
        return UNDEFINED
    if ratio.low is None or ratio.high is None:
        return f"{ratio.value:+.3f}"
    return f"{ratio.value:+.3f} ({ratio.low:+.3f}, {ratio.high:+.3f})"


def p_text(p: float | None) -> str:
    """A p value; very small ones as a bound."""
    if p is None:
        return UNDEFINED
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def mistake_text(mistake: Mistake) -> str:
    """A mistake in a line: what it is about, where, and what was read.

    >>> from gongkai.evaluate.types import Part
    >>> gold, predicted = (Part("COUNT", 12, 16),), (Part("COUNT", 12, 15),)
    >>> mistake_text(
    ...     Mistake(level="entities", kind="boundary", label="COUNT", gold=gold, gold_words=("300余件",), predicted=predicted)
    ... )
    'entities COUNT, boundary: gold COUNT 「300余件」 12–16; predicted COUNT 12–15'
    """
    sides = []
    for side, parts, words, value in (
        ("gold", mistake.gold, mistake.gold_words, mistake.gold_value),
        ("predicted", mistake.predicted, mistake.predicted_words, mistake.predicted_value),
    ):
        spans = " → ".join(
            _part_text(part, said) for part, said in zip(parts, words or ("",) * len(parts), strict=True)
        )
        said = f"{spans} = {value}" if value is not None else spans
        if said:
            sides.append(f"{side} {said}")
    return f"{mistake.level} {mistake.label}, {KINDS[mistake.kind].title}: {'; '.join(sides)}"


def _part_text(part: Part, words: str) -> str:
    quoted = f" 「{visible(words)}」" if words else ""
    return f"{part.label}{quoted} {part.start}–{part.end}"
