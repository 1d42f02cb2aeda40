"""The standard forms as data (`configs/forms.yaml`), and which row or column of a form a label names."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Literal

import msgspec

from gongkai.normalise.identities import Identity
from gongkai.resources import load_yaml
from gongkai.text import fold

LONGEST_LABEL = 80
"""Characters of a label that are compared; the longest of the forms' own, with its note, has fewer."""

# --- templates ------------------------------------------------------------------------------------


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
    def groups(self) -> tuple[str, ...]:
        """The headers above its own, outermost first."""
        return tuple(self.group.split(" / ")) if self.group else ()

    @property
    def path(self) -> str:
        """The column's headers, outermost first, joined by ` / `."""
        return " / ".join((*self.groups, self.labels[0]))


class Form(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table of a standard form; the head of `configs/forms.yaml` explains the fields."""

    form: str
    layout: Literal["list", "matrix", "blocks", "columns"]
    source: str
    also: str | None = None
    rows: tuple[FormRow, ...] = ()
    columns: tuple[FormColumn, ...] = ()

    @property
    def family(self) -> str:
        """`A`, else the number of the table, which B and C have in common."""
        return self.form[-1]


class FormsFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`configs/forms.yaml`."""

    words: dict[str, tuple[str, ...]]
    tables: tuple[Form, ...]
    identities: tuple[Identity, ...]


@cache
def _load_file() -> FormsFile:
    return load_yaml("forms.yaml", FormsFile)


def load_forms() -> tuple[Form, ...]:
    """The tables of the standard forms, in file order; each row states the order (文号) that it comes from.

    Raises:
        ConfigError: `configs/forms.yaml` is missing or does not have the fields of `FormsFile`.
    """
    return _load_file().tables


# --- labels ---------------------------------------------------------------------------------------

_BLANKS = re.compile(r"[\s\u200b]+")
_PUNCTUATION = re.compile(r"[,;:、。·“”‘’\"'()《》〈〉\[\]/|-]+")
_NUMBERING = re.compile(
    r"其中[:,]?|[一二三四五六七八九十]{1,3}[、.,:)]|\([一二三四五六七八九十\d]{1,3}\)?"
    r"|\d{1,2}(?:[、.):,]|(?=[^\d.%]))|[①-⑳]|[-·*]"
)
_DEEPEST_NUMBERING = 3
_NOTE = re.compile(r"\([^()]{0,60}\)?$")


@cache
def _words() -> tuple[tuple[str, str], ...]:
    """(word of a mirror page, the form's word), folded, the longest first."""
    pairs = [(fold(word), fold(ours)) for ours, words in _load_file().words.items() for word in words]
    return tuple(sorted(pairs, key=lambda pair: -len(pair[0])))


@lru_cache(maxsize=65_536)
def label_key(label: str) -> str:
    """What identifies a row or column label: no numbering, note, space, quote or punctuation.

    >>> label_key("（二）部分公开（区分处理的，只计这一情形，不计其他情形）")
    '部分公开'
    """
    text = _BLANKS.sub("", fold(label[:LONGEST_LABEL]))
    for _ in range(_DEEPEST_NUMBERING):
        mark = _NUMBERING.match(text)
        if mark is None:
            break
        text = text[mark.end() :]
    text = _PUNCTUATION.sub("", _NOTE.sub("", text) or text)
    for word, ours in _words():
        text = text.replace(word, ours)
    return text


# --- finding a label's row ------------------------------------------------------------------------

_HEADINGS = {"blocks": ("信息内容",), "matrix": ("申请人情况", "本列数据的勾稽关系")}
"""What stands among the column labels of a form without naming a column."""

_LIKE = 0.8
_SHORTEST_LIKE = 4


class FormIndex:
    """One form's labels by their keys.

    Attributes:
        rows: Key → numbers of the rows that have it (被依法纠错数 stands twice in form A).
        columns: Keys of the columns and of the groups above them.
        headers: `columns`, and the keys of the other words among them.
    """

    def __init__(self, form: Form) -> None:
        self.form = form
        self.rows: dict[str, list[int]] = {}
        for number, row in enumerate(form.rows):
            for label in row.labels:
                self.rows.setdefault(label_key(label), []).append(number)
        labels = [label for row in form.rows for label in row.columns]
        labels += [label for column in form.columns for label in (*column.labels, *column.groups)]
        self.columns = frozenset(map(label_key, labels))
        self.headers = self.columns.union(map(label_key, _HEADINGS.get(form.layout, ())))
        self._pairs = {key: _pairs(key) for key in self.rows if len(key) >= _SHORTEST_LIKE}
        self._nearest = lru_cache(maxsize=4096)(self._find_nearest)

    def find_rows(self, key: str) -> list[int]:
        """Numbers of the rows that `key` may be, exactly, else by likeness; empty if it is like none."""
        return self.rows.get(key) or self._nearest(key)

    def _find_nearest(self, key: str) -> list[int]:
        """The row whose label ends `key` (after its group's), else that which shares most of its pairs.

        For labels that a page has damaged, run together or worded otherwise.
        """
        if len(key) < _SHORTEST_LIKE or key in self.headers or not self._pairs:
            return []
        ends = [known for known in self._pairs if key.endswith(known) and not _denies(key[-len(known) - 1])]
        if ends:
            return self.rows[max(ends, key=len)]
        pairs = _pairs(key)
        likeness, known = max((_likeness(pairs, other), known) for known, other in self._pairs.items())
        return self.rows[known] if likeness >= _LIKE and _denies(key) == _denies(known) else []


def _pairs(key: str) -> frozenset[str]:
    return frozenset(key[i : i + 2] for i in range(len(key) - 1))


def _likeness(a: frozenset[str], b: frozenset[str]) -> float:
    """Dice's coefficient of two labels' character pairs."""
    return 2 * len(a & b) / (len(a) + len(b))


def _denies(key: str) -> bool:
    return any(word in key for word in "不未非无")


@cache
def form_indexes() -> dict[str, FormIndex]:
    """Form → its labels, in file order.

    Raises:
        ConfigError: As `load_forms`.
    """
    return {form.form: FormIndex(form) for form in load_forms()}


@cache
def known_keys() -> dict[str, frozenset[str]]:
    """Label key → families of the tables that have it, as row or as header.

    Raises:
        ConfigError: As `load_forms`.
    """
    families: dict[str, set[str]] = {}
    for index in form_indexes().values():
        for key in (*index.rows, *index.headers):
            families.setdefault(key, set()).add(index.form.family)
    return {key: frozenset(names) for key, names in families.items()}
