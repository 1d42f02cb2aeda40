"""Links from heads to tails that never lead back to where they began."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Chains(Generic[K]):
    """At most one link from each head; a link that would close a circle is not made.

    >>> chains = Chains[str]()
    >>> chains.link("a", "b"), chains.link("b", "c"), chains.link("c", "a"), chains.link("a", "d")
    (True, True, False, False)
    """

    def __init__(self) -> None:
        self._next: dict[K, K] = {}

    def link(self, head: K, tail: K) -> bool:
        """Make a link; False if the head has one, or the chain from the tail ends at the head."""
        if head in self._next or self._end(tail) == head:
            return False
        self._next[head] = tail
        return True

    def _end(self, place: K) -> K:
        """Where the chain from a place ends; what was walked leads there at once the next time."""
        walked = []
        while place in self._next:
            walked.append(place)
            place = self._next[place]
        for each in walked:
            self._next[each] = place
        return place
