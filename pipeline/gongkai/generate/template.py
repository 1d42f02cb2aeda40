"""A report as a pattern: what changes from document to document is left open, the rest is written once."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

import opencc

from gongkai.generate.figures import Figures, read_figures
from gongkai.generate.settings import load_settings
from gongkai.types import Record, Script, Table

Key = tuple[str, int, int]
"""What stands in an open place: ("slot", number, 0), ("year", offset, 0), ("name", role, 0),
("character", role, index), ("citation", 0, 0), ("docno", 0, 0) or ("encoding", 0, 0)."""

CITATION: Key = ("citation", 0, 0)
DOCNO: Key = ("docno", 0, 0)
ENCODING: Key = ("encoding", 0, 0)
TEXT = -1
"""In place of a page's number: plain text."""

_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_YEARS_AROUND = 6
_PLACE = re.compile(r"([\u4e00-\u9fff]{2,3}?)(?:省|市|县|縣|区|區|镇|鎮|乡|鄉|街道|州)")
_FIELD = re.compile(r"\{(encoding|title|issuer|body)\}")
_NATIONAL = re.compile(r"^国|^國|中华人民共和国|中華人民共和國|国务院|國務院")


class Edit(NamedTuple):
    """A place of the source text: an open one, or other words for good."""

    start: int
    end: int
    key: Key | str


class Pattern(NamedTuple):
    """A text with open places; `keys` in their order."""

    form: str
    keys: tuple[Key, ...]

    def filled(self, values: dict[Key, str]) -> str:
        """The text with a value in each open place."""
        return self.form % tuple([values[key] for key in self.keys])


@dataclass(eq=False)
class Template:
    """A report of which any number can be made.

    Attributes:
        name: File name of the source.
        record: What rules read in it.
        places: The names of places in its issuer's name, outermost first.
    """

    name: str
    record: Record
    figures: Figures = field(init=False)
    places: tuple[str, ...] = field(init=False)
    edits: list[Edit] = field(init=False)
    _patterns: dict[tuple[int, Script], Pattern] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.figures = read_figures(self.record)
        self.places = tuple(_places(self.record.meta.issuer or ""))
        self.edits = list(_disjoint(self._found()))

    @property
    def year(self) -> int | None:
        """The year that the source is about."""
        return self.record.meta.year

    @property
    def has_grid(self) -> bool:
        """Whether it has tables with marked-up cells, which plain text would lose."""
        return any(not table.flattened for table in self.record.tables)

    @property
    def is_notice(self) -> bool:
        """Whether it carries a document number by which others can cite it."""
        return self.record.meta.docno is not None and bool(self.places) and self.year is not None

    @property
    def years(self) -> tuple[int, int] | None:
        """First and last year that its reports may be about; None if the source says no year."""
        years = load_settings().years
        return None if self.year is None else years.get(self.record.meta.doc_type, years["other"])

    def pattern(self, page: int, script: Script) -> Pattern:
        """The report as a page (by number), or as `TEXT`."""
        if (page, script) not in self._patterns:
            pieces = self._text() if page == TEXT else self._page(load_settings().pages[page])
            self._patterns[page, script] = _pattern(pieces, script)
        return self._patterns[page, script]

    @cache  # noqa: B019  (templates live as long as the process)
    def issuer(self, script: Script) -> Pattern:
        """The issuer's name."""
        return _pattern(self._named(self.record.meta.issuer or ""), script)

    def _found(self) -> Iterator[Edit]:
        """Open places, those that come first when they overlap first."""
        text, meta = self.record.text, self.record.meta
        for entity in self.record.entities:
            if entity.label == "DOCNO" and self.is_notice and entity.text == meta.docno:
                yield Edit(entity.start, entity.end, DOCNO)
            elif entity.label in ("DOCNO", "POLICY") and _NATIONAL.search(entity.text):
                yield Edit(entity.start, entity.end, entity.text)
            elif entity.label == "DOCNO":
                yield from self._code(entity.start, entity.text)
        for number, slot in enumerate(self.figures.slots):
            yield Edit(slot.start, slot.end, ("slot", number, 0))
        rises = load_settings().rises
        for growth in self.figures.growths:
            if growth.fall is not None:
                yield Edit(*growth.fall, rises[text[slice(*growth.fall)]])
        yield from self._names_and_years(text)
        first = next((s.start for s in self.record.sections if s.level == 1), None)
        if first is not None and not self.is_notice:
            line = text.rfind("\n", 0, first) + 1
            yield Edit(line, line, CITATION)

    def _code(self, start: int, docno: str) -> Iterator[Edit]:
        """The character of a document number's code that stands for the place."""
        for role, place in enumerate(self.places):
            for index, character in enumerate(place):
                if docno.startswith(character):
                    yield Edit(start, start + 1, ("character", role, index))

    def _names_and_years(self, text: str) -> Iterator[Edit]:
        for role, place in enumerate(self.places):
            for found in re.finditer(re.escape(place), text):
                yield Edit(found.start(), found.end(), ("name", role, 0))
        for found in _YEAR.finditer(text):
            if self.year is not None and abs(int(found.group()) - self.year) <= _YEARS_AROUND:
                yield Edit(found.start(), found.end(), ("year", int(found.group()) - self.year, 0))

    def _named(self, text: str) -> list[Key | str]:
        return list(_pieces(text, list(_disjoint(self._names_and_years(text))), 0, len(text)))

    def _text(self) -> list[Key | str]:
        return list(_pieces(self.record.text, self.edits, 0, len(self.record.text)))

    def _page(self, page: str) -> list[Key | str]:
        pieces: list[Key | str] = []
        at = 0
        for found in _FIELD.finditer(page):
            pieces.append(page[at : found.start()])
            at = found.end()
            pieces.extend(self._field(found.group(1)))
        return [*pieces, page[at:]]

    def _field(self, name: str) -> list[Key | str]:
        if name == "encoding":
            return [ENCODING]
        if name == "body":
            return list(self._body())
        meta = self.record.meta
        return _escaped(self._named((meta.title if name == "title" else meta.issuer) or ""))

    def _body(self) -> Iterator[Key | str]:
        text, at = self.record.text, 0
        for table in sorted((t for t in self.record.tables if not t.flattened), key=lambda t: t.start):
            yield from self._paragraphs(at, table.start)
            yield from self._table(table)
            at = table.end
        yield from self._paragraphs(at, len(text))

    def _paragraphs(self, start: int, end: int) -> Iterator[Key | str]:
        for line in re.finditer(r"[^\r\n]+", self.record.text[start:end]):
            pieces = _escaped(_pieces(self.record.text, self.edits, start + line.start(), start + line.end()))
            if pieces and pieces[0] == CITATION:
                yield CITATION
                pieces = pieces[1:]
            yield from ("<p>", *pieces, "</p>\n")

    def _table(self, table: Table) -> Iterator[Key | str]:
        yield '<table border="1"><tbody>\n'
        row = None
        for cell in sorted(table.cells, key=lambda cell: (cell.row, cell.column)):
            if cell.row != row:
                yield "<tr>" if row is None else "</tr>\n<tr>"
                row = cell.row
            span = f' rowspan="{cell.row_span}"' if cell.row_span > 1 else ""
            span += f' colspan="{cell.column_span}"' if cell.column_span > 1 else ""
            pieces = _escaped(_pieces(self.record.text, self.edits, cell.start, cell.end))
            yield from (f"<td{span}>", *pieces, "</td>")
        yield "</tr>\n</tbody></table>\n"


def _places(issuer: str) -> Iterator[str]:
    at = 0
    while found := _PLACE.match(issuer, at):
        yield found.group(1)
        at = found.end()


def _disjoint(edits: Iterable[Edit]) -> list[Edit]:
    """In text order; of two that overlap the one that was found first."""
    kept: list[Edit] = []
    taken: set[int] = set()
    for edit in edits:
        covered = range(edit.start, edit.end)
        if taken.isdisjoint(covered):
            taken.update(covered)
            kept.append(edit)
    return sorted(kept, key=lambda edit: (edit.start, edit.end))


def _pieces(text: str, edits: Sequence[Edit], start: int, end: int) -> Iterator[Key | str]:
    """The text between two places, literally and open by turns."""
    at = start
    for edit in edits:
        if edit.start < start or edit.end > end or (edit.start == end and start < end):
            continue
        yield text[at : edit.start]
        yield edit.key
        at = edit.end
    yield text[at:end]


def _escaped(pieces: Iterable[Key | str]) -> list[Key | str]:
    return [html.escape(p, quote=False) if isinstance(p, str) else p for p in pieces if p != ""]


@cache
def converter() -> opencc.OpenCC:
    """Simplified to Traditional script."""
    return opencc.OpenCC("s2t")


def in_script(text: str, script: Script) -> str:
    """The text in a script; what is Traditional stays so."""
    return str(converter().convert(text)) if script == "Hant" else text


def _pattern(pieces: Iterable[Key | str], script: Script) -> Pattern:
    form: list[str] = []
    keys: list[Key] = []
    for piece in pieces:
        if isinstance(piece, str):
            form.append(in_script(piece, script).replace("%", "%%"))
        else:
            form.append("%s")
            keys.append(piece)
    return Pattern("".join(form), tuple(keys))
