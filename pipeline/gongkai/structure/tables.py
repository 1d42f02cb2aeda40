"""Statistics tables: cells typed and labelled, the standard forms recognised, flattened tables recovered.

Two sources give the same `Table`: grids that ingest found marked up (HTML, DOCX), and lines of plain text
into which a page has flattened a table, one cell a line or one row a line. The forms themselves are data,
`configs/forms.yaml`. Where a row's numbers do not fit the form's columns, the cells keep their row label and
nothing is guessed.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from itertools import pairwise
from typing import Literal

import msgspec

from gongkai.normalise.identities import Identity
from gongkai.resources import load_yaml
from gongkai.text import ZERO_WIDTH, fold
from gongkai.types import Cell, CellState, Document, Table

# --- the forms as data ----------------------------------------------------------------------------


class FormRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A row of a form: its wordings, and its metric, or one metric for each of its own columns."""

    labels: tuple[str, ...]
    metric: str | None = None
    only: str | None = None
    columns: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()


class FormColumn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A column of a form: `group` is the header above its own."""

    labels: tuple[str, ...]
    group: str | None = None
    category: str | None = None
    metric: str | None = None

    @property
    def path(self) -> str:
        """The column's headers, outermost first."""
        return self.labels[0] if self.group is None else f"{self.group} / {self.labels[0]}"


class Form(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table of a standard form; the head of `configs/forms.yaml` explains the fields."""

    form: str
    layout: Literal["list", "matrix", "blocks", "columns"]
    source: str
    also: str | None = None
    rows: tuple[FormRow, ...] = ()
    columns: tuple[FormColumn, ...] = ()


class FormsFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`configs/forms.yaml`."""

    words: dict[str, tuple[str, ...]]
    tables: tuple[Form, ...]
    identities: tuple[Identity, ...]


@cache
def _load_file() -> FormsFile:
    return load_yaml("forms.yaml", FormsFile)


def load_forms() -> tuple[Form, ...]:
    """The tables of the standard forms, in file order."""
    return _load_file().tables


@cache
def _words() -> tuple[tuple[str, str], ...]:
    """(word of a mirror page, the form's word), folded, the longest first."""
    pairs = [(fold(word), fold(ours)) for ours, words in _load_file().words.items() for word in words]
    return tuple(sorted(pairs, key=lambda pair: -len(pair[0])))


_UNSEEN = re.compile(r"[\s\u200b,;:、。·“”‘’\"'()《》〈〉\[\]/|-]+")
_NUMBER_OF_ROW = re.compile(
    r"其中[:,]?|[一二三四五六七八九十]{1,3}[、.,:)]|\([一二三四五六七八九十\d]{1,3}\)?"
    r"|\d{1,2}(?:[、.):,]|(?=[^\d.%]))|[①-⑳]|[-·*]"
)
_NOTE = re.compile(r"\([^()]{0,60}\)?$")
_OUTER_SPACE = re.compile(r"^[\s\u200b]+|[\s\u200b]+$")
_LONGEST_LABEL = 80


@lru_cache(maxsize=65_536)
def label_key(label: str) -> str:
    """What identifies a row or column label: no numbering, note, space, quote or punctuation.

    >>> label_key("（二）部分公开（区分处理的，只计这一情形，不计其他情形）")
    '部分公开'
    """
    text = re.sub(r"[\s\u200b]+", "", fold(label[:_LONGEST_LABEL]))
    for _ in range(3):
        mark = _NUMBER_OF_ROW.match(text)
        if mark is None:
            break
        text = text[mark.end() :]
    text = _UNSEEN.sub("", _NOTE.sub("", text) or text)
    for word, mainland in _words():
        text = text.replace(word, mainland)
    return text


class _FormIndex:
    """Label keys of one form."""

    FUZZY = 0.8

    def __init__(self, form: Form) -> None:
        self.form = form
        self.rows: dict[str, list[int]] = {}
        self.columns: dict[str, list[int]] = {}
        for number, row in enumerate(form.rows):
            for label in row.labels:
                self.rows.setdefault(label_key(label), []).append(number)
            for label in row.columns:
                self.columns.setdefault(label_key(label), []).append(number)
        for number, column in enumerate(form.columns):
            for label in (*column.labels, *(column.group or "").split(" / ")):
                if label:
                    self.columns.setdefault(label_key(label), []).append(number)
        if form.layout == "blocks":
            self.columns.setdefault("信息内容", [])
        if form.layout == "matrix":
            self.columns.setdefault("申请人情况", [])
            self.columns.setdefault(label_key("本列数据的勾稽关系"), [])
        self._pairs = {key: _pairs(key) for key in self.rows if len(key) >= 4}
        self._near = lru_cache(maxsize=4096)(self._nearest)

    def find_rows(self, key: str) -> list[int]:
        """Numbers of the rows that `key` may be, exactly, else by likeness."""
        return self.rows.get(key) or self._near(key)

    def _nearest(self, key: str) -> list[int]:
        """The row whose label ends `key` (after its group's), else that which shares most of its pairs.

        For labels that a page has damaged, run together or worded otherwise.
        """
        if len(key) < 4 or key in self.columns:
            return []
        ends = [known for known in self._pairs if key.endswith(known) and not _denies(key[-len(known) - 1])]
        if ends:
            return self.rows[max(ends, key=len)]
        pairs = _pairs(key)
        likeness, known = max(
            (
                (2 * len(pairs & other) / (len(pairs) + len(other)), known)
                for known, other in self._pairs.items()
            ),
            default=(0.0, ""),
        )
        return self.rows[known] if likeness >= self.FUZZY and _denies(key) == _denies(known) else []


def _pairs(key: str) -> frozenset[str]:
    return frozenset(key[i : i + 2] for i in range(len(key) - 1))


def _denies(key: str) -> bool:
    return any(word in key for word in "不未非无")


@cache
def _indexes() -> dict[str, _FormIndex]:
    return {form.form: _FormIndex(form) for form in load_forms()}


# --- cells ----------------------------------------------------------------------------------------

_UNITS = "件|宗|条|次|个|项|篇|份|人|人次|名|起|例|期|场|万元|元|亿元|册|部|家|处|批|本|封|万人次|万次|%"
_UNIT = re.compile(rf"\(?(?:单位:?)?(?:{_UNITS})(?:/(?:{_UNITS}))?\)?")
_NUMBER = re.compile(rf"[-+]?(?:\d{{1,3}}(?:,\d{{3}}){{1,5}}|\d{{1,15}})(?:\.\d{{1,8}})?(?P<unit>{_UNITS})?")
_SLASH = re.compile(r"[-/\\]{1,8}")
_BLANKS = re.compile(r"[\s\u200b]+")
_HAN = re.compile(r"[一-鿿]")
_YEAR = re.compile(r"(?:19|20)\d{2}年?(?:度)?")


def read_value(content: str) -> tuple[CellState, float | None]:
    """State and number of a cell's folded text; a percentage is a fraction, a unit is left out.

    >>> read_value("1,024件"), read_value("50%"), read_value("--"), read_value(""), read_value("规章")
    (('number', 1024.0), ('number', 0.5), ('slash', None), ('empty', None), ('text', None))
    """
    if content.isdecimal() and len(content) <= 15:
        return "number", float(content)
    text = _BLANKS.sub("", content[:64])
    if not text:
        return ("empty", None) if not content.strip(f"{ZERO_WIDTH} \n") else ("text", None)
    if text[0] not in "0123456789-+/\\" or len(content) > 40:
        return "text", None
    if _SLASH.fullmatch(text):
        return "slash", None
    number = _NUMBER.fullmatch(text)
    if number is None:
        return "text", None
    unit = number["unit"]
    value = float(text[: len(text) - len(unit or "")].replace(",", ""))
    return "number", value / 100 if unit == "%" else value


@dataclass(slots=True)
class _Cell:
    """A cell while its table is being read."""

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
        return self.state in ("number", "slash", "empty")

    @property
    def is_unit(self) -> bool:
        return bool(_UNIT.fullmatch(_BLANKS.sub("", fold(self.text))))

    def freeze(self) -> Cell:
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
class _Row:
    """Labels, and the values that follow them in one line of a table."""

    labels: list[_Cell] = field(default_factory=list)
    values: list[_Cell] = field(default_factory=list)

    @property
    def key(self) -> str:
        return label_key(self.labels[-1].text) if self.labels else ""

    @property
    def has_value(self) -> bool:
        return any(value.state in ("number", "slash") for value in self.values)


def _printed(text: str) -> str:
    """A label as it reads: no line breaks or zero-width characters, no space between Han characters."""
    text = _BLANKS.sub(" ", text[:200].replace(ZERO_WIDTH, "")).strip()
    return re.sub(r"(?<=[^\x00-\x7f]) | (?=[^\x00-\x7f])", "", text)


def _joined(texts: Iterable[str]) -> str | None:
    """Labels outermost first, each once, joined by ` / `."""
    parts = list(dict.fromkeys(part for text in texts if (part := _printed(text))))
    return " / ".join(parts) or None


# --- standard forms: from rows to metrics ---------------------------------------------------------

_LEAST_ROWS = {"list": 3, "matrix": 3}


def _recognise_form(rows: Sequence[_Row], headers: frozenset[str]) -> str | None:
    """The form that the labels of rows with values and the keys of headers bear witness to."""
    keys = {row.key for row in rows if row.has_value}
    best, most = None, 0
    for name, index in _indexes().items():
        witnesses = _witnesses(index, keys, headers)
        if witnesses > most:
            best, most = name, witnesses
    return best


def _witnesses(index: _FormIndex, keys: set[str], headers: frozenset[str]) -> int:
    layout = index.form.layout
    if layout == "columns":
        results = {key for key in headers if key in index.columns}
        contested = any("复议" in key or "诉讼" in key or "起诉" in key for key in headers)
        return len(results) if len(results) >= 4 and contested else 0
    found = {key for key in keys if index.find_rows(key)}
    columns = {key for key in headers if index.columns.get(key)}
    if layout == "blocks":
        return len(found) + 2 * len(columns) if found and columns else 0
    if len(found) < _LEAST_ROWS[layout]:
        return 0
    return len(found) + len(columns)


def _assign(form: str, rows: Sequence[_Row]) -> None:
    """Set metric, category and column label of the values of a recognised form's rows."""
    index = _indexes()[form]
    layout = index.form.layout
    if layout == "columns":
        _assign_columns(index.form, rows)
        return
    last = -1
    begin = _usual_begin(rows, len(index.form.columns))
    for row in rows:
        number = _next_row(index.find_rows(row.key), last)
        if number is None:
            continue
        last = number
        template = index.form.rows[number]
        if layout == "list":
            _assign_single(template, row)
        elif layout == "matrix":
            _assign_matrix(index.form, template, row, begin)
        else:
            _assign_block(template, row)


def _next_row(candidates: Sequence[int], last: int) -> int | None:
    """A label that stands twice in a form (被依法纠错数) is the one that comes next."""
    if not candidates:
        return None
    return next((number for number in candidates if number > last), candidates[0])


def _assign_single(template: FormRow, row: _Row) -> None:
    filled = [value for value in row.values if value.state != "empty"] or row.values
    if len(filled) == 1:
        filled[0].metric_id = template.metric


def _assign_matrix(form: Form, template: FormRow, row: _Row, begin: int | None) -> None:
    fitted = list(_fit(row.values, len(form.columns), begin))
    for value in [value for _, value in fitted] or row.values:
        value.metric_id = template.metric
    for column, value in fitted:
        value.category = form.columns[column].category
        value.column_label = form.columns[column].path


def _assign_block(template: FormRow, row: _Row) -> None:
    for column, value in _fit(row.values, len(template.columns), None):
        value.metric_id = template.metrics[column]
        value.column_label = value.column_label or template.columns[column]


def _assign_columns(form: Form, rows: Sequence[_Row]) -> None:
    """One row of all columns, or a row for each group of columns, or by the headers over a value."""
    filled = [row for row in rows if row.has_value]
    groups = list(dict.fromkeys(column.group for column in form.columns))
    share = len(form.columns) // len(groups)
    if len(filled) == len(groups) and all(len(row.values) == share for row in filled):
        filled = [_Row(values=[value for row in filled for value in row.values])]
    for row in filled:
        fitted = list(_fit(row.values, len(form.columns), None))
        for column, value in fitted:
            value.metric_id = form.columns[column].metric
            value.column_label = form.columns[column].path
        for value in () if fitted else row.values:
            _assign_by_headers(form, value)


def _assign_by_headers(form: Form, value: _Cell) -> None:
    """The one column whose label and innermost group both stand over the value."""
    keys = [label_key(part) for part in (value.column_label or "").split(" / ")]
    found = [
        column
        for column in form.columns
        if keys[-1] in map(label_key, column.labels)
        and label_key((column.group or "").split(" / ")[-1]) in keys
    ]
    if len(found) == 1:
        value.metric_id = found[0].metric


def _usual_begin(rows: Sequence[_Row], count: int) -> int | None:
    """The column in which most rows with the form's number of values begin them."""
    begins = Counter(row.values[0].column for row in rows if count and len(row.values) == count)
    return begins.most_common(1)[0][0] if begins else None


def _fit(values: Sequence[_Cell], count: int, begin: int | None) -> Iterator[tuple[int, _Cell]]:
    """Pair values with the form's columns: if their number fits, or empty cells alone are over."""
    values = list(values)
    if begin is not None and len(values) > count:
        values = [v for v in values if v.column >= begin or v.state != "empty"]
    while len(values) > count and values[-1].state == "empty":
        values.pop()
    while len(values) > count and values[0].state == "empty":
        values.pop(0)
    if len(values) == count:
        yield from enumerate(values)


def _final_form(form: str, rows: Sequence[_Row], early: bool | None) -> str:
    """Tables three and four read alike in B and C: rows of one form alone decide, else the report's year.

    A row of the other form (其他处理, which in C is a heading) then has lost its own label: no metric.
    """
    index = _indexes()[form]
    other = index.form.also
    if other is None:
        return form
    owners: dict[str | None, list[_Row]] = {}
    for row in rows:
        numbers = index.find_rows(row.key) if row.has_value and row.key not in index.columns else []
        for number in numbers:
            owners.setdefault(index.form.rows[number].only, []).append(row)
    if form in owners:
        for value in (value for row in owners.get(other, ()) for value in row.values):
            value.metric_id = None
        return form
    return other if early or (early is None and other in owners) else form


# --- marked-up grids ------------------------------------------------------------------------------


class _Grid:
    """A table with its merged cells laid out on their rows."""

    def __init__(self, cells: Sequence[_Cell]) -> None:
        self.cells = list(cells)
        self.height = 1 + max((cell.row for cell in self.cells), default=-1)
        self.width = 1 + max((cell.column for cell in self.cells), default=-1)
        self.lines: list[list[_Cell]] = [[] for _ in range(self.height)]
        budget = 8 * len(self.cells) + 4096
        for cell in self.cells:
            span = min(cell.row_span, self.height - cell.row)
            budget -= span
            for row in range(cell.row, cell.row + (span if budget > 0 else 1)):
                self.lines[row].append(cell)
        for line in self.lines:
            line.sort(key=lambda cell: cell.column)
        # Cells merged from above stand left of a line's own, however the page misplaced them.
        for number, line in enumerate(self.lines):
            merged = [cell for cell in line if cell.row < number and not cell.is_value]
            own = [cell for cell in line if cell.row == number or cell.is_value]
            self.lines[number] = merged + own
        self.header_lines = self._find_headers()

    def _find_headers(self) -> set[int]:
        """Lines that label those below: no number and no slash, and data further down."""
        states = [{c.state for c in line if c.row == number} for number, line in enumerate(self.lines)]
        has_data = [bool(s & {"number", "slash"}) for s in states]
        if not any(has_data):
            return {0} if self.height > 1 and states and states[0] <= {"text", "empty"} else set()
        headers: set[int] = set()
        first = has_data.index(True)
        headers.update(range(first))
        if first == 0 and self._is_year_line(0):
            headers.add(0)
        top = {self._line_key(number) for number in headers}
        for number in range(first, self.height):
            if has_data[number] or "text" not in states[number]:
                continue
            if self._line_key(number) in top or self._restarts(number, states, has_data):
                headers.add(number)
        return headers

    def _line_key(self, number: int) -> tuple[str, ...]:
        return tuple(label_key(cell.text) for cell in self.lines[number] if cell.row == number)

    def _is_year_line(self, number: int) -> bool:
        line = self.lines[number]
        numbers = [cell for cell in line if cell.state == "number"]
        return (
            len(line) > 2
            and len(numbers) >= len(line) - 1
            and all(_YEAR.fullmatch(c.text.strip()) for c in numbers)
        )

    def _restarts(self, number: int, states: Sequence[set[CellState]], has_data: Sequence[bool]) -> bool:
        """A line of a form's own column labels, or a title over all columns, inside the table."""
        line = [cell for cell in self.lines[number] if cell.row == number]
        if "empty" not in states[number] and len(line) == 1 and line[0].column_span >= max(2, self.width):
            return True
        keys = {label_key(cell.text) for cell in line if cell.state == "text"}
        return len(keys) > 1 and any(keys <= index.columns.keys() for index in _indexes().values())

    def column_paths(self, block: Sequence[int]) -> dict[int, str | None]:
        """Column → texts of the header cells over it in a block of header lines, outermost first."""
        texts: dict[int, list[str]] = {}
        budget = 8 * len(self.cells) + 4096
        for header in (cell for number in block for cell in self.lines[number] if cell.state == "header"):
            span = min(header.column_span, self.width - header.column)
            budget -= span
            for column in range(header.column, header.column + (span if budget > 0 else 1)):
                texts.setdefault(column, []).append(header.text)
        return {column: _joined(path) for column, path in texts.items()}

    def blocks(self) -> Iterator[tuple[tuple[int, ...], list[int]]]:
        """Each unbroken run of header lines with the data lines that it governs."""
        headers: list[int] = []
        data: list[int] = []
        for number in range(self.height):
            if number not in self.header_lines:
                data.append(number)
                continue
            if data:
                yield tuple(headers[-_MOST_HEADERS:]), data
                headers, data = [], []
            headers.append(number)
        yield tuple(headers[-_MOST_HEADERS:]), data


_MOST_HEADERS = 8


def _read_grid(document: Document, view: str, table: Table) -> list[_Cell]:
    cells = []
    for cell in table.cells:
        start, end = _trim(view, cell.start, cell.end)
        state, value = read_value(view[start:end])
        cells.append(
            _Cell(
                cell.row,
                cell.column,
                start,
                end,
                state,
                value,
                max(1, cell.row_span),
                max(1, cell.column_span),
                document.text[start : min(end, start + 200)],
            )
        )
    return cells


def _trim(view: str, start: int, end: int) -> tuple[int, int]:
    """The span without white space at its ends; nothing left is the place where it began."""
    content = view[start:end]
    if content.isalnum():
        return start, end
    kept = content.strip(f" \n\r{ZERO_WIDTH}")
    if not kept:
        return start, start
    head = len(content) - len(content.lstrip(f" \n\r{ZERO_WIDTH}"))
    return start + head, start + head + len(kept)


def _label_grid(cells: list[_Cell]) -> tuple[list[_Row], frozenset[str]]:
    """Set header states and printed labels of a grid's cells; give its rows and the keys of its headers."""
    grid = _Grid(cells)
    headers: set[str] = set()
    for number in grid.header_lines:
        for cell in grid.lines[number]:
            if cell.row == number and cell.state in ("text", "number"):
                cell.state, cell.value = "header", None
                headers.add(label_key(cell.text))
    rows: list[_Row] = []
    for block, data in grid.blocks():
        paths = grid.column_paths(block)
        for row in (row for number in data for row in _rows_of_line(grid, number)):
            rows.append(row)
            label = _joined(cell.text for cell in row.labels)
            for cell in row.values:
                cell.row_label, cell.column_label = label, paths.get(cell.column)
    return rows, frozenset(headers)


def _rows_of_line(grid: _Grid, number: int) -> Iterator[_Row]:
    """Runs of labels with the values after them; a serial number before the first label is a label's mark."""
    row = _Row()
    line = grid.lines[number]
    for position, cell in enumerate(line):
        above = cell.row != number
        if cell.state in ("text", "header"):
            if cell.is_unit and row.labels:
                continue
            if row.values and any(value.state != "empty" for value in row.values):
                yield row
                row = _Row()
            row.values = []
            row.labels.append(cell)
        elif not above and not _is_serial(line, position):
            row.values.append(cell)
    if row.labels or row.values:
        yield row
    if any(cell.state == "number" for cell in line if cell.row == number):
        for cell in line:
            if cell.state == "text" and cell.row == number and not cell.is_unit:
                cell.state = "header"


def _is_serial(line: Sequence[_Cell], position: int) -> bool:
    """A first number with a label after it, and values after that: the line's own number."""
    if position or len(line) < 3 or line[0].state != "number":
        return False
    return line[1].state in ("text", "header") and any(cell.is_value for cell in line[2:])


# --- flattened tables: lines and their cells ------------------------------------------------------

_ANCHORS = (
    "申请数", "公开政府信息数", "发布会", "办结数", "答复数", "纠错数", "情形数", "人员数", "专项经费",
    "结转下", "本年新收", "予以公开", "国家秘密", "内部事务", "过程性", "执法案卷", "查询事项", "另行制作",
    "不明确", "出版物", "大量反复", "重复申请", "结果维持", "结果纠正", "尚未审结", "信息内容", "制发件数",
    "废止件数", "新制作", "新公开数", "处理决定数", "自然人", "公益组织", "总计", "规范性", "政府公报",
    "统计指标",
)  # fmt: skip
"""Parts of the forms' labels: a line holding one, and the lines around it, are worth reading cell by cell."""

_REACH = 24
_LONGEST_LINE = 320
_WORD = re.compile(r"[^ \u200b](?:[^ ]*[^ \u200b])?")
_FENCE = re.compile(r"[\s|:+-]*")


@dataclass(slots=True)
class _Token:
    """One cell of flattened text; `column` is its place in a line of several cells."""

    kind: Literal["label", "unit", "number", "slash", "empty"]
    start: int
    end: int
    line: int
    value: float | None = None
    text: str = ""
    key: str = ""
    column: int = 0

    @property
    def state(self) -> CellState:
        return "text" if self.kind == "label" or self.kind == "unit" else self.kind


class _Lines:
    """The lines of a text that may hold flattened cells."""

    def __init__(self, text: str, view: str, lines: Sequence[tuple[int, int]]) -> None:
        self.text = text
        self.view = view
        self.lines = lines
        self._tokens: dict[int, list[_Token]] = {}

    def __len__(self) -> int:
        return len(self.lines)

    def tokens(self, number: int) -> list[_Token]:
        """Cells of one line; none if it is too long for a row of a table."""
        if number not in self._tokens:
            start, end = self.lines[number]
            self._tokens[number] = [] if end - start > _LONGEST_LINE else self._split(start, end, number)
        return self._tokens[number]

    def is_prose(self, number: int) -> bool:
        start, end = self.lines[number]
        return end - start > _LONGEST_LINE or self.view.endswith(("。", "。”", "。)", ";"), start, end)

    def near_anchors(self) -> list[int]:
        """Numbers of the lines around those that hold part of a form's label, in order."""
        starts = [start for start, _ in self.lines]
        anchored: set[int] = set()
        for anchor in _ANCHORS:
            position = self.view.find(anchor)
            while position >= 0:
                number = bisect_right(starts, position) - 1
                anchored.add(number)
                after = self.lines[number][1] if number >= 0 else position
                position = self.view.find(anchor, max(after, position + 1))
        near: list[int] = []
        for number in sorted(anchored - {-1}):
            first = max(number - _REACH, near[-1] + 1 if near else 0)
            near.extend(range(first, min(number + _REACH + 1, len(self.lines))))
        return near

    def _split(self, start: int, end: int, line: int) -> list[_Token]:
        raw = self.text[start:end]
        if "\t" in raw or "|" in raw:
            return self._split_cells(start, end, line)
        start, end = _trim(self.view, start, end)
        if self.view.find(" ", start, end) < 0:
            return [self._token(start, end, line)] if start < end else []
        words = [match.span() for match in _WORD.finditer(self.view, start, end)]
        tokens = [self._token(*span, line) for span in words]
        labels = [token for token in tokens if token.kind == "label"]
        if len(labels) > 1 and not _all_known(labels):
            tokens = self._merge_labels(tokens)
        for column, token in enumerate(tokens):
            token.column = column
        return tokens

    def _split_cells(self, start: int, end: int, line: int) -> list[_Token]:
        """Cells between tabs or bars; nothing between two of them is an empty cell."""
        raw = self.text[start:end]
        separator = "\t" if "\t" in raw else "|"
        if separator == "|" and _FENCE.fullmatch(raw):
            return []
        bounds = [-1, *(match.start() for match in re.finditer(re.escape(separator), raw)), len(raw)]
        spans = [(a + 1, b) for a, b in pairwise(bounds)]
        if separator == "|":
            spans = [
                span
                for n, span in enumerate(spans)
                if n not in (0, len(spans) - 1) or raw[slice(*span)].strip()
            ]
        tokens = [self._token(*_trim(self.view, start + a, start + b), line) for a, b in spans]
        for column, token in enumerate(tokens):
            token.column = column
        first = next((n for n, token in enumerate(tokens) if token.kind == "label"), 0)
        return [token for n, token in enumerate(tokens) if n >= first or token.kind != "empty"]

    def _token(self, start: int, end: int, line: int) -> _Token:
        content = self.view[start:end]
        state, value = read_value(content)
        if state in ("number", "slash", "empty"):
            return _Token(state, start, end, line, value)
        text = self.text[start:end]
        if len(content) <= 8 and _UNIT.fullmatch(_BLANKS.sub("", content)):
            return _Token("unit", start, end, line, text=text)
        return _Token(
            "label",
            start,
            end,
            line,
            text=text,
            key=label_key(content) if end - start <= _LONGEST_LABEL else "",
        )

    def _merge_labels(self, tokens: Sequence[_Token]) -> list[_Token]:
        """Neighbouring words of one line that are not each a known label are one label with spaces in it.

        A number between two words (1 属于国家秘密) is part of them; numbers after the last word are values.
        """
        last = max(n for n, token in enumerate(tokens) if token.kind == "label")
        return [self._token(tokens[0].start, tokens[last].end, tokens[0].line), *tokens[last + 1 :]]


@cache
def _known_keys() -> dict[str, frozenset[str]]:
    """Label key → families of tables that hold it: A, or the number of the table in B and C."""
    families: dict[str, set[str]] = {}
    for name, index in _indexes().items():
        for key in (*index.rows, *index.columns):
            families.setdefault(key, set()).add(name[-1])
    return {key: frozenset(names) for key, names in families.items() if key}


def _all_known(labels: Sequence[_Token]) -> bool:
    known = _known_keys()
    return sum(label.key in known for label in labels) >= max(2, len(labels) - 1)


# --- flattened tables: the standard forms ---------------------------------------------------------


def _flattened_forms(lines: _Lines) -> Iterator[tuple[list[_Token], str]]:
    """Runs of tokens between labels of one standard table, with the table's family."""
    hits = _find_hits(lines)
    runs: list[tuple[int, int, str]] = []
    start = 0
    while start < len(hits):
        stop = start + 1
        while stop < len(hits) and _continues(lines, hits[stop - 1], hits[stop]):
            stop += 1
        first, family = hits[start]
        floor = hits[start - 1][0] + 1 if start else 0
        runs.append((_damaged_begin(lines, first, floor, family), hits[stop - 1][0], family))
        start = stop
    limits = [*(first for first, _, _ in runs[1:]), len(lines)]
    for (first, last, family), limit in zip(runs, limits, strict=False):
        yield _run_of_tokens(lines, first, last, limit), family


def _damaged_begin(lines: _Lines, first: int, floor: int, family: str) -> int:
    """The first of the few lines before a run whose label is, damaged, one of the same table's."""
    indexes = [index for name, index in _indexes().items() if name[-1] == family]
    begin = first
    for number in range(first - 1, max(floor, first - _REACH // 2) - 1, -1):
        if lines.is_prose(number):
            break
        keys = [token.key for token in lines.tokens(number) if token.kind == "label"]
        if any(len(key) > 5 and index.find_rows(key) for key in keys for index in indexes):
            begin = number
    return begin


def _continues(lines: _Lines, before: tuple[int, str], after: tuple[int, str]) -> bool:
    if after[1] != before[1] or after[0] - before[0] > _REACH:
        return False
    return not any(lines.is_prose(number) for number in range(before[0] + 1, after[0]))


def _find_hits(lines: _Lines) -> list[tuple[int, str]]:
    """(line, family) of every line with a known label, one broken over two or three lines too.

    A label that several tables share (总计) belongs to the table that was being read.
    """
    known = _known_keys()
    hits: list[tuple[int, str]] = []
    current = ""
    for number in lines.near_anchors():
        if lines.is_prose(number):
            current = ""
            continue
        families: frozenset[str] = frozenset()
        for key in _keys_at(lines, number):
            found = known.get(key, frozenset())
            families = families & found or found
        if not families:
            continue
        if current not in families:
            if len(families) > 1:
                continue
            (current,) = families
        hits.append((number, current))
    return hits


def _keys_at(lines: _Lines, number: int) -> Iterator[str]:
    labels = [token for token in lines.tokens(number) if token.kind == "label"]
    known = _known_keys()
    if len(labels) == 1 and len(lines.tokens(number)) == 1:
        whole = labels[0].text
        for following in range(number + 1, min(number + 3, len(lines))):
            start, end = lines.lines[following]
            whole += lines.text[start : min(end, start + _LONGEST_LABEL)]
            if len(whole) > _LONGEST_LABEL or lines.view[start] in _VALUE_BEGINS:
                break
            if label_key(whole) in known and label_key(whole) != labels[0].key:
                yield label_key(whole)
                return
    for label in labels:
        yield label.key


def _run_of_tokens(lines: _Lines, first: int, last: int, limit: int) -> list[_Token]:
    """Tokens from a run's first line through the values after its last label."""
    tokens = [token for number in range(first, last + 1) for token in lines.tokens(number)]
    label_open = True
    for number in range(last + 1, min(limit, last + _REACH)):
        following = lines.tokens(number)
        if (
            label_open
            and len(following) == 1
            and following[0].kind == "label"
            and len(following[0].text) <= 12
        ):
            tokens += following
            continue
        label_open = False
        if not following or any(token.kind == "label" for token in following):
            break
        tokens += following
    return _mend_labels(lines, tokens)


def _mend_labels(lines: _Lines, tokens: Sequence[_Token]) -> list[_Token]:
    """Join a label broken over two or three lines where the whole is a known label."""
    mended: list[_Token] = []
    position = 0
    while position < len(tokens):
        count, token = _broken_label(lines, tokens, position)
        mended.append(token)
        position += count
    return mended


def _broken_label(lines: _Lines, tokens: Sequence[_Token], position: int) -> tuple[int, _Token]:
    token = tokens[position]
    if token.kind != "label":
        return 1, token
    for count in (3, 2):
        group = tokens[position : position + count]
        if len(group) < count or any(part.kind != "label" for part in group):
            continue
        if group[-1].end - token.start > _LONGEST_LABEL + 8 or (group[-1].line - token.line) != count - 1:
            continue
        whole = "".join(part.text for part in group)
        key = label_key(whole)
        if key in _known_keys() and key != group[-1].key:
            return count, _Token("label", token.start, group[-1].end, token.line, text=whole, key=key)
    return 1, token


def _flat_cell(token: _Token, state: CellState) -> _Cell:
    return _Cell(-1, token.column, token.start, token.end, state, token.value, text=token.text)


class _Flattened:
    """The rows and header cells of a run of tokens, read as one form."""

    def __init__(self, tokens: Sequence[_Token], index: _FormIndex, view: str) -> None:
        self.index = index
        self.view = view
        self.rows: list[_Row] = []
        self.cells: list[_Cell] = []
        self.headers: set[str] = set()
        self._in_header = index.form.layout in ("matrix", "columns")
        self._line = -1
        for token in tokens:
            self._read(token)
        if len({token.line for token in tokens}) == len(tokens):
            self._fill_blank_lines()
        self._label_rows()

    def _read(self, token: _Token) -> None:
        if token.kind == "label":
            self._read_label(token)
        elif token.kind == "unit":
            self._add(_flat_cell(token, "text"))
        elif token.kind != "empty" or not self._in_header:
            self._read_value(token)

    def _read_label(self, token: _Token) -> None:
        is_column = token.key in self.index.columns
        is_row = bool(self.index.find_rows(token.key))
        if is_column and (self._in_header or not is_row):
            if not self._in_header or not self.cells:
                self._line += 1
            self._in_header = True
            self.headers.add(token.key)
            self._add(_flat_cell(token, "header"))
            return
        self._in_header = self._in_header and not is_row
        self._line += 1
        cell = _flat_cell(token, "header" if is_row else "text")
        self.rows.append(_Row([cell]))
        self._add(cell)

    def _read_value(self, token: _Token) -> None:
        if not self.rows or self._in_header:
            self._line += 1
            self.rows.append(_Row())
            self._in_header = False
        state: CellState = (
            "number" if token.kind == "number" else "slash" if token.kind == "slash" else "empty"
        )
        cell = _flat_cell(token, state)
        self.rows[-1].values.append(cell)
        self._add(cell)

    def _add(self, cell: _Cell) -> None:
        cell.row = max(self._line, 0)
        self.cells.append(cell)

    def _expected(self, row: _Row) -> int:
        """How many values the form gives a row."""
        layout = self.index.form.layout
        if layout == "blocks":
            found = self.index.find_rows(row.key)
            return len(self.index.form.rows[found[0]].columns) if found else 0
        return 0 if layout == "list" else len(self.index.form.columns)

    def _fill_blank_lines(self) -> None:
        """Where blank lines account for exactly the values that a row lacks, each is an empty cell."""
        ordered = self.cells
        place = {id(cell): number for number, cell in enumerate(ordered)}
        gaps = [self.view.count("\n", a.end, b.start) for a, b in pairwise(ordered)]
        usual = Counter(gaps).most_common(1)[0][0] if gaps else 1
        for row in self.rows:
            missing = self._expected(row) - len(row.values)
            if missing <= 0 or not row.labels or usual < 1:
                continue
            numbers = [place[id(cell)] for cell in (row.labels[-1], *row.values)]
            over = [gaps[n] // usual - 1 if n < len(gaps) else 0 for n in numbers]
            if sum(over) != missing or any(n < len(gaps) and gaps[n] % usual for n in numbers):
                continue
            row.values = list(self._with_blanks(row, over, usual))
        self.cells = sorted(
            {id(c): c for c in (*ordered, *(v for row in self.rows for v in row.values))}.values(),
            key=lambda cell: (cell.start, cell.end),
        )

    def _with_blanks(self, row: _Row, over: Sequence[int], usual: int) -> Iterator[_Cell]:
        for cell, count in zip((row.labels[-1], *row.values), over, strict=True):
            if cell is not row.labels[-1]:
                yield cell
            position = cell.end
            for _ in range(count):
                for _ in range(usual):
                    position = self.view.index("\n", position) + 1
                yield _Cell(row.labels[-1].row, 0, position, position, "empty")

    def _label_rows(self) -> None:
        """Row labels with the headings above them, by the level of their numbering; columns left to right."""
        headings: list[tuple[int, str]] = []
        for row in self.rows:
            if not row.labels:
                continue
            text = row.labels[-1].text
            level = _level(text)
            while headings and headings[-1][0] >= level:
                headings.pop()
            label = _joined([*(heading for _, heading in headings), text])
            for value in row.values:
                value.row_label = label
            if not row.values and level < _UNNUMBERED:
                headings.append((level, text))
        lines = Counter[int]()
        for cell in self.cells:
            cell.column = max(cell.column, lines[cell.row])
            lines[cell.row] = cell.column + 1


_UNNUMBERED = 9
_LEVELS = (
    re.compile(r"\s*[一二三四五六七八九十]{1,3}[、.]"),
    re.compile(r"\s*\(?[一二三四五六七八九十]{1,3}\)"),
    re.compile(r"\s*\d{1,2}[、.]"),
    re.compile(r"\s*\(?\d{1,2}\)"),
)


def _level(label: str) -> int:
    """Depth of a label's numbering, 1 for 一、; 9 without any."""
    view = fold(label[:12])
    return next((n for n, pattern in enumerate(_LEVELS, 1) if pattern.match(view)), _UNNUMBERED)


def _read_flattened(tokens: Sequence[_Token], family: str, view: str) -> tuple[str, _Flattened] | None:
    """The run of tokens as the form of its family that has most witnesses; None if none has enough."""
    best: tuple[str, _Flattened] | None = None
    most = 0
    for name, index in _indexes().items():
        if name[-1] != family:
            continue
        read = _Flattened(tokens, index, view)
        keys = {row.key for row in read.rows if row.has_value}
        witnesses = _witnesses(index, keys, frozenset(read.headers))
        if witnesses > most and any(row.has_value for row in read.rows):
            best, most = (name, read), witnesses
    return best


# --- flattened tables: any other ------------------------------------------------------------------

_LEAST_TRIPLES = 4
_LEAST_PAIRS = 5
_LEAST_LINES = 3
_LONGEST_GENERIC = 40
_LARGEST_COUNT = 1e9
_VALUE_BEGINS = frozenset("0123456789 /-+")


def _rhythms(lines: _Lines, taken: set[int]) -> Iterator[list[list[_Token]]]:
    """Runs of label, unit, number or label, number, one a line, each run a list of rows."""
    view = lines.view
    numbers = [n for n, (s, e) in enumerate(lines.lines) if e - s <= 24 and view[s] in _VALUE_BEGINS]
    start = 0
    while start < len(numbers):
        stop = start + 1
        period = numbers[stop] - numbers[start] if stop < len(numbers) else 0
        while stop < len(numbers) and numbers[stop] - numbers[stop - 1] == period:
            stop += 1
        least = {3: _LEAST_TRIPLES, 2: _LEAST_PAIRS}.get(period, 0)
        if least and stop - start >= least:
            rows = [row for n in numbers[start:stop] if (row := _beat(lines, n, period, taken))]
            if len(rows) >= least and len(rows) >= stop - start - 1:
                yield rows
        start = max(stop - 1, start + 1)


def _beat(lines: _Lines, number: int, period: int, taken: set[int]) -> list[_Token]:
    """The cells of one row of a rhythm that ends in line `number`, or none."""
    first = number - period + 1
    if first < 0 or any(n in taken or len(lines.tokens(n)) != 1 for n in range(first, number + 1)):
        return []
    row = [lines.tokens(n)[0] for n in range(first, number + 1)]
    expected = ("label", "unit") if period == 3 else ("label",)
    if tuple(token.kind for token in row[:-1]) != expected or row[-1].kind not in ("number", "slash"):
        return []
    label = row[0].text
    if len(label) > _LONGEST_GENERIC or not _HAN.search(label) or lines.is_prose(first):
        return []
    return row if (row[-1].value or 0) < _LARGEST_COUNT else []


def _row_lines(lines: _Lines, taken: set[int]) -> Iterator[list[list[_Token]]]:
    """Runs of lines that each hold a label and numbers, with the same number of cells."""
    run: list[list[_Token]] = []
    previous, least = -2, 1
    for number, marked in _candidate_lines(lines):
        tokens = [] if number in taken else lines.tokens(number)
        fits = len(tokens) > 1 and tokens[0].kind == "label" and len(tokens[0].text) <= _LONGEST_GENERIC
        if run and (not fits or number != previous + 1 or len(tokens) != len(run[-1])):
            yield from _kept_run(run, least)
            run, least = [], 1
        if fits:
            run.append(tokens)
            least = least if marked else 2
        previous = number
    yield from _kept_run(run, least)


def _candidate_lines(lines: _Lines) -> Iterator[tuple[int, bool]]:
    """(line, whether tabs or bars mark its cells) of lines that may hold a label and numbers."""
    text, view = lines.text, lines.view
    any_marks = "\t" in text or "|" in text
    for number, (start, end) in enumerate(lines.lines):
        if end - start > _LONGEST_LINE:
            continue
        if any_marks and (text.find("\t", start, end) >= 0 or text.find("|", start, end) >= 0):
            yield number, True
        elif view[end - 1] in "0123456789%" and view.find(" ", start, end) >= 0:
            yield number, False


def _kept_run(run: list[list[_Token]], least: int) -> Iterator[list[list[_Token]]]:
    """A run with enough lines of numbers: two numbers a line where only spaces part the cells."""
    numeric = [sum(token.kind == "number" for token in row) for row in run]
    if sum(count >= least for count in numeric) >= _LEAST_LINES:
        yield run


def _generic_cells(rows: Sequence[Sequence[_Token]]) -> list[_Cell]:
    cells = []
    for number, row in enumerate(rows):
        for column, token in enumerate(row):
            cells.append(
                _Cell(number, column, token.start, token.end, token.state, token.value, text=token.text)
            )
    return cells


# --- the stage ------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Found:
    """A table before it has its id and its final form."""

    start: int
    end: int
    form: str | None
    flattened: bool
    cells: list[_Cell]
    rows: list[_Row]


def recognise_tables(
    document: Document, view: str, paragraphs: Sequence[tuple[int, int]]
) -> tuple[Table, ...]:
    """The document's tables in text order, marked-up and flattened, with states, labels and metrics.

    Args:
        document: Its `tables` hold grids: row, column, spans and offsets of each cell.
        view: `fold(document.text)`.
        paragraphs: (start, end) of the lines that are not boilerplate, in order.
    """
    found = [_read_marked(document, view, table) for table in document.tables]
    outside = _outside(paragraphs, document.tables)
    lines = _Lines(document.text, view, outside)
    found += _read_lines(lines)
    found.sort(key=lambda table: (table.start, table.end))
    early = _is_early(document.meta.year, view, found)
    return tuple(
        Table(
            id=f"TB{number}",
            start=table.start,
            end=table.end,
            form=None if table.form is None else _final_form(table.form, table.rows, early),
            flattened=table.flattened,
            cells=tuple(cell.freeze() for cell in table.cells),
        )
        for number, table in enumerate(found, 1)
    )


def _outside(paragraphs: Sequence[tuple[int, int]], tables: Sequence[Table]) -> list[tuple[int, int]]:
    """The lines with anything on them that touch no marked-up table."""
    spans = sorted((table.start, table.end) for table in tables)
    outside: list[tuple[int, int]] = []
    position = 0
    for start, end in paragraphs:
        while position < len(spans) and spans[position][1] <= start:
            position += 1
        if start < end and (position >= len(spans) or spans[position][0] >= end):
            outside.append((start, end))
    return outside


def _read_marked(document: Document, view: str, table: Table) -> _Found:
    cells = _read_grid(document, view, table)
    rows, headers = _label_grid(cells)
    form = _recognise_form(rows, headers)
    if form is not None:
        _assign(form, rows)
    return _Found(table.start, table.end, form, False, cells, rows)


def _read_lines(lines: _Lines) -> list[_Found]:
    """Flattened tables: the standard forms first, then regular runs among the lines that are left."""
    found: list[_Found] = []
    taken: set[int] = set()
    for tokens, family in _flattened_forms(lines):
        result = _read_flattened(tokens, family, lines.view)
        if result is None:
            continue
        form, read = result
        _assign(form, read.rows)
        taken.update(range(tokens[0].line, tokens[-1].line + 1))
        end = max(tokens[-1].end, max(cell.end for cell in read.cells))
        found.append(_Found(tokens[0].start, end, form, True, read.cells, read.rows))
    for run in (*_rhythms(lines, taken), *_row_lines(lines, taken)):
        cells = _generic_cells(run)
        rows, _ = _label_grid(cells)
        found.append(_Found(run[0][0].start, run[-1][-1].end, None, True, cells, rows))
    return found


_REPORT_YEAR = re.compile(r"(20\d{2})年?度?[^\n]{0,20}年度报告|(20\d{2})年度?政府信息公开")
_LAST_YEAR_OF_B = 2020


def _is_early(year: int | None, view: str, found: Sequence[_Found]) -> bool | None:
    """Whether the tables are of the generation of 2019 and 2020: by table two, else by the report's year."""
    forms = {table.form for table in found}
    if "B.2" in forms or "C.2" in forms:
        return "B.2" in forms
    stated = _REPORT_YEAR.search(view, 0, 4000)
    year = int(stated[1] or stated[2]) if stated else year
    return None if year is None else year <= _LAST_YEAR_OF_B
