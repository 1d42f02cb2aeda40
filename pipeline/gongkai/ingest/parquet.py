"""Parquet: one document a row, of a column `text` or `html`."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from gongkai.errors import IngestError, OversizedInput, UnsupportedInput
from gongkai.ingest.decode import decode
from gongkai.ingest.html import declared_encoding
from gongkai.ingest.limits import MEBIBYTE, Limits
from gongkai.ingest.parts import Leaf, Place
from gongkai.ingest.rows import Row, row_document
from gongkai.ingest.streams import damaged, expanding
from gongkai.types import Document

MEDIA_TYPE = "application/vnd.apache.parquet"
_CONTENT = ("text", "html")
_STRINGS = (*_CONTENT, "url", "title")
_COLUMNS = (*_STRINGS, "id")
_ROWS = 16
_LARGEST_FOOTER = 64 * MEBIBYTE


def row_leaves(file: io.BufferedReader, place: Place, limits: Limits) -> Iterator[Leaf | IngestError]:
    """Rows of a Parquet file, an error in the place of each bad row or row group.

    Columns: `text` or `html` (where both are there, `html` for rows without text), as strings or bytes, and
    `id`, `url`, `title` if there are any. A few rows are in memory at a time.

    Raises:
        DamagedInput: It is truncated, or its footer broken.
        UnsupportedInput: It has neither column.
    """
    try:
        table = _opened(file)
        names = table.schema_arrow.names
        groups: int = table.num_row_groups
    except Exception as error:
        raise error if isinstance(error, IngestError) else damaged(place.where, error) from error
    if not set(names) & set(_CONTENT):
        problem = f"It has no column `text` or `html`, but {', '.join(names) or 'none'}."
        raise UnsupportedInput(place.where, problem, "Name the column that holds the documents so.")
    columns = [name for name in _COLUMNS if name in names]
    first = 1
    for group in range(groups):
        inner = place.at(f"row group {group + 1}")
        try:
            if _expands(table.metadata.row_group(group), limits):
                yield expanding(inner.where, limits)
            else:
                yield from _leaves(table, group, columns, first, place, limits)
        except IngestError as error:
            yield error
        # Arrow raises errors of its own, OSError and more on broken pages.
        except Exception as error:
            yield damaged(inner.where, error)
        first += table.metadata.row_group(group).num_rows


def _opened(file: io.BufferedReader) -> Any:
    """Columns of strings stay encoded by their dictionary: one long string may stand for a million."""
    bounds = {
        "thrift_string_size_limit": _LARGEST_FOOTER,
        "thrift_container_size_limit": _LARGEST_FOOTER // 64,
    }
    plain = pq.ParquetFile(file, **bounds)
    strings = [
        name
        for name, kind in zip(plain.schema_arrow.names, plain.schema_arrow.types, strict=True)
        if name in _CONTENT and (pa.types.is_string(kind) or pa.types.is_binary(kind))
    ]
    return pq.ParquetFile(
        file,
        metadata=plain.metadata,
        read_dictionary=strings,
        pre_buffer=False,
        buffer_size=MEBIBYTE,
        **bounds,
    )


def _expands(group: Any, limits: Limits) -> bool:
    """Whether a column would unpack to more than the limit."""
    for index in range(group.num_columns):
        column = group.column(index)
        size = column.total_uncompressed_size
        if size > MEBIBYTE and size > limits.max_ratio * max(column.total_compressed_size, 1):
            return True
    return False


def read_row(leaf: Leaf) -> Document:
    """The document of a row.

    Raises:
        IngestError: It holds neither text nor page, or there is no text in it.
    """
    row = msgspec.json.decode(leaf.data, type=Row)
    return row_document(row, leaf.place, MEDIA_TYPE, encoding=leaf.declared)


def _leaves(
    table: Any, group: int, columns: list[str], first: int, place: Place, limits: Limits
) -> Iterator[Leaf | IngestError]:
    number = first
    for batch in table.iter_batches(batch_size=_ROWS, row_groups=[group], columns=columns, use_threads=False):
        for index in range(batch.num_rows):
            inner = place.at(f"row {number}")
            number += 1
            try:
                yield _leaf(batch, index, inner, limits)
            except IngestError as error:
                yield error


def _leaf(batch: Any, index: int, place: Place, limits: Limits) -> Leaf:
    values = {name: batch.column(name)[index] for name in batch.schema.names}
    for name in _CONTENT:
        if name in values and _length(values[name]) > limits.max_bytes:
            problem = f"Its `{name}` is larger than {limits.max_bytes:,} bytes."
            raise OversizedInput(place.where, problem, "Split it, or raise Limits.max_bytes.")
    try:
        cells = {name: value.as_py() for name, value in values.items()}
    except Exception as error:  # bytes that are no UTF-8 in a column of strings
        raise damaged(place.where, error) from error
    encoding = None
    for name in _CONTENT:
        if isinstance(cells.get(name), bytes):
            decoded = decode(cells[name], place.where, declared_encoding(cells[name]))
            cells[name], encoding = decoded.text, decoded.encoding
    own_id = cells.get("id")
    row = Row(id=own_id if isinstance(own_id, str | int) else None, **_strings(cells))
    return Leaf(place, "row", msgspec.json.encode(row), declared=encoding)


def _strings(cells: dict[str, Any]) -> dict[str, Any]:
    return {name: cells[name] for name in _STRINGS if isinstance(cells.get(name), str)}


def _length(value: Any) -> int:
    """Bytes of a string or binary value; 0 for others."""
    if isinstance(value, pa.DictionaryScalar):
        value = value.value
    buffer = value.as_buffer() if isinstance(value, pa.BinaryScalar) else None
    return 0 if buffer is None else int(buffer.size)
