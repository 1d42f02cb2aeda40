"""When two names in different reports are one: of issuers, of cited documents, of document numbers.

Names are left apart, or out, wherever they could be of two; nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from gongkai.normalise.docnos import parse_docno
from gongkai.text import ZERO_WIDTH, fold
from gongkai.views.settings import Rewrite, load_settings

_SPACES = re.compile(rf"[\s{ZERO_WIDTH}]+")


def issuer_key(name: str) -> str | None:
    """The one spelling of an issuer's name; None where the name alone does not say which body it is.

    >>> issuer_key("臨川市人民政府辦公室"), issuer_key("东陵省临川市政府 办公室")
    ('临川市政府办公室', '临川市政府办公室')
    >>> issuer_key("教育局"), issuer_key("朝阳区人民政府")
    (None, None)
    """
    settings = load_settings().issuer
    key = rewritten(name, settings.rewrite)
    if _pattern(settings.national).match(key):
        return key
    placed = _pattern(settings.placed).match(key)
    if placed is None or key.startswith(settings.shared):
        return None
    return key


def title_key(title: str) -> str | None:
    """The one spelling of a document's title, without what citations add or leave out; None if nothing is left.

    >>> title_key("《中华人民共和国政府信息公开条例》"), title_key("政府信息公开條例（2019年修订）")
    ('政府信息公开条例', '政府信息公开条例')
    """
    return rewritten(title, load_settings().title.rewrite) or None


def docno_key(docno: str) -> str | None:
    """The canonical form of a document number as printed; None if it is none.

    >>> docno_key("国办发[2016]12号")
    '国办发〔2016〕12号'
    """
    parsed = parse_docno(docno)
    return parsed.canonical if parsed else None


def rewritten(name: str, rows: Sequence[Rewrite]) -> str:
    """A name folded, without spaces, and rewritten by each row in turn."""
    key = _SPACES.sub("", fold(name))
    for row in rows:
        key = _pattern(row.pattern).sub(row.replace, key)
    return key


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
