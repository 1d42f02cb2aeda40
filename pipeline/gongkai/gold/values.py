"""Hand-written normal forms and findings of gold documents, in a file of their own beside the gold file.

`dev.values.jsonl` belongs to `dev.jsonl`: a line a document, joined by its id, its spans by label, start and end, so
that spans can be corrected without touching what was read off them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from gongkai.errors import UnreadableInput
from gongkai.gold.records import BrokenRecord
from gongkai.types import Check, EntityLabel, Norm


class GoldValue(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader takes a span to say; `norm` None where there is nothing to say (no such metric in the ontology)."""

    label: EntityLabel
    start: int
    end: int
    norm: Norm | None


class GoldFinding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that does not add up, found by reading.

    Attributes:
        start, end: The doubtful number.
        arguable: A careful auditor might or might not report it.
    """

    check: Check
    start: int
    end: int
    reported: float
    expected: float
    arguable: bool = False


class GoldValues(msgspec.Struct, frozen=True, kw_only=True):
    """What was read off a gold document; None for what nobody has written down.

    Attributes:
        sha256: Of the document's text.
        values: Of every COUNT, PERCENT, PERIOD, DOCNO and METRIC.
        findings: All of them: an empty list says that everything adds up.
    """

    id: str
    sha256: str
    values: tuple[GoldValue, ...] | None = None
    findings: tuple[GoldFinding, ...] | None = None


_values = msgspec.json.Decoder(GoldValues)


def values_path(gold: Path) -> Path:
    """Where the values of a gold file stand."""
    return gold.with_suffix(f".values{gold.suffix}")


def read_values(path: Path) -> Mapping[str, GoldValues]:
    """Document id → what was read off it.

    Raises:
        BrokenRecord: A line is none of GoldValues; the text names the field.
        UnreadableInput: The file cannot be read.
    """
    found = {}
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                values = _decoded(line, f"{path} line {number}")
                found[values.id] = values
    except OSError as error:
        raise UnreadableInput(
            str(path), f"{error.strerror or error}.", "Check the path and its permissions."
        ) from None
    return found


def _decoded(line: bytes, where: str) -> GoldValues:
    try:
        return _values.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BrokenRecord(where, f"{error}.", "Correct the line.") from None
