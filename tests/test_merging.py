"""Where model and rules meet: whose word counts, and what holds of the outcome whoever says what."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluate.building import record
from gongkai import merging
from gongkai.analysis import Analysis, NumberReading
from gongkai.errors import ConfigError
from gongkai.ingest import read_text
from gongkai.merging import Choice, Counterparts, Merger, Policy, load_policy
from gongkai.model.decode import Link, settle
from gongkai.model.scheme import MAY_HOLD
from gongkai.rules.merge import merge
from gongkai.spans import shared
from gongkai.types import EntityLabel, Mention, Relation, RelationLabel, Table
from planted import mentions_of

BOTH = Choice(("rules", "model"))
MODEL_FIRST = Choice(("model", "rules"))


def policy(**choices: Choice) -> Policy:
    """Rules first in everything but what is said otherwise."""
    return Policy(
        tables="all",
        spans={label: choices.get(label, BOTH) for label in get_args(EntityLabel)},
        relations={label: choices.get(label, BOTH) for label in get_args(RelationLabel)},
    )


def state_of(
    text: str, model: list[Mention], links: Sequence[Link] = (), tables: tuple[Table, ...] = ()
) -> Analysis:
    state = Analysis.of(read_text(text))
    state.structure = msgspec.structs.replace(state.structure, tables=tables)
    state.model_mentions, state.model_links = model, list(links)
    return state


def said(marked: str, by: str, score: float = 0.9) -> list[Mention]:
    return [m._replace(score=score) for m in mentions_of(record(marked), by=by)]


def places(mentions: list[Mention]) -> list[tuple[str, int, int]]:
    return [mention[:3] for mention in mentions]


@pytest.mark.parametrize(
    ("choice", "score", "rules", "model", "kept"),
    [
        pytest.param(Choice(("rules",)), 1, "甲市府乙", "甲⟦ORG 市府⟧乙", "甲市府乙", id="only rules are asked"),
        pytest.param(Choice(("model",)), 1, "甲⟦ORG 市府⟧乙", "甲市府乙", "甲市府乙", id="only the model is asked"),
        pytest.param(BOTH, 1, "甲⟦ORG 市府⟧乙", "⟦ORG 甲市府⟧乙", "甲⟦ORG 市府⟧乙", id="rules first"),
        pytest.param(MODEL_FIRST, 1, "甲⟦ORG 市府⟧乙", "⟦ORG 甲市府⟧乙", "⟦ORG 甲市府⟧乙", id="model first"),
        pytest.param(MODEL_FIRST, 1, "⟦ORG 甲⟧市府乙", "甲⟦ORG 市府⟧乙", "⟦ORG 甲⟧⟦ORG 市府⟧乙", id="the other fills"),
        pytest.param(
            Choice(("model", "rules"), 0.8), 0.7, "甲⟦ORG 市府⟧乙", "⟦ORG 甲市府⟧乙", "甲⟦ORG 市府⟧乙",
            id="a model that is unsure counts as silent",
        ),
        pytest.param(
            Choice(("model", "rules"), 0.7), 0.7, "甲⟦ORG 市府⟧乙", "⟦ORG 甲市府⟧乙", "⟦ORG 甲市府⟧乙",
            id="as sure as it must be",
        ),
    ],
)  # fmt: skip
def test_whose_span_stays(choice: Choice, score: float, rules: str, model: str, kept: str) -> None:
    merger = Merger(policy(ORG=choice), state_of(record(rules).text, said(model, "model", score)))
    assert places(merger.spans(said(rules, "rule:x"))) == places(said(kept, ""))


def test_labels_that_may_not_meet_are_settled_by_score() -> None:
    merger = Merger(policy(), state_of("2018年", said("⟦PERIOD 2018年⟧", "model", 0.95)))
    assert places(merger.spans(said("⟦COUNT 2018年⟧", "rule:x", 0.9))) == [("PERIOD", 0, 5)]


def table(start: int, end: int, form: str | None = None, *, flattened: bool = False) -> Table:
    return Table(id="B1", start=start, end=end, form=form, flattened=flattened)


@pytest.mark.parametrize(
    ("tables", "form", "flattened", "by_rules"),
    [
        ("all", None, True, True),
        ("forms", "A", True, True),
        ("forms", None, False, False),
        ("marked", "A", False, True),
        ("marked", "A", True, False),
        ("marked", None, False, False),
        ("none", "A", False, False),
    ],
)
def test_rules_alone_read_the_numbers_of_tables(
    tables: str, form: str | None, flattened: bool, by_rules: bool
) -> None:
    """The model names an ORG and a longer number; in a table of the rules the number is what the rules say."""
    grid = table(0, 5, form, flattened=flattened)
    state = state_of("市府共9件", said("⟦ORG 市府⟧⟦COUNT 共9⟧件", "model"), tables=(grid,))
    chosen = msgspec.structs.replace(policy(COUNT=Choice(("model",))), tables=tables)
    rules = said("市府共⟦COUNT 9⟧件", "rule:count.cell")
    number = ("COUNT", 3, 4) if by_rules else ("COUNT", 2, 4)
    assert places(Merger(chosen, state).spans(rules)) == [("ORG", 0, 2), number]


TEXT = "收到申请3件,办结2件"
READ = "收到⟦METRIC 申请⟧⟦COUNT 3件⟧,⟦METRIC 办结⟧⟦COUNT 2件⟧"
"""By the model; the rules read the verb, too."""


def readings_of(marked: str, *pairs: tuple[int, int]) -> list[NumberReading]:
    spans = said(marked, "rule:x")
    return [NumberReading(spans[number], spans[metric], "rule:x", 0.9) for number, metric in pairs]


@pytest.mark.parametrize(
    ("choice", "links", "metrics", "values"),
    [
        pytest.param(
            MODEL_FIRST, [(1, 0), (3, 2)], [(2, 4), (7, 9)], {4: (2, 4), 9: (7, 9)}, id="the model reads both"
        ),
        pytest.param(
            MODEL_FIRST, [], [(2, 4), (7, 9)], {4: (2, 4)}, id="the rules mean a METRIC of the model, which stays"
        ),
        pytest.param(
            BOTH, [(1, 0), (3, 2)], [(0, 4), (7, 9)], {4: (0, 4), 9: (7, 9)},
            id="the model adds what the rules leave unread, its METRIC of a number that is read goes",
        ),
        pytest.param(BOTH, [], [(0, 4)], {4: (0, 4)}, id="a METRIC of no number does not fill"),
        pytest.param(Choice(("rules",)), [(1, 0), (3, 2)], [(0, 4)], {4: (0, 4)}, id="only rules are asked"),
    ],
)  # fmt: skip
def test_what_a_number_counts(
    choice: Choice,
    links: list[tuple[int, int]],
    metrics: list[tuple[int, int]],
    values: dict[int, tuple[int, int]],
) -> None:
    state = state_of(TEXT, said(READ, "model"), [Link("value_of", head, tail, 0.9) for head, tail in links])
    merger = Merger(policy(METRIC=choice, value_of=MODEL_FIRST), state)
    rules = readings_of("⟦METRIC 收到申请⟧⟦COUNT 3件⟧,办结2件", (1, 0))
    numbers = [mention for mention in said(READ, "rule:x") if mention.label == "COUNT"]
    model = merger.model_readings(numbers)
    found = merger.metrics(rules, model)
    assert sorted((m.start, m.end) for m in found) == metrics
    readings = merger.readings(found, rules, model)
    assert {r.number.start: (r.metric.start, r.metric.end) for r in readings} == values


@pytest.mark.parametrize(("score", "found"), [(0.69, 0), (0.7, 1)])
def test_links_of_an_unsure_model_count_as_unsaid(score: float, found: int) -> None:
    state = state_of(TEXT, said(READ, "model"), [Link("value_of", 1, 0, score)])
    merger = Merger(policy(value_of=Choice(("model",), 0.7)), state)
    assert len(merger.model_readings(said(READ, "model"))) == found


def test_links_follow_to_the_spans_that_stayed() -> None:
    """The model links its own short span; the rules' longer one stayed in its place."""
    text = "全年约300余宗"
    state = state_of(text, said("⟦PERIOD 全年⟧约⟦COUNT 300⟧余宗", "model"), [Link("during", 1, 0, 0.8)])
    entities = record("⟦PERIOD 全年⟧⟦COUNT 约300余宗⟧").entities
    (relation,) = Merger(policy(), state).model_relations(entities)
    assert (relation.label, relation.head, relation.tail, relation.by) == ("during", "T2", "T1", "model")
    assert Merger(policy(), state).model_relations(entities[:1]) == []


def related(*relations: str) -> list[Relation]:
    return [Relation(label=r[0], head=r[1], tail=r[2], score=1.0, by="") for r in map(str.split, relations)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("choice", "rules", "model", "kept"),
    [
        pytest.param(BOTH, ["during a x"], ["during a y", "during b y"], ["during a x", "during b y"], id="fills"),
        pytest.param(MODEL_FIRST, ["during a x"], ["during a y"], ["during a y"], id="model first"),
        pytest.param(Choice(("model",)), ["during a x"], [], [], id="only the model is asked"),
        pytest.param(
            BOTH, ["issued_by p x"], ["issued_by p y", "issued_by q x", "issued_by q y"],
            ["issued_by p x", "issued_by q x", "issued_by q y"], id="one side's several issuers stay together",
        ),
        pytest.param(
            BOTH, ["part_of a b", "part_of b c"], ["part_of c a", "part_of d a"],
            ["part_of a b", "part_of b c", "part_of d a"], id="a part does not lead back to itself",
        ),
    ],
)  # fmt: skip
def test_whose_relation_stays(choice: Choice, rules: list[str], model: list[str], kept: list[str]) -> None:
    chosen = policy(**dict.fromkeys(("during", "issued_by", "part_of"), choice))
    found = Merger(chosen, state_of("", [])).relations([], related(*rules), related(*model))
    assert found == related(*kept)


def test_certain_relations_come_before_all_others() -> None:
    chosen = policy(part_of=Choice(("model",)))
    found = Merger(chosen, state_of("", [])).relations(
        related("part_of a b"), related("part_of c b"), related("part_of a c", "part_of b a")
    )
    assert found == related("part_of a b")


# Whoever says what: random spans, random policies.

LENGTH = 20


@st.composite
def mention_lists(draw: st.DrawFn) -> list[Mention]:
    labels = st.sampled_from(get_args(EntityLabel))
    starts, widths, scores = st.integers(0, LENGTH - 1), st.integers(1, 6), st.sampled_from([0.3, 0.6, 0.9])
    drawn = draw(st.lists(st.tuples(labels, starts, widths, scores), max_size=12))
    return [
        Mention(label, start, min(start + width, LENGTH), "x", score) for label, start, width, score in drawn
    ]


choices = st.builds(
    Choice,
    st.sampled_from([("rules",), ("model",), ("rules", "model"), ("model", "rules")]),
    st.sampled_from([0.0, 0.5, 0.8]),
)
policies = st.builds(
    Policy,
    tables=st.sampled_from(["all", "none"]),
    spans=st.fixed_dictionaries(dict.fromkeys(get_args(EntityLabel), choices)),
    relations=st.fixed_dictionaries(dict.fromkeys(get_args(RelationLabel), choices)),
)


@given(policies, mention_lists(), mention_lists())
def test_what_stays_obeys_the_scheme(chosen: Policy, rules: list[Mention], model: list[Mention]) -> None:
    state = state_of("字" * LENGTH, settle(model), tables=(table(3, 9),))
    merger = Merger(chosen, state)
    kept = merger.spans(merge(m for m in rules if m.label != "METRIC"))
    metrics = [m for m in rules if m.label == "METRIC"]
    readings = [NumberReading(n, m, "x", 0.9) for n, m in zip(kept, metrics, strict=False)]
    settled = merger.settled([*kept, *merger.metrics(readings, [])])
    if not chosen.asks("model"):
        return
    for one, other in combinations(sorted(settled, key=lambda m: (m.start, -m.end)), 2):
        if shared(one, other):
            assert one.end >= other.end
            assert (one.label, other.label) in MAY_HOLD


@given(mention_lists(), mention_lists())
def test_a_counterpart_shares_most(stayed: list[Mention], meant: list[Mention]) -> None:
    stayed = settle(stayed)
    counterparts = Counterparts(stayed)
    for mention in meant:
        most = max((shared(s, mention) for s in stayed if s.label == mention.label), default=0)
        found = counterparts.of(mention)
        assert (found is None) == (most == 0)
        if found is not None:
            assert (found.label, shared(found, mention)) == (mention.label, most)


# The policies themselves.


def test_the_shipped_policy_decides_every_label() -> None:
    shipped = load_policy("hybrid")
    assert {*shipped.spans, *shipped.relations} == {*get_args(EntityLabel), *get_args(RelationLabel)}
    assert shipped.asks("rules")
    assert shipped.asks("model")


@pytest.mark.parametrize("mode", ["rules", "model"])
def test_one_side_alone_asks_nobody_else(mode: str) -> None:
    chosen = load_policy(mode)
    assert [source for source in ("rules", "model") if chosen.asks(source)] == [mode]


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("tables: all\nspans: {}\nrelations: {}\n", "METRIC is missing"),
        ("tables: some\nspans: {}\nrelations: {}\n", "tables"),
        ("tables: all\nspans: {METRIK: {order: [rules]}}\nrelations: {}\n", "METRIK"),
        ("tables: all\nspans: {METRIC: {order: [luck]}}\nrelations: {}\n", "luck"),
    ],
)
def test_a_damaged_policy_is_named(
    written: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "merge.yaml").write_text(written, "utf8")
    monkeypatch.setattr("gongkai.resources.data_root", lambda: tmp_path)
    merging.load_policy.cache_clear()
    with pytest.raises(ConfigError, match=problem):
        load_policy("hybrid")
    merging.load_policy.cache_clear()
