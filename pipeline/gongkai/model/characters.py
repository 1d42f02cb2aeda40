"""The model's input: one id for each character of the folded view.

The model reads `gongkai.text.fold(text)`, not the text: Traditional and Simplified, full-width and ASCII are then
one input, of which the few Traditional documents of the gold profit as much as the pipeline's archives, and no
training time goes into learning that 開 is 开. The view has the length of the text, so offsets need no map.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

PAD: Final = 0
UNKNOWN: Final = 1
FIRST: Final = 2
LAST: Final = 3
SPECIAL: Final = 5
"""Ids below this are no characters: padding, unknown, first and last of a window, mask (as in BERT)."""

_CODE_POINTS: Final = 0x110000


class Characters:
    """A vocabulary of characters.

    Args:
        characters: In the order of their ids, which follow the special ones.

    >>> characters = Characters("公开")
    >>> characters.encode("公X开").tolist(), len(characters)
    ([2, 5, 1, 6, 3], 7)
    """

    def __init__(self, characters: Sequence[str]) -> None:
        self.characters = tuple(characters)
        self._ids = np.full(_CODE_POINTS, UNKNOWN, np.int32)
        self._ids[[ord(character) for character in self.characters]] = np.arange(SPECIAL, len(self))

    def __len__(self) -> int:
        """Ids in all, special ones included."""
        return SPECIAL + len(self.characters)

    def encode(self, view: str) -> NDArray[np.int32]:
        """(characters + 2,): FIRST, an id for each character of a window of the view, LAST."""
        codes = np.frombuffer(view.encode("utf-32-le", "surrogatepass"), "<u4")
        ids = np.empty(len(codes) + 2, np.int32)
        ids[0], ids[-1] = FIRST, LAST
        ids[1:-1] = self._ids[codes]
        return ids
