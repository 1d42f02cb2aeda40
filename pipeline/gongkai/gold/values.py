"""Hand-written normal forms and findings of gold documents, in a file of their own beside the gold file.

`dev.values.jsonl` belongs to `dev.jsonl`: a line a document, joined by its id, its spans by label, start and end, so
that spans can be corrected without touching what was read off them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from gongkai.errors import BrokenRecord, UnreadableInput
from gongkai.gold.records import GoldRecord, StandoffRecord
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


VALUED: frozenset[EntityLabel] = frozenset({"COUNT", "PERCENT", "PERIOD", "DOCNO", "METRIC"})
"""Labels whose spans a reader writes values for."""


def mismatches(gold: GoldRecord | StandoffRecord, values: GoldValues) -> Iterator[str]:
    """What keeps the values from being those of the document: another text, spans too many or too few."""
    if values.sha256 != gold.sha256:
        yield "Its values were read off another text."
        return
    if values.values is None:
        return
    spans = {(e.label, e.start, e.end) for e in gold.entities if e.label in VALUED}
    valued = {(v.label, v.start, v.end) for v in values.values}
    for label, start, end in sorted(valued - spans, key=str):
        yield f"A value is given for {label} {start}-{end}, which is not marked."
    for label, start, end in sorted(spans - valued, key=str):
        yield f"No value is given for {label} {start}-{end}."


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
