"""A folder of results: what lies there after a run that ended, failed, or was killed."""

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
from gongkai.export import FILES, PARTIAL, RESULT_FILES, Export, Failure, Format
from gongkai.export.jsonl import JsonlWriter, record_schema
from gongkai.types import Record
from handmade import marked, report


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_documents_decode_to_the_records_and_validate(tmp_path: Path) -> None:
    records = [report(), marked("😀\n12条\u2028", ("COUNT", 2, 5)), marked("")]
    with Export(tmp_path) as export:
        for record in records:
            export.add(record)
        export.commit()
    lines = (tmp_path / "documents.jsonl").read_bytes().splitlines()
    assert [msgspec.json.decode(line, type=Record) for line in lines] == records
    validator = jsonschema.Draft202012Validator(record_schema())
    validator.check_schema(record_schema())
    for line in lines:
        validator.validate(json.loads(line))
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(json.loads(lines[0]) | {"text": 1})


@pytest.mark.parametrize("form", list(Format))
def test_only_the_formats_asked_for_and_errors(form: Format, tmp_path: Path) -> None:
    with Export(tmp_path / "a" / "b", [form]) as export:
        export.add(report())
        export.commit()
    assert names(tmp_path / "a" / "b") == {*FILES[form], "errors.jsonl"}
    assert (tmp_path / "a" / "b" / "errors.jsonl").read_bytes() == b""


def test_failures_are_lines(tmp_path: Path) -> None:
    failure = Failure("a.pdf", None, "NoTextLayer", "a.pdf: Only pictures.")
    with Export(tmp_path) as export:
        export.add_failure(failure)
        export.commit()
    assert json.loads((tmp_path / "errors.jsonl").read_text("utf-8")) == {
        "path": "a.pdf", "member": None, "error": "NoTextLayer", "message": "a.pdf: Only pictures.",
    }  # fmt: skip


def test_nothing_looks_whole_before_the_end(tmp_path: Path) -> None:
    with Export(tmp_path, list(Format)) as export:
        export.add(report())
        assert names(tmp_path) == {PARTIAL}
    assert names(tmp_path) == set()


def test_results_are_not_overwritten_unless_forced(tmp_path: Path) -> None:
    with Export(tmp_path, list(Format)) as export:
        export.commit()
    with pytest.raises(OutputError, match=r"already holds results .*--force"), Export(tmp_path):
        pass
    assert names(tmp_path) == set(RESULT_FILES)
    with Export(tmp_path, force=True) as export:
        assert names(tmp_path) > set(RESULT_FILES)
        export.add(report())
        export.commit()
    assert names(tmp_path) == {"documents.jsonl", "errors.jsonl"}


def test_old_results_stay_when_a_forced_run_fails(tmp_path: Path) -> None:
    (tmp_path / "documents.jsonl").write_text("old")
    with Export(tmp_path, force=True) as export:
        export.add(report())
    assert (tmp_path / "documents.jsonl").read_text() == "old"
    assert names(tmp_path) == {"documents.jsonl"}


def test_leftovers_of_a_killed_run_are_named(tmp_path: Path) -> None:
    (tmp_path / PARTIAL).mkdir()
    (tmp_path / PARTIAL / "documents.jsonl").write_text("half")
    with pytest.raises(OutputError, match="was killed"), Export(tmp_path):
        pass
    with Export(tmp_path, force=True) as export:
        export.commit()
    assert (tmp_path / "documents.jsonl").read_bytes() == b""


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(OutputError, match="Writing failed: File exists"), Export(tmp_path / "out"):
        pass


def test_full_disk_is_one_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: JsonlWriter, encoded: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(JsonlWriter, "write", full)
    with pytest.raises(OutputError, match="No space left on device"), Export(tmp_path) as export:
        export.add(report())
    assert names(tmp_path) == set()


def test_duckdb_error_is_an_output_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise duckdb.IOException("IO Error: disk full\nmore")

    monkeypatch.setattr(duckdb, "connect", refuse)
    with (
        pytest.raises(OutputError, match="Writing failed: IO Error: disk full\\."),
        Export(tmp_path, [Format.DUCKDB]),
    ):
        pass


@pytest.mark.parametrize("formats", [[Format.JSONL], list(Format), [Format.CSV], [Format.PARQUET]])
def test_a_record_that_cannot_be_written_is_in_no_format(formats: list[Format], tmp_path: Path) -> None:
    with Export(tmp_path, formats) as export:
        with pytest.raises(UnicodeEncodeError):
            export.add(marked("甲\ud800", ("METRIC", 0, 2)))
        export.add(marked("乙"))
        export.commit()
    if Format.JSONL in formats:
        assert (tmp_path / "documents.jsonl").read_bytes().count(b"\n") == 1


def test_own_files_are_known(tmp_path: Path) -> None:
    with Export(tmp_path / "out") as export:
        assert export.holds(tmp_path / "out" / PARTIAL / "documents.jsonl")
        assert export.holds(tmp_path / "x" / ".." / "out" / "documents.jsonl")
        assert not export.holds(tmp_path / "out" / "report.txt")
        assert not export.holds(tmp_path / "documents.jsonl")
