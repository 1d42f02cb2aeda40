"""Table cells: state and value of what a cell holds, and the cells and rows of a table while it is read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from gongkai.structure.forms import label_key
from gongkai.text import ZERO_WIDTH, fold
from gongkai.types import Cell, CellState

HAN = re.compile(r"[一-鿿]")

_UNITS = "件|宗|条|次|个|项|篇|份|人|人次|名|起|例|期|场|万元|元|亿元|册|部|家|处|批|本|封|万人次|万次|%"
_UNIT = re.compile(rf"\(?(?:单位:?)?(?:{_UNITS})(?:/(?:{_UNITS}))?\)?")
_NUMBER = re.compile(
    rf"(?P<digits>[-+]?(?:\d{{1,3}}(?:,\d{{3}}){{1,5}}|\d{{1,15}})(?:\.\d{{1,8}})?)(?P<unit>{_UNITS})?"
)
_SLASH = re.compile(r"[-/\\]{1,8}")
_LONGEST_NUMBER = 40
_NUMBER_BEGINS = frozenset("0123456789-+/\\")
_BLANKS = re.compile(r"[\s\u200b]+")
_LONGEST_PRINTED = 200


def read_value(content: str) -> tuple[CellState, float | None]:
    """State and number of a cell's folded text; a percentage is a fraction, a unit is left out.

    Empty, `/` and 0 are three statements on the standard forms (国办公开办函〔2021〕30号).

    >>> read_value("1,024件"), read_value("50%"), read_value("--"), read_value(""), read_value("规章")
    (('number', 1024.0), ('number', 0.5), ('slash', None), ('empty', None), ('text', None))
    """
    if content.isdecimal() and len(content) <= 15:
        return "number", float(content)
    text = content.strip(f"{ZERO_WIDTH} \n")
    if not text:
        return "empty", None
    if text[0] not in _NUMBER_BEGINS or len(content) > _LONGEST_NUMBER:
        return "text", None
    text = _BLANKS.sub("", text)
    if _SLASH.fullmatch(text):
        return "slash", None
    number = _NUMBER.fullmatch(text)
    if number is None:
        return "text", None
    digits = number["digits"].replace(",", "")
    return "number", float(f"{digits}e-2" if number["unit"] == "%" else digits)


def is_unit(content: str) -> bool:
    """Whether a cell's folded text is nothing but a unit of count: 件, （单位：万元）, 人/次."""
    return bool(_UNIT.fullmatch(_BLANKS.sub("", content)))


def trim(view: str, start: int, end: int) -> tuple[int, int]:
    """The span without white space at its ends; nothing left is the place where it began."""
    content = view[start:end]
    if content.isalnum():
        return start, end
    kept = content.strip(f" \n\r{ZERO_WIDTH}")
    if not kept:
        return start, start
    start += len(content) - len(content.lstrip(f" \n\r{ZERO_WIDTH}"))
    return start, start + len(kept)


def join_labels(texts: Iterable[str]) -> str | None:
    """Labels as they read, outermost first, each once, joined by ` / `; None if there is none."""
    parts = dict.fromkeys(part for text in texts if (part := _printed(text)))
    return " / ".join(parts) or None


def _printed(text: str) -> str:
    """No line breaks or zero-width characters, no space beside a Chinese character."""
    text = _BLANKS.sub(" ", text[:_LONGEST_PRINTED].replace(ZERO_WIDTH, "")).strip()
    return re.sub(r"(?<=[^\x00-\x7f]) | (?=[^\x00-\x7f])", "", text)


@dataclass(slots=True)
class DraftCell:
    """A cell while its table is being read; `text` is its beginning as printed."""

    row: int
    column: int
    start: int
    end: int
    state: CellState
    value: float | None = None
    row_span: int = 1
    column_span: int = 1
    text: str = ""
    row_label: str | None = None
    column_label: str | None = None
    metric_id: str | None = None
    category: str | None = None

    @property
    def is_value(self) -> bool:
        """Whether it states a number, or that there is none."""
        return self.state in ("number", "slash", "empty")

    @property
    def is_label(self) -> bool:
        """Whether it holds words."""
        return not self.is_value

    @property
    def is_unit(self) -> bool:
        """Whether it holds nothing but a unit."""
        return is_unit(fold(self.text))

    def finish(self) -> Cell:
        """The cell as the record has it."""
        return Cell(
            row=self.row,
            column=self.column,
            start=self.start,
            end=self.end,
            row_span=self.row_span,
            column_span=self.column_span,
            state=self.state,
            value=self.value,
            row_label=self.row_label,
            column_label=self.column_label,
            metric_id=self.metric_id,
            category=self.category,
        )


@dataclass(slots=True)
class Row:
    """Labels, and the values that follow them in one line of a table."""

    labels: list[DraftCell] = field(default_factory=list)
    values: list[DraftCell] = field(default_factory=list)

    @property
    def key(self) -> str:
        """Key of the innermost label; empty without any."""
        return label_key(self.labels[-1].text) if self.labels else ""

    @property
    def has_value(self) -> bool:
        """Whether a number or a slash stands in it."""
        return any(value.state in ("number", "slash") for value in self.values)
