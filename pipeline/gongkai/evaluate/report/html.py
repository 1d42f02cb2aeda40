"""An evaluation as one self-contained page: scores, plots, and every error in its sentence.

Whatever documents say is escaped, and reaches the script as JSON alone, which puts it on the page as text. A content
security policy admits that one script by its digest and forbids the page to load anything.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from importlib.resources import files
from typing import Any, NamedTuple

import msgspec
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from gongkai.evaluate.report import (
    BOUNDARIES,
    KINDS,
    LEVELS,
    Words,
    count_text,
    interval_text,
    label_text,
    level_rows,
    main_levels,
    overall,
    plots,
    scored_text,
    share_text,
    threshold_for,
)
from gongkai.evaluate.result import Calibration, Evaluation, Example, RiskPoint
from gongkai.evaluate.types import Boundary, Outcome
from gongkai.show import visible

WANTED_PRECISIONS = (0.9, 0.95, 0.99)

_LINE_BREAKS = str.maketrans({"\n": "↵", "\r": "␍"})
"""In the error browser line breaks show as signs, one for one: a table of one cell a line stays a few lines high."""

_Outcomes = Sequence[tuple[Outcome, int]]


class Cell(NamedTuple):
    """What became of spans of a gold label as spans of a predicted one (None: nothing on that side).

    Attributes:
        errors: Those that are wrong: all, but on the diagonal only those with other ends.
        share: Of the row's spans, from 0 to 1.
    """

    gold: str | None
    predicted: str | None
    number: int
    errors: int
    share: float

    @property
    def right(self) -> bool:
        """Whether the labels agree."""
        return self.gold == self.predicted


class MatrixRow(NamedTuple):
    """A gold label's row of the confusion matrix."""

    label: str | None
    cells: list[Cell]


class Confusion(NamedTuple):
    """Which labels were taken for which."""

    columns: list[str | None]
    rows: list[MatrixRow]


class BoundaryRow(NamedTuple):
    """One way that ends differ, how often, and how it looks beside a gold span from 25 to 75 %."""

    boundary: Boundary
    words: Words
    left: int
    right: int
    total: int
    labels: dict[str, int]


class BoundaryTable(NamedTuple):
    """Boundary errors by kind and gold label."""

    labels: list[str]
    rows: list[BoundaryRow]


class CalibrationLine(NamedTuple):
    """A calibration, and where each wanted precision is reached."""

    name: str
    calibration: Calibration
    points: list[RiskPoint | None]


def page(evaluation: Evaluation) -> str:
    """The HTML page of an evaluation.

    Raises:
        GongkaiError: matplotlib is not installed.
    """
    environment = Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined, finalize=_shown
    )
    environment.filters |= {
        "count": count_text,
        "share": share_text,
        "interval": interval_text,
        "rows": level_rows,
    }
    script = _file("page.js")
    everything = evaluation.all
    order = [label for result in everything.levels.values() for label in result.labels]
    return environment.from_string(_file("page.html")).render(
        run=evaluation.run,
        everything=everything,
        groups=evaluation.groups,
        absent=evaluation.absent,
        mistakes=evaluation.mistakes,
        examples=len(evaluation.examples),
        levels=LEVELS,
        main=main_levels(everything),
        score_plots=_score_plots(evaluation),
        confusion=confusion(evaluation.outcomes, order),
        boundaries=boundary_table(evaluation.outcomes, order),
        calibrations=[_calibration_line(one) for one in evaluation.calibration],
        wanted_precisions=WANTED_PRECISIONS,
        calibration_plots=_calibration_plots(evaluation),
        style=Markup(_file("page.css")),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        data=_script_json(_data(evaluation.examples)),
    )


def confusion(outcomes: _Outcomes, order: Sequence[str]) -> Confusion:
    """The confusion matrix of entity labels; `order` says how labels are sorted, nothing comes last."""
    counts: Counter[tuple[str | None, str | None]] = Counter()
    moved: Counter[tuple[str | None, str | None]] = Counter()
    for (gold, predicted, boundary), number in outcomes:
        counts[gold, predicted] += number
        if gold != predicted or boundary != "same":
            moved[gold, predicted] += number
    labels = _sorted({label for pair in counts for label in pair}, order)
    rows = []
    for gold in labels:
        of_row = sum(counts[gold, predicted] for predicted in labels)
        cells = [
            Cell(gold, predicted, counts[gold, predicted], moved[gold, predicted], share)
            for predicted in labels
            for share in [counts[gold, predicted] / of_row if of_row else 0.0]
        ]
        rows.append(MatrixRow(gold, cells))
    return Confusion(labels, rows)


def boundary_table(outcomes: _Outcomes, order: Sequence[str]) -> BoundaryTable:
    """How often the ends of paired spans differ in each way, by gold label."""
    counts: Counter[tuple[Boundary, str]] = Counter()
    for (gold, _, boundary), number in outcomes:
        if gold is not None and boundary is not None and boundary != "same":
            counts[boundary, gold] += number
    labels = [label for label in _sorted({gold for _, gold in counts}, order) if label is not None]
    rows = []
    for boundary, words in BOUNDARIES.items():
        by_label = {label: counts[boundary, label] for label in labels}
        if total := sum(by_label.values()):
            left, right = _ends(boundary)
            rows.append(BoundaryRow(boundary, words, left, right, total, by_label))
    return BoundaryTable(labels, rows)


def _shown(value: object) -> object:
    """Text without control characters; what is markup of our own stays."""
    return visible(value) if type(value) is str else value


def _file(name: str) -> str:
    return files("gongkai.evaluate.report").joinpath(name).read_text(encoding="utf-8")


def _sorted(labels: set[str | None], order: Sequence[str]) -> list[str | None]:
    """Labels in the scheme's order, then unknown ones by name, then None."""
    place = {label: number for number, label in reversed(list(enumerate(order)))}
    return sorted(labels, key=lambda label: (label is None, place.get(label or "", len(order)), label or ""))


def _ends(boundary: Boundary) -> tuple[int, int]:
    """Insets in percent of the predicted span, left and right; gold has 25 and 25."""
    how, _, side = boundary.partition("_")
    inset = 10 if how == "longer" else 40
    if how == "shifted":
        return (10, 40) if side == "left" else (40, 10)
    return (25 if side == "right" else inset, 25 if side == "left" else inset)


def _score_plots(evaluation: Evaluation) -> list[Markup]:
    """By label for each main level, then by group for each: plots of a kind are about as high as each other."""
    everything, groups = evaluation.all, evaluation.groups
    main = main_levels(everything)
    by_label = [plots.f1_by_label(everything.levels[level], LEVELS[level].title) for level in main]
    by_group = [plots.f1_by_facet(groups, level, LEVELS[level].title) for level in main] if groups else []
    return [Markup(plot) for plot in (*by_label, *by_group)]


def _calibration_plots(evaluation: Evaluation) -> list[Markup]:
    calibrations = overall(evaluation)
    if not calibrations:
        return []
    drawn = [plots.reliability(calibration) for calibration in calibrations]
    return [Markup(plot) for plot in (*drawn, plots.risk_coverage(calibrations))]


def _calibration_line(calibration: Calibration) -> CalibrationLine:
    points = [threshold_for(calibration, wanted) for wanted in WANTED_PRECISIONS]
    return CalibrationLine(scored_text(calibration), calibration, points)


def _data(examples: Iterable[Example]) -> dict[str, Any]:
    """What the error browser shows. A sentence with many mistakes is written once."""
    sentences: dict[tuple[str, int, str], int] = {}
    errors = []
    for example in examples:
        key = (example.document, example.offset, example.text)
        number = sentences.setdefault(key, len(sentences))
        errors.append({"sentence": number, **msgspec.to_builtins(example.mistake)})
    return {
        "names": {label: label_text(label) for label in sorted({error["label"] for error in errors})},
        "kinds": {kind: words._asdict() for kind, words in KINDS.items()},
        "boundaries": {boundary: words._asdict() for boundary, words in BOUNDARIES.items()},
        "sentences": [
            {"document": document, "offset": offset, "text": visible(text).translate(_LINE_BREAKS)}
            for document, offset, text in sentences
        ],
        "errors": errors,
    }


def _script_json(data: object) -> Markup:
    """JSON that an HTML parser takes for nothing else: no tag, comment or entity can begin in it."""
    written = msgspec.json.encode(data).decode()
    for character in "<>&\u2028\u2029":
        written = written.replace(character, f"\\u{ord(character):04x}")
    return Markup(written)
