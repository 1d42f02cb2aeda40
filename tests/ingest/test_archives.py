"""Archives and compressed files: the same members, whatever they are packed in."""

from __future__ import annotations

import hashlib
import io
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gongkai.errors import DamagedInput, EmptyInput, IngestError, UnsupportedInput
from gongkai.ingest import read
from gongkai.types import Document
from packing import gz, seven_zip_of, tar_of, zip_of, zst

PAGE = "<html><meta charset=gb2312><body><p>收到申请26件。</p></body></html>".encode("gbk")
MEMBERS = {
    "2018/b.html": PAGE,
    "2018/a.txt": "概述".encode(),
    "readme.md": b"x",
    "__MACOSX/._a.txt": b"x",
    "empty.txt": b"",
    "picture.txt": b"\xff\xd8\xff\xe0\0\0",
    "rows.jsonl": b'{"text": "A"}\n{broken\n{"text": "B", "id": "b"}',
    "page.txt.gz": gz("压缩".encode()),
}
EXPECTED = {
    "2018/b.html": "收到申请26件。",
    "2018/a.txt": "概述",
    "empty.txt": "EmptyInput",
    "picture.txt": "BinaryInput",
    "rows.jsonl line 1": "A",
    "rows.jsonl line 2": "DamagedInput",
    "rows.jsonl line 3": "B",
    "page.txt.gz": "压缩",
}
PACKERS: dict[str, Callable[[dict[str, bytes]], bytes]] = {
    "a.zip": zip_of,
    "a.tar": tar_of,
    "a.tar.gz": lambda members: gz(tar_of(members)),
    "a.tgz": lambda members: gz(tar_of(members)),
    "a.tar.zst": lambda members: zst(tar_of(members)),
    "a.7z": seven_zip_of,
    "named-wrongly.txt": zip_of,
}


def outcomes(path: Path) -> dict[str, str]:
    """By member, the text of its document or the class of its error."""
    return dict(_outcomes(path))


def _outcomes(path: Path) -> Iterator[tuple[str, str]]:
    for item in read(path):
        if isinstance(item, IngestError):
            assert item.where.startswith(str(path))
            yield item.where.removeprefix(str(path)).strip(), type(item).__name__
        else:
            assert item.source.path == str(path)
            yield item.source.member or "", item.text


def documents(path: Path) -> list[Document]:
    return [item for item in read(path) if isinstance(item, Document)]


@pytest.mark.parametrize("name", PACKERS)
def test_the_members_are_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(PACKERS[name](MEMBERS))
    assert outcomes(path) == EXPECTED


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.7z"])
def test_ids_are_stable_and_unique(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(PACKERS[name]({"a.txt": b"same", "b.txt": b"same", "c.jsonl": b'{"text":"x"}\n' * 3}))
    first, second = documents(path), documents(path)
    assert [doc.id for doc in first] == [doc.id for doc in second]
    assert len({doc.id for doc in first}) == len(first) == 5
    assert first[0].source.sha256 == first[1].source.sha256 == hashlib.sha256(b"same").hexdigest()


@pytest.mark.parametrize("pack", [gz, zst])
@pytest.mark.parametrize("suffix", [".gz", ".zst", ""])
def test_a_compressed_page_is_the_page(tmp_path: Path, pack: Callable[[bytes], bytes], suffix: str) -> None:
    path = tmp_path / f"page.html{suffix}"
    path.write_bytes(pack(PAGE))
    (doc,) = documents(path)
    assert (doc.text, doc.source.member, doc.source.media_type) == ("收到申请26件。", None, "text/html")
    assert doc.id == hashlib.sha256(PAGE).hexdigest()[:16]


@pytest.mark.parametrize("outer", ["a.zip", "a.tar.zst", "a.7z"])
@pytest.mark.parametrize("inner", ["a.zip", "a.tar.gz", "a.7z"])
def test_archives_nest_one_level(tmp_path: Path, outer: str, inner: str) -> None:
    innermost = PACKERS[inner]({"z.txt": b"too deep"})
    path = tmp_path / outer
    path.write_bytes(PACKERS[outer]({inner: PACKERS[inner]({"p.html": PAGE, inner: innermost})}))
    assert outcomes(path) == {
        f"{inner}!/p.html": "收到申请26件。",
        f"{inner}!/{inner}": "UnsupportedInput",
    }


def test_names_in_gbk_are_read(tmp_path: Path) -> None:
    data = zip_of({"XXXX.txt": "概述".encode()}).replace(b"XXXX", "年报".encode("gbk"))
    path = tmp_path / "a.zip"
    path.write_bytes(data)
    assert outcomes(path) == {"年报.txt": "概述"}


def test_office_documents_are_no_archives(tmp_path: Path) -> None:
    import docx

    buffer = io.BytesIO()
    document = docx.Document()
    document.add_paragraph("概述")
    document.save(buffer)
    path = tmp_path / "a.tar"
    path.write_bytes(tar_of({"a.docx": buffer.getvalue(), "b.zip": buffer.getvalue()}))
    assert outcomes(path) == {"a.docx": "概述", "b.zip": "概述"}


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.7z"])
def test_an_archive_without_pages(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(PACKERS[name]({"readme.md": b"x"}))
    (error,) = read(path)
    assert type(error) is EmptyInput
    assert "nothing that is read" in error.problem


def test_a_suffix_that_promises_an_archive(tmp_path: Path) -> None:
    for suffix in (".zip", ".7z", ".tar", ".tgz", ".warc", ".parquet"):
        path = tmp_path / f"a{suffix}"
        path.write_bytes("概述".encode() * 200)
        (error,) = read(path)
        assert type(error) is DamagedInput, suffix


def test_memory_does_not_grow_with_the_members(tmp_path: Path) -> None:
    """A TAR of 20 MB is read in far less; its headers are not kept."""
    page = b"x" * 10_000
    path = tmp_path / "a.tar"
    path.write_bytes(tar_of({f"{number}.txt": page for number in range(2000)}))
    tracemalloc.start()
    assert sum(1 for _ in read(path)) == 2000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Temporary files go, also when reading is given up in the middle."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(work))
    path = tmp_path / "a.7z"
    path.write_bytes(seven_zip_of({"a.txt": b"1", "b.txt": b"2"}))
    items = read(path)
    assert next(items)
    assert list(work.iterdir())
    items.close()  # type: ignore[attr-defined]
    assert not list(work.iterdir())


def test_a_broken_member_leaves_the_others(tmp_path: Path) -> None:
    data = bytearray(zip_of({"a.txt": b"first", "b.txt": b"second", "c.txt": b"third"}, zipfile.ZIP_STORED))
    data[data.index(b"second")] ^= 1
    path = tmp_path / "a.zip"
    path.write_bytes(data)
    assert outcomes(path) == {"a.txt": "first", "b.txt": "DamagedInput", "c.txt": "third"}
    errors = [str(item) for item in read(path) if isinstance(item, IngestError)]
    assert "CRC" in errors[0]
    assert "Fetch it again" in errors[0]


def test_a_broken_tar_header_costs_its_member(tmp_path: Path) -> None:
    data = bytearray(tar_of({"a.txt": b"first", "b.txt": b"second", "c.txt": b"third"}))
    data[1024] ^= 1  # the name of b.txt; its checksum is wrong now
    path = tmp_path / "a.tar"
    path.write_bytes(data)
    assert outcomes(path) == {"a.txt": "first", "": "DamagedInput", "c.txt": "third"}


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.tar.zst"])
def test_a_truncated_stream_gives_what_it_holds(tmp_path: Path, name: str) -> None:
    import random

    noise = random.Random(5)
    members = {f"{n}.txt": bytes(noise.choices(b"0123456789abcdef", k=60_000)) for n in range(5)}
    data = PACKERS[name](members)
    path = tmp_path / name
    path.write_bytes(data[: int(len(data) * 0.7)])
    found = list(read(path))
    whole = [item.source.member for item in found if isinstance(item, Document)]
    assert whole in (["0.txt", "1.txt"], ["0.txt", "1.txt", "2.txt"])  # Zstandard has blocks of 128 KiB
    assert isinstance(found[-1], DamagedInput)
    assert "truncated" in found[-1].problem


def test_a_tar_that_ends_at_a_header_is_told_of(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(tar_of({"a.txt": b"first", "b.txt": b"second"})[:1024])
    assert outcomes(path) == {"a.txt": "first", "": "DamagedInput"}


@pytest.mark.parametrize("kept", [slice(-10), slice(6)])
def test_a_truncated_zip_has_no_directory(kept: slice, tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(zip_of({"a.txt": b"first"})[kept])
    (error,) = read(path)
    assert type(error) is DamagedInput
    assert "truncated" in error.problem


def test_a_wrong_checksum_of_gzip(tmp_path: Path) -> None:
    data = bytearray(gz(b"page"))
    data[-8] ^= 1
    path = tmp_path / "a.txt.gz"
    path.write_bytes(data)
    (error,) = read(path)
    assert type(error) is DamagedInput
    assert "CRC" in error.problem


def test_seven_zip_without_its_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.7z"
    path.write_bytes(seven_zip_of({"a.txt": b"1"}))
    monkeypatch.setitem(__import__("sys").modules, "py7zr", None)
    (error,) = read(path)
    assert type(error) is UnsupportedInput
    assert "pip install" in error.remedy


def test_a_broken_seven_zip_gives_what_came_before(tmp_path: Path) -> None:
    import py7zr

    buffer = io.BytesIO()
    with py7zr.SevenZipFile(buffer, "w", filters=[{"id": py7zr.FILTER_COPY}]) as archive:
        for name, data in (("a.txt", b"first"), ("b.txt", b"second"), ("c.txt", b"third")):
            archive.writestr(data, name)
    broken = bytearray(buffer.getvalue())
    broken[broken.index(b"second")] ^= 1
    path = tmp_path / "a.7z"
    path.write_bytes(broken)
    assert outcomes(path) == {"a.txt": "first", "": "DamagedInput"}
