"""Records for scorers, written as marked text: `⟦COUNT 863件⟧` is a span; spans may nest.

Ids are T1, T2, … in the order in which the spans begin.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from hypothesis import strategies as st

from gongkai.evaluate.types import Reference
from gongkai.types import Entity, Fact, Finding, Meta, Norm, PeriodNorm, Record, Relation, Source

_SIGN = re.compile(r"⟦([A-Z]+) |⟧")

YEAR = PeriodNorm(start="2018-01-01", end="2018-12-31")


def record(marked: str, *relations: str, norms: Mapping[str, Norm] | None = None, **more: Any) -> Record:
    """The record of a marked text; a relation is `value_of T1 T2`, head first, with a score behind if not 1."""
    text, last, spans, open_ = "", 0, [], []
    for sign in _SIGN.finditer(marked):
        text += marked[last : sign.start()]
        last = sign.end()
        if sign[1]:
            open_.append(len(spans))
            spans.append([sign[1], len(text), len(text)])
        else:
            spans[open_.pop()][2] = len(text)
    text += marked[last:]
    entities = tuple(
        entity(f"T{place}", label, start, end, text[start:end], (norms or {}).get(f"T{place}"))
        for place, (label, start, end) in enumerate(spans, start=1)
    )
    return Record(
        id="report",
        source=Source(),
        meta=Meta(),
        text=text,
        entities=entities,
        relations=tuple(map(relation, relations)),
        **more,
    )


def entity(key: str, label: str, start: int, end: int, text: str = "", norm: Norm | None = None) -> Entity:
    """A span of anybody's."""
    return Entity(
        id=key,
        label=label,
        start=start,
        end=end,
        text=text,
        score=1.0,
        by="test",
        norm=norm,  # type: ignore[arg-type]
    )


def relation(written: str) -> Relation:
    """The relation that `value_of T1 T2` or `value_of T1 T2 0.7` says."""
    label, head, tail, *score = written.split()
    return Relation(label=label, head=head, tail=tail, score=float(score[0]) if score else 1.0, by="test")  # type: ignore[arg-type]


def with_facts(of: Record, *facts: Mapping[str, Any]) -> Record:
    """The record with facts, each given as `evidence` ("T2 T1": number, metric), `value` and whatever it has more."""
    spans = {e.id: e for e in of.entities}
    made = []
    for place, fact in enumerate(facts, start=1):
        evidence = tuple(fact["evidence"].split())
        number = spans[evidence[0]]
        fields = {"unit": "件", "period": YEAR} | dict(fact) | {"evidence": evidence}
        made.append(Fact(id=f"F{place}", start=number.start, end=number.end, **fields))
    return msgspec.structs.replace(of, facts=tuple(made))


def finding(check: str, *spans: tuple[int, int], reported: float = 12, expected: float = 13) -> Finding:
    """A finding whose numbers stand at `spans`, the doubtful one first."""
    return Finding(
        check=check,  # type: ignore[arg-type]
        severity="error",
        message="",
        reported=reported,
        expected=expected,
        evidence=(),
        spans=spans,
    )


def gold(of: Record, **more: Any) -> Reference:
    """The record as what is right."""
    return Reference(record=of, **more)


@st.composite
def records(draw: st.DrawFn) -> Record:
    """A record of a few spans, nested and crossing, and any relations between them, some of them said twice."""
    spans = draw(
        st.lists(
            st.tuples(st.sampled_from(["COUNT", "METRIC"]), st.integers(0, 6), st.integers(1, 4)),
            unique=True,
            max_size=6,
        )
    )
    entities = tuple(
        entity(f"T{place}", label, start, start + length)
        for place, (label, start, length) in enumerate(spans, start=1)
    )
    ids = st.sampled_from([e.id for e in entities] or ["T1"])
    relations = st.builds(
        Relation,
        label=st.sampled_from(["value_of", "part_of"]),
        head=ids,
        tail=ids,
        score=st.sampled_from([0.5, 1.0]),
        by=st.just("test"),
    )
    return Record(
        id="report",
        source=Source(),
        meta=Meta(),
        text="0123456789",
        entities=entities,
        relations=tuple(draw(st.lists(relations, max_size=8))) if entities else (),
    )
