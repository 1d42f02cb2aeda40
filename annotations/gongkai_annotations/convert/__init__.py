"""Gold to the formats of other tools and back: spaCy, CoNLL, `datasets`, doccano, brat.

`convert` goes from any of them to any other. What a format cannot carry its module says, and where a record
needs it, writing fails with CannotCarry rather than lose it. What a reader meets that is not of its format is
a BrokenRecord.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

import msgspec

from gongkai.errors import GongkaiError, UnreadableInput
from gongkai.gold.records import Annotated, GoldRecord

FORMATS = {
    "gold": "gongkai.gold.records",
    "spacy": "gongkai_annotations.convert.docbin",
    "conll": "gongkai_annotations.convert.conll",
    "datasets": "gongkai_annotations.convert.hf_datasets",
    "doccano": "gongkai_annotations.convert.doccano",
    "brat": "gongkai_annotations.convert.brat",
}
"""Name of a format → the module that reads and writes it; none is imported before it is needed."""
_SUFFIXES = {".spacy": "spacy", ".conll": "conll", ".bio": "conll", ".iob": "conll", ".jsonl": "gold"}


class UnknownFormat(GongkaiError):
    """The format was not named and does not show, or there is none of that name."""


class Format(Protocol):
    """What the module of a format offers."""

    def read(self, path: Path) -> Iterator[GoldRecord]:
        """The records of a file or folder."""
        ...

    def write(self, records: Iterable[Annotated], path: Path, *, force: bool = False) -> int:
        """Write a file or folder; returns how many records."""
        ...


def convert(source: Path, out: Path, to: str, given: str | None = None, *, force: bool = False) -> int:
    """Read `source` in one format, write `out` in another.

    Args:
        to: The format to write, one of FORMATS.
        given: The format of `source`; by default what it looks like.

    Returns:
        How many documents were written.

    Raises:
        UnknownFormat: A format is none of FORMATS, or `source` does not show its own.
        BrokenRecord, UnreadableInput: `source` cannot be read.
        CannotCarry: The format has no place for something that a record holds.
        OutputError: `out` is there already and `force` is not given, or it cannot be written.
        MissingExtra: The format needs an extra that is not installed.
    """
    reader = _module(guess(source) if given is None else given)
    return _module(to).write(reader.read(source), out, force=force)


def guess(path: Path) -> str:
    """The format of a file by its suffix (of .jsonl by its first line), of a folder by what is in it.

    Raises:
        UnknownFormat: It does not show.
        UnreadableInput: There is nothing, or it cannot be opened.
    """
    if not path.exists():
        raise UnreadableInput(str(path), "It is not there.", "Check the path.")
    if path.is_dir():
        if (path / "dataset_info.json").exists():
            return "datasets"
        if next(path.glob("*.ann"), None) is not None:
            return "brat"
    found = _SUFFIXES.get(path.suffix.lower())
    if found is None or path.is_dir():
        raise UnknownFormat(str(path), "Its format does not show.", f"Name it with --from: {_names()}.")
    return "doccano" if found == "gold" and _is_doccano(path) else found


def _is_doccano(path: Path) -> bool:
    """Whether the first line has doccano's names for things."""
    try:
        with path.open("rb") as file:
            line = next((line for line in file if line.strip()), b"{}")
        found = msgspec.json.decode(line)
    except OSError as error:
        raise UnreadableInput(str(path), f"{error.strerror or error}.", "Check its permissions.") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    if not isinstance(found, dict):
        return False
    entities = found.get("entities")
    first = entities[0] if isinstance(entities, list) and entities else {}
    return "start_offset" in first or not {"gongkai", "Comments", "label"}.isdisjoint(found)


def _module(name: str) -> Format:
    if name not in FORMATS:
        raise UnknownFormat(f"format {name!r}", "There is no such format.", f"Choose one of: {_names()}.")
    return cast(Format, import_module(FORMATS[name]))


def _names() -> str:
    return ", ".join(FORMATS)
