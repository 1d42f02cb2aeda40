"""Gold records for tests, written as marked text: `⟦COUNT#n 5件⟧` is the span `n` of that label."""

from __future__ import annotations

import random
import re

from gongkai.gold.records import GoldEntity, GoldRecord, GoldRelation
from gongkai.types import RELATION_TYPES

_MARK = re.compile(r"⟦([A-Z]+)#(\w+) ([^⟦⟧]*)⟧")
_SIGNS = "收到申请年月日其中网上件条百分之《》（），。、〔〕號報開𠮷𪚥😀é\u200b　 \t"
_BREAKS = ("\n", "\r\n", "\r", "\n\n", "\r\n\r\n")


def gold(name: str, marked: str, *relations: str, **meta: object) -> GoldRecord:
    """The record of a marked text; a relation is `value_of n m`, head first."""
    text, entities, end = "", [], 0
    for match in _MARK.finditer(marked):
        text += marked[end : match.start()]
        entities.append(
            GoldEntity(id=match[2], label=match[1], start=len(text), end=len(text) + len(match[3]))
        )
        text += match[3]
        end = match.end()
    split = [relation.split() for relation in relations]
    return GoldRecord(
        id=name,
        text=text + marked[end:],
        entities=tuple(entities),
        relations=tuple(GoldRelation(label=label, head=head, tail=tail) for label, head, tail in split),
        meta=dict(meta),
    )


def random_gold(name: str, seed: int, length: int = 900) -> GoldRecord:
    """A record of any signs, line breaks, spans (nested, adjacent, at the ends) and relations."""
    chance = random.Random(seed)
    pieces: list[str] = []
    while sum(map(len, pieces)) < length:
        pieces.append("".join(chance.choices(_SIGNS, k=chance.randint(0, 40))))
        pieces.append(chance.choice(_BREAKS))
        if chance.random() < 0.2:
            pieces.append(f"{chance.choice('一二三四五')}、{''.join(chance.choices(_SIGNS[:12], k=6))}")
    text = "".join(pieces)
    entities: list[GoldEntity] = []
    labels = sorted({label for types in RELATION_TYPES.values() for group in types for label in group})
    for label in labels:
        place = 0
        while (place := place + chance.randint(0, 60)) < len(text):
            end = min(len(text), place + chance.randint(1, 15))
            entities.append(GoldEntity(id=f"T{len(entities) + 1}", label=label, start=place, end=end))
            place = end
    relations = set()
    for kind, (heads, tails) in RELATION_TYPES.items():
        for _ in range(12):
            head = chance.choice([e for e in entities if e.label in heads])
            tail = chance.choice([e for e in entities if e.label in tails])
            if head != tail:
                relations.add((kind, head.id, tail.id))
    return GoldRecord(
        id=name,
        text=text,
        entities=tuple(entities),
        relations=tuple(
            GoldRelation(label=label, head=head, tail=tail) for label, head, tail in sorted(relations)
        ),
    )
