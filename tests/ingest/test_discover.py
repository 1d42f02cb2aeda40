"""Which files are found, in which order."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gongkai.ingest import discover


def _touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("概述")


def test_folders_are_walked_in_order_of_names(tmp_path: Path) -> None:
    names = ["b.txt", "a/2.HTML", "a/1.pdf", "a/b/x.jsonl", "c.docx", "d.mht"]
    _touch(*(tmp_path / name for name in [*names, "a/skip.png", ".hidden.txt", "noext"]))
    found = [path.relative_to(tmp_path).as_posix() for path in discover([tmp_path])]
    assert found == ["a/1.pdf", "a/2.HTML", "a/b/x.jsonl", "b.txt", "c.docx", "d.mht"]


def test_a_named_file_is_always_yielded(tmp_path: Path) -> None:
    named = tmp_path / "report.dat"
    missing = tmp_path / "missing.txt"
    _touch(named)
    assert list(discover([named, missing])) == [named, missing]


def test_a_loop_of_links_ends(tmp_path: Path) -> None:
    _touch(tmp_path / "a" / "1.txt")
    try:
        os.symlink(tmp_path, tmp_path / "a" / "loop")
    except OSError:
        pytest.skip("links are not allowed here")
    assert [path.name for path in discover([tmp_path])] == ["1.txt"]


def test_folders_are_listed_only_when_needed(tmp_path: Path) -> None:
    _touch(tmp_path / "a" / "1.txt", tmp_path / "b" / "2.txt")
    found = discover([tmp_path])
    assert next(found).name == "1.txt"
    (tmp_path / "b" / "2.txt").rename(tmp_path / "b" / "3.txt")
    assert next(found).name == "3.txt"
