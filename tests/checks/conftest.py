"""Identities of a small invented form."""

from __future__ import annotations

import pytest

from gongkai.normalise.identities import Identity


@pytest.fixture(scope="session")
def identities() -> tuple[Identity, ...]:
    common = {"forms": ("X",), "source": "invented", "example": {}}
    return (
        Identity(
            name="x.flow",
            axis="metric",
            left=("x.new", "x.carried"),
            right=("x.done", "x.left"),
            statement="一＋二＝三（七）＋四",
            **common,
        ),
        Identity(
            name="x.columns",
            axis="category",
            left=("total",),
            right=("natural_person", "legal.business", "legal.other"),
            statement="总计＝自然人＋法人或其他组织",
            **common,
        ),
    )
