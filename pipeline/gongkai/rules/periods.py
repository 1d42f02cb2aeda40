"""PERIOD: dates and periods in calendar terms in the folded view."""

from __future__ import annotations

import re
from functools import cache

from gongkai.resources import config_path
from gongkai.rules.table import Rule, expand, load_rules
from gongkai.types import Mention


def tag_periods(view: str) -> list[Mention]:
    """PERIOD mentions of a folded view, in text order, none overlapping.

    The text is read once from left to right; where a period could begin, a text to pass over (the year of a
    document number, 每年) wins over the rows of periods.yaml, and an earlier row over a later one.

    >>> [view[m.start : m.end] for view in ["截至2018年12月31日,全年"] for m in tag_periods(view)]
    ['2018年12月31日', '全年']
    """
    regex, rules = _scan()
    mentions = []
    for match in regex.finditer(view):
        if match.lastgroup is None:
            continue
        rule = rules[match.lastgroup]
        mentions.append(Mention(rule.label, match.start(), match.end(), f"rule:{rule.name}", rule.score))
    return mentions


@cache
def _scan() -> tuple[re.Pattern[str], dict[str, Rule]]:
    """All rules as one regular expression; the name of the group that matched is the rule's."""
    loaded = load_rules("periods")
    rows = {f"r{number}": rule for number, rule in enumerate(loaded.rules)}
    skips = [f"{{{name}}}" for name in loaded.pieces if name.startswith("skip_")]
    parts = [*skips, *(f"(?P<{group}>{rule.pattern})" for group, rule in rows.items())]
    pattern = f"(?=[{{starts}}每〔\\[【(〈])(?!{{no_date}})(?:{'|'.join(parts)})"
    where = str(config_path("rules/periods.yaml"))
    return re.compile(expand(pattern, loaded.pieces, where), re.MULTILINE), rows
