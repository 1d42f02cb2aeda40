"""Parquet, DuckDB and CSV hold what the record says."""

from __future__ import annotations

import csv
import re
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gongkai.export import TABLES, Chunk, Format, tabular
from gongkai.export.merge import merge
from gongkai.types import CountNorm, Fact, Finding, Meta, Record
from handmade import marked, report

RECORDS = [report("a"), marked("😀12条", ("COUNT", 1, 4)), report("b")]


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All formats of three records, in batches of a few rows."""
    monkeypatch.setattr(tabular, "BATCH_ROWS", 20)
    write(tmp_path, RECORDS)
    return tmp_path


def write(folder: Path, records: list[Record]) -> None:
    with Chunk(folder / "chunk", list(Format)) as chunk:
        for record in records:
            chunk.add(record)
    merge([folder / "chunk"], list(Format), folder)


def rows(folder: Path, table: str) -> list[dict[str, Any]]:
    """Of all partitions, in the order of the documents, without the column that the folders' names give."""
    files = sorted((folder / table).glob("year=*/part-*.parquet"))
    found = [row for file in files for row in pq.ParquetFile(file).read().to_pylist()]
    order = {record.id: place for place, record in enumerate(RECORDS)}
    return sorted(found, key=lambda row: order.get(row["document_id"], -1))


def test_documents(written: Path) -> None:
    found = rows(written, "documents")
    assert [row["document_id"] for row in found] == ["a", "marked", "b"]
    assert [row["text"] for row in found] == [record.text for record in RECORDS]
    assert found[0]["published"] == date(2019, 3, 1)
    assert found[0]["year"] == 2018
    assert found[1]["characters"] == 4


def test_entities_with_flat_norms(written: Path) -> None:
    found = {row["entity_id"]: row for row in rows(written, "entities") if row["document_id"] == "a"}
    assert found["T1"]["period_start"] == date(2018, 1, 1)
    assert found["T2"]["org_name"] == "市府办"
    assert (found["T3"]["policy_name"], found["T3"]["policy_kind"]) == ("某市政府信息公开条例", "条例")
    assert (found["T5"]["docno_canonical"], found["T5"]["docno_serial"]) == ("某府办〔2018〕14号", 14)
    assert (found["T6"]["metric_id"], found["T6"]["metric_score"]) == ("disclosure.active", 1.0)
    assert (found["T8"]["value"], found["T8"]["decimals"]) == (0.6, 0)
    assert (found["T10"]["value"], found["T10"]["value_max"], found["T10"]["qualifier"]) == (
        600,
        650,
        "approx",
    )
    for entity in report().entities:
        row = found[entity.id]
        assert (row["label"], row["start_offset"], row["end_offset"], row["text"]) == (
            entity.label, entity.start, entity.end, entity.text,
        )  # fmt: skip


def test_other_tables(written: Path) -> None:
    assert [r["section_id"] for r in rows(written, "sections")] == ["S0", "S1", "S2"] * 2
    assert [(r["head"], r["tail"]) for r in rows(written, "relations")] == [("T7", "T6"), ("T9", "T7")] * 2
    facts = rows(written, "facts")
    assert [r["text"] for r in facts] == ["1,200条", "700条", "600条", "12条", "1,200条", "700条", "600条"]
    assert facts[1]["part_of"] == "F1"
    assert facts[1]["evidence"] == ["T9"]
    finding = rows(written, "findings")[0]
    assert (finding["check_name"], finding["texts"]) == ("sum", ["1,200条", "700条", "600条"])
    assert finding["spans"][1] == {
        "start_offset": facts[1]["start_offset"],
        "end_offset": facts[1]["end_offset"],
    }


@pytest.mark.parametrize("table", TABLES)
def test_duckdb_and_parquet_are_equal(table: str, written: Path) -> None:
    with duckdb.connect(written / "gongkai.duckdb", read_only=True) as connection:
        result = connection.execute(f"SELECT * FROM {table}")
        columns = [column[0] for column in result.description]
        found = [dict(zip(columns, row, strict=True)) for row in result.fetchall()]
    assert found == rows(written, table)


def test_parquet_is_partitioned_by_the_year_of_the_document(written: Path) -> None:
    folders = {file.parent.name for file in (written / "facts").rglob("*.parquet")}
    assert folders == {"year=2018", "year=__HIVE_DEFAULT_PARTITION__"}
    query = f"SELECT year, count(*) FROM read_parquet('{written}/facts/**/*.parquet', hive_partitioning = true) GROUP BY 1"
    assert dict(duckdb.sql(query).fetchall()) == {2018: 6, None: 1}


def test_a_year_of_many_rows_has_several_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tabular, "BATCH_ROWS", 1)
    monkeypatch.setattr(tabular, "PART_BYTES", 1)
    monkeypatch.setattr(tabular, "FILE_ROWS", 4)
    write(tmp_path, [report("a"), report("b")])
    assert [file.name for file in sorted((tmp_path / "facts" / "year=2018").iterdir())] == [
        "part-00000.parquet", "part-00001.parquet",
    ]  # fmt: skip


def test_children_join_documents(written: Path) -> None:
    with duckdb.connect(written / "gongkai.duckdb", read_only=True) as connection:
        query = (
            "SELECT title, sum(value) FROM facts JOIN documents USING (document_id) GROUP BY title ORDER BY 2"
        )
        assert connection.execute(query).fetchall()[-1] == ("某市2018年政府信息公开工作年度报告", 5000.0)


def test_no_column_is_a_reserved_word() -> None:
    query = "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category = 'reserved'"
    reserved = {row[0] for row in duckdb.sql(query).fetchall()}
    for schema in tabular.SCHEMAS.values():
        assert not reserved & set(schema.names)


def test_empty_run_has_typed_tables(tmp_path: Path) -> None:
    write(tmp_path, [])
    for table in TABLES:
        (file,) = (tmp_path / table).rglob("*.parquet")
        assert pq.read_schema(file) == tabular.SCHEMAS[table]
    with duckdb.connect(tmp_path / "gongkai.duckdb", read_only=True) as connection:
        for table in (*TABLES, "fact_documents", "findings_by_issuer", "panel"):
            assert connection.execute(f"FROM {table}").fetchall() == []


def test_a_date_off_the_calendar_is_null() -> None:
    record = msgspec.structs.replace(report(), meta=Meta(published="2018-02-30"))
    assert tabular.table_rows(record)["documents"][0]["published"] is None


def test_a_number_too_large_for_its_column_fails_its_record_only(tmp_path: Path) -> None:
    entity = msgspec.structs.replace(report().entities[4])
    huge = msgspec.structs.replace(entity.norm, serial=10**30)  # type: ignore[type-var]
    bad = msgspec.structs.replace(report("bad"), entities=(msgspec.structs.replace(entity, norm=huge),))
    with Chunk(tmp_path / "chunk", list(Format)) as chunk:
        with pytest.raises((pa.ArrowInvalid, OverflowError)):
            chunk.add(bad)
        chunk.add(report("good"))
    merge([tmp_path / "chunk"], list(Format), tmp_path)
    assert [row["document_id"] for row in rows(tmp_path, "documents")] == ["good"]
    assert (tmp_path / "documents.jsonl").read_bytes().count(b"\n") == 1


def csv_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_csv_has_document_and_surface(written: Path) -> None:
    assert (written / "facts.csv").read_bytes().startswith(b"\xef\xbb\xbfdocument_id,title,issuer,year,")
    first = csv_rows(written / "facts.csv")[0]
    assert (first["document_id"], first["issuer"], first["year"]) == ("a", "某市人民政府办公室", "2018")
    assert (first["text"], first["value"], first["period_start"]) == ("1,200条", "1200.0", "2018-01-01")
    (finding, _) = csv_rows(written / "findings.csv")
    assert finding["texts"] == "1,200条 | 700条 | 600条"
    assert finding["message"] == "合计印作1200条，各项相加为1300条。"
    assert re.fullmatch(r"\d+ \| \d+ \| \d+", finding["start_offsets"])


NASTY = 'a,b"c"\r\nd\ne;f\t=1+1 “甲”,\r'


def test_csv_round_trip_of_quotes_commas_and_line_breaks(tmp_path: Path) -> None:
    fact = Fact(id="F1", metric=NASTY, value=0.1 + 0.2, unit="条", start=0, end=len(NASTY))
    finding = Finding(
        check="share", severity="notice", message=NASTY, reported=1.5, expected=1e-9, evidence=("F1",),
        spans=((0, len(NASTY)),),
    )  # fmt: skip
    record = msgspec.structs.replace(marked(NASTY), facts=(fact,), findings=(finding,))
    write(tmp_path, [record, record])
    for row in csv_rows(tmp_path / "facts.csv"):
        assert (row["title"], row["metric"], row["text"], float(row["value"])) == (
            NASTY,
            NASTY,
            NASTY,
            0.1 + 0.2,
        )
    for row in csv_rows(tmp_path / "findings.csv"):
        assert (row["message"], row["texts"], float(row["expected"])) == (NASTY, NASTY, 1e-9)
    assert len(csv_rows(tmp_path / "facts.csv")) == 2


def test_every_kind_of_norm_has_columns() -> None:
    """A field added to a norm must find its column here too."""
    entities = tabular.table_rows(report())["entities"]
    assert {key for row in entities for key in row} <= set(tabular.SCHEMAS["entities"].names)
    assert set(CountNorm.__struct_fields__) <= set(tabular.SCHEMAS["entities"].names)
