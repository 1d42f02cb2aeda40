"""The masked view: every tagged span replaced by a run of one placeholder character.

Phrase and relation rules are written over it (`{PERIOD}全年共{NUMBER}`), so that they see what was tagged
and not its characters. Same length as the view: offsets stay true.
"""

from __future__ import annotations

from collections.abc import Iterable

from gongkai.types import EntityLabel, Mention

PLACEHOLDER: dict[EntityLabel, str] = {
    "COUNT": "\ue000",
    "PERCENT": "\ue001",
    "PERIOD": "\ue002",
    "ORG": "\ue003",
    "POLICY": "\ue004",
    "DOCNO": "\ue005",
    "METRIC": "\ue006",
}

PIECES: dict[str, str] = {
    **{str(label): character for label, character in PLACEHOLDER.items()},
    "NUMBER": f"[{PLACEHOLDER['COUNT']}{PLACEHOLDER['PERCENT']}]",
    "NUMBER_CHARS": f"{PLACEHOLDER['COUNT']}{PLACEHOLDER['PERCENT']}",
    "BREAK": ",。;:!?、()\\[\\]|\\n\\t",
}
"""Names by which rule patterns speak of the placeholders."""


def mask(view: str, mentions: Iterable[Mention]) -> str:
    """`view` with the outermost of each nest of mentions replaced by its label's placeholder."""
    pieces: list[str] = []
    done = 0
    for mention in sorted(mentions, key=lambda m: (m.start, -m.end)):
        if mention.start < done:
            continue
        pieces.append(view[done : mention.start])
        pieces.append(PLACEHOLDER[mention.label] * (mention.end - mention.start))
        done = mention.end
    pieces.append(view[done:])
    return "".join(pieces)
