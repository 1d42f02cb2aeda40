"""The tables of a run, whole or by year, and the views on them."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import duckdb
import pytest

from archive_reports import TEXTS, write
from gongkai.archive.tables import open_archive
from gongkai.errors import BrokenArchive
from gongkai.export import TABLES
from gongkai.types import Fact, Meta, PeriodNorm, Record, Source
from gongkai.views.statements import statements

VIEWS = [name.partition("_")[2] for name in statements("views/sql") if name != "00_section_at"]


def rows(out: Path, sql: str) -> list[tuple[Any, ...]]:
    with open_archive(out) as archive:
        return archive.sql(sql).fetchall()


def test_every_view_says_what_it_holds() -> None:
    for folder in ("views/sql", "archive/queries", "archive/checks", "archive/summary"):
        for statement in statements(folder).values():
            assert len(statement.about) > 10, statement.name


@pytest.mark.parametrize("name", [*TABLES, *VIEWS, "citation_mentions", "metrics"])
def test_every_table_and_view_can_be_read(name: str, extracted: Path) -> None:
    assert rows(extracted, f"FROM {name}") or name in ("findings", "findings_by_issuer")


def test_documents_of_each_year_and_of_none(tmp_path: Path) -> None:
    records = [Record(id=str(year), source=Source(), meta=Meta(year=year), text="") for year in (2020, None)]
    out = write(tmp_path / "out", records)
    assert rows(out, "SELECT document_id, year FROM documents ORDER BY ALL") == [
        ("2020", 2020),
        ("None", None),
    ]


@pytest.mark.parametrize("name", [*VIEWS, "metrics"])
def test_the_duckdb_file_shows_the_same_to_everybody(name: str, extracted: Path) -> None:
    """To a connection that knows nothing of gongkai, as the shell's."""
    sql = f"FROM {name} ORDER BY ALL"
    with duckdb.connect(extracted / "gongkai.duckdb", read_only=True) as connection:
        assert connection.execute(sql).fetchall() == rows(extracted, sql)


def test_a_table_that_was_never_written_is_empty(out: Path) -> None:
    shutil.rmtree(out / "findings")
    assert rows(out, "FROM findings") == []
    assert rows(out, "FROM archive_findings") == []


def test_a_folder_without_documents(tmp_path: Path) -> None:
    with (
        pytest.raises(BrokenArchive, match=r"no table of documents.*--format parquet"),
        open_archive(tmp_path),
    ):
        pass


def test_a_damaged_table(out: Path) -> None:
    next((out / "facts").glob("year=*/*.parquet")).write_bytes(b"PAR1 damaged")
    with pytest.raises(BrokenArchive, match="facts"), open_archive(out):
        pass


def test_a_name_with_a_quote(extracted: Path, tmp_path: Path) -> None:
    odd = tmp_path / "it's [a] *"
    odd.symlink_to(extracted)
    assert rows(odd, "SELECT count(*) FROM documents") == [(len(TEXTS),)]


def test_nothing_outside_can_be_read_and_settings_are_locked(extracted: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("a\n1\n")
    with open_archive(extracted) as archive:
        with pytest.raises(duckdb.PermissionException):
            archive.sql(f"FROM read_csv('{other}')").fetchall()
        with pytest.raises(duckdb.InvalidInputException):
            archive.execute("SET enable_external_access = true")


def test_what_memory_does_not_hold_goes_to_the_systems_folder(
    extracted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with open_archive(extracted) as archive:
        (folder,) = tmp_path.iterdir()
        assert archive.sql("SELECT current_setting('temp_directory')").fetchall() == [(str(folder),)]
    assert list(tmp_path.iterdir()) == []


def test_the_panel(extracted: Path) -> None:
    found = rows(
        extracted, "SELECT issuer, year, value FROM panel WHERE metric_id = 'requests.received' ORDER BY ALL"
    )
    assert found == [
        ("临川市政府办公室", 2019, 85.0),
        ("临川市政府办公室", 2020, 100.0),
        ("临川市政府办公室", 2021, 110.0),
        ("安平县教育局", 2019, 20.0),
        ("安平县教育局", 2020, 30.0),  # printed in Traditional script
        ("安平县教育局", 2021, 25.0),
    ]


def test_ambiguous_issuers(extracted: Path) -> None:
    assert rows(extracted, "FROM ambiguous_issuers") == [("平川县政府",)]


def test_values_of_other_years(extracted: Path) -> None:
    found = rows(
        extracted,
        "SELECT document_id, value_year, value FROM stated_values WHERE value_year <> year ORDER BY ALL",
    )
    assert found == [("office-2020", 2019, 85.0), ("office-2021", 2020, 98.0)]


def test_spans_are_those_of_the_text(extracted: Path) -> None:
    found = rows(extracted, "SELECT document_id, start_offset, end_offset, text FROM stated_values")
    assert found
    assert all(TEXTS[document][start:end] == text for document, start, end, text in found)


def test_cited_documents(extracted: Path) -> None:
    title, docno, documents, _ = rows(extracted, "FROM cited_documents")[1]
    assert (title, docno, documents) == ("关于全面推进政务公开工作的意见", "国办发〔2016〕8号", 9)


# --- which fact is a year's value -----------------------------------------------------------------

YEAR = PeriodNorm(start="2020-01-01", end="2020-12-31")


def fact(number: int = 1, **changes: Any) -> Fact:
    """A fact in prose that is its year's value."""
    fields: dict[str, Any] = {
        "id": f"F{number}",
        "value": 10.0,
        "unit": "件",
        "start": number,
        "end": number + 1,
        "metric_id": "requests.received",
        "period": YEAR,
        "score": 0.9,
    }
    return Fact(**(fields | changes))


def stated(tmp_path: Path, *facts: Fact) -> list[float]:
    record = Record(
        id="d",
        source=Source(),
        meta=Meta(issuer="临川市教育局", year=2020, doc_type="annual_report_b"),
        text="一二三四五六七八九十",
        facts=facts,
    )
    write(tmp_path / "out", [record])
    return [value for (value,) in rows(tmp_path / "out", "SELECT value FROM panel ORDER BY ALL")]


CASES: dict[str, tuple[list[Fact], list[float]]] = {
    "a total": ([fact()], [10.0]),
    "said twice": ([fact(), fact(2)], [10.0]),
    "said twice, differently": ([fact(), fact(2, value=11.0)], []),
    "the table's goes before prose": ([fact(), fact(2, value=11.0, table="TB1", category="total")], [11.0]),
    "another column": ([fact(table="TB1", category="natural_person")], []),
    "no metric": ([fact(metric_id=None)], []),
    "part of a year": ([fact(period=PeriodNorm(start="2020-01-01", end="2020-06-30"))], []),
    "several years": ([fact(period=PeriodNorm(start="2019-01-01", end="2020-12-31"))], []),
    "an open period": ([fact(period=PeriodNorm(start="2020-01-01"))], []),
    "about": ([fact(qualifier="approx")], []),
    "a range": ([fact(value_max=12.0)], []),
    "rounded to 万": ([fact(decimals=None)], []),
    "a change": ([fact(direction="up")], []),
    "a comparison": ([fact(compared_with="2019-01-01/2019-12-31")], []),
    "a share of it": ([fact(unit="%", value=0.5, share_of="F2"), fact(2)], [10.0]),
    "a rate": ([fact(metric_id="requests.reply_rate", unit="%", value=0.95, decimals=0)], [0.95]),
    "a rate with another unit": ([fact(metric_id="requests.reply_rate", unit="件")], []),
    "a part of the same metric": ([fact(part_of="F2", value=4.0), fact(2)], [10.0]),
    "a part with its own metric": (
        [fact(), fact(2, metric_id="requests.received.online", value=4.0, part_of="F1")],
        [4.0, 10.0],
    ),
    "unsure": ([fact(score=0.5)], []),
    "unsure, in a table": ([fact(score=0.5, table="TB1")], [10.0]),
}


@pytest.mark.parametrize("case", CASES)
def test_which_fact_is_the_years_value(case: str, tmp_path: Path) -> None:
    facts, values = CASES[case]
    assert stated(tmp_path, *facts) == values
