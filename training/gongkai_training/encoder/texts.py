"""Texts to adapt an encoder on: any folder that ingest reads, without what gold test parts were annotated on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from gongkai.errors import BrokenRecord, GongkaiError
from gongkai.gold.records import StandoffRecord, read_lines, text_sha256
from gongkai.ingest import discover, read
from gongkai.types import Document


class StaleExclusion(GongkaiError):
    """A text that must be left out cannot be found in the file that is said to hold it."""


class TrainingText(msgspec.Struct, frozen=True, kw_only=True):
    """A document, or the parts of it that are left after exclusion."""

    name: str
    parts: tuple[str, ...]


class Corpus(msgspec.Struct, frozen=True, kw_only=True):
    """What was read.

    Attributes:
        excluded: Gold documents found in it and cut out.
        unreadable: What ingest refused, one message each.
    """

    texts: tuple[TrainingText, ...]
    excluded: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()


class Exclusion(msgspec.Struct, frozen=True, kw_only=True):
    """A text that must not be trained on: the code points [start, end) of a file (end None: to its end)."""

    id: str
    sha256: str
    path: str | None = None
    start: int = 0
    end: int | None = None


def read_corpus(paths: Iterable[Path], exclude: Iterable[Path] = ()) -> Corpus:
    """Read files and folders, cutting out every text of the gold files `exclude`.

    A gold text is known by its checksum, not by its file's name, so that a renamed copy is cut too.

    Raises:
        StaleExclusion: A file has the name that a gold record gives, but not its text: its cut would miss.
        BrokenRecord, UnreadableInput: A gold file cannot be read.
    """
    exclusions = [exclusion for path in exclude for exclusion in _exclusions(path)]
    texts: list[TrainingText] = []
    excluded: list[str] = []
    unreadable: list[str] = []
    for path in discover(paths):
        for document in read(path):
            if not isinstance(document, Document):
                unreadable.append(str(document))
                continue
            cuts = [exclusion for exclusion in exclusions if _holds(document, exclusion)]
            excluded.extend(cut.id for cut in cuts)
            if parts := _without(document.text, cuts):
                texts.append(TrainingText(name=_name(document), parts=parts))
    return Corpus(texts=tuple(texts), excluded=tuple(excluded), unreadable=tuple(unreadable))


def _exclusions(path: Path) -> Iterator[Exclusion]:
    for _, record in read_lines(path):
        if isinstance(record, BrokenRecord):
            raise record
        start, end = record.meta.get("slice") or (0, None)
        place = record.meta.get("path") if isinstance(record, StandoffRecord) else None
        yield Exclusion(id=record.id, sha256=record.sha256, path=place, start=start, end=end)


def _holds(document: Document, exclusion: Exclusion) -> bool:
    if text_sha256(document.text[exclusion.start : exclusion.end]) == exclusion.sha256:
        return True
    if exclusion.path and f"/{document.source.path}".endswith(f"/{exclusion.path}"):
        raise StaleExclusion(
            f"document {exclusion.id}",
            f"{document.source.path} does not hold the text that was annotated (its SHA-256 differs).",
            "Fetch the original file, or leave the file out.",
        )
    return False


def _without(text: str, cuts: Sequence[Exclusion]) -> tuple[str, ...]:
    parts: list[str] = []
    place = 0
    for cut in sorted(cuts, key=lambda cut: cut.start):
        parts.append(text[place : max(place, cut.start)])
        place = max(place, len(text) if cut.end is None else cut.end)
    parts.append(text[place:])
    return tuple(part for part in parts if part.strip())


def _name(document: Document) -> str:
    member = document.source.member
    return f"{document.source.path}#{member}" if member else str(document.source.path)


_CLAUSE: Final = re.compile(r"[^。！？；!?;]*[。！？；!?;]+|[^。！？；!?;]+")
_FEWEST: Final = 8
"""Windows of fewer characters that are no space teach nothing."""


def windows(text: str, longest: int) -> Iterator[str]:
    """Contiguous slices of at most `longest` characters: whole lines packed together, longer lines cut at clauses.

    >>> list(windows("第一行有八个字符。\\n第二行也有八个字符。\\n", 12))
    ['第一行有八个字符。', '第二行也有八个字符。']
    """
    window = ""
    for unit in _units(text, longest):
        if len(window) + len(unit) > longest:
            yield from _worthwhile(window)
            window = ""
        window += unit
    yield from _worthwhile(window)


def _units(text: str, longest: int) -> Iterator[str]:
    for line in text.splitlines(keepends=True):
        if len(line) <= longest:
            yield line
            continue
        for clause in _CLAUSE.findall(line):
            for start in range(0, len(clause), longest):
                yield clause[start : start + longest]


def _worthwhile(window: str) -> Iterator[str]:
    stripped = window.strip()
    if len("".join(stripped.split())) >= _FEWEST:
        yield stripped
