"""Reports side by side: views over all tables of a run, named queries, checks across reports, one summary.

A run's folder is read through DuckDB (`tables.open_archive`); what is written here beside its tables:
"""

from __future__ import annotations

from enum import StrEnum

from gongkai.export import DERIVED

FINDINGS, CITATIONS, GRAPH = DERIVED


class ResultFormat(StrEnum):
    """What the rows of a query can be written as."""

    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"
