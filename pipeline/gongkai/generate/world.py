"""The invented country: cities, each with one issuer for every template, and that issuer's chain of years.

Document `number` lies at a fixed place of it, whatever else is made.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from random import Random
from typing import NamedTuple

import msgspec

from gongkai.generate.settings import Settings
from gongkai.generate.template import TEXT, Template
from gongkai.types import Script

_STRIDE = 7919
"""A prime that no number of names is a multiple of: neighbours get names far apart."""


class Place(NamedTuple):
    """Where a document lies: the city, the template, its place in the issuer's chain."""

    city: int
    template: int
    year: int


class Issuer(msgspec.Struct, frozen=True):
    """One issuer and what its documents have in common.

    Attributes:
        names: For each place name of the template.
        first_year: Of the chain; None where the source says no year.
        factors: Of each group of figures, in the first year.
        page: Number of the page template, or `TEXT`.
    """

    names: tuple[str, ...]
    first_year: int | None
    factors: tuple[int, ...]
    page: int
    script: Script
    encoding: str


class World:
    """Which document is made of what.

    Args:
        templates: In an order that is the same each time.
    """

    def __init__(self, templates: Sequence[Template], settings: Settings, seed: int) -> None:
        self.templates = templates
        self.settings = settings
        self.seed = seed
        self._ends = list(accumulate(self._length(template) for template in templates))
        self.notice = next((n for n, template in enumerate(templates) if template.is_notice), None)
        self.issuer = lru_cache(maxsize=256)(self._issuer)

    def _length(self, template: Template) -> int:
        if template.years is None or not template.figures.chains:
            return 1
        first, last = template.years
        return min(self.settings.chain, last - first + 1)

    def place(self, number: int) -> Place:
        """The place of a document."""
        city, rest = divmod(number, self._ends[-1])
        template = bisect_right(self._ends, rest)
        return Place(city, template, rest - self._start(template))

    def random(self, *what: object) -> Random:
        """A source of chance for one purpose."""
        return Random("/".join(map(str, (self.seed, *what))))

    def city(self, number: int) -> str:
        """A name that no other city has: of two characters while they last, then of three."""
        first, second = self.settings.places.first, self.settings.places.second
        short = len(first) * len(second)
        if number < short:
            a, b = divmod((number * _STRIDE + self.seed) % short, len(second))
            return first[a] + second[b]
        place = ((number - short) * _STRIDE + self.seed) % (short * len(second))
        rest, c = divmod(place, len(second))
        a, b = divmod(rest, len(second))
        return first[a] + second[b] + second[c]

    def serial(self, city: int, year: int) -> int:
        """The number of the city's yearly plan."""
        return 1 + (city * _STRIDE + year * 31) % 97

    def notice_years(self, city: int) -> range:
        """The years of which the archive holds the city's yearly plan."""
        if self.notice is None:
            return range(0)
        first = self.issuer(city, self.notice).first_year or 0
        return range(first, first + self._ends[self.notice] - self._start(self.notice))

    def number_of_notice(self, city: int, year: int) -> int:
        """The document that is the city's yearly plan, one of `notice_years`."""
        assert self.notice is not None
        return city * self._ends[-1] + self._start(self.notice) + year - self.notice_years(city).start

    def _start(self, template: int) -> int:
        """Place of a template's first document within a city."""
        return self._ends[template - 1] if template else 0

    def _issuer(self, city: int, number: int) -> Issuer:
        template, settings = self.templates[number], self.settings
        rng = self.random("issuer", city, number)
        low, high = settings.factors
        # The same draws for every template, so that an issuer stays as it is when its figures change.
        start, style = rng.random(), rng.random()
        factors = tuple(
            1 if group in template.figures.fixed else rng.randint(low, high)
            for group in range(template.figures.groups)
        )
        script: Script = "Hans"
        if template.record.meta.script == "Hant" or rng.random() < settings.shares.traditional:
            script = "Hant"
        as_page = template.has_grid or rng.random() < settings.shares.page
        return Issuer(
            names=self._names(city, template, rng),
            first_year=self._first_year(template, start),
            factors=factors,
            page=int(style * len(settings.pages)) if as_page else TEXT,
            script=script,
            encoding=rng.choice(settings.encodings[script]),
        )

    def _names(self, city: int, template: Template, rng: Random) -> tuple[str, ...]:
        places = self.settings.places
        inner = (rng.choice(places.first) + rng.choice(places.second) for _ in template.places[1:])
        return (self.city(city), *inner)

    def _first_year(self, template: Template, chance: float) -> int | None:
        if template.years is None:
            return None
        first, last = template.years
        return first + int(chance * (last - first + 2 - self._length(template)))
