"""Two streams of the same documents, side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import zip_longest
from typing import TypeVar

from gongkai.errors import Unpaired
from gongkai.evaluate.types import Reference
from gongkai.types import Record

A = TypeVar("A")
B = TypeVar("B")

_NAMED = 5


def pair(
    references: Iterable[Reference], predictions: Iterable[Record]
) -> Iterator[tuple[Reference, Record]]:
    """Each reference with the prediction of the same id, in whatever order the two come.

    What waits for its partner is kept: memory stays constant where both come in the same order.

    Raises:
        Unpaired: A document is on one side only, twice on one side, or its texts differ.
    """
    both = join(
        references, predictions, lambda one: one.record.id, lambda two: two.id, ("gold", "predictions")
    )
    for reference, prediction in both:
        if reference.record.text != prediction.text:
            raise Unpaired(
                f"document {prediction.id}",
                "Its text is not that of the gold document of this id.",
                "Predict on the gold file's own texts.",
            )
        yield reference, prediction


def join(
    first: Iterable[A],
    second: Iterable[B],
    first_id: Callable[[A], str],
    second_id: Callable[[B], str],
    names: tuple[str, str],
) -> Iterator[tuple[A, B]]:
    """Pairs of one id, as soon as both have come.

    Args:
        names: What the two are called in errors.

    Raises:
        Unpaired: An id is on one side only, or more often on one side than on the other.
    """
    waiting_first: dict[str, A] = {}
    waiting_second: dict[str, B] = {}
    for one, two in zip_longest(first, second):
        keys = []
        if one is not None:
            keys.append(_wait(waiting_first, first_id(one), one, names[0]))
        if two is not None:
            keys.append(_wait(waiting_second, second_id(two), two, names[1]))
        for key in dict.fromkeys(keys):
            if key in waiting_first and key in waiting_second:
                yield waiting_first.pop(key), waiting_second.pop(key)
    _refuse_left_over(waiting_first, names[0], names[1])
    _refuse_left_over(waiting_second, names[1], names[0])


def _wait(waiting: dict[str, A], key: str, item: A, name: str) -> str:
    if key in waiting:
        raise Unpaired(f"document {key}", f"It is twice in the {name}.", "Give each document once.")
    waiting[key] = item
    return key


def _refuse_left_over(waiting: dict[str, A], there: str, missing: str) -> None:
    if not waiting:
        return
    named = ", ".join(list(waiting)[:_NAMED]) + (", …" if len(waiting) > _NAMED else "")
    raise Unpaired(
        f"{len(waiting):,} documents of the {there}",
        f"They are not in the {missing}: {named}.",
        "Give the same documents on both sides.",
    )
