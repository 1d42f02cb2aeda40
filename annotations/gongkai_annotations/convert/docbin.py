"""spaCy DocBin (`.spacy`), to train with `spacy train`: every character is a token, white space too.

Spans are in `doc.spans["gongkai"]` with their ids, so that nested ones stay. spaCy has no relations of its
own: they are in `doc.user_data["gongkai"]`, with the record's id and meta, and the scores and origins of
pre-annotations. Everything is carried.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from spacy.tokens import Doc, DocBin, Span
from spacy.vocab import Vocab

from gongkai.errors import BrokenRecord, UnreadableInput
from gongkai.gold.records import Annotated, GoldEntity, GoldRecord, GoldRelation

from .writing import new_file, with_texts

KEY = "gongkai"
"""Key of the spans in `doc.spans`, and of the rest in `doc.user_data`."""


class Carried(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in `doc.user_data[KEY]`: `scores` are score and origin of each span, in order."""

    id: str
    relations: tuple[GoldRelation, ...] = ()
    scores: tuple[tuple[float | None, str | None], ...] = ()
    meta: dict[str, Any] = {}


def write(records: Iterable[Annotated], path: Path, *, force: bool = False) -> int:
    """Write a DocBin; returns how many documents. Errors as of `convert`."""
    vocab = Vocab()
    docs = DocBin(attrs=["ORTH", "SPACY"], store_user_data=True)
    with new_file(path, force=force) as file:
        for record in with_texts(records):
            docs.add(to_doc(record, vocab))
        docs.to_disk(file)
    return len(docs)


def read(path: Path) -> Iterator[GoldRecord]:
    """The records of a DocBin; one that another tool wrote has the spans of its `ents` and no relations.

    Raises:
        UnreadableInput: It cannot be opened, or is no DocBin.
    """
    vocab = Vocab()
    try:
        docs = DocBin().from_disk(path)
        for number, doc in enumerate(docs.get_docs(vocab), start=1):
            yield from_doc(doc, f"{path} document {number}", str(number))
    except OSError as error:
        raise UnreadableInput(str(path), f"{error.strerror or error}.", "Check the path.") from None
    except BrokenRecord:
        raise
    except Exception as error:
        # spaCy checks nothing of a file: whatever zlib, msgpack or numpy stumble over comes through.
        raise UnreadableInput(str(path), f"It is no DocBin ({error}).", "Write the file anew.") from None


def to_doc(record: GoldRecord, vocab: Vocab) -> Doc:
    """The record as a spaCy document."""
    doc = Doc(vocab, words=list(record.text), spaces=[False] * len(record.text))
    doc.spans[KEY] = [Span(doc, e.start, e.end, label=e.label, span_id=e.id) for e in record.entities]
    carried = Carried(
        id=record.id,
        relations=record.relations,
        scores=tuple((e.score, e.by) for e in record.entities),
        meta=record.meta,
    )
    doc.user_data[KEY] = msgspec.to_builtins(carried)
    return doc


def from_doc(doc: Doc, where: str, name: str) -> GoldRecord:
    """The record of a spaCy document, whatever its tokens are.

    Args:
        where: What errors call the document.
        name: Its id, unless it has one.

    Raises:
        BrokenRecord: What stands in `user_data` is not of our form.
    """
    try:
        carried = msgspec.convert(doc.user_data.get(KEY, {"id": name}), Carried)
    except msgspec.ValidationError as error:
        raise BrokenRecord(where, f"{error}.", f"Write user_data[{KEY!r}] anew.") from None
    spans = list(doc.spans[KEY]) if KEY in doc.spans else list(doc.ents)
    scores = carried.scores if len(carried.scores) == len(spans) else ((None, None),) * len(spans)
    entities = tuple(
        GoldEntity(
            id=span.id_ or f"T{number}",
            label=span.label_,
            start=span.start_char,
            end=span.end_char,
            score=score,
            by=by,
        )
        for number, (span, (score, by)) in enumerate(zip(spans, scores, strict=True), start=1)
    )
    return GoldRecord(
        id=carried.id, text=doc.text, entities=entities, relations=carried.relations, meta=carried.meta
    )
