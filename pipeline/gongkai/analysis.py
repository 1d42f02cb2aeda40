"""What is known of a document so far: the state that the pipeline's stages fill, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
import srsly

from gongkai.model.decode import Link
from gongkai.text import fold
from gongkai.types import (
    Document,
    Entity,
    Fact,
    Finding,
    Mention,
    Meta,
    Record,
    Relation,
    Structure,
)


class NumberReading(NamedTuple):
    """A number and the phrase that says what it counts, before both have ids."""

    number: Mention
    metric: Mention
    by: str
    score: float


class NumberPart(NamedTuple):
    """A table cell's number and the number of the same table that it is part of."""

    part: Mention
    total: Mention


class Analysis(msgspec.Struct, kw_only=True):
    """Mutable on purpose: `doc._.gongkai`, to which each component adds what it found.

    Attributes:
        view: `fold(document.text)`.
        given: Spans to use instead of what the taggers find; None to tag.
        model_mentions, model_links: What the trained model reads; of `given`, if there are any. None if none read.
        mentions: Tagged spans before ids.
        readings, parts: Pairs of mentions that become value_of and part_of relations.
        unit_at: Start of a table cell's bare number → its unit.
        metric_at: Start of a standard form's label → the one row of the ontology that its numbers have, or None.
    """

    document: Document
    view: str
    structure: Structure
    given: tuple[Mention, ...] | None = None
    model_mentions: list[Mention] | None = None
    model_links: list[Link] = []
    mentions: list[Mention] = []
    readings: list[NumberReading] = []
    parts: list[NumberPart] = []
    unit_at: dict[int, str] = {}
    metric_at: dict[int, str | None] = {}
    entities: tuple[Entity, ...] = ()
    relations: tuple[Relation, ...] = ()
    facts: tuple[Fact, ...] = ()
    findings: tuple[Finding, ...] = ()

    @classmethod
    def of(cls, document: Document) -> Analysis:
        """A fresh state: nothing but the text and its view."""
        empty = Structure(meta=Meta(), sections=(), sentences=(), paragraphs=(), boilerplate=(), tables=())
        return cls(document=document, view=fold(document.text), structure=empty)

    def record(self) -> Record:
        """The document's line of documents.jsonl."""
        return Record(
            id=self.document.id,
            source=self.document.source,
            meta=self.structure.meta,
            text=self.document.text,
            sections=self.structure.sections,
            sentences=self.structure.sentences,
            tables=self.structure.tables,
            entities=self.entities,
            relations=self.relations,
            facts=self.facts,
            findings=self.findings,
        )


# spaCy serialises `doc._.gongkai` with msgpack when documents travel between processes or to disk.


@srsly.msgpack_encoders("gongkai.Analysis")
def _encode(obj: Any, chain: Callable[[Any], Any] | None = None) -> Any:
    if isinstance(obj, Analysis):
        return {"__gongkai__": msgspec.json.encode(obj)}
    return obj if chain is None else chain(obj)


@srsly.msgpack_decoders("gongkai.Analysis")
def _decode(obj: Any, chain: Callable[[Any], Any] | None = None) -> Any:
    if isinstance(obj, dict) and "__gongkai__" in obj:
        return msgspec.json.decode(obj["__gongkai__"], type=Analysis)
    return obj if chain is None else chain(obj)
