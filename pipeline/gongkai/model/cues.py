"""Which paragraphs the model need not read, told by their characters."""

from __future__ import annotations

import re
from functools import cache

import msgspec

from gongkai.resources import load_yaml

_FILE = "entity_cues.yaml"


class Cues(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """configs/entity_cues.yaml.

    Attributes:
        longest_without: Characters of a paragraph at most that is read without a cue.
        cues: Regular expressions.
    """

    longest_without: int
    cues: tuple[str, ...]


def may_hold_entity(paragraph: str) -> bool:
    """Whether a paragraph of the folded view may hold an entity.

    >>> may_hold_entity("通过网站公开。"), may_hold_entity("我们坚持以人为本,着力提高服务水平,切实改进工作作风。")
    (True, False)
    """
    longest_without, cue = _cues()
    return len(paragraph) <= longest_without or cue.search(paragraph) is not None


@cache
def _cues() -> tuple[int, re.Pattern[str]]:
    cues = load_yaml(_FILE, Cues)
    return cues.longest_without, re.compile("|".join(cues.cues))
