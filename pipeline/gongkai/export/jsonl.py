"""documents.jsonl: one record a line, as `gongkai schema` describes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from gongkai.types import Record


def record_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a record, i.e. of one line of documents.jsonl."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "gongkai record",
        **msgspec.json.schema(Record),
    }
    # Through JSON and back: defaults that are tuples in Python are arrays in the schema.
    return msgspec.json.decode(msgspec.json.encode(schema), type=dict[str, Any])


class JsonlWriter:
    """Writes documents.jsonl: UTF-8, one record a line."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / "documents.jsonl").open("wb")

    def encode(self, record: Record) -> bytes:
        return msgspec.json.encode(record) + b"\n"

    def write(self, encoded: bytes) -> None:
        self._file.write(encoded)

    def close(self) -> None:
        self._file.close()
