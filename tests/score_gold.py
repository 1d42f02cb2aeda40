"""Strict span F1 and relation F1 by label, on gold records: `python tests/score_gold.py GOLD.jsonl…`.

A span counts if label, start and end agree; a relation if its label and both spans agree. `-v` lists what is
missing and what is wrong.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from gongkai.ingest import read_text
from gongkai.pipeline import Extractor

Key = tuple[Any, ...]


def keys(record: dict[str, Any]) -> set[Key]:
    """Every entity as (label, start, end), every relation as (label, head span, tail span)."""
    spans = {e["id"]: (e["label"], e["start"], e["end"]) for e in record["entities"]}
    relations = {(r["label"], spans[r["head"]], spans[r["tail"]]) for r in record["relations"]}
    return set(spans.values()) | relations


class Score:
    """Counts over documents; precision, recall and F1 are views of them."""

    def __init__(self) -> None:
        self.right: Counter[str] = Counter()
        self.wrong: Counter[str] = Counter()
        self.missed: Counter[str] = Counter()

    def add(self, gold: set[Key], predicted: set[Key]) -> None:
        self.right.update(key[0] for key in gold & predicted)
        self.wrong.update(key[0] for key in predicted - gold)
        self.missed.update(key[0] for key in gold - predicted)

    def f1(self, label: str) -> float:
        """2 tp / (2 tp + fp + fn); 1.0 where there is neither gold nor prediction."""
        right, errors = self.right[label], self.wrong[label] + self.missed[label]
        return 2 * right / (2 * right + errors) if right + errors else 1.0

    def table(self) -> Table:
        table = Table("label", "gold", "precision", "recall", "F1")
        for label in sorted(self.right | self.wrong | self.missed, key=lambda name: (name.islower(), name)):
            right, wrong, missed = self.right[label], self.wrong[label], self.missed[label]
            precision = f"{right / (right + wrong):.3f}" if right + wrong else "–"
            recall = f"{right / (right + missed):.3f}" if right + missed else "–"
            table.add_row(label, str(right + missed), precision, recall, f"{self.f1(label):.3f}")
        return table


def score(paths: list[Path], console: Console | None = None) -> Score:
    """Score the rules on gold files; with a console, list every disagreement in its context."""
    extractor = Extractor()
    total = Score()
    for path in paths:
        for line in path.read_text("utf8").splitlines():
            gold = msgspec.json.decode(line)
            record = msgspec.to_builtins(extractor.extract(read_text(gold["text"])))
            total.add(keys(gold), keys(record))
            if console is not None:
                _list(console, gold, keys(gold), keys(record))
    return total


def _list(console: Console, gold: dict[str, Any], expected: set[Key], found: set[Key]) -> None:
    def shown(key: Key) -> str:
        spans = [key] if isinstance(key[1], int) else list(key[1:])
        words = " → ".join(_context(gold["text"], start, end) for _, start, end in spans)
        return f"{key[0]:12}{words}"

    for sign, some in (("missed", expected - found), ("wrong ", found - expected)):
        for key in sorted(some, key=str):
            console.print(f"{gold['id'][:12]} {sign} {shown(key)}", markup=False, soft_wrap=True)


def _context(text: str, start: int, end: int) -> str:
    before, after = text[max(0, start - 14) : start], text[end : end + 8]
    return f"{before}⟦{text[start:end]}⟧{after}".replace("\n", "⏎").replace("\r", "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gold", nargs="+", type=Path)
    parser.add_argument("-v", "--verbose", action="store_true")
    options = parser.parse_args()
    console = Console(width=200)
    console.print(score(options.gold, console if options.verbose else None).table())


if __name__ == "__main__":
    main()
