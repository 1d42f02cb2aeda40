"""The wheel, installed in a fresh virtual environment, does the main job from another folder."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

import msgspec
import pytest

from gongkai.types import Record


@pytest.mark.slow
def test_main_job_from_an_installed_wheel(root: Path, tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(dist), str(root)], check=True, cwd=tmp_path
    )
    (wheel,) = dist.glob("gongkai-*.whl")
    environment = tmp_path / "venv"
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", str(wheel)], check=True)
    where = subprocess.run(
        [python, "-c", "import gongkai.resources as r; print(r.data_root())"],
        check=True, capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert str(environment) in where.stdout
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    command = [str(environment / "bin" / "gongkai"), "extract", str(root / "samples"), "-o", "out"]
    subprocess.run(command, check=True, cwd=elsewhere)
    lines = (elsewhere / "out" / "documents.jsonl").read_bytes().splitlines()
    records = [msgspec.json.decode(line, type=Record) for line in lines]
    assert len(records) >= 6
    assert sum(len(record.findings) for record in records) >= 1
    torch = subprocess.run([python, "-c", "import torch"], capture_output=True)
    assert torch.returncode != 0, "the core must not bring torch"
