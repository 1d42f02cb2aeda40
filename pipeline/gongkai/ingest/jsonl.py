"""JSON Lines: one document a line; a bad line does not lose the good ones after it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from gongkai.errors import BinaryInput, DamagedInput, EmptyInput, IngestError, OversizedInput, UnreadableInput
from gongkai.ingest.decode import decode
from gongkai.ingest.limits import Limits
from gongkai.types import Document, Meta, Source

MEDIA_TYPE = "application/jsonl"
_CHUNK = 1024 * 1024
_META_FIELDS = ("title", "issuer", "published", "index_number", "docno")
_BOM = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class Line(msgspec.Struct, frozen=True):
    """What is read of a line; other keys are left alone."""

    text: str
    id: str | int | None = None
    meta: dict[str, Any] | None = None


_decoder = msgspec.json.Decoder(Line)


def read_lines(path: Path, limits: Limits) -> Iterator[Document | IngestError]:
    """Documents of a JSONL file, an error in the place of each bad line; blank lines are passed over.

    Memory is bounded by the longest line allowed: the rest of a longer one is skipped in pieces.
    """
    where = str(path)
    seen = False
    try:
        with path.open("rb") as file:
            for number, raw in _lines(file, limits.max_bytes):
                if number == 1 and raw is not None and raw.startswith(_UTF16_MARKS):
                    yield BinaryInput(where, "It is UTF-16; JSON Lines are UTF-8.", "Convert it to UTF-8.")
                    return
                line = raw if raw is None else raw.removeprefix(_BOM).strip()
                if line == b"":
                    continue
                seen = True
                yield _read_line(line, path, number, limits)
    except OSError as error:
        yield UnreadableInput(where, f"{error.strerror or error}.", "Check the path and its permissions.")
        return
    if not seen:
        yield EmptyInput(where, "It holds no line.", "Check the file, or leave it out.")


def _lines(file: BinaryIO, limit: int) -> Iterator[tuple[int, bytes | None]]:
    """Numbered lines; None for one longer than `limit`."""
    number = 0
    while line := file.readline(limit + 2):
        number += 1
        if len(line.rstrip(b"\r\n")) <= limit:
            yield number, line
            continue
        while not line.endswith(b"\n") and (line := file.readline(_CHUNK)):
            pass
        yield number, None


def _read_line(line: bytes | None, path: Path, number: int, limits: Limits) -> Document | IngestError:
    where = f"{path} line {number}"
    if line is None:
        return OversizedInput(
            where, f"It is longer than {limits.max_bytes:,} bytes.", "Split it, or raise Limits.max_bytes."
        )
    try:
        parsed, encoding = _parse(line, where)
    except IngestError as error:
        return error
    if not parsed.text.strip():
        return EmptyInput(where, 'Its "text" is empty.', "Leave the line out.")
    digest = hashlib.sha256(line).hexdigest()
    own_id = hashlib.sha256(parsed.text.encode()).hexdigest()[:16] if parsed.id in (None, "") else parsed.id
    return Document(
        id=str(own_id),
        text=parsed.text,
        source=Source(
            path=str(path), member=f"line {number}", sha256=digest, media_type=MEDIA_TYPE, encoding=encoding
        ),
        meta=_meta(parsed.meta or {}),
    )


def _parse(line: bytes, where: str) -> tuple[Line, str]:
    try:
        return _decoder.decode(line), "utf-8"
    except UnicodeDecodeError:
        pass
    except (msgspec.DecodeError, RecursionError) as error:
        raise _damaged(where, error) from None
    decoded = decode(line, where)
    try:
        return _decoder.decode(decoded.text.encode()), decoded.encoding
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise _damaged(where, error) from None


def _damaged(where: str, error: Exception) -> DamagedInput:
    return DamagedInput(where, f"{error}.", 'A line must be a JSON object with a string "text".')


def _meta(given: dict[str, Any]) -> Meta:
    known = {name: given[name] for name in _META_FIELDS if isinstance(given.get(name), str) and given[name]}
    return Meta(**known)
