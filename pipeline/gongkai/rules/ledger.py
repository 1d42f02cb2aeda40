"""The state that the rules of number relations share: a document's prose, and what was found in it so far."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from operator import attrgetter

import msgspec

from gongkai.rules.clauses import Clause
from gongkai.rules.cues import Cues
from gongkai.types import CountNorm, Entity, Relation

REACH = 80
"""Characters before a number in which a cue for it is looked for."""
LIST_LIMIT = 40
"""Entries of a list, and mentions before a number, that are looked at: it keeps the cost linear."""

_HEADING = re.compile(r"[ \u200b]*[一二三四五六七八九十]{1,3}、")
_end = attrgetter("end")
_paragraph = attrgetter("paragraph")


class Ledger(msgspec.Struct, kw_only=True):
    """Mutable on purpose: each rule enters what it found, and later rules build on it.

    Attributes:
        masked: The masked view, METRICs unmasked.
        metric_of: Number id → METRIC entity.
        paragraphs: (start, end) pairs.
        clauses: The sentences that hold a number, in text order.
        relations: What was found so far.
        total_of: Count id → the total that it is part of.
        changes: Id of a number that is a change → what it is compared with, if that is a mention.
        compared: Ids of the numbers and periods that a change is compared with.
        sharing: Ids of the counts whose share is stated: parts, of whatever total.
        counts_of: Place of a clause → its counts, filled by `counts`.
    """

    masked: str
    cues: Cues
    metric_of: dict[str, Entity]
    paragraphs: Sequence[tuple[int, int]]
    clauses: Sequence[Clause]
    relations: list[Relation] = []
    total_of: dict[str, Entity] = {}
    changes: dict[str, Entity | None] = {}
    compared: set[str] = set()
    sharing: set[str] = set()
    counts_of: dict[int, list[Entity]] = {}

    def add(self, name: str, head: Entity, tail: Entity) -> None:
        """Enter a relation, signed by the rule of that name."""
        rule = self.cues.rules[name]
        self.relations.append(
            Relation(label=rule.label, head=head.id, tail=tail.id, score=rule.score, by=f"rule:{name}")
        )

    def add_change(self, name: str, number: Entity, base: Entity | None) -> None:
        """Enter that `number` is a change, with its relation to `base` where that is a mention."""
        self.changes[number.id] = base
        if base is not None:
            self.compared.add(base.id)
            self.add(name, number, base)

    def add_part(self, name: str, part: Entity, total: Entity) -> None:
        """Enter that `part` is counted in `total`."""
        self.total_of[part.id] = total
        self.add(name, part, total)

    def counts(self, clause: Clause) -> list[Entity]:
        """Counts that state something themselves: no change, and not what a change is compared with.

        To be asked for only when the changes of all clauses are entered.
        """
        if clause.place not in self.counts_of:
            self.counts_of[clause.place] = [
                number
                for number in clause.numbers
                if number.label == "COUNT"
                and number.id not in self.changes
                and number.id not in self.compared
            ]
        return self.counts_of[clause.place]

    def counts_before(self, clause: Clause, position: int) -> list[Entity]:
        """The last of them that end at or before `position`; a bounded number, so that cost stays linear."""
        counts = self.counts(clause)
        place = bisect_right(counts, position, key=_end)
        return counts[max(0, place - LIST_LIMIT) : place]

    def clauses_in(self, paragraph: int) -> Sequence[Clause]:
        """The clauses of one paragraph."""
        first = bisect_left(self.clauses, paragraph, key=_paragraph)
        return self.clauses[first : bisect_right(self.clauses, paragraph, lo=first, key=_paragraph)]

    def is_heading(self, paragraph: int) -> bool:
        """Whether a paragraph begins with 二、."""
        return _HEADING.match(self.masked, self.paragraphs[paragraph][0]) is not None

    def same_section(self, earlier: Clause, later: Clause) -> bool:
        """Whether no heading begins between the paragraphs of the two."""
        return not any(map(self.is_heading, range(earlier.paragraph + 1, later.paragraph + 1)))

    def fits(self, total: Entity, part: Entity) -> bool:
        """Whether `part` can be counted in `total` at all."""
        a, b = total.norm, part.norm
        if not isinstance(a, CountNorm) or not isinstance(b, CountNorm) or total.id == part.id:
            return False
        return b.value <= a.value and self.cues.same_unit(a.unit, b.unit)

    def is_whole(self, count: Entity) -> bool:
        """Whether nothing found so far says that `count` is only a part."""
        return count.id not in self.total_of and count.id not in self.sharing

    def whole_of(self, count: Entity) -> Entity:
        """The total that `count` is part of, or itself."""
        return self.total_of.get(count.id, count)


def count_value(entity: Entity) -> float:
    """The value of a COUNT, 0 for any other entity."""
    return entity.norm.value if isinstance(entity.norm, CountNorm) else 0.0


def count_unit(entity: Entity) -> str | None:
    """The unit of a COUNT, None for any other entity."""
    return entity.norm.unit if isinstance(entity.norm, CountNorm) else None
