"""Strict span F1 and relation F1 by label, on gold records: `python tests/score_gold.py GOLD.jsonl…`.

A span counts if label, start and end agree; a relation if its label and both spans agree. The interval is the
95 % bootstrap interval of F1 over documents (1,000 resamples, seed 0). `-v` lists what is missing and what is wrong.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from gongkai.gold.records import GoldRecord, from_record, read
from gongkai.ingest import read_text
from gongkai.pipeline import Extractor
from gongkai_annotations.agreement import Counts, Key, keys
from gongkai_annotations.disagreements import spans_of

RESAMPLES = 1000


def table(documents: list[Counts]) -> Table:
    """Precision, recall and F1 of each label over the documents; gold is the first side."""
    counts = merged(documents)
    rows = Table("label", "gold", "precision", "recall", "F1", "95 %", title=f"{len(documents)} documents")
    for label in counts.labels:
        gold = counts.both[label] + counts.first_only[label]
        scores = (counts.precision(label), counts.recall(label), counts.f1(label))
        shown = ["–" if score is None else f"{score:.3f}" for score in scores]
        rows.add_row(label, str(gold), *shown, "–".join(f"{end:.2f}" for end in interval(documents, label)))
    return rows


def merged(documents: Iterable[Counts]) -> Counts:
    """The counts of several documents together."""
    total = Counts()
    for counts in documents:
        total.both.update(counts.both)
        total.first_only.update(counts.first_only)
        total.second_only.update(counts.second_only)
    return total


def interval(documents: list[Counts], label: str) -> tuple[float, float]:
    """95 % bootstrap interval of a label's F1, documents resampled with replacement."""
    columns = [
        (counts.both[label], counts.first_only[label] + counts.second_only[label]) for counts in documents
    ]
    drawn = np.random.default_rng(0).integers(len(columns), size=(RESAMPLES, len(columns)))
    both, apart = np.asarray(columns, float)[drawn].sum(axis=1).T
    held = both + apart > 0
    scores = 2 * both[held] / (2 * both[held] + apart[held])
    low, high = np.percentile(scores, [2.5, 97.5])
    return float(low), float(high)


def score(paths: list[Path], console: Console | None = None) -> list[Counts]:
    """Score the rules on gold files, document by document; with a console, list every disagreement."""
    extractor = Extractor()
    documents = []
    for path in paths:
        for gold in read(path):
            expected = keys(gold)
            found = keys(from_record(extractor.extract(read_text(gold.text))))
            documents.append(Counts())
            documents[-1].add(expected, found)
            if console is not None:
                _list(console, gold, expected, found)
    return documents


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
