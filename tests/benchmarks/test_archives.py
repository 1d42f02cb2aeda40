"""The benchmark of batch runs, at the smallest size."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest


@pytest.mark.slow
def test_smallest_run(tmp_path: Path, root: Path) -> None:
    script, figures = root / "tests/benchmarks/archives.py", tmp_path / "runs.json"
    command = [sys.executable, str(script), "--documents", "8", "--workers", "1", "--json", str(figures)]
    subprocess.run(command, check=True, capture_output=True)
    (run,) = msgspec.json.decode(figures.read_bytes())
    assert run["documents"] == 8
    assert 0 < run["stages_seconds"] < run["cpu_seconds"]
    assert run["peaks"][0] > 100
