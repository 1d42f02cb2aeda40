"""勾稽关系: the sums that the standard forms themselves demand, as typed rows of `configs/forms.yaml`.

An identity states `sum(left) == sum(right)`. On the `metric` axis the terms are metric ids, and the identity
holds within each category (column) on its own, or in the whole table where cells have no category. On the
`category` axis the terms are categories, and it holds for each metric (row) of the form on its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Literal

import msgspec

from gongkai.errors import ConfigError
from gongkai.resources import config_path, load_yaml


class Identity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One sum that a form demands: the left terms together equal the right terms together.

    Attributes:
        name: Stable, e.g. `requests.flow`.
        left, right: Metric ids (axis `metric`) or categories (axis `category`).
        forms: Tables that it holds in, as `Table.form` names them.
        source: The document that sets the form, and the place in it.
        example: Worked example: a value for each term, for which the identity holds.
        statement: The relation in the form's own terms, for messages: 一＋二＝三（七）＋四.
    """

    name: str
    axis: Literal["metric", "category"]
    left: tuple[str, ...]
    right: tuple[str, ...]
    forms: tuple[str, ...]
    statement: str
    source: str
    example: dict[str, float]

    def sides(self, values: Mapping[str, float]) -> tuple[float, float] | None:
        """The two sums, or None where `values` lacks a term (an empty cell or `/` is not a 0)."""
        if any(term not in values for term in (*self.left, *self.right)):
            return None
        return sum(values[term] for term in self.left), sum(values[term] for term in self.right)


class _IdentityFile(msgspec.Struct, frozen=True):
    identities: tuple[Identity, ...]


@cache
def load_identities() -> tuple[Identity, ...]:
    """The identities of `configs/forms.yaml`, in file order.

    Raises:
        ConfigError: A row's own example does not satisfy it.
    """
    identities = load_yaml("forms.yaml", _IdentityFile).identities
    for identity in identities:
        sides = identity.sides(identity.example)
        if sides is None or sides[0] != sides[1]:
            raise ConfigError(
                str(config_path("forms.yaml")),
                f"Identity {identity.name}: its example gives {sides}.",
                "Give every term a value, so that both sides are equal.",
            )
    return identities
