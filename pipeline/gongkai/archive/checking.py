# mypy: disable-error-code="no-untyped-call"
"""Checks across reports: what the reports of an archive say against each other, and what they cite.

SQL finds (`checks/*.sql`, each a fixed number of joins and sorts over the archive); here it is put into words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from gongkai.archive import CITATIONS, FINDINGS, GRAPH
from gongkai.archive.graph import write_graph
from gongkai.archive.tables import CITATIONS_SCHEMA, FINDINGS_SCHEMA, open_archive
from gongkai.archive.writing import replacing
from gongkai.checks.message import quantity
from gongkai.views.settings import Balance, Restated, Titles, load_settings
from gongkai.views.statements import statements

Row = dict[str, Any]

CHECKS = ("balances", "restated", "titles")
_BATCH = 10_000


@dataclass(slots=True)
class CheckSummary:
    """What a check of an archive found.

    Attributes:
        reports: Annual reports.
        compared: Issuers whose reports are compared.
        left_out: Annual reports that are not compared, because it is not clear whose they are.
        findings: By rule and severity.
        citations: Edges of the citation graph; `within`: those to documents of the archive.
    """

    reports: int = 0
    compared: int = 0
    left_out: int = 0
    findings: Counter[tuple[str, str]] = field(default_factory=Counter)
    citations: int = 0
    within: int = 0


def check_archive(out: Path, *, force: bool = False) -> CheckSummary:
    """Compare the reports in a run's folder; writes the findings, the citations and the citation graph into it.

    Args:
        force: Whether files of an earlier check may be replaced.

    Raises:
        BrokenArchive: The folder holds no tables of a run.
        OutputError: The files exist and `force` is not given, or they cannot be written.
    """
    names = (GRAPH, CITATIONS, FINDINGS)  # the findings last: where they are, the folder was checked
    with (
        open_archive(out) as archive,
        replacing(*(out / name for name in names), force=force) as (graph, citations, findings),
    ):
        summary = CheckSummary()
        _materialise(archive)
        _count_reports(archive, summary)
        _write(findings, FINDINGS_SCHEMA, _counted(archive_findings(archive), summary))
        _write_citations(archive, citations, summary)
        write_graph(archive, graph)
    return summary


def archive_findings(archive: duckdb.DuckDBPyConnection) -> Iterator[Row]:
    """The findings as rows of `FINDINGS_SCHEMA`, check by check, by issuer and year."""
    wording = _wording()
    for check in CHECKS:
        for row in _rows(archive.sql(statements("archive/checks")[check].sql)):
            yield _finding(row, wording[row["rule"]])


def _materialise(archive: duckdb.DuckDBPyConnection) -> None:
    """What several checks read, once: the panel, all values of its issuers, all mentions, the balances' terms."""
    archive.execute("CREATE TEMP TABLE stated_once AS FROM stated_values")
    archive.execute("CREATE TEMP TABLE compared AS FROM panel")
    archive.execute(
        "CREATE TEMP TABLE stated AS FROM stated_once WHERE issuer_key IN (SELECT DISTINCT issuer FROM compared)"
    )
    archive.execute("CREATE TEMP TABLE mentions AS FROM citation_mentions")
    archive.execute(
        "CREATE TEMP TABLE balance_terms (rule VARCHAR, place INTEGER, sign INTEGER, metric_id VARCHAR)"
    )
    archive.executemany("INSERT INTO balance_terms VALUES (?, ?, ?, ?)", list(_terms()))


def _terms() -> Iterator[tuple[str, int, int, str]]:
    for balance in load_settings().balances:
        signed = [(1, metric) for metric in balance.plus] + [(-1, metric) for metric in balance.minus]
        for place, (sign, metric) in enumerate([*signed, (0, balance.last)]):
            yield balance.name, place, sign, metric


def _count_reports(archive: duckdb.DuckDBPyConnection, summary: CheckSummary) -> None:
    ((summary.reports, summary.compared, summary.left_out),) = archive.sql(
        """
        SELECT count(*), count(DISTINCT issuer_key) FILTER (clear), count(*) FILTER (NOT clear)
        FROM (
            SELECT issuer_key, issuer_key IS NOT NULL AND issuer_key NOT IN (FROM ambiguous_issuers) AS clear
            FROM reports
        )
        """
    ).fetchall()


def _counted(findings: Iterator[Row], summary: CheckSummary) -> Iterator[Row]:
    for finding in findings:
        summary.findings[finding["rule"], finding["severity"]] += 1
        yield finding


def _write(file: Path, schema: pa.Schema, rows: Iterator[Row]) -> None:
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        while batch := list(islice(rows, _BATCH)):
            writer.write_table(pa.Table.from_pylist(batch, schema=schema))


def _write_citations(archive: duckdb.DuckDBPyConnection, file: Path, summary: CheckSummary) -> None:
    archive.execute(
        f"CREATE TEMP TABLE edges AS {_without_semicolon(statements('archive/checks')['citations'].sql)}"
    )
    with pq.ParquetWriter(file, CITATIONS_SCHEMA, compression="zstd") as writer:
        reader = archive.sql("FROM edges ORDER BY document_id, start_offset, cited").to_arrow_reader(_BATCH)
        for batch in reader:
            writer.write_table(pa.Table.from_batches([batch]).cast(CITATIONS_SCHEMA))
    ((summary.citations, summary.within),) = archive.sql(
        "SELECT count(*), count(cited_document_id) FROM edges"
    ).fetchall()


def _without_semicolon(sql: str) -> str:
    return sql.rstrip().removesuffix(";")


def _rows(result: duckdb.DuckDBPyRelation) -> Iterator[Row]:
    for batch in result.to_arrow_reader(_BATCH):
        yield from batch.to_pylist()


def _wording() -> Mapping[str, Balance | Restated | Titles]:
    settings = load_settings()
    balances = {balance.name: balance for balance in settings.balances}
    return {**balances, "restated": settings.restated, "titles": settings.titles}


def _finding(row: Row, wording: Balance | Restated | Titles) -> Row:
    facts = row.pop("facts")
    return {
        **{name: row.get(name) for name in ("rule", "issuer", "year", "metric_id", "docno")},
        "document_id": facts[0]["document_id"],
        "check_name": row["rule"].partition(".")[0],
        "severity": wording.severity,
        "message": wording.template.format(**_fields(row, facts)),
        "reported": row.get("reported"),
        "expected": row.get("expected"),
        "evidence": [fact["fact_id"] for fact in facts],
        "spans": [
            {name: fact[name] for name in ("document_id", "section_id", "start_offset", "end_offset")}
            for fact in facts
        ],
        "texts": [fact["text"] for fact in facts],
    }


def _fields(row: Row, facts: list[Row]) -> Row:
    """What a template may name."""
    if row["rule"] == "titles":
        return row
    unit = "%" if row["unit"] == "%" else None
    scale = 100 if unit else 1
    return row | {
        "last_year": row["year"] - 1,
        "printed": _printed(facts[0]),
        "last_printed": _printed(facts[-1]),
        "computed": quantity(row["reported"] * scale, unit),
        "difference": quantity(abs(row["reported"] - row["expected"]) * scale, unit),
    }


def _printed(fact: Row) -> str:
    return "".join(fact["text"].split())
