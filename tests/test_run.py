"""Runs over files and folders, with the real reader and an extractor that stands in."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from gongkai.batch.shards import ShardSize
from gongkai.errors import BrokenModel, IngestError, OutputError, UnreadableInput
from gongkai.export import DERIVED, Format
from gongkai.run import RunSummary, nth_document, run
from handmade import StandIn
from harmful import Forgetful, unmade
from packing import zip_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three good documents, one empty file, one on which the extractor fails."""
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    (folder / "1.txt").write_text("主动公开信息12条。", encoding="utf-8")
    (folder / "2.txt").write_bytes(b"")
    (folder / "3.txt").write_text("这一篇会坏。", encoding="utf-8")
    (folder / "sub" / "4.txt").write_text("没有数字的报告。", encoding="utf-8")
    (folder / "sub" / "5.txt").write_text("部门12条，镇街12条。", encoding="utf-8")
    return folder


def errors(out: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in (out / "errors.jsonl").read_text("utf-8").splitlines()]


def documents(out: Path) -> list[str]:
    lines = (out / "documents.jsonl").read_text("utf-8").splitlines()
    return [Path(json.loads(line)["source"]["path"]).name for line in lines]


def test_bad_input_does_not_stop_a_run(folder: Path, tmp_path: Path) -> None:
    summary = run([folder], tmp_path / "out", extractor=StandIn, workers=1)
    assert documents(tmp_path / "out") == ["1.txt", "4.txt", "5.txt"]
    empty, broken = errors(tmp_path / "out")
    assert (Path(empty["path"]).name, empty["error"], empty["member"]) == ("2.txt", "EmptyInput", None)
    assert Path(broken["path"]).name == "3.txt"
    assert (broken["error"], broken["message"]) == ("ArithmeticError", "no such number\nsecond line")
    assert (summary.files, summary.documents, summary.failed, summary.facts) == (5, 3, 2, 3)
    assert summary.entities == {"COUNT": 3}
    assert summary.errors == {"EmptyInput": 1, "ArithmeticError": 1}
    assert summary.characters == len("主动公开信息12条。没有数字的报告。部门12条，镇街12条。")
    assert summary.seconds > 0
    assert summary.stopped_by is None


def test_fail_fast_stops_and_keeps_what_was_done(folder: Path, tmp_path: Path) -> None:
    summary = run([folder], tmp_path / "out", extractor=StandIn, workers=1, fail_fast=True)
    assert documents(tmp_path / "out") == ["1.txt"]
    assert [line["error"] for line in errors(tmp_path / "out")] == ["EmptyInput"]
    assert summary.stopped_by is not None
    assert summary.stopped_by.error == "EmptyInput"


def test_all_formats_hold_the_same(folder: Path, tmp_path: Path) -> None:
    summary = run([folder], tmp_path / "out", extractor=StandIn, workers=1, formats=list(Format))
    rows = (tmp_path / "out" / "facts.csv").read_text("utf-8-sig").splitlines()[1:]
    assert len(rows) == summary.facts == 3
    assert documents(tmp_path / "out") == ["1.txt", "4.txt", "5.txt"]


def test_out_within_the_input_is_not_read(folder: Path) -> None:
    for _ in range(2):
        summary = run([folder], folder, extractor=StandIn, workers=1, force=True)
        assert summary.files == 5
        assert not any((folder / name).exists() for name in DERIVED)  # of the results before
        for name in DERIVED:
            (folder / name).write_bytes(b"PAR1")


def test_path_that_is_not_there_is_a_line(folder: Path, tmp_path: Path) -> None:
    summary = run([tmp_path / "absent.txt", folder / "1.txt"], tmp_path / "out", extractor=StandIn, workers=1)
    assert summary.documents == 1
    assert [Path(line["path"]).name for line in errors(tmp_path / "out")] == ["absent.txt"]


def test_no_file_at_all_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(UnreadableInput, match="No file to read"):
        run([tmp_path / "in"], tmp_path / "out", extractor=StandIn, workers=1)
    assert not (tmp_path / "out").exists()


def test_results_are_kept_unless_forced(folder: Path, tmp_path: Path) -> None:
    run([folder], tmp_path / "out", extractor=StandIn, workers=1)
    with pytest.raises(OutputError, match="already holds results"):
        run([folder], tmp_path / "out", extractor=StandIn, workers=1)
    run([folder / "1.txt"], tmp_path / "out", extractor=StandIn, workers=1, force=True)
    assert documents(tmp_path / "out") == ["1.txt"]


def test_progress_is_told_of_every_shard(folder: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int, int]] = []

    def progress(summary: RunSummary) -> None:
        seen.append((summary.documents, summary.failed, summary.done))

    run([folder], tmp_path / "out", extractor=StandIn, workers=1, shard=ShardSize(2), progress=progress)
    assert list(dict.fromkeys(seen)) == [(0, 0, 0), (1, 1, 2), (2, 2, 4), (3, 2, 5)]


def test_a_record_that_a_batch_owes_is_made_alone(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.txt").write_text(f"第{number}篇。", "utf8")
    summary = run([tmp_path], tmp_path / "out", extractor=Forgetful, workers=1)
    assert (summary.files, summary.documents) == (3, 3)


def test_extractor_that_cannot_be_made_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BrokenModel, match=r"model\.onnx: It is damaged"):
        run([folder], tmp_path / "out", extractor=unmade, workers=1)
    assert not (tmp_path / "out").exists()


def test_duplicates_are_extracted_once_and_point_to_the_first(tmp_path: Path) -> None:
    texts = ["公开12条。", "这一篇会坏。", "", "公开12条。", "这一篇会坏。", "", "公开12条。"]
    for number, text in enumerate(texts):
        (tmp_path / f"{number}.txt").write_text(text, "utf8")
    lines = '{"text": "甲"}\n{"text": "甲"}\n{"id": "x", "text": "甲"}\n{"id": "x", "text": "甲"}\n'
    (tmp_path / "7.jsonl").write_text(lines, "utf8")
    summary = run([tmp_path], tmp_path / "out", extractor=StandIn, workers=1, shard=ShardSize(2))
    assert documents(tmp_path / "out") == ["0.txt", "7.jsonl", "7.jsonl"]
    rows = [
        json.loads(line) for line in (tmp_path / "out" / "duplicates.jsonl").read_text("utf8").splitlines()
    ]
    records = (tmp_path / "out" / "documents.jsonl").read_text("utf8").splitlines()
    ids = [json.loads(line)["id"] for line in records]
    assert [(Path(row["path"]).name, row["member"], ids.index(row["duplicate_of"])) for row in rows] == [
        ("3.txt", None, 0), ("6.txt", None, 0), ("7.jsonl", "line 2", 1), ("7.jsonl", "line 4", 2),
    ]  # fmt: skip
    assert (summary.documents, summary.duplicates) == (3, 4)
    assert summary.errors == {"EmptyInput": 2, "ArithmeticError": 1, "DuplicateOfFailed": 1}
    assert [Path(line["path"]).name for line in errors(tmp_path / "out")] == [
        "1.txt", "2.txt", "5.txt", "4.txt",
    ]  # fmt: skip


def test_run_file_and_log(folder: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    run([folder], tmp_path / "out", extractor=StandIn, workers=1, settings={"mode": "rules"}, log=log)
    told = json.loads((tmp_path / "out" / "run.json").read_text("utf8"))
    assert (told["state"], told["summary"]["documents"], told["summary"]["files"]) == ("finished", 3, 5)
    assert told["settings"]["extractor"] == {"mode": "rules"}
    events = [json.loads(line)["event"] for line in log.read_text("utf-8").splitlines()]
    assert events == ["started", "planned", "committed", "assembling", "finished"]


def test_log_that_cannot_be_written(folder: Path, tmp_path: Path) -> None:
    log = tmp_path / "none" / "log.jsonl"
    with pytest.raises(OutputError, match=re.escape(f"{log}: Writing failed: No such file or directory.")):
        run([folder], tmp_path / "out", extractor=StandIn, workers=1, log=log)
    assert not (tmp_path / "out").exists()


def test_file_name_that_is_no_utf_8(tmp_path: Path) -> None:
    name = "报".encode("gbk").decode("utf-8", "surrogateescape")
    try:
        (tmp_path / f"{name}1.txt").write_text("好", encoding="utf-8")
        (tmp_path / f"{name}2.txt").write_bytes(b"")
    except OSError:
        pytest.skip("the file system holds UTF-8 names only")
    run([tmp_path / f"{name}{n}.txt" for n in (1, 2)], tmp_path / "out", extractor=StandIn, workers=1)
    assert documents(tmp_path / "out") == [r"\udcb1\udca81.txt"]
    assert errors(tmp_path / "out")[0]["path"].endswith(r"\udcb1\udca82.txt")


def test_bad_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "甲"}\n{"text"\n{"text": "乙"}\n', encoding="utf-8")
    summary = run([tmp_path / "in.jsonl"], tmp_path / "out", extractor=StandIn, workers=1)
    (line,) = errors(tmp_path / "out")
    assert (line["member"], line["error"]) == ("line 2", "DamagedInput")
    assert (summary.files, summary.documents) == (1, 2)


def test_nth_document(tmp_path: Path) -> None:
    lines = tmp_path / "two.jsonl"
    lines.write_text('{"id": "a", "text": "甲"}\n{"id": "b", "text": "乙"}\n', encoding="utf-8")
    assert nth_document(lines).text == "甲"
    assert nth_document(lines, 2).text == "乙"
    with pytest.raises(UnreadableInput, match="holds 2 documents, not 3"):
        nth_document(lines, 3)
    with pytest.raises(IngestError):
        nth_document(tmp_path / "absent.txt")


def test_archives_urls_and_links_that_lead_out(folder: Path, tmp_path: Path) -> None:
    (folder / "6.zip").write_bytes(zip_of({"a/7.txt": "公开9条。".encode(), "../8.txt": b"x"}))
    (folder / "7.txt").symlink_to(tmp_path)
    store = f"local://{tmp_path / 'store'}"  # through fsspec
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "9.txt").write_text("公开10条。", "utf8")
    summary = run([folder / "6.zip", folder, store], tmp_path / "out", extractor=StandIn, workers=1)
    assert documents(tmp_path / "out") == ["6.zip", "1.txt", "4.txt", "5.txt", "9.txt"]
    assert (summary.files, summary.documents, summary.duplicates) == (8, 5, 1)
    lines = errors(tmp_path / "out")
    assert [(Path(line["path"]).name, line["member"]) for line in lines] == [
        ("6.zip", "../8.txt"), ("2.txt", None), ("3.txt", None), ("6.zip", "../8.txt"), ("7.txt", None),
    ]  # fmt: skip
    assert "leads out of its folder" in lines[-1]["message"]
    assert nth_document(f"{store}/9.txt").source.path == f"{store}/9.txt"
