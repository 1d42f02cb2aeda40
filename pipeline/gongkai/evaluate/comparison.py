"""Is B better than A, on what, and how sure can one be: paired tests over the documents that both were scored on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec
import numpy as np

from gongkai.errors import Unpaired
from gongkai.evaluate import bootstrap
from gongkai.evaluate.bootstrap import Resampler, coin, ratio
from gongkai.evaluate.evaluator import LEVELS, Cell, cells, in_order
from gongkai.evaluate.joining import join
from gongkai.evaluate.result import Comparison, Difference, DocumentChange, Ratio, Run, Verdict
from gongkai.evaluate.types import Counts, DocumentScore, Level

RESAMPLES = 5000
SIGNIFICANT = 0.05
CHANGES = 100
"""Documents whose changes are listed."""


Side = tuple[str, Cell]
"""Which system's sum, and what of."""
_GROUP = (None,)


class Comparer:
    """Adds up two systems' scores of the same documents, in constant memory but for the list of changes."""

    def __init__(self, *, resamples: int = RESAMPLES, seed: int = 0) -> None:
        self._bootstrap: Resampler[None, Side] = Resampler(resamples, seed)
        self._swaps: Resampler[None, Cell] = Resampler(resamples, seed, coin)
        self._documents = 0
        self._changed = 0
        self._changes: list[DocumentChange] = []

    def add(self, a: DocumentScore, b: DocumentScore) -> None:
        """Add one document as both systems scored it.

        Raises:
            Unpaired: They were not scored on the same text.
        """
        if a.sha256 != b.sha256:
            raise Unpaired(
                f"document {a.id}", "A and B were scored on different texts of it.", "Score both on one gold."
            )
        self._documents += 1
        of_a, of_b = cells(a), cells(b)
        self._bootstrap.add(
            _GROUP,
            {("a", cell): counts for cell, counts in of_a.items()} | {("b", c): n for c, n in of_b.items()},
        )
        self._swaps.add(_GROUP, _difference(of_a, of_b))
        self._note(change(a, b))

    def comparison(self, a: Run, b: Run) -> Comparison:
        """What the documents so far say."""
        by_level: dict[Level, list[str]] = {level: [] for level in LEVELS}
        for level, label in dict.fromkeys(cell for _, cell in self._bootstrap.keys(None)):
            by_level[level].append(label)
        return Comparison(
            a=a,
            b=b,
            documents=self._documents,
            differences=tuple(
                self._test(level, name, chosen)
                for level, labels in by_level.items()
                if labels
                for name, chosen in [(None, labels), *((label, [label]) for label in in_order(labels))]
            ),
            changed=self._changed,
            changes=tuple(self._changes),
        )

    def _test(self, level: Level, name: str | None, labels: list[str]) -> Difference:
        chosen = [Cell(level, label) for label in labels]
        of_a: list[Side] = [("a", cell) for cell in chosen]
        of_b: list[Side] = [("b", cell) for cell in chosen]
        a, b = self._bootstrap.total(None, *of_a), self._bootstrap.total(None, *of_b)
        if a.f1 is None or b.f1 is None:
            return Difference(level=level, label=name, a=a, b=b, f1=Ratio(), p=None, verdict="can't tell")
        observed = b.f1 - a.f1
        sums_a, sums_b = self._bootstrap.sums(None, *of_a), self._bootstrap.sums(None, *of_b)
        replicates = bootstrap.f1(sums_b) - bootstrap.f1(sums_a)
        swapped = self._swaps.sums(None, *chosen)
        randomised = np.abs(bootstrap.f1(np.asarray(b) - swapped) - bootstrap.f1(np.asarray(a) + swapped))
        as_far = np.count_nonzero(randomised >= abs(observed) - 1e-12)
        difference = ratio(observed, replicates)
        p = (as_far + 1) / (len(randomised) + 1)
        return Difference(
            level=level, label=name, a=a, b=b, f1=difference, p=p, verdict=_verdict(difference, p)
        )

    def _note(self, changed: DocumentChange | None) -> None:
        if changed is None:
            return
        self._changed += 1
        self._changes.append(changed)
        if len(self._changes) > 2 * CHANGES:
            self._changes = _largest(self._changes)


def compare(
    a: Iterable[DocumentScore],
    b: Iterable[DocumentScore],
    a_run: Run,
    b_run: Run,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Comparison:
    """Compare two systems' scores of the same documents, in any order.

    Raises:
        Unpaired: A document was scored for one system only, or on different texts.
    """
    comparer = Comparer(resamples=resamples, seed=seed)
    for one, other in join(
        a, b, lambda score: score.id, lambda score: score.id, ("scores of A", "scores of B")
    ):
        comparer.add(one, other)
    found = comparer.comparison(a_run, b_run)
    return msgspec.structs.replace(found, changes=tuple(_largest(list(found.changes))))


def change(a: DocumentScore, b: DocumentScore) -> DocumentChange | None:
    """The mistakes of either system that the other does not make; None if they are the same."""
    before, after = Counter(a.mistakes), Counter(b.mistakes)
    mended, broken = before - after, after - before
    if not mended and not broken:
        return None
    return DocumentChange(document=a.id, mended=tuple(mended.elements()), broken=tuple(broken.elements()))


def _difference(a: Mapping[Cell, Counts], b: Mapping[Cell, Counts]) -> dict[Cell, Counts]:
    """What each of B's counts has over A's: swapping the document takes it from B and gives it to A."""
    nothing = Counts()
    return {
        cell: Counts(*(y - x for x, y in zip(a.get(cell, nothing), b.get(cell, nothing), strict=True)))
        for cell in dict.fromkeys((*a, *b))
    }


def _verdict(difference: Ratio, p: float) -> Verdict:
    if difference.low is None or difference.high is None or p >= SIGNIFICANT:
        return "can't tell"
    if difference.low > 0:
        return "better"
    return "worse" if difference.high < 0 else "can't tell"


def _largest(changes: list[DocumentChange]) -> list[DocumentChange]:
    def size(one: DocumentChange) -> tuple[int, str]:
        return -(len(one.mended) + len(one.broken)), one.document

    return sorted(changes, key=size)[:CHANGES]
