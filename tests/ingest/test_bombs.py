"""Archives made to harm: named errors in little time and memory, and the sound members are read all the same."""

from __future__ import annotations

import io
import stat
import struct
import tarfile
import time
import tracemalloc
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gongkai.errors import DamagedInput, EncryptedInput, IngestError, OversizedInput, UnsupportedInput
from gongkai.ingest import Limits, read
from gongkai.types import Document
from packing import gz, seven_zip_of, tar_of, zip_of, zst

MIB = 1024 * 1024
ZEROS = bytes(20 * MIB)


@contextmanager
def cheap(seconds: float = 10, mebibytes: int = 40) -> Iterator[None]:
    """What is done within must take no more than that."""
    started = time.perf_counter()
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert time.perf_counter() - started < seconds
    assert peak < mebibytes * MIB


def results(path: Path, data: bytes, limits: Limits | None = None) -> list[tuple[str, type | str]]:
    """Each document's member and text, each error's member and class."""
    path.write_bytes(data)
    with cheap():
        items = list(read(path, limits=limits or Limits()))
    return [
        (item.where.removeprefix(str(path)).strip(), type(item))
        if isinstance(item, IngestError)
        else (item.source.member or "", item.text)
        for item in items
    ]


@pytest.mark.parametrize("pack", [gz, zst])
@pytest.mark.parametrize("name", ["page.html", "rows.jsonl", "archive.tar"])
def test_what_unpacks_without_end(tmp_path: Path, name: str, pack) -> None:
    content = tar_of({"a.txt": ZEROS}) if name.endswith(".tar") else ZEROS
    path = tmp_path / f"{name}.x"
    found = results(path, pack(content))
    assert [kind for _, kind in found] == [OversizedInput]


def test_a_member_that_unpacks_without_end(tmp_path: Path) -> None:
    found = results(tmp_path / "a.zip", zip_of({"bomb.txt": ZEROS, "good.txt": b"good"}))
    assert found == [("bomb.txt", OversizedInput), ("good.txt", "good")]


def test_a_seven_zip_that_unpacks_without_end(tmp_path: Path) -> None:
    assert results(tmp_path / "a.7z", seven_zip_of({"bomb.txt": ZEROS})) == [("", OversizedInput)]


def test_a_size_that_lies(tmp_path: Path) -> None:
    """The directory says ten bytes; twenty million come out. Only the ten are taken, and their CRC is wrong."""
    data = zip_of({"a.txt": ZEROS, "good.txt": b"good"})
    lying = data.replace(struct.pack("<L", len(ZEROS)), struct.pack("<L", 10))
    assert results(tmp_path / "a.zip", lying) == [("a.txt", DamagedInput), ("good.txt", "good")]


def test_members_that_overlap(tmp_path: Path) -> None:
    """Many entries of the directory share one packed kernel (D. Fifield, A better zip bomb)."""
    kernel = zip_of({"a.txt": bytes(900 * 1024)})
    directory = kernel.index(b"PK\x01\x02")
    end = kernel.index(b"PK\x05\x06")
    entry = kernel[directory:end]
    count = 5000
    bomb = kernel[:directory] + entry * count
    bomb += struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(entry) * count, directory, 0)
    found = results(tmp_path / "a.zip", bomb)
    assert {kind for _, kind in found[:-1]} == {DamagedInput}
    assert len(found) == count


def test_archives_all_the_way_down(tmp_path: Path) -> None:
    data = b"bottom"
    for level in range(10):
        data = zip_of({f"{level}.txt" if level == 0 else f"{level}.zip": data})
    assert results(tmp_path / "a.zip", data) == [("9.zip!/8.zip", UnsupportedInput)]


def test_compressed_again_and_again(tmp_path: Path) -> None:
    data = b"x" * MIB
    for _ in range(6):
        data = gz(data)
    assert results(tmp_path / "a.txt.gz", data) == [("", UnsupportedInput)]


@pytest.mark.parametrize("pack", [zip_of, tar_of, seven_zip_of])
def test_too_many_members(tmp_path: Path, pack) -> None:
    data = pack({f"{number}.txt": b"x" for number in range(30)})
    found = results(tmp_path / "a", data, Limits(max_members=20))
    assert found[-1] == ("", OversizedInput)
    assert len(found) <= 21


def test_a_directory_too_large_to_read(tmp_path: Path) -> None:
    """It is refused by the size it declares, before zipfile reads it."""
    data = bytearray(zip_of({f"{number}.txt": b"" for number in range(40_000)}))
    assert results(tmp_path / "a.zip", data, Limits(max_members=100)) == [("", OversizedInput)]


def test_names_that_lead_out(tmp_path: Path) -> None:
    names = ["../a.txt", "/etc/passwd", "b/../../c.txt", "C:\\d.txt", "..\\e.txt"]
    for pack, file in ((zip_of, "a.zip"), (tar_of, "a.tar")):
        found = results(tmp_path / file, pack({**dict.fromkeys(names, b"x"), "good..txt": b"good"}))
        assert [kind for _, kind in found] == [DamagedInput] * 5 + ["good"]
        assert found[0][0] == "../a.txt"
    assert not (tmp_path.parent / "a.txt").exists()


def test_links_and_devices_in_a_tar(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    kinds = {
        "symlink.txt": tarfile.SYMTYPE,
        "hardlink.txt": tarfile.LNKTYPE,
        "pipe.txt": tarfile.FIFOTYPE,
        "sda": tarfile.BLKTYPE,
        "zero": tarfile.CHRTYPE,
    }
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, kind in kinds.items():
            header = tarfile.TarInfo(name)
            header.type = kind
            header.linkname = "/etc/passwd"
            archive.addfile(header)
        folder = tarfile.TarInfo("folder")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        good = tarfile.TarInfo("folder/good.txt")
        good.size = 4
        archive.addfile(good, io.BytesIO(b"good"))
    found = results(tmp_path / "a.tar", buffer.getvalue())
    assert found == [*((name, UnsupportedInput) for name in kinds), ("folder/good.txt", "good")]


def test_a_link_in_a_zip(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link.txt")
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(link, "/etc/passwd")
        archive.writestr("good.txt", "good")
    found = results(tmp_path / "a.zip", buffer.getvalue())
    assert found == [("link.txt", UnsupportedInput), ("good.txt", "good")]


def test_a_sparse_file_in_a_tar(tmp_path: Path) -> None:
    """512 bytes that claim to be ten terabytes."""
    header = tarfile.TarInfo("a.jsonl")
    header.type = tarfile.GNUTYPE_SPARSE
    raw = bytearray(header.tobuf(tarfile.GNU_FORMAT))
    raw[483:495] = b"77777777777\0"
    raw[148:156] = b" " * 8
    raw[148:156] = b"%06o\0 " % sum(raw)
    good = tar_of({"good.txt": b"good"})
    found = results(tmp_path / "a.tar", bytes(raw) + good)
    assert found == [("a.jsonl", UnsupportedInput), ("good.txt", "good")]


def test_a_header_that_fills_the_memory(tmp_path: Path) -> None:
    """A long name of 20 MiB; tarfile alone would read any."""
    header = tarfile.TarInfo("././@LongLink")
    header.type = tarfile.GNUTYPE_LONGNAME
    header.size = len(ZEROS)
    found = results(tmp_path / "a.tar", header.tobuf(tarfile.GNU_FORMAT) + b"x" * len(ZEROS))
    assert found[0] == ("", DamagedInput)


def test_an_encrypted_member(tmp_path: Path) -> None:
    data = bytearray(zip_of({"a.txt": b"secret", "b.txt": b"good"}))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    found = results(tmp_path / "a.zip", bytes(data))
    assert found == [("a.txt", EncryptedInput), ("b.txt", "good")]


def test_an_encrypted_seven_zip(tmp_path: Path) -> None:
    import py7zr

    buffer = io.BytesIO()
    with py7zr.SevenZipFile(buffer, "w", password="secret") as archive:
        archive.writestr(b"x", "a.txt")
    assert results(tmp_path / "a.7z", buffer.getvalue()) == [("", EncryptedInput)]


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_method_that_unpacks_in_one_go(tmp_path: Path, method: int) -> None:
    found = results(tmp_path / "a.zip", zip_of({"a.txt": b"x"}, method))
    assert found == [("a.txt", UnsupportedInput)]


def test_a_member_larger_than_a_document(tmp_path: Path) -> None:
    limits = Limits(max_bytes=100)
    found = results(tmp_path / "a.tar", tar_of({"a.txt": b"x" * 101, "b.txt": b"x" * 100}), limits)
    assert found == [("a.txt", OversizedInput), ("b.txt", "x" * 100)]


def test_an_archive_within_one_too_large_to_copy(tmp_path: Path) -> None:
    data = tar_of({"a.zip": zip_of({"x.txt": b"x" * 5000}, zipfile.ZIP_STORED), "b.txt": b"good"})
    found = results(tmp_path / "a.tar", data, Limits(max_spooled=4000))
    assert found == [("a.zip", OversizedInput), ("b.txt", "good")]


def test_one_long_string_for_a_million_rows(tmp_path: Path) -> None:
    """The dictionary of a Parquet column holds it once; each row is refused without being unpacked."""
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 1000, pa.int32()), pa.array(["字" * MIB]))
    buffer = io.BytesIO()
    pq.write_table(pa.table({"text": text}), buffer, dictionary_pagesize_limit=10 * MIB)
    data = buffer.getvalue()
    found = results(tmp_path / "a.parquet", data, Limits(max_bytes=MIB))
    assert len(found) == 1000
    assert {kind for _, kind in found} == {OversizedInput}


def _docx_with(document_xml: bytes) -> bytes:
    buffer = io.BytesIO()
    docx.Document().save(buffer)
    with zipfile.ZipFile(buffer) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    return zip_of(members | {"word/document.xml": document_xml})


_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_ROW = "<w:tr><w:tc><w:p><w:r><w:t>1</w:t></w:r></w:p></w:tc></w:tr>"
_DOUBLING = f'<!ENTITY e0 "{_ROW}">' + "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 7))


@pytest.mark.parametrize(
    ("declarations", "body"),
    [
        (_DOUBLING, "<w:tbl>&e6;</w:tbl>"),  # a table of a million rows
        ('<!ENTITY a SYSTEM "file:///etc/passwd">', "<w:p><w:r><w:t>&a;</w:t></w:r></w:p>"),
        (_DOUBLING.replace("<", "").replace("!ENTITY", "<!ENTITY"), '<w:p w:id="&e6;"/>'),
        ('<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;', "<w:p/>"),
    ],
    ids=["rows", "external", "attribute", "parameter"],
)
def test_entities_in_a_docx(tmp_path: Path, declarations: str, body: str) -> None:
    xml = f'<!DOCTYPE x [{declarations}]><w:document xmlns:w="{_WORD}"><w:body>{body}</w:body></w:document>'
    assert results(tmp_path / "a.docx", _docx_with(xml.encode())) == [("", DamagedInput)]


@pytest.mark.slow
def test_a_docx_table_of_a_million_rows_is_too_large(tmp_path: Path) -> None:
    xml = f'<w:document xmlns:w="{_WORD}"><w:body><w:tbl>{_ROW * 1_000_000}</w:tbl></w:body></w:document>'
    found = results(tmp_path / "a.docx", _docx_with(xml.encode()), Limits(max_bytes=MIB))
    assert found == [("", OversizedInput)]


def test_a_docx_part_that_unpacks_without_end(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    docx.Document().save(buffer)
    with zipfile.ZipFile(buffer) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    data = zip_of(members | {"word/media/image1.png": ZEROS})
    assert results(tmp_path / "a.docx", data, Limits(max_bytes=MIB)) == [("", OversizedInput)]


def test_entities_in_a_page_are_not_declared(tmp_path: Path) -> None:
    page = f"<?xml version='1.0'?><!DOCTYPE html [{_DOUBLING}]><html><body><p>概述 &e6;</p></body></html>"
    ((_, text),) = results(tmp_path / "a.html", page.encode())
    assert isinstance(text, str)
    assert "概述" in text
    assert len(text) < 10_000


def test_a_pdf_whose_page_unpacks_without_end(tmp_path: Path) -> None:
    stream = zlib.compress(b"BT (1) Tj ET " * (10 * MIB))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>",
        b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(stream), stream),
    ]
    body = b"".join(b"%d 0 obj%s endobj\n" % (number, text) for number, text in enumerate(objects, start=1))
    data = b"%PDF-1.4\n" + body + b"trailer<</Root 1 0 R/Size 5>>\n%%EOF"
    path = tmp_path / "a.pdf"
    path.write_bytes(data)
    with cheap(mebibytes=400):
        (error,) = read(path)
    assert isinstance(error, DamagedInput)


def test_zlib_is_read_piece_by_piece(tmp_path: Path) -> None:
    """A document within the limits of ratio and size is no bomb."""
    text = b"".join(zlib.crc32(bytes([n % 251])).to_bytes(4, "big").hex().encode() for n in range(20_000))
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gz(text))
    (doc,) = read(path)
    assert isinstance(doc, Document)
    assert doc.text == text.decode()
