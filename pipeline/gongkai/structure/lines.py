"""Lines of plain text as cells: what each line of a flattened table holds."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from gongkai.structure.cells import DraftCell, is_unit, read_value, trim
from gongkai.structure.forms import LONGEST_LABEL, known_keys, label_key
from gongkai.types import CellState

REACH = 24
"""Lines between two labels of one table, at most: a row's values, and what a page puts between them."""

NUMBER_BEGINS = frozenset("0123456789 /-+")
"""What a line of a number alone, or of a slash, begins with."""

_ANCHORS = (
    "申请数", "公开政府信息数", "发布会", "办结数", "答复数", "纠错数", "情形数", "人员数", "专项经费",
    "结转下", "本年新收", "予以公开", "国家秘密", "内部事务", "过程性", "执法案卷", "查询事项", "另行制作",
    "不明确", "出版物", "大量反复", "重复申请", "结果维持", "结果纠正", "尚未审结", "信息内容", "制发件数",
    "废止件数", "新制作", "新公开数", "处理决定数", "自然人", "公益组织", "总计", "规范性", "政府公报",
    "统计指标",
)  # fmt: skip
"""Parts of the forms' labels: a line holding one, and the lines around it, are worth reading cell by cell."""

_LONGEST_LINE = 320
_LONGEST_UNIT = 8
_WORD = re.compile(r"[^ \u200b](?:[^ ]*[^ \u200b])?")
_FENCE = re.compile(r"[\s|:+-]*")


@dataclass(slots=True)
class Token:
    """One cell of flattened text; `column` is its place in a line of several cells, `key` a label's."""

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
        """The state of its cell."""
        return "text" if self.kind == "label" or self.kind == "unit" else self.kind

    def cell(self, row: int, column: int) -> DraftCell:
        """It as a cell of a table."""
        return DraftCell(row, column, self.start, self.end, self.state, self.value, text=self.text)


class Lines:
    """The lines of a text that may hold flattened cells.

    Args:
        text: The document's text.
        view: `fold(text)`.
        spans: (start, end) of the lines, in order.
    """

    def __init__(self, text: str, view: str, spans: Sequence[tuple[int, int]]) -> None:
        self.text = text
        self.view = view
        self.spans = spans
        self._tokens: dict[int, list[Token]] = {}

    def __len__(self) -> int:
        return len(self.spans)

    def tokens(self, number: int) -> list[Token]:
        """Cells of one line; none if it is too long for a row of a table."""
        if number not in self._tokens:
            self._tokens[number] = [] if self.is_long(number) else self._split(number)
        return self._tokens[number]

    def labels(self, number: int) -> list[Token]:
        """Those of a line's cells that hold words."""
        return [token for token in self.tokens(number) if token.kind == "label"]

    def is_long(self, number: int) -> bool:
        """Whether a line is too long for a row of a table."""
        start, end = self.spans[number]
        return end - start > _LONGEST_LINE

    def is_prose(self, number: int) -> bool:
        """Whether a line is a sentence's end rather than a row."""
        return self.is_long(number) or self.view.endswith(("。", "。”", "。)", ";"), *self.spans[number])

    def near_anchors(self) -> list[int]:
        """Numbers of the lines around those that hold part of a form's label, in order."""
        near: list[int] = []
        for number in sorted(self._anchored()):
            first = max(number - REACH, near[-1] + 1 if near else 0)
            near.extend(range(first, min(number + REACH + 1, len(self))))
        return near

    def _anchored(self) -> set[int]:
        starts = [start for start, _ in self.spans]
        anchored: set[int] = set()
        for anchor in _ANCHORS:
            position = self.view.find(anchor)
            while position >= 0:
                number = bisect_right(starts, position) - 1
                anchored.add(number)
                line_end = self.spans[number][1] if number >= 0 else position
                position = self.view.find(anchor, max(line_end, position + 1))
        return anchored - {-1}

    def _split(self, number: int) -> list[Token]:
        raw = self.text[slice(*self.spans[number])]
        if "\t" in raw:
            tokens = self._split_at("\t", raw, number)
        elif "|" in raw:
            tokens = self._split_at("|", raw, number)
        else:
            tokens = self._split_words(number)
        return tokens

    def _split_at(self, separator: str, raw: str, number: int) -> list[Token]:
        """Cells between tabs or bars; nothing between two of them is an empty cell."""
        if separator == "|" and _FENCE.fullmatch(raw):
            return []
        pieces = raw.split(separator)
        begins = accumulate((len(piece) + 1 for piece in pieces), initial=self.spans[number][0])
        spans = [(begin, begin + len(piece)) for begin, piece in zip(begins, pieces, strict=False)]
        if separator == "|":
            # Bars at the ends of a line frame it.
            spans = spans[not pieces[0].strip() : len(spans) - (not pieces[-1].strip())]
        tokens = _numbered(self._token(*trim(self.view, *span), number) for span in spans)
        first = next((n for n, token in enumerate(tokens) if token.kind == "label"), 0)
        return [token for n, token in enumerate(tokens) if n >= first or token.kind != "empty"]

    def _split_words(self, number: int) -> list[Token]:
        start, end = trim(self.view, *self.spans[number])
        if self.view.find(" ", start, end) < 0:
            return [self._token(start, end, number)] if start < end else []
        tokens = [self._token(*word.span(), number) for word in _WORD.finditer(self.view, start, end)]
        labels = [token for token in tokens if token.kind == "label"]
        if len(labels) > 1 and not _all_known(labels):
            tokens = self._merge_labels(tokens)
        return _numbered(tokens)

    def _token(self, start: int, end: int, line: int) -> Token:
        content = self.view[start:end]
        state, value = read_value(content)
        if state in ("number", "slash", "empty"):
            return Token(state, start, end, line, value)
        text = self.text[start:end]
        if len(content) <= _LONGEST_UNIT and is_unit(content):
            return Token("unit", start, end, line, text=text)
        key = label_key(content) if len(content) <= LONGEST_LABEL else ""
        return Token("label", start, end, line, text=text, key=key)

    def _merge_labels(self, tokens: Sequence[Token]) -> list[Token]:
        """Neighbouring words of one line that are not each a known label are one label with spaces in it.

        A number between two words (1 属于国家秘密) is part of them; numbers after the last word are values.
        """
        last = max(n for n, token in enumerate(tokens) if token.kind == "label")
        return [self._token(tokens[0].start, tokens[last].end, tokens[0].line), *tokens[last + 1 :]]


def _numbered(tokens: Iterable[Token]) -> list[Token]:
    """The tokens of a line, each with its place."""
    numbered = list(tokens)
    for column, token in enumerate(numbered):
        token.column = column
    return numbered


def _all_known(labels: Sequence[Token]) -> bool:
    """Whether the forms have each of a line's labels, or all but one."""
    known = known_keys()
    return sum(label.key in known for label in labels) >= max(2, len(labels) - 1)
