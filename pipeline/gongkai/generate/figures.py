"""The numbers of a report, which of them depend on which, and new values that keep what they say of each other.

Counts of one part of a report are multiplied by one whole factor, so that every sum, balance and share that held
still holds, and what did not hold still does not. On top of that, parts of one total trade members, last year's
value is that of last year's report, as many documents are issued as the stock has grown by, and shares and growth
rates are printed anew.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence, Set
from itertools import pairwise
from random import Random
from typing import Literal

import msgspec

from gongkai.checks import check
from gongkai.generate.settings import load_settings
from gongkai.normalise.identities import load_identities
from gongkai.text import fold
from gongkai.types import Fact, Record

Kind = Literal["sum", "share", "growth", "balance", "repeat"]
"""What a planted contradiction breaks: a check of one report by its own numbers."""

_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_WIDE = {ord("0") + digit: chr(0xFF10 + digit) for digit in range(10)}
_FIXED_UNITS = frozenset({"工作日", "个工作日", "天", "日", "小时", "分钟", "年", "个月", "岁", "部分", "分"})
_RECEIVED, _OVER, _FORWARD = "requests.received", "requests.carried_over", "requests.carried_forward"
_TOTAL = "total"
_STOCKS = ("regulations", "normative")
"""Documents that are issued, repealed and in force, by the first part of their metric ids."""
_TELLING = 10
"""From here on the same number twice in a report is taken for the same thing."""
_STEP = 3
"""Made larger by so many (times the factor); by one might mend what is wrong in the source."""
_PLAIN_PARTS = ("rule:part_of.among", "rule:part_of.bracket", "rule:part_of.colon")


class Slot(msgspec.Struct, frozen=True):
    """Digits of a text that are written anew: `mantissa` / 10 ** `decimals`."""

    start: int
    end: int
    mantissa: int
    decimals: int
    percent: bool
    commas: bool
    wide: bool
    group: int

    def printed(self, mantissa: int) -> str:
        """The digits of a value, in the manner of the source."""
        digits = str(mantissa)
        if self.decimals:
            digits = digits.rjust(self.decimals + 1, "0")
            digits = f"{digits[: -self.decimals]}.{digits[-self.decimals :]}"
        elif self.commas:
            digits = f"{mantissa:,}"
        return digits.translate(_WIDE) if self.wide else digits


class Sum(msgspec.Struct, frozen=True):
    """`parts` add up to `total`; all are slot numbers."""

    total: int
    parts: tuple[int, ...]


class Share(msgspec.Struct, frozen=True):
    """`percent` is `part` / `total`; all are slot numbers."""

    percent: int
    part: int
    total: int


class Growth(msgspec.Struct, frozen=True):
    """`change` leads from `before` to `now`; `fall` is where the word stands that says it fell, if it did."""

    change: int
    now: int
    before: int
    fall: tuple[int, int] | None


class CarryOver(msgspec.Struct, frozen=True):
    """One column of the requests' table: all slots that state each of the three."""

    received: tuple[int, ...]
    over: tuple[int, ...]
    forward: int


class Stock(msgspec.Struct, frozen=True):
    """A table's row of documents in force: last year's, and all that were `issued`, less those `repealed`."""

    issued: tuple[int, ...]
    repealed: int
    in_force: int


class Plant(msgspec.Struct, frozen=True):
    """A number that can be made wrong by `step` for each unit of its group's factor (percents: as it stands)."""

    kind: Kind
    slot: int
    step: int


class Planted(msgspec.Struct, frozen=True):
    """A contradiction that was put in: what is printed, what would be right."""

    kind: str
    printed: str
    right: str
    metric: str | None = None


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """The slots of a text, and what ties them together.

    Attributes:
        metrics: Metric words or id of each slot.
        groups: Number of groups; the counts of one are multiplied by one factor.
        fixed: Groups whose factor is 1.
        trades: Pairs of parts that may trade members.
        restatable: Growths of a metric of the ontology: last year's value can be held against last year's report.
        chains: Whether reports of following years can be made that fit each other.
    """

    slots: tuple[Slot, ...]
    metrics: tuple[str | None, ...]
    groups: int
    fixed: frozenset[int]
    trades: tuple[tuple[int, int], ...]
    shares: tuple[Share, ...]
    growths: tuple[Growth, ...]
    restatable: tuple[Growth, ...]
    carried: tuple[CarryOver, ...]
    stocks: tuple[Stock, ...]
    plants: tuple[Plant, ...]
    chains: bool

    def values(self, rng: Random, factors: Sequence[int], place: int, traded: float) -> list[int]:
        """Mantissas of all slots.

        Args:
            factors: Of each group.
            place: Place of the report in its chain; the first has no report before it to fit.
            traded: Largest trade, as a fraction of the smaller part.
        """
        values = [s.mantissa if s.percent else s.mantissa * factors[s.group] for s in self.slots]
        for a, b in self.trades:
            moved = int((2 * rng.random() - 1) * traded * min(values[a], values[b]))
            values[a] += moved
            values[b] -= moved
        # Several changes may start from one value: 增加12件，增长10%.
        for growth in {growth.before: growth for growth in self.growths}.values():
            self._grow(values, growth, factors, rng if place == 0 else None)
        if place:
            self._carry(values, factors)
        for share in self.shares:
            values[share.percent] = _ratio(
                values[share.part], values[share.total], self.slots[share.percent].decimals
            )
        return values

    def _grow(self, values: list[int], growth: Growth, factors: Sequence[int], rng: Random | None) -> None:
        now = self.slots[growth.now]
        before = now.mantissa * (factors[now.group] - 1)
        if rng is not None:
            before += rng.randrange(now.mantissa // 2 + 1)
        self.state_before(values, growth, before)

    def state_before(self, values: list[int], growth: Growth, before: int) -> None:
        """Enter last year's value, and the changes that follow from it."""
        values[growth.before] = before
        for each in self.growths:
            if each.before == growth.before:
                change, rise = self.slots[each.change], values[each.now] - before
                values[each.change] = _ratio(rise, before, change.decimals) if change.percent else rise

    def _carry(self, values: list[int], factors: Sequence[int]) -> None:
        for column in self.carried:
            forward = self.slots[column.forward]
            self.carry_over(values, column, forward.mantissa * (factors[forward.group] - 1))
        for stock in self.stocks:
            in_force = self.slots[stock.in_force]
            added = values[stock.in_force] - in_force.mantissa * (factors[in_force.group] - 1)
            for slot in stock.issued:
                values[slot] = added + values[stock.repealed]

    def carry_over(self, values: list[int], column: CarryOver, amount: int) -> None:
        """Enter what came over from last year; the rest of what was on hand is new."""
        on_hand = values[column.received[0]] + values[column.over[0]]
        for slot in column.over:
            values[slot] = amount
        for slot in column.received:
            values[slot] = on_hand - amount

    def restate(self, values: list[int], growth: Growth) -> Planted:
        """State another value for last year than last year's report; this report still fits itself."""
        slot, right = self.slots[growth.before], values[growth.before]
        self.state_before(values, growth, max(1, right - right // 10 - 1))
        return Planted(
            kind="previous_value",
            printed=slot.printed(values[growth.before]),
            right=slot.printed(right),
            metric=self.metrics[growth.now],
        )

    def carry_wrongly(self, values: list[int]) -> Planted:
        """Carry over one request more than last year's report handed on; this report still fits itself."""
        *columns, total = sorted(self.carried, key=lambda column: values[column.received[0]])
        slot, right = self.slots[total.over[0]], values[total.over[0]]
        for column in (columns[-1], total):
            self.carry_over(values, column, values[column.over[0]] + 1)
        return Planted(
            kind="carry_over",
            printed=slot.printed(right + 1),
            right=slot.printed(right),
            metric=self.metrics[total.over[0]],
        )

    def plant(self, values: list[int], plant: Plant, factors: Sequence[int]) -> Planted:
        """Make one number wrong."""
        slot = self.slots[plant.slot]
        right = values[plant.slot]
        step = plant.step if slot.percent else plant.step * factors[slot.group]
        values[plant.slot] = right + step
        return Planted(
            kind=plant.kind,
            printed=slot.printed(right + step),
            right=slot.printed(right),
            metric=self.metrics[plant.slot],
        )


def _ratio(part: int, total: int, decimals: int) -> int:
    """`part` / `total` in percent, rounded half up, as a mantissa of so many decimals."""
    scale: int = 10 ** (decimals + 2)
    return (2 * part * scale + total) // (2 * total)


class _Reader:
    """Works out the figures of one record."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.falls = re.compile("|".join(load_settings().rises))
        self.by_head = {(r.label, r.head): r.by for r in record.relations}
        self.facts: list[Fact] = []
        self.raw: list[tuple[int, int, int, int, bool, bool]] = []
        for fact in record.facts:
            if (raw := self._digits(fact)) is not None:
                self.facts.append(fact)
                self.raw.append(raw)
        self.place = {fact.id: number for number, fact in enumerate(self.facts)}
        self.group_of = self._groups()

    def _digits(self, fact: Fact) -> tuple[int, int, int, int, bool, bool] | None:
        """Digits, mantissa and decimals; None for a number in words, a range, or a limit of time."""
        printed = self.record.text[fact.start : fact.end]
        found = list(_NUMBER.finditer(fold(printed)))
        if len(found) != 1 or fact.value_max is not None or fact.unit in _FIXED_UNITS:
            return None
        digits = found[0].group()
        _, _, fraction = digits.partition(".")
        mantissa = int(digits.replace(",", "").replace(".", ""))
        start = fact.start + found[0].start()
        wide = printed[found[0].start()] > "9"
        return start, start + len(digits), mantissa, len(fraction), "," in digits, wide

    def plain(self, number: int) -> bool:
        """Whether a slot is a whole number as it stands, not in 万 or 亿."""
        _, _, mantissa, decimals, *_ = self.raw[number]
        fact = self.facts[number]
        return decimals == 0 and fact.unit != "%" and fact.value == mantissa

    def mantissa(self, number: int) -> int:
        return self.raw[number][2]

    def _groups(self) -> list[int]:
        """Slots that must share a factor: of a section or table, of one metric, or of one telling value."""
        top = {}
        current = None
        for section in self.record.sections:
            current = section.id if section.level <= 1 else current
            top[section.id] = current
        group = list(range(len(self.facts)))

        def root(number: int) -> int:
            while group[number] != number:
                number = group[number]
            return number

        first: dict[object, int] = {}
        for number, fact in enumerate(self.facts):
            if fact.unit == "%":
                continue
            keys: list[object] = [("section", top.get(fact.section or ""))]
            keys += [("table", fact.table)] if fact.table else []
            keys += [("metric", fact.metric_id)] if fact.metric_id else []
            keys += [("value", fact.value)] if fact.value >= _TELLING else []
            keys += [("fact", id_) for id_ in (fact.id, fact.part_of, fact.compared_with) if id_]
            for key in keys:
                group[root(number)] = root(first.setdefault(key, number))
        return [root(number) for number in range(len(self.facts))]

    def figures(self) -> Figures:
        roots = sorted(set(self.group_of))
        number_of = {root: number for number, root in enumerate(roots)}
        groups = [number_of[root] for root in self.group_of]
        slots = tuple(
            Slot(a, b, mantissa, decimals, fact.unit == "%", commas, wide, group)
            for (a, b, mantissa, decimals, commas, wide), fact, group in zip(
                self.raw, self.facts, groups, strict=True
            )
        )
        shares, unresolved = self._shares()
        fixed = frozenset(groups[n] for n in self._unwritable())

        def scales(number: int) -> bool:
            return groups[number] not in fixed

        growths, growing = self._growths(scales)
        sums = self._sums()
        tied = {n for g in growths for n in (g.now, g.before)}
        trades = self._trades(sums, unresolved, tied)
        bound = (
            tied
            | {n for s in sums for n in (s.total, *s.parts)}
            | {n for s in shares for n in (s.part, s.total)}
        )
        carried = self._carried(bound)
        stocks, stocked = self._stocks(bound, scales)
        tables = {fact.metric_id for fact in self.facts if fact.table}
        return Figures(
            slots=slots,
            metrics=tuple(fact.metric or fact.metric_id for fact in self.facts),
            groups=len(roots),
            fixed=fixed,
            trades=trades,
            shares=shares,
            growths=growths,
            restatable=tuple(filter(self._is_known, growths)),
            carried=carried,
            stocks=stocks,
            plants=tuple(
                plant
                for plant in self._plants(sums, shares, growths)
                if self._is_found(slots[plant.slot], plant)
            ),
            chains=growing
            and stocked
            and (bool(carried) or _FORWARD not in tables)
            and all(scales(column.forward) for column in carried),
        )

    def _unwritable(self) -> set[int]:
        """Slots that are tied to a number that cannot be written anew, or to a rounded one."""
        tied: set[int] = set()
        for fact in self.record.facts:
            for other in (fact.part_of, fact.share_of, fact.compared_with):
                if other is None or (fact.id in self.place and other in self.place):
                    continue
                tied |= {self.place[id_] for id_ in (fact.id, other) if id_ in self.place}
        for number, fact in enumerate(self.facts):
            ends = [self.place[id_] for id_ in (fact.share_of, fact.compared_with) if id_ in self.place]
            tied |= {end for end in ends if fact.decimals is None or not self.plain(end)}
            if fact.part_of in self.place and not (self.plain(number) and fact.qualifier == "exact"):
                tied |= {number, self.place[fact.part_of]}
        return {n for n in tied if self.facts[n].unit != "%"}

    def _before(self, number: int) -> Iterable[int]:
        """Plain counts before a number in its sentence, the nearest first."""
        fact = self.facts[number]
        for other in range(number - 1, -1, -1):
            if self.facts[other].sentence != fact.sentence or self.facts[other].table != fact.table:
                return
            if self.plain(other):
                yield other

    def _shares(self) -> tuple[tuple[Share, ...], set[int]]:
        """Shares that are right; of those that are not, the counts that they may be of."""
        shares: list[Share] = []
        unresolved: set[int] = set()
        for number, fact in enumerate(self.facts):
            total = self.place.get(fact.share_of or "")
            if total is None:
                continue
            part = self._first(
                (n for n in self._before(number) if n != total), self._fits_share(number, total)
            )
            if part is None:
                unresolved |= {total, *self._before(number)}
            else:
                shares.append(Share(number, part, total))
        return tuple(shares), unresolved

    def _first(self, numbers: Iterable[int], fits: Callable[[int], bool]) -> int | None:
        return next(filter(fits, numbers), None)

    def _fits_share(self, percent: int, total: int) -> Callable[[int], bool]:
        _, _, mantissa, decimals, *_ = self.raw[percent]

        def fits(part: int) -> bool:
            whole = self.mantissa(total)
            return (
                self.plain(total) and whole > 0 and _ratio(self.mantissa(part), whole, decimals) == mantissa
            )

        return fits

    def _growths(self, scales: Callable[[int], bool]) -> tuple[tuple[Growth, ...], bool]:
        """Changes that are right, and whether all are: one that is not keeps its base whatever the year before.

        Args:
            scales: Whether a slot's value grows with the years.
        """
        growths, complete = [], True
        free = self._free()
        for number, fact in enumerate(self.facts):
            before = self.place.get(fact.compared_with or "")
            if before is None or fact.direction is None:
                continue
            now = self._first(
                (n for n in self._before(number) if n != before), self._fits_growth(number, before)
            )
            fall = self._fall(fact, before)
            if (
                now is None
                or not scales(now)
                or before not in free
                or (fact.direction == "down" and fall is None)
            ):
                complete = False
            else:
                growths.append(Growth(number, now, before, fall))
        return tuple(growths), complete

    def _fall(self, change: Fact, before: int) -> tuple[int, int] | None:
        """Where the last word for a fall stands between last year's value and the change."""
        start = self.facts[before].end
        found = list(self.falls.finditer(self.record.text, start, max(start, change.start)))
        return found[-1].span() if found else None

    def _free(self) -> set[int]:
        """Plain counts that nothing else depends on."""
        used = {id_ for fact in self.facts for id_ in (fact.part_of, fact.share_of) if id_}
        return {
            n
            for n, fact in enumerate(self.facts)
            if self.plain(n) and fact.id not in used and fact.part_of is None and fact.table is None
        }

    def _fits_growth(self, change: int, before: int) -> Callable[[int], bool]:
        _, _, mantissa, decimals, *_ = self.raw[change]
        fact = self.facts[change]

        def fits(now: int) -> bool:
            base = self.mantissa(before)
            rise = abs(self.mantissa(now) - base)
            if base == 0 or not self.plain(before):
                return False
            return (_ratio(rise, base, decimals) if fact.unit == "%" else rise) == mantissa

        return fits

    def _sums(self) -> tuple[Sum, ...]:
        """The lists of parts, in prose, that add up to their total; slots that are plain."""
        lists: dict[tuple[int, int | None], list[int]] = defaultdict(list)
        for number, fact in enumerate(self.facts):
            total = self.place.get(fact.part_of or "")
            if total is not None and fact.table is None:
                lists[total, fact.sentence].append(number)
        return tuple(
            Sum(total, tuple(parts))
            for (total, _), parts in lists.items()
            if all(map(self.plain, [total, *parts]))
            and sum(map(self.mantissa, parts)) == self.mantissa(total)
        )

    def _trades(
        self, sums: tuple[Sum, ...], unresolved: set[int], tied: set[int]
    ) -> tuple[tuple[int, int], ...]:
        """Neighbouring parts whose values nothing else in the report repeats or breaks down."""
        values = [fact.value for fact in self.facts]
        tied = tied | {self.place[f.part_of] for f in self.facts if f.part_of in self.place}
        return tuple(
            (a, b)
            for listed in sums
            if listed.total not in unresolved
            for a, b in pairwise(listed.parts)
            if not {a, b} & (tied | unresolved) and values.count(values[a]) == values.count(values[b]) == 1
        )

    def _is_known(self, growth: Growth) -> bool:
        metric_id = self.facts[growth.before].metric_id
        return metric_id is not None and metric_id == self.facts[growth.now].metric_id

    def _carried(self, bound: Set[int]) -> tuple[CarryOver, ...]:
        """The columns of the requests' table; none unless every row adds up and prose can follow.

        Args:
            bound: Slots of sums, shares and growths.
        """
        cells: dict[str, dict[str | None, list[int]]] = {
            m: defaultdict(list) for m in (_RECEIVED, _OVER, _FORWARD)
        }
        for number, fact in enumerate(self.facts):
            if fact.table and fact.metric_id in cells:
                cells[fact.metric_id][fact.category].append(number)
        rows = [{c: n[0] for c, n in row.items() if len(n) == 1} for row in cells.values()]
        if not rows[0] or any(set(row) != set(rows[0]) or _TOTAL not in row for row in rows):
            return ()
        for row in rows:
            others = sum(self.mantissa(n) for category, n in row.items() if category != _TOTAL)
            if others != self.mantissa(row[_TOTAL]):
                return ()
        received, over, forward = rows
        in_prose = [self._restated(m, row[_TOTAL]) for m, row in ((_RECEIVED, received), (_OVER, over))]
        if bound & {n for slots in in_prose for n in slots}:
            return ()
        return tuple(
            CarryOver(
                (received[c], *(in_prose[0] if c == _TOTAL else ())),
                (over[c], *(in_prose[1] if c == _TOTAL else ())),
                forward[c],
            )
            for c in received
        )

    def _stocks(self, bound: Set[int], scales: Callable[[int], bool]) -> tuple[tuple[Stock, ...], bool]:
        """The rows of documents in force that say all three, and whether each can be led on from year to year.

        Args:
            bound: Slots of sums, shares and growths.
            scales: Whether a slot's value grows with the years.
        """
        cells: dict[str | None, list[int]] = defaultdict(list)
        for number, fact in enumerate(self.facts):
            if fact.table and fact.category in (None, _TOTAL):
                cells[fact.metric_id].append(number)
        stocks, complete = [], True
        for name in _STOCKS:
            row = [cells[f"{name}.{column}"] for column in ("issued", "repealed", "in_force")]
            if not all(row):
                continue
            issued, repealed, in_force = (numbers[0] for numbers in row)
            restated = self._restated(f"{name}.issued", issued)
            slots = {issued, repealed, in_force, *restated}
            once = all(len(numbers) == 1 for numbers in row)
            if once and not bound & slots and all(map(self.plain, slots)) and scales(in_force):
                stocks.append(Stock((issued, *restated), repealed, in_force))
            else:
                complete = False
        return tuple(stocks), complete

    def _restated(self, metric: str, cell: int) -> list[int]:
        """Slots of prose that state the value of a cell."""
        return [
            n
            for n, fact in enumerate(self.facts)
            if fact.table is None and fact.metric_id == metric and self.mantissa(n) == self.mantissa(cell)
        ]

    def _plants(
        self, sums: tuple[Sum, ...], shares: tuple[Share, ...], growths: tuple[Growth, ...]
    ) -> Iterable[Plant]:
        for share in shares:
            _, _, mantissa, decimals, *_ = self.raw[share.percent]
            step = 3 * 10**decimals
            yield Plant("share", share.percent, step if mantissa + step <= 10 ** (decimals + 2) else -step)
        for growth in growths:
            if self.facts[growth.change].unit == "%":
                yield Plant("growth", growth.change, 7 * 10 ** self.raw[growth.change][3])
        shared = {share.part for share in shares}
        for listed in sums:
            # Lists are read up to where they reach their total: only a last part can make one exceed it.
            last = listed.parts[-1]
            sure = self.by_head.get(("part_of", self.facts[last].evidence[0])) in _PLAIN_PARTS
            step = max(1, self.mantissa(last) // 5)
            larger = self.mantissa(last) + step > self.mantissa(listed.total)
            if sure and len(listed.parts) > 1 and last not in shared and not larger:
                yield Plant("sum", last, step)
        yield from self._plants_of_tables(sums, shared)

    def _is_found(self, slot: Slot, plant: Plant) -> bool:
        """Whether the checks speak up where that number alone is another."""
        wrong, text = self.facts[plant.slot], self.record.text
        printed = slot.printed(slot.mantissa + plant.step)
        longer = len(printed) - (slot.end - slot.start)
        value = wrong.value + plant.step * 10.0 ** -(slot.decimals + 2 * slot.percent)
        facts = []
        for fact in self.record.facts:
            moved = longer if fact.start > wrong.start else 0
            end = fact.end + (longer if fact.end >= wrong.end else 0)
            changed = {"value": value} if fact is wrong else {}
            facts.append(msgspec.structs.replace(fact, start=fact.start + moved, end=end, **changed))
        found = check(facts, text[: slot.start] + printed + text[slot.end :], load_identities())
        return any(f.check == plant.kind and wrong.id in f.evidence for f in found)

    def _plants_of_tables(self, sums: tuple[Sum, ...], shared: set[int]) -> Iterable[Plant]:
        in_table = {f.metric_id: f.value for f in self.facts if f.table and f.category in (None, _TOTAL)}
        used = {n for listed in sums for n in (listed.total, *listed.parts)} | shared
        for number, fact in enumerate(self.facts):
            if not self.plain(number) or fact.value == 0:
                continue
            if fact.table and fact.metric_id in _BALANCED and fact.category in (None, _TOTAL):
                yield Plant("balance", number, _STEP)
            restates = fact.table is None and in_table.get(fact.metric_id) == fact.value
            if restates and fact.metric_id and fact.part_of is None and number not in used:
                yield Plant("repeat", number, _STEP)


_BALANCED = frozenset({"outcome.granted", "requests.received.online"})
"""Indicators that identities of the forms hold to others, and that prose seldom repeats."""


def read_figures(record: Record) -> Figures:
    """The numbers of a record that can be written anew, and what ties them together."""
    return _Reader(record).figures()
