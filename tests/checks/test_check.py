"""Hits and near misses of each check; order, purity and cost of all."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from gongkai.checks import check
from gongkai.normalise.identities import Identity
from gongkai.types import Fact
from marked_facts import read

_CASES: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("cases.yaml").read_text("utf-8"))


@pytest.mark.parametrize("case", _CASES, ids=lambda case: case["id"])
def test_case(case: dict[str, Any], identities: tuple[Identity, ...]) -> None:
    facts, text = read(case["text"])
    findings = check(facts, text, identities)
    wanted = case.get("findings", [])
    assert [(f.check, f.severity, list(f.evidence)) for f in findings] == [
        (w["check"], w["severity"], w["evidence"]) for w in wanted
    ], [f.message for f in findings]
    for found, want in zip(findings, wanted, strict=True):
        assert found.reported == pytest.approx(want.get("reported", found.reported))
        assert found.expected == pytest.approx(want.get("expected", found.expected))
        assert found.message.endswith("。")


def _joined() -> tuple[list[Fact], str]:
    """All cases as one document, each in its own paragraph, ids made distinct."""
    facts: list[Fact] = []
    text = ""
    for number, case in enumerate(_CASES):
        own, words = read(case["text"])
        facts += [_moved(fact, len(text), number) for fact in own]
        text += words + "\n\n"
    return facts, text


def _moved(fact: Fact, by: int, number: int) -> Fact:
    def own(name: str | None) -> str | None:
        return None if name is None or "/" in name else f"{number}.{name}"

    return msgspec.structs.replace(
        fact,
        id=f"{number}.{fact.id}",
        start=fact.start + by,
        end=fact.end + by,
        part_of=own(fact.part_of),
        share_of=own(fact.share_of),
        compared_with=own(fact.compared_with),
        table=own(fact.table),
        metric_id=own(fact.metric_id),
        section=f"{number}.{fact.section}",
        sentence=(fact.sentence or 0) + number * 100,
        evidence=tuple(f"{number}.{name}" for name in fact.evidence),
    )


def test_order_of_facts_does_not_matter(identities: tuple[Identity, ...]) -> None:
    facts, text = _joined()
    findings = check(facts, text, identities)
    assert list(findings) == sorted(findings, key=lambda found: found.spans[0])
    assert len({(found.check, found.evidence) for found in findings}) == len(findings) > 10
    random.Random(1).shuffle(facts)
    assert check(facts, text, identities) == findings


def test_no_facts() -> None:
    assert check([], "", ()) == ()


def _hostile(shape: str, size: int) -> tuple[list[Fact], str]:
    """Many facts of one kind that share as much as they can."""
    text = "收到申请1件、" * size
    keys: dict[str, dict[str, Any]] = {
        "one total": {"part_of": "0"},
        "one metric": {"part_of": "0", "share_of": "0", "evidence": ("N", "M"), "unit": "%"},
        "one value": {"metric_id": "x.new"},
        "one table": {"metric_id": "x.new", "table": "t"},
        "changes": {"direction": "up", "compared_with": "0", "evidence": ("N", "M")},
        "rates": {"metric": "答复率", "unit": "%", "share_of": "0"},
        "chain": {},
    }
    facts = [Fact(id="0", value=1.0, unit="件", start=4, end=6, metric="收到申请", sentence=0)]
    for number in range(1, size):
        own = {"unit": "件", "metric": "收到申请", **keys[shape]}
        if shape == "chain":
            own["part_of"] = str(number - 1)
        facts.append(
            Fact(id=str(number), value=1.0, start=7 * number + 4, end=7 * number + 6, sentence=0, **own)
        )
    return facts, text


@pytest.mark.parametrize(
    "shape", ["one total", "one metric", "one value", "one table", "changes", "rates", "chain"]
)
def test_cost_is_linear(shape: str, identities: tuple[Identity, ...]) -> None:
    """Ten times the facts cost about ten times as much, not a hundred times."""

    def seconds(size: int) -> float:
        facts, text = _hostile(shape, size)
        best = float("inf")
        for _ in range(3):
            start = time.process_time()
            check(facts, text, identities)
            best = min(best, time.process_time() - start)
        return best

    assert seconds(10_000) < 40 * max(seconds(1_000), 1e-3)
