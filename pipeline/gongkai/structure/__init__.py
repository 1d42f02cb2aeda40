"""The structure stage: metadata, paragraphs, sections, sentences, tables, boilerplate of one document."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gongkai.spans import IntervalIndex, drop_overlapping
from gongkai.structure import boilerplate, metadata, sections, sentences
from gongkai.structure.tables import recognise_tables
from gongkai.types import Document, Structure, Table

_PARAGRAPH = re.compile(r"[^\s\u200b](?:[^\n]*[^\s\u200b])?")


def analyse(document: Document, view: str) -> Structure:
    """The structure of a document.

    Args:
        view: `gongkai.text.fold(document.text)`.
    """
    dropped = boilerplate.find(view)
    paragraphs = paragraphs_of(view, dropped)
    tables = recognise_tables(document, view, paragraphs)
    return Structure(
        meta=metadata.complete(document, view, paragraphs),
        sections=sections.tree(view, _outside(tables, paragraphs), printed=document.text),
        sentences=sentences.split(view),
        paragraphs=paragraphs,
        boilerplate=dropped,
        tables=tables,
    )


def paragraphs_of(view: str, boilerplate: Sequence[tuple[int, int]] = ()) -> tuple[tuple[int, int], ...]:
    """(start, end) of every line with anything on it, without outer white space, boilerplate left out.

    >>> paragraphs_of("一、概述\\n\\n  共3件。 \\n")
    ((0, 4), (8, 12))
    """
    dropped = set(boilerplate)
    return tuple(match.span() for match in _PARAGRAPH.finditer(view) if match.span() not in dropped)


def _outside(tables: Sequence[Table], paragraphs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The paragraphs in no table: a table's rows are numbered too, but head no section."""
    within = IntervalIndex([(table.start, table.end) for table in drop_overlapping(tables)])
    return [paragraph for paragraph in paragraphs if within.find(paragraph[0]) is None]
