# mypy: disable-error-code="no-untyped-call, call-overload"
"""The views in a database that holds the six tables."""

from __future__ import annotations

from collections.abc import Callable

import duckdb
import pyarrow as pa

from gongkai.normalise.metrics import load_ontology
from gongkai.views.identity import docno_key, issuer_key, title_key
from gongkai.views.settings import load_settings
from gongkai.views.statements import statements

_KEYS = {"issuer_key": issuer_key, "title_key": title_key, "docno_key": docno_key}
_COMPUTED = ("issuers", "document_keys", "title_keys")
"""Views that call Python."""


def create_views(connection: duckdb.DuckDBPyConnection, *, stored: bool = False) -> None:
    """Create the views, and what they read beside the tables: `metrics`, the ontology, and the macro `sure`.

    Args:
        stored: Compute the spelling of names now and keep it in tables, so that the file needs no Python to be read.
    """
    connection.register("ontology", _ontology())
    connection.execute("CREATE TABLE metrics AS FROM ontology")
    connection.unregister("ontology")
    connection.execute(f"CREATE MACRO sure() AS {load_settings().sure}")
    for name, key in _KEYS.items():
        # Special: a key of a name can be null.
        connection.create_function(name, _or_null(key), ["VARCHAR"], "VARCHAR", null_handling="special")
    for statement in statements("views/sql").values():
        connection.execute(statement.sql)
    for name in _COMPUTED if stored else ():
        connection.execute(f"CREATE TABLE stored AS FROM {name}")
        connection.execute(f"DROP VIEW {name}")
        connection.execute(f"ALTER TABLE stored RENAME TO {name}")


def _ontology() -> pa.Table:
    rows = [
        {"metric_id": metric.id, "label": metric.label, "kind": metric.kind, "parent": metric.parent}
        for metric in load_ontology().metrics
    ]
    fields = [(name, pa.string()) for name in ("metric_id", "label", "kind", "parent")]
    return pa.Table.from_pylist(rows, schema=pa.schema(fields))


def _or_null(key: Callable[[str], str | None]) -> Callable[[str | None], str | None]:
    return lambda name: None if name is None else key(name)
