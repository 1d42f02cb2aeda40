"""COUNT and PERCENT: numbers in the folded view with their unit and the words that bound them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache

import msgspec

from gongkai.normalise.quantities import Unit, unit_table
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
    units = unit_table().units
    pieces = counts.pieces | percents.pieces
    pieces |= {
        "set_phrases": alternatives(counts.words["set_phrases"]),
        "unit": _units(unit for unit in units if not unit.calendar),
        "unit_words": _units(unit for unit in units if unit.words),
        "before": _bounds("before"),
        "inside": _bounds("inside"),
        "after": _bounds("after"),
    }
    skips = [f"{{{name}}}" for name in pieces if name.startswith("skip_")]
    rows = {f"r{number}": rule for number, rule in enumerate((*percents.rules, *counts.rules))}
    parts = [*skips, "{set_phrases}", *(f"(?P<{group}>{rule.pattern})" for group, rule in rows.items())]
    pattern = f"(?={{starts}}|{{before}}{{sp}}{{starts}})(?:{'|'.join(parts)})"
    regex = re.compile(expand(pattern, pieces, str(config_path("rules"))), re.MULTILINE)
    return _Scan(regex, rows)


def _units(units: Iterable[Unit]) -> str:
    """Any spelling of the units, the longest first, unless the word goes on as another word."""
    rows = {form: unit for unit in units for form in unit.forms}
    return _either({form: re.escape(form) + _unless(unit.unless, "?!") for form, unit in rows.items()})


def _bounds(place: str) -> str:
    """Any bound of that place, the longest first; looks to its outer side for what makes it another word."""
    rows = {fold(bound.word): bound for bound in unit_table().bounds if bound.place == place}
    if place == "before":
        return _either({word: _unless(bound.unless, "?<!") + word for word, bound in rows.items()})
    return _either({word: word + _unless(bound.unless, "?!") for word, bound in rows.items()})


def _either(patterns: Mapping[str, str]) -> str:
    """One of the patterns, keyed by their words; a look at the first character spares most of the trials."""
    firsts = "".join(sorted({word[0] for word in patterns}))
    ordered = sorted(patterns, key=lambda word: (-len(word), word))
    return f"(?:(?=[{firsts}])(?:{'|'.join(patterns[word] for word in ordered)}))"


def _unless(characters: str, look: str) -> str:
    return f"({look}[{fold(characters)}])" if characters else ""
