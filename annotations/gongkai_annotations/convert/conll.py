r"""CoNLL with BIO tags on characters (`.conll`): a character a line, then one column for each label.

    # columns = char METRIC COUNT PERCENT DOCNO POLICY ORG PERIOD
    # newdoc = "guangzhou-2018"
    # meta = {"split": "dev"}
    # ids COUNT = ["T1"]
    # relation = {"label": "value_of", "head": "T1", "tail": "T2"}
    申	B-METRIC	O	O	O	O	O	O

Spans of different labels nest, hence a column for each: nothing is lost. The tags are the truth; the comments
name what tags cannot: the ids of a label's spans in text order, and the relations. Values are JSON. After
each line break of the text stands an empty line (unless a span goes on across it), so that tools that part
sequences at empty lines get lines of text.

White space, controls, `#` and the backslash are written as `\n`, `\r`, `\t`, `\\`, `\uXXXX`, `\UXXXXXXXX`:
tools split at white space, and take `#` for a comment. Not carried: scores and origins of pre-annotations,
and the order of spans (they come back in text order).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, TextIO

import msgspec

from gongkai.errors import BrokenRecord, UnreadableInput
from gongkai.gold.records import Annotated, GoldEntity, GoldRecord, GoldRelation, canonical
from gongkai.types import EntityLabel

from .writing import CannotCarry, new_file, with_texts

LABELS: tuple[str, ...] = EntityLabel.__args__  # type: ignore[attr-defined]
_HEADER = f"# columns = char {' '.join(LABELS)}"
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\"}
_PLAIN = {escaped: char for char, escaped in _ESCAPES.items()}
_CODE = re.compile(r"\\u([0-9a-f]{4})|\\U([0-9a-f]{8})")
_COMMENT = re.compile(r"# (newdoc|meta|relation|ids (\w+)) = (.*)")


def write(records: Iterable[Annotated], path: Path, *, force: bool = False) -> int:
    """Write a CoNLL file; returns how many documents. Errors as of `convert`.

    Raises:
        CannotCarry: Spans of one label overlap, or a label is none of the scheme.
    """
    count = 0
    with (
        new_file(path, force=force) as unfinished,
        unfinished.open("w", encoding="utf-8", newline="") as file,
    ):
        file.write(f"{_HEADER}\n")
        for record in with_texts(records):
            _write_document(file, canonical(record))
            count += 1
    return count


def read(path: Path) -> Iterator[GoldRecord]:
    """The records of a file that `write` made, also where its tags were changed.

    A span whose tags were added gets a free id, provided that no `ids` are given for its label.

    Raises:
        BrokenRecord: A line is none of the format; the text names it.
        UnreadableInput: The file cannot be opened.
    """
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            yield from _Reader(path).documents(file)
    except OSError as error:
        raise UnreadableInput(str(path), f"{error.strerror or error}.", "Check the path.") from None
    except UnicodeDecodeError as error:
        raise BrokenRecord(str(path), f"It is not UTF-8 ({error.reason}).", "Write it as UTF-8.") from None


def escape(char: str) -> str:
    r"""A character as it is written.

    >>> [escape(char) for char in "号 \n#\u3000"]
    ['号', '\\u0020', '\\n', '\\u0023', '\\u3000']
    """
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char != "#" and char.isprintable() and not char.isspace():
        return char
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"


def unescape(written: str) -> str | None:
    """The character that is written so; None if it is none."""
    if len(written) == 1 and written != "\\":
        return written
    if written in _PLAIN:
        return _PLAIN[written]
    code = _CODE.fullmatch(written)
    if code is None:
        return None
    number = int(code[1] or code[2], 16)
    return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else None


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _write_document(file: TextIO, record: GoldRecord) -> None:
    file.write(f"\n# newdoc = {_json(record.id)}\n")
    if record.meta:
        file.write(f"# meta = {_json(record.meta)}\n")
    columns = []
    for label in LABELS:
        spans = [entity for entity in record.entities if entity.label == label]
        if spans:
            file.write(f"# ids {label} = {_json([span.id for span in spans])}\n")
        columns.append(_tags(record, label, spans))
    known = sum(entity.label in LABELS for entity in record.entities)
    if known < len(record.entities):
        foreign = next(entity for entity in record.entities if entity.label not in LABELS)
        raise CannotCarry(
            f"document {record.id}",
            f"Span {foreign.id} has the label {foreign.label!r}, which is none of the scheme.",
            "Correct it; see: gongkai annotate validate.",
        )
    for relation in record.relations:
        bare = {"label": relation.label, "head": relation.head, "tail": relation.tail}
        file.write(f"# relation = {_json(bare)}\n")
    for place, char in enumerate(record.text):
        if place and record.text[place - 1] == "\n" and not any(c[place].startswith("I") for c in columns):
            file.write("\n")
        file.write("\t".join([escape(char), *(column[place] for column in columns)]) + "\n")


def _tags(record: GoldRecord, label: str, spans: Sequence[GoldEntity]) -> list[str]:
    for one, other in pairwise(spans):
        if other.start < one.end:
            raise CannotCarry(
                f"document {record.id}",
                f"Spans {one.id} and {other.id} of {label} overlap, which BIO tags cannot say.",
                "Correct them; see: gongkai annotate validate.",
            )
    tags = ["O"] * len(record.text)
    for span in spans:
        tags[span.start : span.end] = [f"B-{label}"] + [f"I-{label}"] * (span.end - span.start - 1)
    return tags


class _Document:
    """A document while its lines are read."""

    def __init__(self, name: str) -> None:
        self.id = name
        self.meta: dict[str, Any] = {}
        self.ids: dict[str, list[str]] = {}
        self.relations: list[GoldRelation] = []
        self.chars: list[str] = []
        self.spans: defaultdict[str, list[list[int]]] = defaultdict(list)

    def tag(self, label: str, tag: str) -> bool:
        """Add the tag of the character read last; whether it is one of the label's."""
        place = len(self.chars) - 1
        if tag == f"B-{label}":
            self.spans[label].append([place, place + 1])
        elif tag == f"I-{label}" and self.spans[label] and self.spans[label][-1][1] == place:
            self.spans[label][-1][1] = place + 1
        else:
            return tag == "O"
        return True


class _Reader:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._number = 0

    def documents(self, file: TextIO) -> Iterator[GoldRecord]:
        document: _Document | None = None
        for self._number, line in enumerate(file, start=1):
            line = line.rstrip("\r\n")
            if self._number == 1:
                if line != _HEADER:
                    raise self._broken(f"It does not begin with {_HEADER!r}.")
            elif line.startswith("# newdoc = "):
                if document is not None:
                    yield self._record(document)
                document = _Document(self._value(line.removeprefix("# newdoc = "), str))
            elif line and document is None:
                raise self._broken("It belongs to no document.")
            elif line and document is not None:
                self._line(document, line)
        if document is not None:
            yield self._record(document)

    def _line(self, document: _Document, line: str) -> None:
        if not line.startswith("# "):
            self._character(document, line)
            return
        comment = _COMMENT.fullmatch(line)
        if comment is None:
            return
        if comment[1] == "meta":
            document.meta = self._value(comment[3], dict[str, Any])
        elif comment[1] == "relation":
            document.relations.append(self._value(comment[3], GoldRelation))
        else:
            document.ids[comment[2]] = self._value(comment[3], list[str])

    def _character(self, document: _Document, line: str) -> None:
        written, *tags = line.split("\t")
        char = unescape(written)
        if char is None or len(tags) != len(LABELS):
            raise self._broken(f"It is not a character and {len(LABELS)} tags.")
        document.chars.append(char)
        for label, tag in zip(LABELS, tags, strict=True):
            if not document.tag(label, tag):
                raise self._broken(f"The tag {tag!r} cannot stand in the column {label}.")

    def _record(self, document: _Document) -> GoldRecord:
        taken = {name for names in document.ids.values() for name in names}
        free = (
            name
            for name in (f"T{n}" for n in range(1, len(document.chars) + len(taken) + 1))
            if name not in taken
        )
        entities = []
        for label, spans in document.spans.items():
            names = document.ids.get(label) or [next(free) for _ in spans]
            if len(names) != len(spans):
                problem = f"Document {document.id}: {len(spans)} spans of {label}, but {len(names)} ids."
                raise self._broken(problem)
            entities += [
                GoldEntity(id=name, label=label, start=start, end=end)
                for name, (start, end) in zip(names, spans, strict=True)
            ]
        record = GoldRecord(
            id=document.id,
            text="".join(document.chars),
            entities=tuple(entities),
            relations=tuple(document.relations),
            meta=document.meta,
        )
        return canonical(record)

    def _value(self, written: str, kind: Any) -> Any:
        try:
            return msgspec.json.decode(written, type=kind)
        except msgspec.DecodeError as error:
            raise self._broken(f"{error}.") from None

    def _broken(self, problem: str) -> BrokenRecord:
        return BrokenRecord(
            f"{self._path} line {self._number}", problem, "Correct it, or write the file anew."
        )
