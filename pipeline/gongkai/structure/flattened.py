"""Standard forms that a page has flattened to lines, one cell a line or one row a line, recovered."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, pairwise

from gongkai.structure.cells import DraftCell, Row, join_labels
from gongkai.structure.forms import LONGEST_LABEL, FormIndex, form_indexes, known_keys, label_key
from gongkai.structure.lines import NUMBER_BEGINS, REACH, Lines, Token
from gongkai.structure.matching import count_witnesses, value_keys
from gongkai.text import fold


def flattened_forms(lines: Lines) -> Iterator[FlattenedForm]:
    """The standard tables among the lines, in order, each read as the form that has most witnesses."""
    for tokens, family in _runs(lines):
        table = _best_reading(tokens, family, lines.view)
        if table is not None:
            yield table


def _best_reading(tokens: Sequence[Token], family: str, view: str) -> FlattenedForm | None:
    """The run of tokens as the form of its family that has most witnesses; None if none has enough."""
    best, most = None, 0
    for index in _family(family):
        table = FlattenedForm(tokens, index, view)
        keys = value_keys(table.rows)
        witnesses = count_witnesses(index, keys, frozenset(table.headers))
        if keys and witnesses > most:
            best, most = table, witnesses
    return best


def _family(family: str) -> list[FormIndex]:
    return [index for index in form_indexes().values() if index.form.family == family]


# --- which lines ----------------------------------------------------------------------------------

_BROKEN_OVER = 3
"""Lines over which a page breaks one label, at most."""

_SHORTEST_DAMAGED = 6
_LONGEST_TAIL = 12


def _runs(lines: Lines) -> Iterator[tuple[list[Token], str]]:
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
    limits = [first for first, _, _ in runs[1:]] + [len(lines)]
    for (first, last, family), limit in zip(runs, limits, strict=False):
        tokens = list(chain.from_iterable(lines.tokens(number) for number in range(first, last + 1)))
        yield _mend_labels(tokens + _after_last_label(lines, last, limit)), family


def _find_hits(lines: Lines) -> list[tuple[int, str]]:
    """(line, family) of every line with a known label, one broken over two or three lines too.

    A label that several tables share (总计) belongs to the table that was being read.
    """
    known = known_keys()
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
        if current not in families:
            if len(families) != 1:
                continue
            (current,) = families
        hits.append((number, current))
    return hits


def _keys_at(lines: Lines, number: int) -> list[str]:
    """Keys of a line's labels; of the whole label, where a label of several lines begins here."""
    labels = lines.labels(number)
    if len(labels) == 1 and len(lines.tokens(number)) == 1:
        whole = _key_over_lines(lines, number, labels[0])
        if whole is not None:
            return [whole]
    return [label.key for label in labels]


def _key_over_lines(lines: Lines, number: int, label: Token) -> str | None:
    """The known key that a line's only label makes up with the lines after it."""
    whole = label.text
    for following in range(number + 1, min(number + _BROKEN_OVER, len(lines))):
        start, end = lines.spans[following]
        whole += lines.text[start : min(end, start + LONGEST_LABEL)]
        if len(whole) > LONGEST_LABEL or lines.view[start] in NUMBER_BEGINS:
            return None
        key = label_key(whole)
        if key in known_keys() and key != label.key:
            return key
    return None


def _continues(lines: Lines, before: tuple[int, str], after: tuple[int, str]) -> bool:
    if after[1] != before[1] or after[0] - before[0] > REACH:
        return False
    return not any(lines.is_prose(number) for number in range(before[0] + 1, after[0]))


def _damaged_begin(lines: Lines, first: int, floor: int, family: str) -> int:
    """The first of the few lines before a run whose label is, damaged, one of the same table's."""
    indexes = _family(family)
    begin = first
    for number in range(first - 1, max(floor, first - REACH // 2) - 1, -1):
        if lines.is_prose(number):
            break
        keys = [label.key for label in lines.labels(number) if len(label.key) >= _SHORTEST_DAMAGED]
        if any(index.find_rows(key) for key in keys for index in indexes):
            begin = number
    return begin


def _after_last_label(lines: Lines, last: int, limit: int) -> list[Token]:
    """What follows the line of a run's last label: the rest of that label, then its values."""
    tokens: list[Token] = []
    label_open = True
    for number in range(last + 1, min(limit, last + REACH)):
        following = lines.tokens(number)
        if label_open and _is_tail(following):
            tokens += following
            continue
        label_open = False
        if not following or lines.labels(number):
            break
        tokens += following
    return tokens


def _is_tail(tokens: Sequence[Token]) -> bool:
    """A line of a few words alone."""
    return len(tokens) == 1 and tokens[0].kind == "label" and len(tokens[0].text) <= _LONGEST_TAIL


def _mend_labels(tokens: Sequence[Token]) -> list[Token]:
    """Join a label broken over two or three lines where the whole is a known label."""
    mended: list[Token] = []
    position = 0
    while position < len(tokens):
        whole, count = _whole_label(tokens, position) or (tokens[position], 1)
        mended.append(whole)
        position += count
    return mended


def _whole_label(tokens: Sequence[Token], position: int) -> tuple[Token, int] | None:
    """The known label that begins in a token and goes on in those after it, and the number of tokens."""
    for count in range(_BROKEN_OVER, 1, -1):
        group = tokens[position : position + count]
        first, last = group[0], group[-1]
        if len(group) < count or any(part.kind != "label" for part in group):
            continue
        if last.end - first.start > LONGEST_LABEL + 8 or last.line - first.line != count - 1:
            continue
        whole = "".join(part.text for part in group)
        key = label_key(whole)
        if key in known_keys() and key != last.key:
            return Token("label", first.start, last.end, first.line, text=whole, key=key), count
    return None


# --- the table they make --------------------------------------------------------------------------

_UNNUMBERED = 9
_LEVELS = (
    re.compile(r"\s*[一二三四五六七八九十]{1,3}[、.]"),
    re.compile(r"\s*\(?[一二三四五六七八九十]{1,3}\)"),
    re.compile(r"\s*\d{1,2}[、.]"),
    re.compile(r"\s*\(?\d{1,2}\)"),
)


class FlattenedForm:
    """A run of tokens read as one form.

    Attributes:
        form: The form.
        lines: Numbers of the lines that it takes up.
        start, end: Its span.
        cells: In text order.
        rows: Those of them that are a row's labels and values.
        headers: Keys of its column labels.
    """

    def __init__(self, tokens: Sequence[Token], index: FormIndex, view: str) -> None:
        self.form = index.form.form
        self.rows: list[Row] = []
        self.cells: list[DraftCell] = []
        self.headers: set[str] = set()
        self._index = index
        self._view = view
        self._in_header = index.form.layout in ("matrix", "columns")
        self._line = -1
        for token in tokens:
            self._read(token)
        if len({token.line for token in tokens}) == len(tokens):
            self._fill_blank_lines()
        self._label_rows()
        self._number_columns()
        self.lines = range(tokens[0].line, tokens[-1].line + 1)
        self.start = tokens[0].start
        self.end = max(tokens[-1].end, *(cell.end for cell in self.cells))

    def _read(self, token: Token) -> None:
        if token.kind == "label":
            self._read_label(token)
        elif token.kind == "unit":
            self._add(token)
        elif token.kind != "empty" or not self._in_header:
            self._read_value(token)

    def _read_label(self, token: Token) -> None:
        is_row = bool(self._index.find_rows(token.key))
        if token.key in self._index.headers and (self._in_header or not is_row):
            self._read_header(token)
            return
        self._in_header = self._in_header and not is_row
        self._line += 1
        cell = self._add(token)
        cell.state = "header" if is_row else "text"
        self.rows.append(Row([cell]))

    def _read_header(self, token: Token) -> None:
        if not self._in_header or not self.cells:
            self._line += 1
        self._in_header = True
        self.headers.add(token.key)
        self._add(token).state = "header"

    def _read_value(self, token: Token) -> None:
        if not self.rows or self._in_header:
            self._line += 1
            self.rows.append(Row())
            self._in_header = False
        self.rows[-1].values.append(self._add(token))

    def _add(self, token: Token) -> DraftCell:
        cell = token.cell(max(self._line, 0), token.column)
        self.cells.append(cell)
        return cell

    def _fill_blank_lines(self) -> None:
        """Where blank lines account for exactly the values that a row lacks, each is an empty cell."""
        gaps = [self._view.count("\n", a.end, b.start) for a, b in pairwise(self.cells)]
        if not gaps:
            return
        usual = Counter(gaps).most_common(1)[0][0]
        place = {id(cell): number for number, cell in enumerate(self.cells)}
        gaps.append(usual)
        blanks: list[DraftCell] = []
        for row in self.rows:
            missing = self._expected(row) - len(row.values)
            if missing <= 0 or not row.labels or usual < 1:
                continue
            after = [gaps[place[id(cell)]] for cell in (row.labels[-1], *row.values)]
            if sum(after) != usual * (missing + len(after)) or any(gap % usual for gap in after):
                continue
            filled = list(self._with_blanks(row, [gap // usual - 1 for gap in after], usual))
            blanks += [cell for cell in filled if id(cell) not in place]
            row.values = filled
        self.cells = sorted([*self.cells, *blanks], key=lambda cell: (cell.start, cell.end))

    def _expected(self, row: Row) -> int:
        """How many values the form gives a row."""
        form = self._index.form
        if form.layout == "blocks":
            found = self._index.find_rows(row.key)
            return len(form.rows[found[0]].columns) if found else 0
        return len(form.columns)

    def _with_blanks(self, row: Row, blanks: Sequence[int], usual: int) -> Iterator[DraftCell]:
        """The row's values, and after each cell as many empty ones as there are blanks after it."""
        label = row.labels[-1]
        for cell, count in zip((label, *row.values), blanks, strict=True):
            if cell is not label:
                yield cell
            position = cell.end
            for _ in range(count):
                for _ in range(usual):
                    position = self._view.index("\n", position) + 1
                yield DraftCell(label.row, 0, position, position, "empty")

    def _label_rows(self) -> None:
        """Row labels with the headings above them, by the level of their numbering."""
        headings: list[tuple[int, str]] = []
        for row in self.rows:
            if not row.labels:
                continue
            text = row.labels[-1].text
            level = _level(text)
            while headings and headings[-1][0] >= level:
                headings.pop()
            label = join_labels([*(heading for _, heading in headings), text])
            for value in row.values:
                value.row_label = label
            if not row.values and level < _UNNUMBERED:
                headings.append((level, text))

    def _number_columns(self) -> None:
        """Left to right in each row."""
        following = Counter[int]()
        for cell in self.cells:
            cell.column = max(cell.column, following[cell.row])
            following[cell.row] = cell.column + 1


def _level(label: str) -> int:
    """Depth of a label's numbering, 1 for 一、; 9 without any."""
    view = fold(label[:12])
    return next((n for n, pattern in enumerate(_LEVELS, 1) if pattern.match(view)), _UNNUMBERED)
