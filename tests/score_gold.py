"""Strict span F1 and relation F1 by label, on gold records: `python tests/score_gold.py GOLD.jsonl…`.

A span counts if label, start and end agree; a relation if its label and both spans agree. `-v` lists what is
missing and what is wrong.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console
from rich.table import Table

from gongkai.ingest import read_text
from gongkai.pipeline import Extractor
from gongkai_annotations.agreement import Counts, Key, keys
from gongkai_annotations.disagreements import spans_of
from gongkai_annotations.records import GoldRecord, from_record, read


def table(counts: Counts) -> Table:
    """Precision, recall and F1 of each label; gold is the first side."""
    rows = Table("label", "gold", "precision", "recall", "F1")
    for label in counts.labels:
        gold = counts.both[label] + counts.first_only[label]
        scores = (counts.precision(label), counts.recall(label), counts.f1(label))
        rows.add_row(label, str(gold), *("–" if score is None else f"{score:.3f}" for score in scores))
    return rows


def score(paths: list[Path], console: Console | None = None) -> Counts:
    """Score the rules on gold files; with a console, list every disagreement in its context."""
    extractor = Extractor()
    total = Counts()
    for path in paths:
        for gold in read(path):
            expected = keys(gold)
            found = keys(from_record(extractor.extract(read_text(gold.text))))
            total.add(expected, found)
            if console is not None:
                _list(console, gold, expected, found)
    return total


def _list(console: Console, gold: GoldRecord, expected: set[Key], found: set[Key]) -> None:
    def shown(key: Key) -> str:
        words = " → ".join(_context(gold.text, start, end) for _, start, end in spans_of(key))
        return f"{key[0]:12}{words}"

    for sign, some in (("missed", expected - found), ("wrong ", found - expected)):
        for key in sorted(some, key=str):
            console.print(f"{gold.id[:12]} {sign} {shown(key)}", markup=False, soft_wrap=True)


def _context(text: str, start: int, end: int) -> str:
    before, after = text[max(0, start - 14) : start], text[end : end + 8]
    return f"{before}⟦{text[start:end]}⟧{after}".replace("\n", "⏎").replace("\r", "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gold", nargs="+", type=Path)
    parser.add_argument("-v", "--verbose", action="store_true")
    options = parser.parse_args()
    console = Console(width=200)
    console.print(table(score(options.gold, console if options.verbose else None)))


if __name__ == "__main__":
    main()
