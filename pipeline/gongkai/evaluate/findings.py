"""Findings: did the program doubt what a careful reader doubts?"""

from __future__ import annotations

from collections.abc import Sequence

from gongkai.evaluate.counting import MISSED, RIGHT, SPURIOUS, by_label
from gongkai.evaluate.types import Kind, Marks, Mistake, Part, Reference
from gongkai.spans import shared
from gongkai.types import Finding, Record


def score_findings(reference: Reference, predicted: Record) -> Marks:
    """Level findings, labels the checks; no level where nobody listed the findings by hand.

    A finding is right when the check is gold's and gold's doubtful number (its first span) overlaps any of the
    numbers that the finding rests on: which of two numbers that contradict each other is the wrong one is arguable.
    One to one, as many as can be. What is left over and matches an arguable finding counts neither way.
    """
    if not reference.has_findings:
        return Marks(counts={})
    gold, found = reference.record.findings, predicted.findings
    matched = _one_to_one(gold, found)
    spurious = [
        finding
        for place, finding in enumerate(found)
        if place not in matched and not any(_agree(arguable, finding) for arguable in reference.arguable)
    ]
    right = set(matched.values())
    missed = [finding for place, finding in enumerate(gold) if place not in right]
    counts = by_label(
        [
            *((gold[place].check, RIGHT) for place in right),
            *((finding.check, MISSED) for finding in missed),
            *((finding.check, SPURIOUS) for finding in spurious),
        ]
    )
    mistakes = [_mistake("missed", finding) for finding in missed]
    mistakes += [_mistake("spurious", finding) for finding in spurious]
    return Marks(counts={"findings": counts}, mistakes=tuple(mistakes))


def _agree(gold: Finding, found: Finding) -> bool:
    if gold.check != found.check:
        return False
    numbers = _numbers(found)
    return any(shared(doubtful, number) for doubtful in _numbers(gold)[:1] for number in numbers)


def _numbers(finding: Finding) -> list[Part]:
    return [Part(finding.check, start, end) for start, end in finding.spans]


def _one_to_one(gold: Sequence[Finding], found: Sequence[Finding]) -> dict[int, int]:
    """Place of a predicted finding → place of its gold finding: a largest matching (Kuhn 1955, augmenting paths)."""
    fitting = [[place for place, other in enumerate(found) if _agree(one, other)] for one in gold]
    matched: dict[int, int] = {}

    def place(one: int, tried: set[int]) -> bool:
        for other in sorted(fitting[one], key=matched.__contains__):  # those that are free first
            if other in tried:
                continue
            tried.add(other)
            if other not in matched or place(matched[other], tried):
                matched[other] = one
                return True
        return False

    for one in range(len(gold)):
        place(one, set())
    return matched


def _mistake(kind: Kind, finding: Finding) -> Mistake:
    doubtful = tuple(_numbers(finding)[:1])
    contradiction = f"{finding.reported:.15g} ≠ {finding.expected:.15g}"
    if kind == "missed":
        return Mistake(
            level="findings", kind=kind, label=finding.check, gold=doubtful, gold_value=contradiction
        )
    return Mistake(
        level="findings", kind=kind, label=finding.check, predicted=doubtful, predicted_value=contradiction
    )
