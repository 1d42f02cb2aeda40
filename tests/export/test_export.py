"""The results of a shard, and of a run made of those of its shards."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import duckdb
import jsonschema
import msgspec
import pytest

from gongkai.errors import OutputError
from gongkai.export import RESULTS, Chunk, Failure, Format, writing
from gongkai.export.jsonl import JsonlWriter, record_schema
from gongkai.export.merge import merge
from gongkai.types import Record
from handmade import marked, report


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_documents_decode_to_the_records_and_validate(tmp_path: Path) -> None:
    records = [report(), marked("😀\n12条\u2028", ("COUNT", 2, 5)), marked("")]
    with Chunk(tmp_path / "chunk", [Format.JSONL]) as chunk:
        for record in records:
            chunk.add(record)
    lines = (tmp_path / "chunk" / "documents.jsonl").read_bytes().splitlines()
    assert [msgspec.json.decode(line, type=Record) for line in lines] == records
    validator = jsonschema.Draft202012Validator(record_schema())
    validator.check_schema(record_schema())
    for line in lines:
        validator.validate(json.loads(line))
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(json.loads(lines[0]) | {"text": 1})


@pytest.mark.parametrize("form", list(Format))
def test_only_the_formats_asked_for(form: Format, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with Chunk(tmp_path / "chunk", [form]) as chunk:
        chunk.add(report())
    merge([tmp_path / "chunk"], [form], tmp_path / "out")
    assert names(tmp_path / "out") == set(RESULTS[form])


def test_chunks_are_joined_in_order(tmp_path: Path) -> None:
    chunks = [tmp_path / str(number) for number in range(3)]
    for folder in chunks:
        with Chunk(folder, list(Format)) as chunk:
            chunk.add(report(folder.name))
    merge(chunks, list(Format), tmp_path)
    lines = (tmp_path / "documents.jsonl").read_text("utf8").splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["0", "1", "2"]
    heads = [
        line for line in (tmp_path / "facts.csv").read_text("utf-8-sig").splitlines() if "document_id" in line
    ]
    assert len(heads) == 1
    with duckdb.connect(tmp_path / "gongkai.duckdb", read_only=True) as connection:
        assert connection.execute("SELECT document_id FROM documents").fetchall() == [("0",), ("1",), ("2",)]


def test_failures_are_lines(tmp_path: Path) -> None:
    failure = Failure("a.pdf", None, "NoTextLayer", "a.pdf: Only pictures.")
    with Chunk(tmp_path / "chunk", [Format.JSONL]) as chunk:
        chunk.add_failure(failure)
    assert json.loads((tmp_path / "chunk" / "errors.jsonl").read_text("utf-8")) == {
        "path": "a.pdf", "member": None, "error": "NoTextLayer", "message": "a.pdf: Only pictures.",
    }  # fmt: skip


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "chunk").write_text("")
    with pytest.raises(OutputError, match="Writing failed: File exists"), Chunk(tmp_path / "chunk", []):
        pass


def test_full_disk_is_one_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: JsonlWriter, encoded: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(JsonlWriter, "write", full)
    with (
        pytest.raises(OutputError, match="No space left on device"),
        Chunk(tmp_path / "chunk", [Format.JSONL]) as chunk,
    ):
        chunk.add(report())


def test_duckdb_error_is_an_output_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise duckdb.IOException("IO Error: disk full\nmore")

    monkeypatch.setattr(duckdb, "connect", refuse)
    with pytest.raises(OutputError, match="Writing failed: IO Error: disk full\\."), writing(tmp_path):
        merge([], [Format.DUCKDB], tmp_path)


@pytest.mark.parametrize("formats", [[Format.JSONL], list(Format), [Format.CSV], [Format.PARQUET]])
def test_a_record_that_cannot_be_written_is_in_no_format(formats: list[Format], tmp_path: Path) -> None:
    with Chunk(tmp_path / "chunk", formats) as chunk:
        with pytest.raises(UnicodeEncodeError):
            chunk.add(marked("甲\ud800", ("METRIC", 0, 2)))
        chunk.add(marked("乙"))
    if Format.JSONL in formats:
        assert (tmp_path / "chunk" / "documents.jsonl").read_bytes().count(b"\n") == 1
