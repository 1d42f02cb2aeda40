# mypy: disable-error-code="no-untyped-call"
"""The tables of a run's folder, opened side by side through DuckDB."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa

from gongkai.archive import CITATIONS, FINDINGS
from gongkai.errors import BrokenArchive
from gongkai.export import TABLES
from gongkai.export.tabular import SCHEMAS
from gongkai.views.creating import create_views

_BY_YEAR = "year=*/*.parquet"

_SPAN = pa.struct(
    [
        ("document_id", pa.string()),
        ("section_id", pa.string()),
        ("start_offset", pa.int64()),
        ("end_offset", pa.int64()),
    ]
)

FINDINGS_SCHEMA = pa.schema(
    [
        pa.field("document_id", pa.string(), nullable=False),
        ("check_name", pa.string()),
        ("rule", pa.string()),
        ("severity", pa.string()),
        ("message", pa.string()),
        ("issuer", pa.string()),
        ("year", pa.int32()),
        ("metric_id", pa.string()),
        ("docno", pa.string()),
        ("reported", pa.float64()),
        ("expected", pa.float64()),
        ("evidence", pa.list_(pa.string())),
        ("spans", pa.list_(_SPAN)),
        ("texts", pa.list_(pa.string())),
    ]
)
"""Findings of the archive, as those of one document (`gongkai.export.tabular`), but each span names its document.

`document_id` is the later report's, in which the doubtful number stands; it comes first in `spans`. `evidence`
are ids of facts, or of entities for titles.
"""

CITATIONS_SCHEMA = pa.schema(
    [
        pa.field("document_id", pa.string(), nullable=False),
        ("cited", pa.string()),
        ("docno", pa.string()),
        ("title", pa.string()),
        ("cited_document_id", pa.string()),
        ("mentions", pa.int64()),
        ("section_id", pa.string()),
        ("start_offset", pa.int64()),
        ("end_offset", pa.int64()),
        ("text", pa.string()),
    ]
)
"""Edges of the citation graph: a citing document, what it cites, and its first mention of it.

`cited` is the canonical number, else the title's one spelling; `cited_document_id` is null for a document that
is not in the archive.
"""

_DERIVED = {"archive_findings": (FINDINGS, FINDINGS_SCHEMA), "citations": (CITATIONS, CITATIONS_SCHEMA)}


@contextmanager
def open_archive(out: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The tables of a run's folder and the views on them (`gongkai.views`), for as long as the block runs.

    Nothing but files under `out` can be read through the connection, and its settings are locked. The tables
    `archive_findings` and `citations` are empty until `gongkai check` has written them; `metrics` is the ontology.

    Args:
        out: Folder with `<table>/year=YYYY/*.parquet` for each table.

    Raises:
        BrokenArchive: The folder has no documents as Parquet, or a table's columns are not as they should be.
    """
    # What does not fit into memory goes to the system's folder for such files; DuckDB's own choice is `./.tmp`.
    with (
        TemporaryDirectory(prefix="gongkai-", ignore_cleanup_errors=True) as spill,
        duckdb.connect(config={"temp_directory": spill}) as connection,
        _as_broken(out),
    ):
        _prepare(connection, out)
        yield connection


def _table_files(out: Path, table: str) -> str | None:
    """Pattern of a table's Parquet files; None where there are none."""
    if next((out / table).glob(_BY_YEAR), None) is None:
        return None
    return str(Path(escape(str(out))) / table / _BY_YEAR)


def _prepare(connection: duckdb.DuckDBPyConnection, out: Path) -> None:
    if _table_files(out, "documents") is None:
        raise BrokenArchive(
            str(out), "It holds no table of documents.", "Run gongkai extract … --format parquet first."
        )
    for table in TABLES:
        _view(connection, table, _table_files(out, table), SCHEMAS[table])
    for table, (name, schema) in _DERIVED.items():
        file = out / name
        _view(connection, table, escape(str(file)) if file.is_file() else None, schema)
    create_views(connection)
    connection.execute("SET enable_progress_bar = false")
    # Patterns are held against it as they stand.
    connection.execute("SET allowed_directories = ?", [[str(out), escape(str(out))]])
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _view(connection: duckdb.DuckDBPyConnection, table: str, files: str | None, schema: pa.Schema) -> None:
    """The table's columns; `year` of a partitioned table stands in the names of its folders."""
    if files is None:
        connection.register("nothing", schema.empty_table())
        connection.execute(f"CREATE TABLE {table} AS FROM nothing")
        connection.unregister("nothing")
        return
    columns = ", ".join(f'"{name}"' for name in schema.names)
    partitioned = files.endswith(_BY_YEAR)
    options = ", hive_partitioning = true, hive_types = {'year': INTEGER}" if partitioned else ""
    connection.execute(
        f"CREATE VIEW {table} AS SELECT {columns} FROM read_parquet({_literal(files)}{options})"
    )


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@contextmanager
def _as_broken(out: Path) -> Iterator[None]:
    try:
        yield
    except (duckdb.Error, pa.ArrowException) as error:
        problem = str(error).splitlines()[0].rstrip(".")
        raise BrokenArchive(
            str(out), f"{problem}.", "Run gongkai extract … --format parquet again."
        ) from error
