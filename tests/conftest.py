"""Fixtures that every test module may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A shared machine may stall any single example; the tests of cost measure it themselves.
settings.register_profile("gongkai", deadline=None)
settings.load_profile("gongkai")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of real documents beside the checkout (or `GONGKAI_SHARED`); the test is skipped without it."""
    folder = Path(os.environ.get("GONGKAI_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"no real documents at {folder}")
    return folder
