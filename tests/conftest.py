"""Fixtures that every test module may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

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
