"""Where model and rules meet: whose spans and relations stay, by the policy of a mode.

`rules` and `model` take one side's word for everything. `hybrid` decides label by label, as `configs/merge.yaml` says.
Whatever the policy, what comes out obeys the annotation scheme: spans of one label do not overlap, spans of two labels
nest only where they may, a number has one METRIC and one period, and a part never leads back to itself.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Final, Generic, Literal, NamedTuple, Protocol, TypeVar, get_args

import msgspec

from gongkai.analysis import Analysis, NumberReading
from gongkai.chains import Chains
from gongkai.errors import ConfigError
from gongkai.model.decode import BY, settle
from gongkai.model.scheme import ACYCLIC
from gongkai.resources import config_path, load_yaml
from gongkai.spans import Extent, IntervalIndex, drop_overlapping, shared
from gongkai.types import Entity, EntityLabel, Mention, Relation, RelationLabel, Table

Mode = Literal["rules", "model", "hybrid"]
Source = Literal["rules", "model"]
Tables = Literal["all", "forms", "marked", "none"]

MODES: Final[tuple[Mode, ...]] = get_args(Mode)
POLICY_FILE: Final = "merge.yaml"

Place = tuple[EntityLabel, int, int]
"""What a mention is, whoever found it: label, start, end."""

_TABLED: Final[frozenset[EntityLabel]] = frozenset({"METRIC", "COUNT", "PERCENT"})
"""Labels that rules alone decide within the tables that they can read."""


class Choice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose word counts for one label.

    Attributes:
        order: Who is asked, the first first; what a later one says stays where none before it says anything.
        model_least: What the model is less sure of than this counts as unsaid (0 to 1).
    """

    order: tuple[Source, ...]
    model_least: float = 0.0


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A choice for every label.

    Attributes:
        tables: In which tables rules alone read numbers and what they count: every one whose cells were told apart,
            the standard forms, those of them that the page marks up as tables (HTML, DOCX), or none.
    """

    tables: Tables
    spans: Mapping[EntityLabel, Choice]
    relations: Mapping[RelationLabel, Choice]

    def asks(self, source: Source) -> bool:
        """Whether that side is asked about anything."""
        return any(source in choice.order for choice in (*self.spans.values(), *self.relations.values()))


def uniform(source: Source) -> Policy:
    """The policy that asks one side only."""
    choice = Choice((source,))
    return Policy(
        tables="none",
        spans=dict.fromkeys(get_args(EntityLabel), choice),
        relations=dict.fromkeys(get_args(RelationLabel), choice),
    )


@cache
def load_policy(mode: str) -> Policy:
    """The policy of a mode.

    Raises:
        ConfigError: There is no such mode, or `configs/merge.yaml` is damaged or lacks a label.
    """
    if mode == "rules":
        return uniform("rules")
    if mode == "model":
        return uniform("model")
    if mode != "hybrid":
        raise ConfigError(f"mode {mode!r}", "There is no such mode.", f"Choose one of: {', '.join(MODES)}.")
    policy = load_yaml(POLICY_FILE, Policy)
    chosen = {*policy.spans, *policy.relations}
    for label in (*get_args(EntityLabel), *get_args(RelationLabel)):
        if label not in chosen:
            raise ConfigError(str(config_path(POLICY_FILE)), f"{label} is missing.", "Say who decides it.")
    return policy


class Labelled(Extent, Protocol):
    """A span with its label: a mention or an entity."""

    @property
    def label(self) -> EntityLabel: ...


S = TypeVar("S", bound=Labelled)


class Counterparts(Generic[S]):
    """Which of the spans that stayed is the one that another source means.

    Args:
        spans: Of any labels; those of one label do not overlap each other.
    """

    def __init__(self, spans: Iterable[S]) -> None:
        self._spans: defaultdict[EntityLabel, list[S]] = defaultdict(list)
        self._at: dict[Place, S] = {}
        for span in sorted(spans, key=lambda span: span.start):
            self._spans[span.label].append(span)
            self._at.setdefault(_place(span), span)
        self._starts = {label: [span.start for span in spans] for label, spans in self._spans.items()}

    def of(self, meant: Labelled) -> S | None:
        """The span of the same label that shares most characters with it, the first of equals; None if none does."""
        if (same := self._at.get(_place(meant))) is not None:
            return same
        starts = self._starts.get(meant.label, [])
        first = max(bisect_right(starts, meant.start) - 1, 0)
        reaching = self._spans[meant.label][first : bisect_left(starts, meant.end)]
        found = max(reaching, key=lambda span: shared(span, meant), default=None)
        return found if found is not None and shared(found, meant) else None


class _Pair(NamedTuple):
    """A relation that the model finds between two of its mentions."""

    label: RelationLabel
    head: Mention
    tail: Mention
    score: float


class Merger:
    """Merges what rules and model say of one document.

    Args:
        state: With its structure, and what the model read in it; where none did, the rules have their say alone.
    """

    def __init__(self, policy: Policy, state: Analysis) -> None:
        self._policy = uniform("rules") if state.model_mentions is None else policy
        self._mentions = state.model_mentions or []
        self._links = state.model_links
        self._ruled = _ruled(state.structure.tables, self._policy)
        self._are_ruled = list(map(self._is_ruled, self._mentions))

    def spans(self, rules: Iterable[Mention]) -> list[Mention]:
        """The mentions that stay, but for METRIC, in text order.

        Args:
            rules: What the rules find, merged among themselves.
        """
        rules = list(rules)
        if not self._policy.asks("model"):
            return rules
        by_source = {"rules": _by_label(rules), "model": _by_label(self._believed())}
        certain = _by_label(mention for mention in rules if self._is_ruled(mention))
        return settle(
            mention
            for label, choice in self._policy.spans.items()
            if label != "METRIC"
            for mention in _in_turn([certain[label], *(by_source[source][label] for source in choice.order)])
        )

    def metrics(self, rules: Sequence[NumberReading], model: Sequence[NumberReading]) -> list[Mention]:
        """The METRICs that stay.

        Those of who is asked first stand by themselves; a later one's only with a number that none before it reads.

        Args:
            rules, model: What each side says that a number counts.
        """
        named = {
            "rules": drop_overlapping(reading.metric for reading in rules),
            "model": [mention for mention in self._believed() if mention.label == "METRIC"],
        }
        if not self._policy.asks("model"):
            return named["rules"]
        readings = {"rules": rules, "model": model}
        certain = [reading for reading in rules if self._is_ruled(reading.number)]
        kept = drop_overlapping(reading.metric for reading in certain)
        read = {_place(reading.number) for reading in certain}
        for turn, source in enumerate(self._policy.spans["METRIC"].order):
            wanted = {_place(r.metric) for r in readings[source] if _place(r.number) not in read}
            offered = [metric for metric in named[source] if turn == 0 or _place(metric) in wanted]
            kept = _in_turn([kept, offered])
            standing = {_place(metric) for metric in kept}
            read |= {_place(r.number) for r in readings[source] if _place(r.metric) in standing}
        return kept

    def settled(self, mentions: Iterable[Mention]) -> list[Mention]:
        """Of mentions of all labels, those that may stand together; rules have settled theirs among themselves."""
        return settle(mentions) if self._policy.asks("model") else list(mentions)

    def readings(
        self, mentions: Iterable[Mention], rules: Sequence[NumberReading], model: Sequence[NumberReading]
    ) -> list[NumberReading]:
        """What each number counts: a METRIC of `mentions` that a side means, or that overlaps what it means."""
        counterparts = Counterparts(mentions)
        by_source: dict[Source, Sequence[NumberReading]] = {"rules": rules, "model": model}
        turns: list[Sequence[NumberReading]] = [
            [reading for reading in rules if self._is_ruled(reading.number)]
        ]
        turns += [by_source[source] for source in self._policy.relations["value_of"].order]
        found: dict[Place, NumberReading] = {}
        for reading in chain.from_iterable(turns):
            metric = counterparts.of(reading.metric)
            if metric is not None:
                found.setdefault(_place(reading.number), reading._replace(metric=metric))
        return list(found.values())

    def model_readings(self, mentions: Iterable[Mention]) -> list[NumberReading]:
        """What the model says that numbers count: the numbers are of `mentions`, the METRICs its own."""
        numbers = Counterparts(mentions)
        readings = []
        for label, head, tail, score in self._believed_links():
            number = numbers.of(head) if label == "value_of" else None
            if number is not None:
                readings.append(NumberReading(number, tail, BY, score))
        return readings

    def model_relations(self, entities: Iterable[Entity]) -> list[Relation]:
        """The model's relations between the entities that stayed, but for value_of."""
        counterparts = Counterparts(entities)
        relations = []
        for label, model_head, model_tail, score in self._believed_links():
            head, tail = counterparts.of(model_head), counterparts.of(model_tail)
            if label != "value_of" and head is not None and tail is not None and head.id != tail.id:
                relations.append(Relation(label=label, head=head.id, tail=tail.id, score=score, by=BY))
        return relations

    def relations(
        self, certain: Iterable[Relation], rules: Iterable[Relation], model: Iterable[Relation]
    ) -> list[Relation]:
        """The relations that stay.

        Args:
            certain: Stay in any case (what numbers count, the totals of tables).
        """
        if not self._policy.asks("model"):
            return [*certain, *rules]
        kept = _Relations(certain)
        by_source = {"rules": list(rules), "model": list(model)}
        for label, choice in self._policy.relations.items():
            for source in choice.order:
                kept.add([relation for relation in by_source[source] if relation.label == label])
        return kept.all

    def _believed(self) -> Iterator[Mention]:
        """The model's mentions that may stay."""
        for mention, is_ruled in zip(self._mentions, self._are_ruled, strict=True):
            if not is_ruled and mention.score >= self._policy.spans[mention.label].model_least:
                yield mention

    def _believed_links(self) -> Iterator[_Pair]:
        for label, head, tail, score in self._links:
            sure = score >= self._policy.relations[label].model_least
            if sure and not self._are_ruled[head] and not self._are_ruled[tail]:
                yield _Pair(label, self._mentions[head], self._mentions[tail], score)

    def _is_ruled(self, mention: Mention) -> bool:
        return mention.label in _TABLED and self._ruled.overlaps(mention.start, mention.end)


class _Relations:
    """Relations as they are added, by those whose word counts most first."""

    def __init__(self, certain: Iterable[Relation]) -> None:
        self.all: list[Relation] = []
        self._chains: defaultdict[RelationLabel, Chains[str]] = defaultdict(Chains)
        self.add(certain)

    def add(self, relations: Iterable[Relation]) -> None:
        """Add one side's relations of the heads of which nobody before has said anything."""
        said = {(relation.label, relation.head) for relation in self.all}
        self.all += [
            relation
            for relation in relations
            if (relation.label, relation.head) not in said and self._goes_on(relation)
        ]

    def _goes_on(self, relation: Relation) -> bool:
        """Whether it leads nowhere back to its head, by way of others of its label."""
        return relation.label not in ACYCLIC or self._chains[relation.label].link(
            relation.head, relation.tail
        )


def _ruled(tables: Iterable[Table], policy: Policy) -> IntervalIndex:
    """The tables that rules alone read."""
    chosen = (table for table in tables if _is_chosen(table, policy.tables))
    return IntervalIndex([(table.start, table.end) for table in drop_overlapping(chosen)])


def _is_chosen(table: Table, tables: Tables) -> bool:
    if tables in ("all", "none"):
        return tables == "all"
    return table.form is not None and not (tables == "marked" and table.flattened)


def _in_turn(turns: Iterable[Iterable[Mention]]) -> list[Mention]:
    """Mentions of one label: all of the first, then of each next those that overlap none before."""
    kept: list[Mention] = []
    for offered in turns:
        taken = IntervalIndex(sorted((mention.start, mention.end) for mention in kept))
        kept += [mention for mention in offered if not taken.overlaps(mention.start, mention.end)]
    return kept


def _by_label(mentions: Iterable[Mention]) -> defaultdict[EntityLabel, list[Mention]]:
    by_label: defaultdict[EntityLabel, list[Mention]] = defaultdict(list)
    for mention in mentions:
        by_label[mention.label].append(mention)
    return by_label


def _place(mention: Labelled) -> Place:
    return mention.label, mention.start, mention.end
