"""The results of a run from the chunks of its shards, in their order; memory does not grow with their number."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable, Sequence
from contextlib import closing
from pathlib import Path

from gongkai.export import TABLES, Format


def merge(chunks: Sequence[Path], formats: Collection[Format], folder: Path) -> None:
    """Write what the formats ask for into a folder.

    Raises:
        OSError: The disk is full, or a file cannot be read or written.
    """
    if Format.JSONL in formats:
        concatenate((chunk / "documents.jsonl" for chunk in chunks), folder / "documents.jsonl")
    if Format.CSV in formats:
        for name in ("facts.csv", "findings.csv"):
            concatenate((chunk / name for chunk in chunks), folder / name, header=True)
    if Format.PARQUET in formats:
        _parquet(chunks, folder)
    if Format.DUCKDB in formats:
        _duckdb(chunks, folder)


def concatenate(files: Iterable[Path], target: Path, *, header: bool = False) -> None:
    """One file of many; of those after the first, the first line is left out if it is a header."""
    with target.open("wb") as out:
        for number, path in enumerate(files):
            with path.open("rb") as file:
                if header and number:
                    file.readline()
                shutil.copyfileobj(file, out, 1024 * 1024)


def _parquet(chunks: Sequence[Path], folder: Path) -> None:
    from gongkai.export.tabular import ParquetTable, read_chunk

    for table in TABLES:
        with closing(ParquetTable(folder, table)) as sink:
            for chunk in chunks:
                for batch in read_chunk(chunk, table):
                    sink.append(batch)


def _duckdb(chunks: Sequence[Path], folder: Path) -> None:
    from gongkai.export.tabular import DuckDBFile

    with closing(DuckDBFile(folder)) as sink:
        for chunk in chunks:
            sink.append(chunk)
        sink.finish()
