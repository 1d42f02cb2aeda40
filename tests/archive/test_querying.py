"""Questions to an archive: named or in SQL, as tables and files, and what is refused."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from gongkai import cli
from gongkai.archive import ResultFormat
from gongkai.archive.checking import check_archive
from gongkai.archive.querying import ask, rows, write_answer
from gongkai.archive.tables import open_archive
from gongkai.errors import BadQuery, OutputError
from gongkai.views.statements import statements


def status_of(*arguments: str | Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Exit status of `gongkai ARGUMENTS`, run in this process."""
    monkeypatch.setattr(sys, "argv", ["gongkai", *map(str, arguments)])
    try:
        return cli.main()
    except SystemExit as stop:
        return int(stop.code or 0)


def test_every_named_query_runs(extracted: Path) -> None:
    with open_archive(extracted) as archive:
        for name, query in statements("archive/queries").items():
            needed = {
                parameter.name: "requests.received" for parameter in query.parameters if parameter.required
            }
            names = ask(archive, name, needed).schema.names
            assert len(set(names)) == len(names) > 1


def test_parameters(extracted: Path) -> None:
    values = {"metric": "requests.received", "issuer": "安平", "first": "2020"}
    with open_archive(extracted) as archive:
        found = list(rows(ask(archive, "panel", values)))
    assert [(row["year"], row["value"]) for row in found] == [(2020, 30.0), (2021, 25.0)]


@pytest.mark.parametrize(
    ("question", "values", "says"),
    [
        ("SELECT * FROM nowhere", {}, "nowhere does not exist"),
        ("SELEC 1", {}, "syntax error"),
        ("SELECT 1; SELECT 2", {}, "not one SELECT"),
        ("", {}, "not one SELECT"),
        ("COPY facts TO 'facts.csv'", {}, "not one SELECT"),
        ("CREATE TABLE t AS SELECT 1", {}, "not one SELECT"),
        ("DROP VIEW panel", {}, "not one SELECT"),
        ("ATTACH 'other.duckdb'", {}, "not one SELECT"),
        ("SET threads = 1", {}, "not one SELECT"),
        ("FROM read_csv('/etc/hostname')", {}, "Cannot access file"),
        ("SELECT CAST('a' AS INTEGER) FROM facts", {}, "Could not convert"),
        ("SELECT $year", {}, "Parameter year is missing"),
        ("SELECT 1", {"year": "2019"}, "Parameter year is missing or unknown"),
        ("panel", {}, "needs metric: id of the metric"),
        ("panel", {"metric": "x", "colour": "red"}, "no parameter colour.*It has: metric, issuer"),
        ("panel", {"metric": "requests.received", "first": "long ago"}, "Could not convert"),
    ],
)
def test_refused(question: str, values: dict[str, str], says: str, extracted: Path) -> None:
    with open_archive(extracted) as archive, pytest.raises(BadQuery, match=says) as refused:
        list(rows(ask(archive, question, values)))
    assert "\n" not in str(refused.value)


ODD = "SELECT 1 AS n, 'a,\"b' AS t, [1, 2] AS l, DATE '2020-01-02' AS d, NULL AS z, 1.5::DECIMAL(4,1) AS e"


def test_files(extracted: Path, tmp_path: Path) -> None:
    with open_archive(extracted) as archive:
        for form in ResultFormat:
            assert write_answer(ask(archive, ODD), tmp_path / f"x.{form}", form) == 1
    (line,) = csv.DictReader((tmp_path / "x.csv").open(encoding="utf-8-sig", newline=""))
    assert line == {"n": "1", "t": 'a,"b', "l": "[1, 2]", "d": "2020-01-02", "z": "", "e": "1.5"}
    assert json.loads((tmp_path / "x.json").read_text("utf-8")) == [
        {"n": 1, "t": 'a,"b', "l": [1, 2], "d": "2020-01-02", "z": None, "e": 1.5}
    ]
    assert pq.read_table(tmp_path / "x.parquet").num_rows == 1


def test_no_rows_are_json_too(extracted: Path, tmp_path: Path) -> None:
    with open_archive(extracted) as archive:
        question = "SELECT 1 AS n WHERE false"
        assert write_answer(ask(archive, question), tmp_path / "x.json", ResultFormat.JSON) == 0
    assert json.loads((tmp_path / "x.json").read_text("utf-8")) == []


def test_a_file_is_not_replaced_unasked(extracted: Path, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("mine")
    with open_archive(extracted) as archive:
        with pytest.raises(OutputError, match="--force"):
            write_answer(ask(archive, "SELECT 1"), tmp_path / "x.csv", ResultFormat.CSV)
        assert (tmp_path / "x.csv").read_text() == "mine"


def test_a_query_that_fails_midway_leaves_no_file(extracted: Path, tmp_path: Path) -> None:
    question = "SELECT error('stop') FROM facts"
    status = pytest.raises(BadQuery, match="stop")
    with open_archive(extracted) as archive, status:
        from gongkai.archive.querying import answering

        with answering(question):
            write_answer(ask(archive, question), tmp_path / "x.csv", ResultFormat.CSV)
    assert not list(tmp_path.glob("*x.csv*"))


def test_commands(out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of("check", out, monkeypatch=monkeypatch) == 0
    printed = capsys.readouterr().out
    assert "6 annual reports of 2 issuers compared, 5 left out" in printed
    assert status_of("check", out, monkeypatch=monkeypatch) == 1
    assert status_of("query", out, "contradictions", "-f", "json", monkeypatch=monkeypatch) == 0
    captured = capsys.readouterr()
    assert len(json.loads(captured.out)) == 3
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1


def test_query_as_a_table(
    extracted: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    question = "SELECT '[red]a\x1b[2J' AS x FROM range(101)"
    assert status_of("query", extracted, question, monkeypatch=monkeypatch) == 0
    printed = capsys.readouterr()
    assert printed.out.count("[red]a␛[2J") == 100
    assert "only the first 100 rows" in printed.err


def test_list(extracted: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of("query", extracted, "--list", monkeypatch=monkeypatch) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in ("contradictions", "stated_values", "archive_findings"))


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["SELECT 1", "-o", "rows.txt"], 2),
        (["SELECT 1", "-p", "year"], 2),
        ([], 2),
        (["SELEC 1"], 1),
    ],
)
def test_wrong_usage(
    arguments: list[str], status: int, extracted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert status_of("query", extracted, *arguments, monkeypatch=monkeypatch) == status


def test_query_into_a_file(out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_archive(out)
    file = tmp_path / "cited.parquet"
    assert status_of("query", out, "cited", "-o", file, monkeypatch=monkeypatch) == 0
    assert pq.read_table(file)["title"][0].as_py() == "中华人民共和国政府信息公开条例"
