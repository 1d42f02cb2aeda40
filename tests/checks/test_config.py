"""Every kind of finding says what its worked example promises."""

from __future__ import annotations

import pytest

from gongkai.checks import check
from gongkai.checks.settings import Kind, load_settings
from gongkai.normalise.identities import Identity
from marked_facts import read


@pytest.mark.parametrize("kind", load_settings().kinds, ids=lambda kind: kind.name)
def test_worked_example(kind: Kind, identities: tuple[Identity, ...]) -> None:
    facts, text = read(kind.example.text)
    findings = check(facts, text, identities)
    said = [(found.check, found.severity, found.message) for found in findings]
    assert said == [(kind.check, kind.severity, kind.example.says)]
    for found in findings:
        by_id = {fact.id: fact for fact in facts}
        assert found.spans == tuple((by_id[i].start, by_id[i].end) for i in found.evidence)
