"""JSON Lines: one document a line; a bad line does not lose the good ones after it."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator

import msgspec

from gongkai.errors import BinaryInput, DamagedInput, EmptyInput, IngestError, OversizedInput
from gongkai.ingest.decode import decode
from gongkai.ingest.limits import Limits
from gongkai.ingest.parts import Leaf, Place
from gongkai.ingest.rows import REMEDY, Row, row_document
from gongkai.types import Document

MEDIA_TYPE = "application/jsonl"
_CHUNK = 1024 * 1024
_BOM = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")

_decoder = msgspec.json.Decoder(Row)


def line_leaves(stream: io.BufferedReader, place: Place, limits: Limits) -> Iterator[Leaf | IngestError]:
    """Lines of a JSONL file, an error in the place of each that is too long; blank lines are passed over.

    Memory is bounded by the longest line allowed: the rest of a longer one is skipped in pieces.
    """
    seen = False
    for number, raw in _lines(stream, limits.max_bytes):
        if number == 1 and raw is not None and raw.startswith(_UTF16_MARKS):
            yield BinaryInput(place.where, "It is UTF-16; JSON Lines are UTF-8.", "Convert it to UTF-8.")
            return
        line = raw if raw is None else raw.removeprefix(_BOM).strip()
        if line == b"":
            continue
        seen = True
        inner = place.at(f"line {number}")
        yield _oversized(inner, limits) if line is None else Leaf(inner, "line", line)
    if not seen:
        yield EmptyInput(place.where, "It holds no line.", "Check the file, or leave it out.")


def read_line(leaf: Leaf) -> Document:
    """The document of a line.

    Raises:
        IngestError: It is no JSON object with a text or page, or there is no text in it.
    """
    row, encoding = _parse(leaf.data, leaf.place.where)
    digest = hashlib.sha256(leaf.data).hexdigest()
    return row_document(row, leaf.place, MEDIA_TYPE, digest=digest, encoding=encoding)


def _lines(stream: io.BufferedReader, limit: int) -> Iterator[tuple[int, bytes | None]]:
    """Numbered lines; None for one longer than `limit`."""
    number = 0
    while line := stream.readline(limit + 2):
        number += 1
        if len(line.rstrip(b"\r\n")) <= limit:
            yield number, line
            continue
        while not line.endswith(b"\n") and (line := stream.readline(_CHUNK)):
            pass
        yield number, None


def _oversized(place: Place, limits: Limits) -> OversizedInput:
    problem = f"It is longer than {limits.max_bytes:,} bytes."
    return OversizedInput(place.where, problem, "Split it, or raise Limits.max_bytes.")


def _parse(line: bytes, where: str) -> tuple[Row, str]:
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
    return DamagedInput(where, f"{error}.", f"A line must be a JSON object. {REMEDY}")
