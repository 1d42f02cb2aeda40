"""Inputs from any position on, and where shards are cut."""

from __future__ import annotations

from pathlib import Path

import pytest

from gongkai.batch.inputs import Input, inputs
from gongkai.batch.messages import Refusal
from gongkai.batch.shards import ShardSize, cut, is_whole, read_items, write_items
from gongkai.errors import IngestError
from gongkai.export import Failure
from gongkai.ingest import Leaf, Place
from packing import zip_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files whose names sort otherwise than their paths do, an archive, a link that leads out."""
    root = tmp_path / "in"
    for name in ("a/1.txt", "a.txt", "a-b/2.txt", "z.txt"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name, "utf8")
    (root / "m.zip").write_bytes(zip_of({f"{n}.txt": f"{n}".encode() for n in range(3)}))
    (root / "n.txt").symlink_to(tmp_path)
    return root


def found(folder: Path, **options: object) -> list[Input]:
    return list(inputs([folder, folder / "a.txt"], lambda _: False, **options))  # type: ignore[arg-type]


def names(items: list[Input]) -> list[str]:
    return [
        f"refused {Path(each.path).name}" if isinstance(each.leaf, IngestError) else each.leaf.data.decode()
        for each in items
    ]


def test_from_every_position_on(folder: Path) -> None:
    whole = found(folder)
    assert names(whole) == ["a/1.txt", "a-b/2.txt", "a.txt", "0", "1", "2", "refused n.txt", "z.txt", "a.txt"]
    assert [each.position.whole for each in whole] == [True] * 3 + [False, False] + [True] * 4
    for number, each in enumerate(whole, start=1):
        assert names(found(folder, after=each.position)) == names(whole)[number:]


def test_shards_are_full_by_items_or_bytes() -> None:
    position = None
    items = [Input("p", Leaf(Place("p"), "file", b"x" * size), position) for size in (1, 1, 1, 9, 1, 1)]  # type: ignore[arg-type]
    sizes = [[len(each.leaf.data) for each in shard] for shard in cut(items, ShardSize(items=3, bytes=8))]  # type: ignore[union-attr]
    assert sizes == [[1, 1, 1], [9], [1, 1]]


def test_items_come_back_and_damage_shows(tmp_path: Path) -> None:
    items = [Leaf(Place("p", "m"), "row", b"\0\xff"), Refusal(Failure("p", None, "EmptyInput", "p: …"))]
    digest = write_items(tmp_path / "0.in", items)
    assert list(read_items(tmp_path / "0.in")) == items
    assert is_whole(tmp_path / "0.in", digest)
    with (tmp_path / "0.in").open("ab") as file:
        file.write(b"\0")
    assert not is_whole(tmp_path / "0.in", digest)
    assert not is_whole(tmp_path / "1.in", digest)
