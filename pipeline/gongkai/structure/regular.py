"""Any other flattened table, told by its regularity: rows of label, unit and number, line after line."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import chain

from gongkai.structure.cells import HAN, DraftCell
from gongkai.structure.lines import NUMBER_BEGINS, Lines, Token

_LEAST_BEATS = {2: 5, 3: 4}
"""Lines of a row (label, number; label, unit, number) → rows at least."""

_LEAST_ROWS = 3
_LONGEST_LABEL = 40
_LONGEST_NUMBER_LINE = 24
_LARGEST_COUNT = 1e9
"""Larger numbers after a label are telephone numbers."""


def regular_tables(lines: Lines, taken: Collection[int]) -> Iterator[list[DraftCell]]:
    """Cells of each regular run of lines: one cell a line first, then one row a line.

    Args:
        taken: Numbers of the lines that other tables hold.
    """
    for rows in chain(_rhythms(lines, taken), _row_lines(lines, taken)):
        yield [
            token.cell(row, column) for row, tokens in enumerate(rows) for column, token in enumerate(tokens)
        ]


# --- one cell a line ------------------------------------------------------------------------------


def _rhythms(lines: Lines, taken: Collection[int]) -> Iterator[list[list[Token]]]:
    """Runs of label, unit, number or label, number, one a line, each run a list of rows."""
    numbers = _number_lines(lines)
    start = 0
    while start < len(numbers) - 1:
        period = numbers[start + 1] - numbers[start]
        stop = start + 2
        while stop < len(numbers) and numbers[stop] - numbers[stop - 1] == period:
            stop += 1
        least = _LEAST_BEATS.get(period)
        if least and stop - start >= least:
            rows = [row for number in numbers[start:stop] if (row := _beat(lines, number, period, taken))]
            # A run may begin with a number that is no row's.
            if len(rows) >= max(least, stop - start - 1):
                yield rows
        start = stop - 1


def _number_lines(lines: Lines) -> list[int]:
    """Numbers of the lines that may hold a number alone."""
    return [
        number
        for number, (start, end) in enumerate(lines.spans)
        if end - start <= _LONGEST_NUMBER_LINE and lines.view[start] in NUMBER_BEGINS
    ]


def _beat(lines: Lines, last: int, period: int, taken: Collection[int]) -> list[Token]:
    """The cells of one row of a rhythm that ends in line `last`, or none."""
    numbers = range(last - period + 1, last + 1)
    if numbers[0] < 0 or any(number in taken or len(lines.tokens(number)) != 1 for number in numbers):
        return []
    row = [lines.tokens(number)[0] for number in numbers]
    label, value = row[0], row[-1]
    expected = ["label", "unit"] if period == 3 else ["label"]
    if [token.kind for token in row[:-1]] != expected or value.kind not in ("number", "slash"):
        return []
    if len(label.text) > _LONGEST_LABEL or not HAN.search(label.text) or lines.is_prose(numbers[0]):
        return []
    return row if (value.value or 0) < _LARGEST_COUNT else []


# --- one row a line -------------------------------------------------------------------------------


def _row_lines(lines: Lines, taken: Collection[int]) -> Iterator[list[list[Token]]]:
    """Runs of lines that each hold a label and numbers, with the same number of cells."""
    run: list[list[Token]] = []
    previous, least = -2, 1
    for number, marked in _candidate_lines(lines):
        tokens = [] if number in taken else lines.tokens(number)
        fits = len(tokens) > 1 and tokens[0].kind == "label" and len(tokens[0].text) <= _LONGEST_LABEL
        if run and (not fits or number != previous + 1 or len(tokens) != len(run[-1])):
            yield from _kept(run, least)
            run, least = [], 1
        if fits:
            run.append(tokens)
            least = least if marked else 2
        previous = number
    yield from _kept(run, least)


def _candidate_lines(lines: Lines) -> Iterator[tuple[int, bool]]:
    """(line, whether tabs or bars mark its cells) of lines that may hold a label and numbers."""
    text, view = lines.text, lines.view
    any_marks = "\t" in text or "|" in text
    for number, (start, end) in enumerate(lines.spans):
        if lines.is_long(number):
            continue
        if any_marks and (text.find("\t", start, end) >= 0 or text.find("|", start, end) >= 0):
            yield number, True
        elif view[end - 1] in "0123456789%" and view.find(" ", start, end) >= 0:
            yield number, False


def _kept(run: Sequence[list[Token]], least: int) -> Iterator[list[list[Token]]]:
    """A run with enough lines of at least so many numbers: two where only spaces part the cells."""
    numeric = [sum(token.kind == "number" for token in row) for row in run]
    if sum(count >= least for count in numeric) >= _LEAST_ROWS:
        yield list(run)
