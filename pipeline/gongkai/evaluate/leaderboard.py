"""The leaderboard: every figure that is quoted, with the data, code and command that give it again.

`models/leaderboard.jsonl` holds an entry a system and gold file; tables in Markdown pages are written from it between
marks, and the tests recompute the shipped pipeline's entries and refuse a page that says otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from gongkai.errors import OutputError, StalePage, UnreadableInput
from gongkai.evaluate.evaluator import in_order
from gongkai.evaluate.result import Evaluation, GoldFile, Score
from gongkai.evaluate.types import Level

LEVELS: tuple[Level, ...] = (
    "entities.strict",
    "relations.strict",
    "relations.given",
    "values",
    "facts",
    "facts.metric_id",
    "findings",
)
"""Levels that are kept; the others follow from them or say the same."""
MICRO = "micro"
END = "<!-- end of scores -->"
ENTRIES = "<!-- leaderboard -->"


class Figure(msgspec.Struct, frozen=True, array_like=True):
    """Counts, and F1 with its 95 % interval, to four decimals."""

    correct: float
    gold: float
    predicted: float
    f1: float | None
    low: float | None
    high: float | None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One system on one gold file.

    Attributes:
        code: Digest of code and configs (and model) that made the predictions.
        command: What gives these figures again, from a checkout of that version.
        scores: Level → label, or `micro` → figure.
    """

    system: str
    version: str
    code: str | None
    gold: GoldFile
    command: str
    scores: dict[Level, dict[str, Figure]]


def entry(evaluation: Evaluation, command: str) -> Entry:
    """The entry of an evaluation on one gold file.

    Raises:
        StalePage: It was on several files.
    """
    run = evaluation.run
    if len(run.gold) != 1:
        raise StalePage(
            ", ".join(file.name for file in run.gold),
            "An entry is of one gold file.",
            "Evaluate each by itself.",
        )
    scores = {
        level: {
            **{label: _figure(score) for label, score in found.labels.items()},
            MICRO: _figure(found.micro),
        }
        for level in LEVELS
        if (found := evaluation.all.levels.get(level))
    }
    return Entry(
        system=run.system,
        version=run.version,
        code=run.code,
        gold=run.gold[0],
        command=command,
        scores=scores,
    )


def read_entries(path: Path) -> list[Entry]:
    """The entries of a leaderboard file, oldest first.

    Raises:
        UnreadableInput: It cannot be read, or a line is no entry.
    """
    try:
        return [msgspec.json.decode(line, type=Entry) for line in path.read_bytes().splitlines()]
    except (OSError, msgspec.DecodeError) as error:
        raise UnreadableInput(str(path), f"{error}.", "Restore the leaderboard file.") from None


def add_entries(path: Path, added: Iterable[Entry]) -> None:
    """Add entries; one of the same system, version and gold file gives way.

    Raises:
        OutputError: The file cannot be written.
    """
    entries = {_key(each): each for each in (read_entries(path) if path.exists() else [])}
    for each in added:
        entries.pop(_key(each), None)
        entries[_key(each)] = each
    try:
        path.write_bytes(b"".join(msgspec.json.encode(each) + b"\n" for each in entries.values()))
    except OSError as error:
        raise OutputError(str(path), f"{error.strerror}.", "Check the folder and its permissions.") from None


def render(page: str, entries: Sequence[Entry]) -> str:
    """The page with its tables of scores written anew.

    A table stands between `<!-- scores of SYSTEM on GOLD GOLD … -->`, `<!-- main scores of … -->` (the brief one), or
    `<!-- leaderboard -->`, and `<!-- end of scores -->`.

    Raises:
        StalePage: A mark has no end, or names what the leaderboard does not have.
    """
    pieces = page.split("<!-- ")
    written = [pieces[0]]
    inside = False
    for piece in pieces[1:]:
        mark, closed, after = piece.partition(" -->")
        if not closed:
            raise StalePage(f"mark {mark[:60]!r}", "It is not closed.", "Close it with -->.")
        if f"<!-- {mark} -->" == END:
            inside = False
            written.append(f"<!-- {mark} -->{after}")
            continue
        if inside:
            raise StalePage(f"mark {mark!r}", f"The table before it has no {END}.", "Put it there.")
        table = _marked(mark, entries)
        inside = table is not None
        written.append(f"<!-- {mark} -->{after}" if table is None else f"<!-- {mark} -->\n\n{table}\n\n")
    if inside:
        raise StalePage("the last table", f"It has no {END}.", "Put it there.")
    return "".join(written)


def write_page(path: Path, entries: Sequence[Entry]) -> None:
    """Write the tables of a page anew."""
    path.write_text(render(path.read_text("utf8"), entries), "utf8")


def check_page(path: Path, entries: Sequence[Entry]) -> None:
    """Compare a page's tables with the leaderboard.

    Raises:
        StalePage: They differ.
    """
    text = path.read_text("utf8")
    if render(text, entries) != text:
        raise StalePage(
            str(path),
            "Its figures are not those of the leaderboard.",
            f"Run: gongkai evaluate leaderboard {path}.",
        )


def scores_table(entries: Sequence[Entry], system: str, gold: Sequence[str], *, brief: bool = False) -> str:
    """F1 by label, a column a gold file: the newest entry of the system on each.

    Args:
        brief: Labels of spans and relations only, all labels together of the other levels.

    Raises:
        StalePage: There is no such entry.
    """
    found = [_newest(entries, system, name) for name in gold]
    heads = [f"{each.gold.name}, {each.gold.documents} documents" for each in found]
    lines = [
        f"| F1 (95 % interval, gold items) | {' | '.join(heads)} |",
        "|---" * (len(found) + 1) + "|",
    ]
    for level in LEVELS:
        of_level = [each.scores.get(level, {}) for each in found]
        labels = in_order({label for each in of_level for label in each} - {MICRO})
        for label in [*(labels if level in _BY_LABEL or not brief else []), MICRO]:
            figures = [each.get(label) for each in of_level]
            if any(figure and figure.gold for figure in figures):
                lines.append(f"| {_named(level, label)} | {' | '.join(map(_cell, figures))} |")
    return "\n".join(lines)


def entries_table(entries: Sequence[Entry]) -> str:
    """One line an entry, newest first, with what it takes to give it again."""
    lines = [
        "| system | version | code | gold | documents | spans | METRIC | relations | value_of | facts | command |",
        "|---" * 11 + "|",
    ]
    for each in reversed(entries):
        shown = [_value(each.scores.get(level, {}).get(label)) for level, label in _SHOWN]
        gold = f"{each.gold.name} (`{each.gold.sha256[:12]}`)"
        lines.append(
            f"| {each.system} | {each.version} | `{each.code}` | {gold} | {each.gold.documents} "
            f"| {' | '.join(shown)} | `{each.command}` |"
        )
    return "\n".join(lines)


_ASKED = re.compile(r"(?P<brief>main )?scores of (?P<system>\S+) on (?P<gold>.+)")
_BY_LABEL: tuple[Level, ...] = ("entities.strict", "relations.strict")
_SHOWN: tuple[tuple[Level, str], ...] = (
    ("entities.strict", MICRO),
    ("entities.strict", "METRIC"),
    ("relations.strict", MICRO),
    ("relations.strict", "value_of"),
    ("facts", MICRO),
)
_TITLES: dict[Level, str] = {
    "entities.strict": "spans",
    "relations.strict": "relations",
    "relations.given": "relations, gold spans given",
    "values": "values",
    "facts": "facts",
    "facts.metric_id": "facts with metric id",
    "findings": "findings",
}


def _marked(mark: str, entries: Sequence[Entry]) -> str | None:
    """The table that a mark asks for; None for any other comment."""
    if f"<!-- {mark} -->" == ENTRIES:
        return entries_table(entries)
    asked = _ASKED.fullmatch(mark)
    if asked is None:
        return None
    return scores_table(entries, asked["system"], asked["gold"].split(), brief=bool(asked["brief"]))


def _newest(entries: Sequence[Entry], system: str, gold: str) -> Entry:
    for each in reversed(entries):
        if each.system == system and each.gold.name == gold:
            return each
    raise StalePage(
        f"{system} on {gold}", "The leaderboard has no such entry.", "Add it, or correct the mark."
    )


def _named(level: Level, label: str) -> str:
    if label == MICRO:
        return f"**{_TITLES[level]}, micro**"
    return label if level in _BY_LABEL else f"{_TITLES[level]}: {label}"


def _cell(figure: Figure | None) -> str:
    if figure is None or figure.f1 is None or not figure.gold:
        return "–"
    return f"{figure.f1:.2f} ({figure.low:.2f}–{figure.high:.2f}, {figure.gold:,.0f})"


def _value(figure: Figure | None) -> str:
    return "–" if figure is None or figure.f1 is None else f"{figure.f1:.3f}"


def _figure(score: Score) -> Figure:
    f1 = score.f1
    return Figure(*score.counts, *(None if x is None else round(x, 4) for x in (f1.value, f1.low, f1.high)))


def _key(each: Entry) -> tuple[str, str, str]:
    return each.system, each.version, each.gold.name
