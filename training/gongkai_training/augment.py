"""Changes to gold documents that keep every span on its characters, as pages and their typists make them.

There is none for script or width: the model reads the folded view, in which Traditional and full-width characters
are the same as the others already.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import accumulate
from typing import Final, NamedTuple

import msgspec
import numpy as np

from gongkai.gold.records import GoldEntity, GoldRecord

from .config import Augmentation

_BRACKETS: Final = re.compile(r"[〔〕《》()（）\[\]［］【】〈〉]")
_OTHER_KIND: Final = {
    "〔": "[(【〈",
    "〕": "])】〉",
    "（": "(",
    "）": ")",
    "(": "（",
    ")": "）",
    "[": "〔【",
    "]": "〕】",
    "【": "〔[",
    "】": "〕]",
}
_GAPS: Final = re.compile(r"(?<=\d)(?=[\u4e00-\u9fff])|(?<=[\u4e00-\u9fff])(?=\d)")
_NUMBERS: Final = re.compile(r"\d+")
_FIRST: Final = re.compile(r"(?m)^[ \u3000]*([^\s\u3000])(?=[^\n]{3})")
_NAMES: Final = ("ORG", "POLICY", "DOCNO")
_CHINESE: Final = "零一二三四五六七八九十"

Names = Mapping[str, Sequence[str]]
"""Label → spans' texts to choose from."""


class Edit(NamedTuple):
    """The characters [start, end) become `text`."""

    start: int
    end: int
    text: str


def edit(record: GoldRecord, edits: Iterable[Edit]) -> GoldRecord:
    """The document with edits made, each span on the characters that it had.

    What is put in at a span's edge stays outside of it. An edit is not made if it overlaps one before it, reaches
    over an edge of a span, or would leave a span empty or with white space at an edge.
    """
    edges = sorted({position for entity in record.entities for position in (entity.start, entity.end)})
    ordered: list[Edit] = []
    for one in sorted(set(edits)):
        follows = not ordered or (one.start >= ordered[-1].end and one.start > ordered[-1].start)
        if follows and bisect_right(edges, one.start) >= bisect_left(edges, one.end):
            ordered.append(one)
    edited = _apply(record, ordered)
    broken = [_broken(edited.text, entity) for entity in edited.entities]
    doubtful = [(e.start, e.end) for e, bad in zip(record.entities, broken, strict=True) if bad]
    safe = [
        one for one in ordered if not any(start <= one.end and one.start <= end for start, end in doubtful)
    ]
    return edited if len(safe) == len(ordered) else edit(record, safe)


def _broken(text: str, entity: GoldEntity) -> bool:
    printed = text[entity.start : entity.end]
    return not printed or printed != printed.strip()


def _apply(record: GoldRecord, ordered: Sequence[Edit]) -> GoldRecord:
    pieces: list[str] = []
    place = 0
    for one in ordered:
        pieces += [record.text[place : one.start], one.text]
        place = one.end
    text = "".join([*pieces, record.text[place:]])
    growth = [0, *accumulate(len(one.text) - (one.end - one.start) for one in ordered)]
    starts = [one.start for one in ordered]
    ends = [one.end for one in ordered]

    def begin(position: int) -> int:
        """After what is put in there; of characters that are replaced, where their replacement begins."""
        return position + growth[bisect_right(ends, position)]

    def finish(position: int) -> int:
        """Before what is put in there."""
        number = bisect_left(starts, position)
        return position + growth[number]

    def moved(entity: GoldEntity) -> GoldEntity:
        return msgspec.structs.replace(entity, start=begin(entity.start), end=finish(entity.end))

    return msgspec.structs.replace(record, text=text, entities=tuple(map(moved, record.entities)))


def brackets(record: GoldRecord, share: float, rng: np.random.Generator) -> Iterator[Edit]:
    """Brackets that are lost, or of another kind."""
    for match in _drawn(_BRACKETS.finditer(record.text), share, rng):
        others = _OTHER_KIND.get(match[0], "")
        kept = others and rng.random() < 0.5
        yield Edit(match.start(), match.end(), str(rng.choice(list(others))) if kept else "")


def spaces(record: GoldRecord, share: float, rng: np.random.Generator) -> Iterator[Edit]:
    """A space where digits meet Chinese characters."""
    for match in _drawn(_GAPS.finditer(record.text), share, rng):
        yield Edit(match.start(), match.start(), " ")


def numerals(record: GoldRecord, share: float, rng: np.random.Generator) -> Iterator[Edit]:
    """Other numbers of as many digits; some with commas between thousands, some that are small in Chinese."""
    for entity in record.entities:
        if entity.label not in ("COUNT", "PERCENT"):
            continue
        for match in _drawn(_NUMBERS.finditer(record.text, entity.start, entity.end), share, rng):
            yield Edit(match.start(), match.end(), _other_number(match[0], entity.label, rng))


def _other_number(printed: str, label: str, rng: np.random.Generator) -> str:
    if set(printed) == {"0"}:
        return printed
    digits = [str(rng.integers(1, 10)), *(str(rng.integers(0, 10)) for _ in printed[1:])]
    number = int("".join(digits))
    if label == "COUNT" and len(printed) > 3 and rng.random() < 0.3:
        return f"{number:,}"
    if label == "COUNT" and len(printed) == 1 and rng.random() < 0.2:
        return _CHINESE[number]
    return str(number)


def names(record: GoldRecord, share: float, rng: np.random.Generator, others: Names) -> Iterator[Edit]:
    """Another name of the label; a span that holds spans keeps its own."""
    for entity in record.entities:
        if entity.label not in _NAMES or not others.get(entity.label) or rng.random() >= share:
            continue
        if any(_within(inner, entity) for inner in record.entities):
            continue
        choices = others[entity.label]
        yield Edit(entity.start, entity.end, choices[int(rng.integers(len(choices)))])


def _within(inner: GoldEntity, outer: GoldEntity) -> bool:
    return inner is not outer and outer.start <= inner.start and inner.end <= outer.end


def first_characters(record: GoldRecord, share: float, rng: np.random.Generator) -> Iterator[Edit]:
    """The first character of a line lost."""
    for match in _drawn(_FIRST.finditer(record.text), share, rng):
        yield Edit(match.start(1), match.end(1), "")


def _drawn(
    matches: Iterable[re.Match[str]], share: float, rng: np.random.Generator
) -> Iterator[re.Match[str]]:
    return (match for match in matches if rng.random() < share)


def names_of(records: Iterable[GoldRecord]) -> dict[str, list[str]]:
    """The names that training documents mention, sorted, each once."""
    found: dict[str, set[str]] = defaultdict(set)
    for record in records:
        for entity in record.entities:
            printed = record.text[entity.start : entity.end]
            if entity.label in _NAMES and "\n" not in printed:
                found[entity.label].add(printed)
    return {label: sorted(names) for label, names in found.items()}


class Augmenter:
    """Draws changes to documents.

    Args:
        others: Names to put in the place of others (see `names_of`).
    """

    def __init__(self, settings: Augmentation, others: Names) -> None:
        self.settings = settings
        kinds: list[tuple[float, Callable[[GoldRecord, float, np.random.Generator], Iterator[Edit]]]] = [
            (settings.names, partial(names, others=others)),
            (settings.numerals, numerals),
            (settings.brackets, brackets),
            (settings.spaces, spaces),
            (settings.first_characters, first_characters),
        ]
        self._kinds = [(share, kind) for share, kind in kinds if share > 0]

    def __call__(self, record: GoldRecord, rng: np.random.Generator) -> GoldRecord:
        """The document, changed or not; one kind of change after the other, so that they may meet."""
        if not self._kinds or rng.random() >= self.settings.documents:
            return record
        for share, kind in self._kinds:
            record = edit(record, kind(record, share, rng))
        return record
