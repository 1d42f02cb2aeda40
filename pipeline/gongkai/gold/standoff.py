"""Stand-off gold: annotations of real documents whose texts stay outside the repository.

A stand-off record names the file that holds its text (`meta.path`, below a folder that the user gives), the
part of that file's text (`meta.slice`, code points; None for all of it) and the SHA-256 of that part.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

import msgspec

from gongkai.errors import GongkaiError, MissingText
from gongkai.ingest import read as read_documents
from gongkai.types import Document

from .records import GoldRecord, StandoffRecord, text_sha256


def standoff(record: GoldRecord, path: str, part: tuple[int, int] | None) -> StandoffRecord:
    """The annotations of `record` without its text, which is `part` of the text of the file `path`."""
    place = {"path": path, "slice": None if part is None else list(part)}
    return StandoffRecord(
        id=record.id,
        entities=record.entities,
        relations=record.relations,
        meta={**record.meta, **place},
        sha256=record.sha256,
    )


def hydrate(records: Iterable[StandoffRecord], texts: Path) -> Iterator[GoldRecord | MissingText]:
    """Join stand-off records with their texts; a MissingText in the place of one that cannot be joined.

    Args:
        texts: Folder below which the records' `meta.path` lie.
    """
    for record in records:
        yield _join(record, texts)


def _join(record: StandoffRecord, texts: Path) -> GoldRecord | MissingText:
    path = texts / str(record.meta.get("path", ""))
    if not path.is_file():
        return MissingText(
            f"document {record.id}", f"Its text {path} is not there.", "Name its folder with --texts."
        )
    text = _text_of(path)
    if isinstance(text, GongkaiError):
        return MissingText(f"document {record.id}", f"Its text cannot be read: {text}", "Mend the file.")
    part = record.meta.get("slice")
    if part is not None:
        text = text[part[0] : part[1]]
    if text_sha256(text) != record.sha256:
        return MissingText(
            f"document {record.id}",
            f"The text of {path} is not the one that was annotated (its SHA-256 differs).",
            "Fetch the original file, or annotate it anew.",
        )
    return GoldRecord(
        id=record.id, text=text, entities=record.entities, relations=record.relations, meta=record.meta
    )


@lru_cache(maxsize=8)
def _text_of(path: Path) -> str | GongkaiError:
    """The text of a file's first document, as ingest decodes it."""
    document = next(iter(read_documents(path)))
    return document.text if isinstance(document, Document) else document


def without_text(record: GoldRecord) -> StandoffRecord:
    """The stand-off form of a hydrated record.

    Raises:
        MissingText: The record does not say where its text lies.
    """
    if "path" not in record.meta:
        raise MissingText(
            f"document {record.id}",
            "It does not say where its text lies.",
            "Put the file's path into meta.path.",
        )
    part = record.meta.get("slice")
    meta = {name: value for name, value in record.meta.items() if name not in ("path", "slice")}
    bare = msgspec.structs.replace(record, meta=meta)
    return standoff(bare, str(record.meta["path"]), None if part is None else (part[0], part[1]))
