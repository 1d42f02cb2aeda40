"""Which files are found, in which order."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import pytest

from gongkai.errors import IngestError, UnreadableInput, UnsupportedInput
from gongkai.ingest import discover, read


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
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "self.txt").symlink_to(tmp_path / "self.txt")
    assert [path.name for path in discover([tmp_path])] == ["1.txt", "self.txt"]
    (error,) = read(tmp_path / "self.txt")
    assert isinstance(error, UnreadableInput)


def test_links_that_stay_within_are_followed(tmp_path: Path) -> None:
    _touch(tmp_path / ".store" / "1.txt", tmp_path / "b" / "2.txt")
    (tmp_path / "a.txt").symlink_to(tmp_path / ".store" / "1.txt")
    (tmp_path / "c").symlink_to(".store")
    (tmp_path / "d").symlink_to("b")
    names = [path.relative_to(tmp_path).as_posix() for path in discover([tmp_path])]
    assert names == ["a.txt", "b/2.txt", "c/1.txt"]


def test_links_that_lead_out_are_named(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "inside-not"
    _touch(inside / "1.txt", outside / "2.txt")
    (inside / "0.txt").symlink_to(outside / "2.txt")
    (inside / "folder").symlink_to(outside)
    (inside / "up").symlink_to("..")
    (inside / "picture.png").symlink_to("/dev/null")
    refused: list[IngestError] = []
    assert [path.name for path in discover([inside], refused=refused.append)] == ["1.txt"]
    assert [Path(error.where).name for error in refused] == ["0.txt", "folder", "up"]
    assert {type(error) for error in refused} == {UnsupportedInput}
    assert "leads out of its folder" in refused[0].problem
    with pytest.warns(UserWarning, match="leads out of its folder"):
        assert len(list(discover([inside]))) == 1


def test_a_link_that_is_named_is_followed(tmp_path: Path) -> None:
    _touch(tmp_path / "a" / "1.txt")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert [path.name for path in discover([tmp_path / "link"])] == ["1.txt"]


def test_a_broken_link_is_named_when_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").symlink_to(tmp_path / "missing.txt")
    (path,) = discover([tmp_path])
    (error,) = read(path)
    assert isinstance(error, UnreadableInput)


def test_what_is_no_file_is_left_out(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    assert list(discover([tmp_path])) == []


def test_archives_and_tables_are_found(tmp_path: Path) -> None:
    names = ["a.zip", "b.tar.gz", "c.tgz", "d.tar.zst", "e.7z", "f.warc.gz", "g.jsonl.zst", "h.parquet",
             "i.html.gz"]  # fmt: skip
    _touch(*(tmp_path / name for name in [*names, "x.gz", "y.css.gz", "z.tar.bz2"]))
    assert [path.name for path in discover([tmp_path])] == names


def test_a_deep_tree(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d"] * 300)
    _touch(deep / "1.txt")
    assert [path.name for path in discover([tmp_path])] == ["1.txt"]


def test_one_folder_is_held_at_a_time(tmp_path: Path) -> None:
    for folder in range(40):
        _touch(*(tmp_path / f"{folder:02}" / f"{number:03}.txt" for number in range(50)))
    tracemalloc.start()
    assert sum(1 for _ in discover([tmp_path])) == 2000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000  # of the 2,000 paths, some 300 bytes each


def test_folders_are_listed_only_when_needed(tmp_path: Path) -> None:
    _touch(tmp_path / "a" / "1.txt", tmp_path / "b" / "2.txt")
    found = discover([tmp_path])
    assert next(found).name == "1.txt"
    (tmp_path / "b" / "2.txt").rename(tmp_path / "b" / "3.txt")
    assert next(found).name == "3.txt"
