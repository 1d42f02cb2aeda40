# mypy: disable-error-code="attr-defined, name-defined, no-untyped-call"
"""Records as tables: Parquet, DuckDB and CSV.

Six tables, joined on `document_id`. Offsets are called `start_offset` and `end_offset`, because `end` is
reserved in SQL; otherwise columns are named as in the record. A norm is flattened: quantities and shares to
`value` … `decimals`, the rest to columns with their label's name in front.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gongkai.export import TABLES
from gongkai.types import (
    CountNorm,
    DocnoNorm,
    Entity,
    Fact,
    Finding,
    MetricNorm,
    Norm,
    OrgNorm,
    PercentNorm,
    PeriodNorm,
    PolicyNorm,
    Record,
)
from gongkai.views.creating import create_views

Row = dict[str, Any]

BATCH_ROWS = 50_000
BATCH_BYTES = 8 * 2**20
"""Rows are written when so many, of all tables together, or so many bytes of them have gathered."""

_OFFSETS = [("start_offset", pa.int64()), ("end_offset", pa.int64())]
_SIGNED = [("score", pa.float64()), ("by", pa.string())]
_SPAN = pa.struct(_OFFSETS)

SCHEMAS: dict[str, pa.Schema] = {
    "documents": pa.schema(
        [
            pa.field("document_id", pa.string(), nullable=False),
            ("path", pa.string()),
            ("member", pa.string()),
            ("sha256", pa.string()),
            ("media_type", pa.string()),
            ("encoding", pa.string()),
            ("url", pa.string()),
            ("title", pa.string()),
            ("issuer", pa.string()),
            ("year", pa.int32()),
            ("doc_type", pa.string()),
            ("published", pa.date32()),
            ("index_number", pa.string()),
            ("docno", pa.string()),
            ("script", pa.string()),
            ("characters", pa.int64()),
            ("text", pa.string()),
            ("schema_version", pa.int32()),
        ]
    ),
    "sections": pa.schema(
        [
            pa.field("document_id", pa.string(), nullable=False),
            ("section_id", pa.string()),
            ("level", pa.int32()),
            ("number", pa.string()),
            ("title", pa.string()),
            ("parent", pa.string()),
            *_OFFSETS,
        ]
    ),
    "entities": pa.schema(
        [
            pa.field("document_id", pa.string(), nullable=False),
            ("entity_id", pa.string()),
            ("label", pa.string()),
            *_OFFSETS,
            ("text", pa.string()),
            *_SIGNED,
            ("value", pa.float64()),
            ("value_max", pa.float64()),
            ("qualifier", pa.string()),
            ("unit", pa.string()),
            ("direction", pa.string()),
            ("decimals", pa.int32()),
            ("docno_canonical", pa.string()),
            ("docno_code", pa.string()),
            ("docno_issuer", pa.string()),
            ("docno_year", pa.int32()),
            ("docno_serial", pa.int64()),
            ("docno_repaired", pa.bool_()),
            ("period_start", pa.date32()),
            ("period_end", pa.date32()),
            ("policy_name", pa.string()),
            ("policy_kind", pa.string()),
            ("org_name", pa.string()),
            ("metric_id", pa.string()),
            ("metric_score", pa.float64()),
        ]
    ),
    "relations": pa.schema(
        [
            pa.field("document_id", pa.string(), nullable=False),
            ("label", pa.string()),
            ("head", pa.string()),
            ("tail", pa.string()),
            *_SIGNED,
        ]
    ),
    "facts": pa.schema(
        [
            pa.field("document_id", pa.string(), nullable=False),
            ("fact_id", pa.string()),
            ("metric", pa.string()),
            ("metric_id", pa.string()),
            ("value", pa.float64()),
            ("value_max", pa.float64()),
            ("qualifier", pa.string()),
            ("unit", pa.string()),
            ("decimals", pa.int32()),
            ("period_start", pa.date32()),
            ("period_end", pa.date32()),
            ("direction", pa.string()),
            ("compared_with", pa.string()),
            ("part_of", pa.string()),
            ("share_of", pa.string()),
            ("category", pa.string()),
            ("section_id", pa.string()),
            ("sentence_index", pa.int32()),
            ("table_id", pa.string()),
            *_OFFSETS,
            ("text", pa.string()),
            ("evidence", pa.list_(pa.string())),
            *_SIGNED,
        ]
    ),
    "findings": pa.schema(
        [
            pa.field("document_id", pa.string(), nullable=False),
            ("check_name", pa.string()),
            ("severity", pa.string()),
            ("message", pa.string()),
            ("reported", pa.float64()),
            ("expected", pa.float64()),
            ("evidence", pa.list_(pa.string())),
            ("spans", pa.list_(_SPAN)),
            ("texts", pa.list_(pa.string())),
        ]
    ),
}
"""The typed columns of the six tables."""


def table_rows(record: Record) -> dict[str, list[Row]]:
    """A record as rows of the six tables; columns that a row leaves out are null.

    A date that is not one of the calendar (2018-02-30) is null here; documents.jsonl keeps it as it is.
    """
    return {
        "documents": [_document(record)],
        "sections": [
            {
                "document_id": record.id,
                "section_id": section.id,
                "level": section.level,
                "number": section.number,
                "title": section.title,
                "parent": section.parent,
                "start_offset": section.start,
                "end_offset": section.end,
            }
            for section in record.sections
        ],
        "entities": [_entity(record, entity) for entity in record.entities],
        "relations": [
            {
                "document_id": record.id,
                "label": relation.label,
                "head": relation.head,
                "tail": relation.tail,
                "score": relation.score,
                "by": relation.by,
            }
            for relation in record.relations
        ],
        "facts": [_fact(record, fact) for fact in record.facts],
        "findings": [_finding(record, finding) for finding in record.findings],
    }


def _document(record: Record) -> Row:
    source, meta = record.source, record.meta
    return {
        "document_id": record.id,
        "path": source.path,
        "member": source.member,
        "sha256": source.sha256,
        "media_type": source.media_type,
        "encoding": source.encoding,
        "url": source.url,
        "title": meta.title,
        "issuer": meta.issuer,
        "year": meta.year,
        "doc_type": meta.doc_type,
        "published": _date(meta.published),
        "index_number": meta.index_number,
        "docno": meta.docno,
        "script": meta.script,
        "characters": len(record.text),
        "text": record.text,
        "schema_version": record.schema,
    }


def _entity(record: Record, entity: Entity) -> Row:
    return {
        "document_id": record.id,
        "entity_id": entity.id,
        "label": entity.label,
        "start_offset": entity.start,
        "end_offset": entity.end,
        "text": entity.text,
        "score": entity.score,
        "by": entity.by,
        **_norm(entity.norm),
    }


def _norm(norm: Norm | None) -> Row:
    match norm:
        case None:
            return {}
        case CountNorm():
            return {
                "value": norm.value,
                "value_max": norm.value_max,
                "qualifier": norm.qualifier,
                "unit": norm.unit,
            }
        case PercentNorm():
            return {
                "value": norm.value,
                "value_max": norm.value_max,
                "qualifier": norm.qualifier,
                "direction": norm.direction,
                "decimals": norm.decimals,
            }
        case DocnoNorm():
            return {
                "docno_canonical": norm.canonical,
                "docno_code": norm.code,
                "docno_issuer": norm.issuer,
                "docno_year": norm.year,
                "docno_serial": norm.serial,
                "docno_repaired": norm.repaired,
            }
        case PeriodNorm():
            return _period(norm)
        case PolicyNorm():
            return {"policy_name": norm.name, "policy_kind": norm.kind}
        case OrgNorm():
            return {"org_name": norm.name}
        case MetricNorm():
            return {"metric_id": norm.metric_id, "metric_score": norm.score}


def _period(period: PeriodNorm | None) -> Row:
    if period is None:
        return {}
    return {"period_start": _date(period.start), "period_end": _date(period.end)}


def _fact(record: Record, fact: Fact) -> Row:
    return {
        "document_id": record.id,
        "fact_id": fact.id,
        "metric": fact.metric,
        "metric_id": fact.metric_id,
        "value": fact.value,
        "value_max": fact.value_max,
        "qualifier": fact.qualifier,
        "unit": fact.unit,
        "decimals": fact.decimals,
        **_period(fact.period),
        "direction": fact.direction,
        "compared_with": fact.compared_with,
        "part_of": fact.part_of,
        "share_of": fact.share_of,
        "category": fact.category,
        "section_id": fact.section,
        "sentence_index": fact.sentence,
        "table_id": fact.table,
        "start_offset": fact.start,
        "end_offset": fact.end,
        "text": record.text[fact.start : fact.end],
        "evidence": fact.evidence,
        "score": fact.score,
        "by": fact.by,
    }


def _finding(record: Record, finding: Finding) -> Row:
    return {
        "document_id": record.id,
        "check_name": finding.check,
        "severity": finding.severity,
        "message": finding.message,
        "reported": finding.reported,
        "expected": finding.expected,
        "evidence": finding.evidence,
        "spans": [{"start_offset": start, "end_offset": end} for start, end in finding.spans],
        "texts": [record.text[start:end] for start, end in finding.spans],
    }


def _date(value: str | None) -> date | None:
    try:
        return date.fromisoformat(value) if value else None
    except ValueError:
        return None


YEAR = "report_year"
"""Column that the tables of a chunk carry beyond their own: the year of the row's document, by which Parquet is
partitioned."""


class TableWriter:
    """The six tables of a chunk as streams of Arrow batches, `facts.arrow` …, zstd-compressed."""

    def __init__(self, folder: Path) -> None:
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        self._files = {
            table: pa.ipc.new_stream(str(chunk_table(folder, table)), _with_year(table), options=options)
            for table in TABLES
        }
        self._pending: dict[str, list[pa.Table]] = {table: [] for table in TABLES}
        self._rows = 0
        self._bytes = 0

    def encode(self, record: Record) -> dict[str, pa.Table]:
        return {
            table: pa.Table.from_pylist(
                [row | {YEAR: record.meta.year} for row in rows], schema=_with_year(table)
            )
            for table, rows in table_rows(record).items()
            if rows
        }

    def write(self, encoded: dict[str, pa.Table]) -> None:
        for table, rows in encoded.items():
            self._pending[table].append(rows)
            self._rows += rows.num_rows
            self._bytes += rows.nbytes
        if self._rows >= BATCH_ROWS or self._bytes >= BATCH_BYTES:
            self._flush()

    def close(self) -> None:
        try:
            self._flush()
        finally:
            for file in self._files.values():
                file.close()

    def _flush(self) -> None:
        for table, pending in self._pending.items():
            if pending:
                self._files[table].write_table(pa.concat_tables(pending).combine_chunks())
                pending.clear()
        self._rows = self._bytes = 0


def chunk_table(folder: Path, table: str) -> Path:
    """File of a table in a chunk."""
    return folder / f"{table}.arrow"


def read_chunk(folder: Path, table: str) -> Iterator[pa.Table]:
    """The batches of a table of a chunk, one in memory at a time."""
    with pa.OSFile(str(chunk_table(folder, table))) as file, pa.ipc.open_stream(file) as stream:
        for batch in stream:
            yield pa.Table.from_batches([batch])


def _with_year(table: str) -> pa.Schema:
    return SCHEMAS[table].append(pa.field(YEAR, pa.int32()))


PART_BYTES = 4 * 2**20
"""Bytes of a year's rows that are gathered before they become a row group."""
FILE_ROWS = 5_000_000
"""Rows of a Parquet file; more of a year go into the next."""


class ParquetTable:
    """A table partitioned by the year of its documents: `facts/year=2019/part-00000.parquet`, zstd.

    Documents without a year are in the partition `__HIVE_DEFAULT_PARTITION__`, which readers take for null. A
    table without rows has one file, empty, with its typed columns.
    """

    def __init__(self, folder: Path, table: str) -> None:
        self._folder = folder / table
        self._schema = SCHEMAS[table]
        self._pending: dict[int | None, list[pa.Table]] = {}
        self._bytes: Counter[int | None] = Counter()
        self._files: dict[int | None, pq.ParquetWriter] = {}
        self._rows: Counter[int | None] = Counter()

    def append(self, batch: pa.Table) -> None:
        years = batch.column(YEAR)
        for year in pc.unique(years).to_pylist():
            chosen = pc.is_null(years) if year is None else pc.equal(years, year)
            rows = batch.filter(chosen).drop_columns([YEAR])
            self._pending.setdefault(year, []).append(rows)
            self._bytes[year] += rows.nbytes
            if self._bytes[year] >= PART_BYTES:
                self._flush(year)

    def close(self) -> None:
        for year in list(self._pending) or [None]:
            self._flush(year)
        for file in self._files.values():
            file.close()

    def _flush(self, year: int | None) -> None:
        pending = self._pending.pop(year, []) or [self._schema.empty_table()]
        del self._bytes[year]
        rows = pa.concat_tables(pending).combine_chunks()
        if year in self._files and self._rows[year] % FILE_ROWS + rows.num_rows > FILE_ROWS:
            self._files.pop(year).close()
        if year not in self._files:
            self._files[year] = pq.ParquetWriter(self._next_file(year), self._schema, compression="zstd")
        self._files[year].write_table(rows)
        self._rows[year] += rows.num_rows

    def _next_file(self, year: int | None) -> Path:
        folder = self._folder / f"year={'__HIVE_DEFAULT_PARTITION__' if year is None else year}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"part-{len(list(folder.iterdir())):05}.parquet"


_DUCKDB_MEMORY = 128 * 2**20
_DUCKDB_MEMORY_PER_BYTE = 16
"""DuckDB would fill most of the machine's memory with its cache. It is held to a base and so many times the
largest batch, which writing very long texts needs."""


class DuckDBFile:
    """gongkai.duckdb with the six tables, filled from the same Arrow batches as Parquet, and the views on them."""

    def __init__(self, folder: Path) -> None:
        self._memory = 0
        with _duckdb_errors():
            self._connection = duckdb.connect(folder / "gongkai.duckdb", config={"threads": 1})
            for table, schema in SCHEMAS.items():
                self._insert(f"CREATE TABLE {table} AS SELECT * FROM batch", schema.empty_table())

    def append(self, chunk: Path) -> None:
        """Add the rows of a chunk, in one transaction: each is written out, and waited for."""
        with _duckdb_errors():
            self._connection.begin()
            for table in TABLES:
                for batch in read_chunk(chunk, table):
                    self._insert(f"INSERT INTO {table} SELECT * FROM batch", batch.drop_columns([YEAR]))
            self._connection.commit()

    def finish(self) -> None:
        """Add the views, when all rows are there."""
        with _duckdb_errors():
            create_views(self._connection, stored=True)

    def close(self) -> None:
        with _duckdb_errors():
            self._connection.close()

    def _insert(self, statement: str, batch: pa.Table) -> None:
        self._allow(_DUCKDB_MEMORY + _DUCKDB_MEMORY_PER_BYTE * batch.nbytes)
        self._connection.register("batch", batch)
        self._connection.execute(statement)
        self._connection.unregister("batch")

    def _allow(self, memory: int) -> None:
        if memory > self._memory:
            self._connection.execute(f"SET memory_limit = '{memory // 1000 + 1}KB'")
            self._memory = memory


@contextmanager
def _duckdb_errors() -> Iterator[None]:
    """DuckDB's own error for a full disk or a locked file, as the OSError that the other writers raise."""
    try:
        yield
    except duckdb.Error as error:
        raise OSError(str(error).splitlines()[0]) from error


_FACT_COLUMNS = (
    "document_id", "title", "issuer", "year", "fact_id", "metric", "metric_id", "text", "value", "value_max",
    "qualifier", "unit", "period_start", "period_end", "direction", "compared_with", "part_of", "share_of",
    "category", "section_id", "table_id", "start_offset", "end_offset", "score", "by",
)  # fmt: skip
_FINDING_COLUMNS = (
    "document_id", "title", "issuer", "year", "check_name", "severity", "message", "reported", "expected",
    "evidence", "texts", "start_offsets",
)  # fmt: skip


class CsvWriter:
    """facts.csv and findings.csv for a spreadsheet, each row with its document's title, issuer and year.

    UTF-8 with a byte order mark, without which Excel reads Chinese as mojibake. `text` is exactly what is
    printed in the document, never altered for the spreadsheet's sake. A finding's several evidence ids,
    texts and offsets stand in one cell, parted by ` | `.
    """

    def __init__(self, folder: Path) -> None:
        self._facts = (folder / "facts.csv").open("w", encoding="utf-8-sig", newline="")
        self._findings = (folder / "findings.csv").open("w", encoding="utf-8-sig", newline="")
        csv.writer(self._facts).writerow(_FACT_COLUMNS)
        csv.writer(self._findings).writerow(_FINDING_COLUMNS)

    def encode(self, record: Record) -> tuple[str, str]:
        of_document = {"title": record.meta.title, "issuer": record.meta.issuer, "year": record.meta.year}
        facts = [_fact(record, fact) | of_document for fact in record.facts]
        findings = [_csv_finding(_finding(record, finding)) | of_document for finding in record.findings]
        return _csv(facts, _FACT_COLUMNS), _csv(findings, _FINDING_COLUMNS)

    def write(self, encoded: tuple[str, str]) -> None:
        self._facts.write(encoded[0])
        self._findings.write(encoded[1])

    def close(self) -> None:
        self._facts.close()
        self._findings.close()


def _csv_finding(row: Row) -> Row:
    starts = [str(span["start_offset"]) for span in row["spans"]]
    return row | {
        "evidence": " | ".join(row["evidence"]),
        "texts": " | ".join(row["texts"]),
        "start_offsets": " | ".join(starts),
    }


def _csv(rows: Iterable[Row], columns: Sequence[str]) -> str:
    lines = io.StringIO(newline="")
    csv.DictWriter(lines, columns, extrasaction="ignore").writerows(rows)
    text = lines.getvalue()
    text.encode()  # a lone surrogate is found here, before anything is written
    return text
