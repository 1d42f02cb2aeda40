"""The handmade archive, extracted once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from archive_reports import records, write


@pytest.fixture(scope="session")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What extraction wrote; not to be changed."""
    return write(tmp_path_factory.mktemp("archive") / "out", records())


@pytest.fixture
def out(extracted: Path, tmp_path: Path) -> Path:
    """A copy of its own."""
    return Path(shutil.copytree(extracted, tmp_path / "out"))
