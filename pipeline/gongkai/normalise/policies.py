"""Names of documents without their title marks, and the kind of document that the name says."""

from __future__ import annotations

import re
from functools import cache

from gongkai.rules.table import alternatives, load_rules
from gongkai.text import ZERO_WIDTH, fold
from gongkai.types import PolicyNorm

_OUTER_MARKS = "《》“”‘’ " + ZERO_WIDTH


def normalise_policy(surface: str) -> PolicyNorm:
    """Name and kind of a document, in the folded view's spelling, so that both scripts give one name.

    >>> normalise_policy("《示例市公园管理辦法（試行）》")
    PolicyNorm(name='示例市公园管理办法(试行)', kind='办法')
    >>> normalise_policy("公园建设五十问").kind is None
    True
    """
    name = fold(surface).strip(_OUTER_MARKS).replace(ZERO_WIDTH, "")
    match = _kind().search(name)
    return PolicyNorm(name=name, kind=match["kind"] if match else None)


@cache
def _kind() -> re.Pattern[str]:
    loaded = load_rules("policies")
    note = loaded.pieces["note"]
    return re.compile(rf"(?P<kind>{alternatives(loaded.words['kind'])})(?:{note})?\Z")
