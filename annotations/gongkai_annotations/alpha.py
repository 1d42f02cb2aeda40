"""Krippendorff's alpha of each label on characters: agreement beyond chance, of two annotators or more.

The units are the characters of the documents, the value is nominal: is the character inside a span of the
label or not. Characters that fewer than two annotators saw count for nothing.

Source: K. Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), nominal data with missing values.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from gongkai.gold.records import Annotated, GoldEntity


class Alpha:
    """Alpha over documents, which are added one by one.

    >>> def spans(*extents):
    ...     return Annotated(
    ...         id="d", entities=tuple(GoldEntity(id="T1", label="ORG", start=s, end=e) for s, e in extents)
    ...     )
    >>> alpha = Alpha(["ORG"])
    >>> alpha.add([spans((0, 2)), spans((0, 1))], 4)
    >>> round(alpha.of("ORG"), 3)
    0.533
    """

    def __init__(self, labels: Iterable[str]) -> None:
        self.labels = tuple(labels)
        self._inside: defaultdict[str, int] = defaultdict(int)
        self._outside: defaultdict[str, int] = defaultdict(int)
        self._apart: defaultdict[str, float] = defaultdict(float)

    def add(self, annotations: Sequence[Annotated], length: int) -> None:
        """Add a document of `length` characters with the annotations of everyone who did it."""
        annotators = len(annotations)
        if annotators < 2:
            return
        for label in self.labels:
            votes = np.zeros(length, dtype=np.int64)
            for annotation in annotations:
                votes += _inside(annotation.entities, label, length)
            inside = int(votes.sum())
            self._inside[label] += inside
            self._outside[label] += annotators * length - inside
            # Of a unit with m values, n1 inside and m - n1 outside, n1 (m - n1) pairs of the m - 1 disagree.
            self._apart[label] += float((votes * (annotators - votes)).sum()) / (annotators - 1)

    def of(self, label: str) -> float | None:
        """1 for perfect agreement, 0 for what chance gives, below 0 for worse; None where nothing varies."""
        inside, outside = self._inside[label], self._outside[label]
        if not inside or not outside:
            return None
        return 1 - (inside + outside - 1) * self._apart[label] / (inside * outside)


def _inside(
    entities: Iterable[GoldEntity], label: str, length: int
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    marked = np.zeros(length, dtype=np.bool_)
    for entity in entities:
        if entity.label == label:
            marked[entity.start : entity.end] = True
    return marked
