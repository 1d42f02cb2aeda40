r"""brat standoff: a folder with `<id>.txt` and `<id>.ann` for each document.

    T1	COUNT 10 14	863条
    R1	value_of Arg1:T1 Arg2:T2
    #1	AnnotatorNotes T1	{"score": 0.9, "by": "rule:count.digits"}

Arg1 is the head. What brat's lines have no place for stands in notes, as JSON: the id of a span whose id is
not of brat's form (T and a number), scores and origins. The record's meta is in `<id>.meta.json`, which brat
leaves alone. In file names, characters that a file system may refuse are written as %XX. Everything is
carried.

Offsets are code points, and the text file holds the text byte for byte (UTF-8, line breaks as they are). A
span across a line break, which brat's own editor writes in pieces, is read as one if only white space stands
between the pieces.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import msgspec

from gongkai.errors import BrokenRecord, OutputError, UnreadableInput
from gongkai.gold.records import Annotated, GoldEntity, GoldRecord, GoldRelation

from .writing import CannotCarry, check_extents, with_texts

_OWN_ID = re.compile(r"T\d+")
_SPAN = re.compile(r"(T\d+)\t(\S+) ((?:\d+ \d+;)*\d+ \d+)\t.*")
_RELATION = re.compile(r"(R\d+)\t(\S+) Arg1:(T\d+) Arg2:(T\d+)\s*")
_NOTE = re.compile(r"#\d+\tAnnotatorNotes ([TR]\d+)\t(\{.*\})")
_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|%]|^\.')
_NAMELESS = "%"
_UNSAID = re.compile(r"[\r\n\t]")


class Note(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a note says of a span or relation."""

    id: str | None = None
    score: float | None = None
    by: str | None = None


def write(records: Iterable[Annotated], path: Path, *, force: bool = False) -> int:
    """Write a brat folder; returns how many documents. Errors as of `convert`.

    With `force`, files of the same names are replaced, others stay.

    Raises:
        CannotCarry: Two records have one id, or a label has white space.
    """
    if path.exists() and (not path.is_dir() or (any(path.iterdir()) and not force)):
        raise OutputError(str(path), "It is there and not empty.", "Choose another folder, or pass --force.")
    seen: set[str] = set()
    try:
        path.mkdir(parents=True, exist_ok=True)
        for record in with_texts(records):
            name = file_name(record.id)
            if name.casefold() in seen:
                raise CannotCarry(
                    f"document {record.id}",
                    "Its file name is taken.",
                    "Give each annotator a folder of their own.",
                )
            seen.add(name.casefold())
            _write_document(record, path, name)
    except OSError as error:
        raise OutputError(str(path), f"{error.strerror or error}.", "Choose another place.") from None
    return len(seen)


def read(path: Path) -> Iterator[GoldRecord]:
    """The records of a folder, in the order of its names.

    Raises:
        BrokenRecord: A line of an .ann file is a T or R line, but not of the form; the text names it.
        UnreadableInput: A file cannot be opened or decoded.
    """
    if not path.is_dir():
        raise UnreadableInput(str(path), "It is no folder.", "Name the folder of .txt and .ann files.")
    for file in sorted(path.glob("*.ann")):
        try:
            text = file.with_suffix(".txt").read_bytes().decode("utf-8")
            lines = file.read_bytes().decode("utf-8").split("\n")
            about = file.with_name(f"{file.stem}.meta.json")
            meta = msgspec.json.decode(about.read_bytes(), type=dict[str, Any]) if about.exists() else {}
        except OSError as error:
            raise UnreadableInput(
                str(file), f"{error.strerror or error}.", "Check it and its .txt."
            ) from None
        except (UnicodeDecodeError, msgspec.DecodeError) as error:
            raise UnreadableInput(str(file), f"{error}.", "Write it and its .txt as UTF-8.") from None
        yield _Reader(file, text).record(lines, meta)


def file_name(name: str) -> str:
    """The file name of a document, without suffix; `%` for an empty id.

    >>> file_name("广州/2018 年报"), id_of("广州%2F2018 年报")
    ('广州%2F2018 年报', '广州/2018 年报')
    """
    return _UNSAFE.sub(lambda match: f"%{ord(match[0]):02X}", name) or _NAMELESS


def id_of(name: str) -> str:
    """The id of a document by its file name."""
    return "" if name == _NAMELESS else unquote(name)


def _write_document(record: GoldRecord, folder: Path, name: str) -> None:
    (folder / f"{name}.txt").write_bytes(record.text.encode())
    (folder / f"{name}.ann").write_text("".join(_lines(record)), "utf-8", newline="")
    about = folder / f"{name}.meta.json"
    if record.meta:
        about.write_bytes(msgspec.json.encode(record.meta))
    else:
        about.unlink(missing_ok=True)


def _lines(record: GoldRecord) -> Iterator[str]:
    named = _names(record)
    notes: list[tuple[str, Note]] = []
    for entity in record.entities:
        name = named[entity.id]
        _check_label(record, entity.label)
        said = _UNSAID.sub(" ", record.text[entity.start : entity.end])
        yield f"{name}\t{entity.label} {entity.start} {entity.end}\t{said}\n"
        own = None if name == entity.id else entity.id
        notes.append((name, Note(id=own, score=entity.score, by=entity.by)))
    for number, relation in enumerate(record.relations, start=1):
        _check_label(record, relation.label)
        if relation.head not in named or relation.tail not in named:
            problem = f"A relation {relation.label} leads to a span that is not there."
            raise BrokenRecord(f"document {record.id}", problem, "See: gongkai annotate validate.")
        yield f"R{number}\t{relation.label} Arg1:{named[relation.head]} Arg2:{named[relation.tail]}\n"
        notes.append((f"R{number}", Note(score=relation.score, by=relation.by)))
    said_notes = (pair for pair in notes if pair[1] != Note())
    for number, (name, note) in enumerate(said_notes, start=1):
        yield f"#{number}\tAnnotatorNotes {name}\t{msgspec.json.encode(note).decode()}\n"


def _names(record: GoldRecord) -> dict[str, str]:
    """Id → brat's id: the same where it is of brat's form, else a free one."""
    taken = {entity.id for entity in record.entities if _OWN_ID.fullmatch(entity.id)}
    named: dict[str, str] = {}
    number = 0
    for entity in record.entities:
        if entity.id in taken:
            named[entity.id] = entity.id
            continue
        number += 1
        while f"T{number}" in taken:
            number += 1
        named[entity.id] = f"T{number}"
    return named


def _check_label(record: GoldRecord, label: str) -> None:
    if not re.fullmatch(r"\S+", label):
        raise CannotCarry(
            f"document {record.id}",
            f"The label {label!r} has white space.",
            "Correct it; see: gongkai annotate validate.",
        )


class _Reader:
    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._text = text

    def record(self, lines: Iterable[str], meta: dict[str, Any]) -> GoldRecord:
        spans: list[tuple[str, str, int, int]] = []
        relations: list[tuple[str, str, str, str]] = []
        notes: dict[str, Note] = {}
        for number, line in enumerate(lines, start=1):
            line = line.rstrip("\r")
            where = f"{self._path} line {number}"
            if found := _SPAN.fullmatch(line):
                spans.append((found[1], found[2], *self._extent(found[3], where)))
            elif found := _RELATION.fullmatch(line):
                relations.append((found[1], found[2], found[3], found[4]))
            elif found := _NOTE.fullmatch(line):
                notes[found[1]] = _note(found[2])
            elif line.startswith(("T", "R")):
                raise BrokenRecord(
                    where, "It is not of the form of brat's T and R lines.", "Correct the line."
                )
        named = {name: notes.get(name, Note()).id or name for name, *_ in spans}
        lost = [name for _, _, *ends in relations for name in ends if name not in named]
        if lost:
            raise BrokenRecord(
                str(self._path), f"A relation leads to {lost[0]}, which is not there.", "Correct it."
            )
        record = GoldRecord(
            id=id_of(self._path.stem),
            text=self._text,
            entities=tuple(
                GoldEntity(
                    id=named[name], label=label, start=start, end=end,
                    score=notes.get(name, Note()).score, by=notes.get(name, Note()).by,
                )
                for name, label, start, end in spans
            ),
            relations=tuple(
                GoldRelation(
                    label=label, head=named[head], tail=named[tail],
                    score=notes.get(name, Note()).score, by=notes.get(name, Note()).by,
                )
                for name, label, head, tail in relations
            ),
            meta=meta,
        )  # fmt: skip
        check_extents(record, str(self._path))
        return record

    def _extent(self, written: str, where: str) -> tuple[int, int]:
        """First start and last end of the pieces, between which only white space may stand."""
        places = [int(place) for piece in written.split(";") for place in piece.split(" ")]
        between = zip(places[1:-1:2], places[2:-1:2], strict=True)
        if any(self._text[start:end].strip() for start, end in between):
            raise BrokenRecord(
                where, "The span is in pieces, which gold has no place for.", "Make it one span."
            )
        return places[0], places[-1]


def _note(written: str) -> Note:
    """What a note of ours says; one of an annotator's own, nothing."""
    try:
        return msgspec.json.decode(written, type=Note)
    except msgspec.DecodeError:
        return Note()
