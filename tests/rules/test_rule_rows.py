"""Every row of configs/rules/ finds its own examples, and nothing in its near misses."""

from __future__ import annotations

from collections import Counter

import pytest

from gongkai.resources import config_path
from gongkai.rules.docnos import tag_docnos
from gongkai.rules.orgs import tag_orgs
from gongkai.rules.periods import tag_periods
from gongkai.rules.policies import tag_policies
from gongkai.rules.quantities import tag_quantities
from gongkai.rules.table import Rule, load_rules
from gongkai.text import fold
from gongkai.types import Mention
from marking import unmark

TAGGERS = {
    "DOCNO": tag_docnos,
    "POLICY": tag_policies,
    "ORG": tag_orgs,
    "PERIOD": tag_periods,
    "COUNT": tag_quantities,
    "PERCENT": tag_quantities,
}
FILES = sorted(path.stem for path in config_path("rules").glob("*.yaml"))
ROWS = [rule for name in FILES for rule in load_rules(name).rules]


def found_by(rule: Rule, text: str) -> list[Mention]:
    return [m for m in TAGGERS[rule.label](fold(text)) if m.by == f"rule:{rule.name}"]


@pytest.mark.parametrize(
    ("rule", "example"), [(r, e) for r in ROWS for e in r.match], ids=lambda v: getattr(v, "name", v)
)
def test_row_finds_its_examples(rule: Rule, example: str) -> None:
    text, spans = unmark(example)
    found = [(m.start, m.end) for m in found_by(rule, text)]
    assert [text[a:b] for a, b in found] == [text[a:b] for a, b in spans]
    assert found == spans


@pytest.mark.parametrize(
    ("rule", "example"), [(r, e) for r in ROWS for e in r.reject], ids=lambda v: getattr(v, "name", v)
)
def test_row_leaves_its_near_misses(rule: Rule, example: str) -> None:
    assert found_by(rule, unmark(example)[0]) == []


def test_names_are_unique() -> None:
    assert [name for name, count in Counter(rule.name for rule in ROWS).items() if count > 1] == []
