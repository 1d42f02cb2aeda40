# mypy: disable-error-code="no-untyped-call"
"""Queries over an archive: one SELECT, or a named query (`queries/*.sql`), as a table or written to a file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from gongkai.archive import ResultFormat
from gongkai.archive.writing import replacing
from gongkai.errors import BadQuery
from gongkai.views.statements import Statement, statements

_BATCH = 10_000
_READING = {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN}


def ask(
    archive: duckdb.DuckDBPyConnection, question: str, values: Mapping[str, str] | None = None
) -> pa.RecordBatchReader:
    """The rows that answer a question.

    Args:
        question: The name of a named query, or one SELECT over the tables and views.
        values: A named query's parameters.

    Raises:
        BadQuery: It is no single SELECT, does not run, or a parameter is missing or unknown.
    """
    named = statements("archive/queries").get(question.strip())
    given: dict[str, Any] = _bound(named, values or {}) if named else dict(values or {})
    with answering(question):
        sql = named.sql if named else question
        parsed = archive.extract_statements(sql)
        if len(parsed) != 1 or parsed[0].type not in _READING:
            raise BadQuery(
                _short(question), "It is not one SELECT.", "Ask one question; nothing is changed here."
            )
        _refuse(question, parsed[0].named_parameters ^ given.keys())
        return archive.sql(sql, params=given or None).to_arrow_reader(_BATCH)


def rows(reader: pa.RecordBatchReader) -> Iterator[dict[str, Any]]:
    """The rows of an answer, as they are read."""
    for batch in reader:
        yield from batch.to_pylist()


def write_answer(reader: pa.RecordBatchReader, out: Path, form: ResultFormat, *, force: bool = False) -> int:
    """Write the rows of an answer to a file, in bounded memory; how many there were.

    Raises:
        OutputError: The file exists and `force` is not given, or it cannot be written.
        BadQuery: The query fails on a row.
    """
    with replacing(out, force=force) as (partial,):
        if form is ResultFormat.PARQUET:
            with partial.open("wb") as binary:
                return write_parquet(reader, binary)
        encoding = "utf-8-sig" if form is ResultFormat.CSV else "utf-8"
        with partial.open("w", encoding=encoding, newline="") as file:
            return write_text(reader, file, form)


def write_parquet(reader: pa.RecordBatchReader, file: IO[bytes]) -> int:
    """Write the rows as Parquet; how many there were."""
    number = 0
    with pq.ParquetWriter(file, reader.schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch)
            number += batch.num_rows
    return number


def write_text(reader: pa.RecordBatchReader, file: IO[str], form: ResultFormat) -> int:
    """Write the rows as CSV (lists as JSON in their cell) or as a JSON array, one row a line; how many."""
    number = 0
    if form is ResultFormat.CSV:
        csv.writer(file, lineterminator="\n").writerow(reader.schema.names)
    else:
        file.write("[")
    for number, row in enumerate(rows(reader), start=1):
        if form is ResultFormat.CSV:
            file.write(_csv_line(row))
        else:
            file.write(",\n" if number > 1 else "\n")
            file.write(json.dumps(row, ensure_ascii=False, default=_plain))
    if form is ResultFormat.JSON:
        file.write("\n]\n")
    return number


def _csv_line(row: Mapping[str, Any]) -> str:
    line = io.StringIO(newline="")
    cells = [
        json.dumps(cell, ensure_ascii=False, default=_plain) if isinstance(cell, list | dict) else cell
        for cell in row.values()
    ]
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()


def _plain(value: object) -> str | float:
    """What JSON has no form for: dates in ISO's, decimals as numbers, the rest in words."""
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else str(value)


def _bound(query: Statement, values: Mapping[str, str]) -> dict[str, str | None]:
    """A value for every parameter, None where it has no default."""
    known = {parameter.name: parameter for parameter in query.parameters}
    for name, parameter in known.items():
        if parameter.required and name not in values:
            raise BadQuery(query.name, f"It needs {name}: {parameter.meaning}.", f"Add --param {name}=….")
    if unknown := sorted(values.keys() - known.keys()):
        names = ", ".join(known) or "none"
        raise BadQuery(query.name, f"It has no parameter {unknown[0]}.", f"It has: {names}.")
    return {name: values.get(name, parameter.default) for name, parameter in known.items()}


def _refuse(question: str, odd: set[str]) -> None:
    if odd:
        raise BadQuery(
            _short(question), f"Parameter {sorted(odd)[0]} is missing or unknown.", "Give --param name=value."
        )


@contextmanager
def answering(question: str) -> Iterator[None]:
    """Within the block, what DuckDB says of a query is a `BadQuery`."""
    try:
        yield
    except (duckdb.Error, pa.ArrowException) as error:
        problem = " ".join(str(error).split("\n\n")[0].split()).rstrip(".")
        raise BadQuery(
            _short(question), f"{problem}.", "See gongkai query OUT --list for what there is."
        ) from error


def _short(question: str) -> str:
    line = " ".join(question.split())
    return line if len(line) <= 60 else f"{line[:59]}…"
