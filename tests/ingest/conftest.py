"""Fixtures of the ingest tests: the synthetic pages, and one reader for whatever bytes a test makes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gongkai.errors import IngestError
from gongkai.ingest import Limits, read
from gongkai.types import Document

PAGES = Path(__file__).parent / "pages"

ReadBytes = Callable[..., Document]
FailBytes = Callable[..., IngestError]


def _only(path: Path, limits: Limits) -> Document | IngestError:
    results = list(read(path, limits=limits))
    assert len(results) == 1
    return results[0]


@pytest.fixture
def read_bytes(tmp_path: Path) -> ReadBytes:
    """Write bytes under a name and read the one document that they hold."""

    def read_them(data: bytes, name: str = "report.txt", limits: Limits | None = None) -> Document:
        path = tmp_path / name
        path.write_bytes(data)
        result = _only(path, limits or Limits())
        assert isinstance(result, Document), result
        return result

    return read_them


@pytest.fixture
def fail_bytes(tmp_path: Path) -> FailBytes:
    """Write bytes under a name and return the one error that reading them gives."""

    def fail_with(data: bytes, name: str = "report.txt", limits: Limits | None = None) -> IngestError:
        path = tmp_path / name
        path.write_bytes(data)
        result = _only(path, limits or Limits())
        assert isinstance(result, IngestError), result
        return result

    return fail_with


@pytest.fixture(scope="session")
def pages() -> Path:
    """Folder of synthetic pages."""
    return PAGES
