"""COUNT and PERCENT: numbers in the folded view with their unit and the words that bound them."""

from __future__ import annotations

import re
from functools import cache

import msgspec

from gongkai.normalise.quantities import Bound, Unit, unit_table
from gongkai.resources import config_path
from gongkai.rules.table import Rule, alternatives, expand, load_rules
from gongkai.text import fold
from gongkai.types import Mention


class _Scan(msgspec.Struct, frozen=True):
    """All rules as one regular expression; the name of the group that matched is the rule's."""

    regex: re.Pattern[str]
    rules: dict[str, Rule]


def tag_quantities(view: str) -> list[Mention]:
    """COUNT and PERCENT mentions of a folded view, in text order, none overlapping.

    The text is read once from left to right. Where a number could begin, the first of these wins: a text to
    pass over (ordinal, date, slogan, set phrase), then the rows of percents.yaml, then those of counts.yaml.

    >>> [view[m.start : m.end] for view in ["收到申请300余宗,答复率100%"] for m in tag_quantities(view)]
    ['300余宗', '100%']
    """
    scan = _scan()
    mentions = []
    for match in scan.regex.finditer(view):
        if match.lastgroup is None:
            continue
        rule = scan.rules[match.lastgroup]
        start, end = match.span()
        mentions.append(Mention(rule.label, start, end, f"rule:{rule.name}", rule.score))
    return mentions


@cache
def _scan() -> _Scan:
    counts, percents = load_rules("counts"), load_rules("percents")
    set_phrases = counts.words["set_phrases"]
    bounds = unit_table().bounds
    pieces = counts.pieces | percents.pieces | {"set_phrases": alternatives(set_phrases)}
    pieces |= {
        "unit": _units(tuple(unit for unit in unit_table().units if not unit.calendar)),
        "unit_words": _units(tuple(unit for unit in unit_table().units if unit.words)),
        "before": _bounds(bounds, "before"),
        "inside": _bounds(bounds, "inside"),
        "after": _bounds(bounds, "after"),
    }
    where = str(config_path("rules"))
    firsts = {fold(word)[0] for word in set_phrases}
    firsts |= {fold(bound.word)[0] for bound in bounds if bound.place == "before"}
    skips = [f"{{{name}}}" for name in pieces if name.startswith("skip_")]
    rows = {f"r{number}": rule for number, rule in enumerate((*percents.rules, *counts.rules))}
    parts = [*skips, "{set_phrases}", *(f"(?P<{group}>{rule.pattern})" for group, rule in rows.items())]
    guard = f"(?=[{{starts}}{''.join(sorted(firsts))}翻-])"
    regex = re.compile(expand(f"{guard}(?:{'|'.join(parts)})", pieces, where), re.MULTILINE)
    return _Scan(regex, rows)


def _units(units: tuple[Unit, ...]) -> str:
    """Any spelling of the units, the longest first, unless the word goes on as another word."""
    forms = {form: unit for unit in units for form in unit.forms}
    ordered = sorted(forms, key=lambda form: (-len(form), form))
    return f"(?:{'|'.join(re.escape(form) + _unless(forms[form].unless, '?!') for form in ordered)})"


def _bounds(bounds: tuple[Bound, ...], place: str) -> str:
    rows = [bound for bound in bounds if bound.place == place]
    ordered = sorted(rows, key=lambda bound: (-len(bound.word), bound.word))
    if place == "before":
        return f"(?:{'|'.join(_unless(bound.unless, '?<!') + fold(bound.word) for bound in ordered)})"
    return f"(?:{'|'.join(fold(bound.word) + _unless(bound.unless, '?!') for bound in ordered)})"


def _unless(characters: str, look: str) -> str:
    return f"({look}[{fold(characters)}])" if characters else ""
