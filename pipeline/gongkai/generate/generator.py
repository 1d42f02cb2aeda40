"""Documents by number: the same number and seed give the same document, whatever else is made."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import msgspec

from gongkai.generate.figures import Planted
from gongkai.generate.settings import Settings, load_settings
from gongkai.generate.template import CITATION, DOCNO, ENCODING, TEXT, Key, Pattern, Template, in_script
from gongkai.generate.world import Issuer, Place, World
from gongkai.types import Script

_YEARS_AROUND = range(-6, 7)


class Truth(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of a generated document: one line of truth.jsonl.

    Attributes:
        name: Its path in the archive, without the archive's own.
        report: The source that it was made of.
        duplicate_of: Number of the document that it repeats byte for byte.
        chain: Number of the chain's first document: one issuer over consecutive years.
        cites: Number (文号) of the document of its city that it cites.
        cites_document: That one's number in an archive that is large enough to hold it.
        planted: Contradictions that were put in. Those of the source itself are in every document of it.
    """

    number: int
    name: str
    report: str
    issuer: str
    year: int | None
    chain: int
    script: Script
    encoding: str
    characters: int
    duplicate_of: int | None = None
    cites: str | None = None
    cites_document: int | None = None
    planted: tuple[Planted, ...] = ()


class Generated(msgspec.Struct, frozen=True):
    """A document of an archive: its name, its text as decoded, the bytes, and what is known of it."""

    name: str
    text: str
    content: bytes
    truth: Truth

    @property
    def is_page(self) -> bool:
        """Whether it is HTML."""
        return self.name.endswith(".html")


class _Draft(msgspec.Struct):
    """A document in the making."""

    number: int
    place: Place
    template: Template
    issuer: Issuer
    rng: Random
    values: list[int]
    factors: list[int]
    year: int | None
    cited: int | None = None
    cited_title: str = ""
    planted: tuple[Planted, ...] = ()


class Generator:
    """Makes documents of templates.

    Args:
        templates: From `load_templates`.
        seed: Another seed, another archive.
    """

    def __init__(
        self, templates: tuple[Template, ...], seed: int = 0, settings: Settings | None = None
    ) -> None:
        self.settings = settings or load_settings()
        self.world = World(templates, self.settings, seed)

    def documents(self, first: int, count: int) -> Iterator[Generated]:
        """So many documents from a number on; only one is in memory."""
        return (self.document(number) for number in range(first, first + count))

    def document(self, number: int) -> Generated:
        """The document of a number."""
        original, rng = self._original(number)
        made = self._make(original, rng)
        if original == number:
            return made
        suffix = made.name.rpartition(".")[2]
        name = _name(number, suffix)
        truth = msgspec.structs.replace(made.truth, number=number, name=name, duplicate_of=original)
        return Generated(name, made.text, made.content, truth)

    def _original(self, number: int) -> tuple[int, Random]:
        """The document that a number repeats, mostly itself, and the chance that shapes it."""
        rng = self.world.random("document", number)
        while number and rng.random() < self.settings.shares.duplicate:
            number = rng.randrange(number)
            rng = self.world.random("document", number)
        return number, rng

    def _in_archive(self, number: int) -> bool:
        """Whether the document of this place was written, and no duplicate in its stead."""
        return self._original(number)[0] == number

    def _make(self, number: int, rng: Random) -> Generated:
        draft = self._draft(number, rng)
        self._cite(draft)
        if rng.random() < self.settings.shares.contradiction:
            self._contradict(draft)
        issuer, template = draft.issuer, draft.template
        values = self._strings(draft)
        pattern = template.pattern(issuer.page, issuer.script)
        text, content, encoding = _encoded(pattern, values, issuer.encoding)
        name = _name(number, "txt" if issuer.page == TEXT else "html")
        truth = Truth(
            number=number,
            name=name,
            report=template.name,
            issuer=template.issuer(issuer.script).filled(values),
            year=draft.year,
            chain=number - draft.place.year,
            script=issuer.script,
            encoding=encoding,
            characters=len(text),
            cites=None if draft.cited is None else self._docno(draft, draft.cited),
            cites_document=self._cited_document(draft),
            planted=draft.planted,
        )
        return Generated(name, text, content, truth)

    def _draft(self, number: int, rng: Random) -> _Draft:
        place = self.world.place(number)
        template = self.world.templates[place.template]
        issuer = self.world.issuer(place.city, place.template)
        fixed = template.figures.fixed
        factors = [f if g in fixed else f + place.year for g, f in enumerate(issuer.factors)]
        return _Draft(
            number,
            place,
            template,
            issuer,
            rng,
            template.figures.values(rng, factors, place.year, self.settings.traded),
            factors,
            None if issuer.first_year is None else issuer.first_year + place.year,
        )

    def _cite(self, draft: _Draft) -> None:
        """Cite a plan of the city, not of a later year than the report's."""
        years = self.world.notice_years(draft.place.city)
        cites = draft.rng.random() < self.settings.shares.citation
        earlier = [year for year in years if draft.year is not None and year <= draft.year]
        if draft.template.is_notice or not (cites and earlier):
            return
        draft.cited = draft.rng.choice(earlier)
        draft.cited_title = self._title(draft, self.settings.citation.title)

    def _title(self, draft: _Draft, form: str) -> str:
        return form.format(city=self.world.city(draft.place.city), year=draft.cited)

    def _docno(self, draft: _Draft, year: int) -> str:
        city = self.world.city(draft.place.city)
        serial = self.world.serial(draft.place.city, year)
        docno = self.settings.citation.docno.format(first=city[0], year=year, serial=serial)
        return in_script(docno, draft.issuer.script)

    def _cited_document(self, draft: _Draft) -> int | None:
        """Number in the archive of the document cited, if a large enough archive holds it."""
        if draft.cited is None:
            return None
        number = self.world.number_of_notice(draft.place.city, draft.cited)
        return number if self._in_archive(number) else None

    def _cited_before(self, draft: _Draft) -> bool:
        """Whether an earlier report of the chain cites the same document, so that another title differs from its."""
        if draft.cited is None:
            return False
        earlier = range(draft.number - draft.place.year, draft.number)
        return any(self._cited_by(number) == draft.cited for number in earlier if self._in_archive(number))

    def _cited_by(self, number: int) -> int | None:
        """The year of the plan that a document cites."""
        draft = self._draft(number, self._original(number)[1])
        self._cite(draft)
        return draft.cited

    def _contradict(self, draft: _Draft) -> None:
        """Put in one contradiction of a kind that the report has numbers for."""
        figures, values = draft.template.figures, draft.values
        kinds: list[str] = sorted({plant.kind for plant in figures.plants})
        if draft.place.year and self._in_archive(draft.number - 1):
            kinds += ["previous_value"] * bool(figures.restatable) + ["carry_over"] * bool(figures.carried)
        if self._cited_before(draft):
            kinds.append("cited_title")
        if not kinds:
            return
        kind = draft.rng.choice(kinds)
        if kind == "cited_title":
            right = draft.cited_title
            draft.cited_title = self._title(draft, self.settings.citation.wrong_title)
            draft.planted = (Planted(kind=kind, printed=draft.cited_title, right=right),)
        elif kind == "previous_value":
            draft.planted = (figures.restate(values, draft.rng.choice(figures.restatable)),)
        elif kind == "carry_over":
            draft.planted = (figures.carry_wrongly(values),)
        else:
            plant = draft.rng.choice([plant for plant in figures.plants if plant.kind == kind])
            draft.planted = (figures.plant(values, plant, draft.factors),)

    def _strings(self, draft: _Draft) -> dict[Key, str]:
        script, year = draft.issuer.script, draft.year
        strings: dict[Key, str] = {
            ("slot", n, 0): slot.printed(value)
            for n, (slot, value) in enumerate(zip(draft.template.figures.slots, draft.values, strict=True))
        }
        for offset in _YEARS_AROUND if year is not None else ():
            strings["year", offset, 0] = str((year or 0) + offset)
        for role, name in enumerate(draft.issuer.names):
            written = in_script(name, script)
            strings["name", role, 0] = written
            for index in range(3):
                strings["character", role, index] = written[min(index, len(written) - 1)]
        strings[CITATION] = "" if draft.cited is None else self._citation(draft)
        if year is not None and draft.template.is_notice:
            strings[DOCNO] = self._docno(draft, year)
        return strings

    def _citation(self, draft: _Draft) -> str:
        assert draft.cited is not None
        sentence = self.settings.citation.sentence.format(
            title=draft.cited_title, docno=self._docno(draft, draft.cited)
        )
        sentence = in_script(sentence, draft.issuer.script)
        return f"{sentence}\n" if draft.issuer.page == TEXT else f"<p>{sentence}</p>\n"


def _name(number: int, suffix: str) -> str:
    return f"{number // 1000:06}/{number:09}.{suffix}"


def _encoded(pattern: Pattern, values: dict[Key, str], encoding: str) -> tuple[str, bytes, str]:
    """The text in an encoding, or in UTF-8 where that lacks a character."""
    for tried in (encoding, "utf-8"):
        values[ENCODING] = tried
        text = pattern.filled(values)
        try:
            return text, text.encode(tried), tried
        except UnicodeEncodeError:
            continue
    raise AssertionError("UTF-8 has every character")
