"""Every row of configs/page.yaml is run on its own examples."""

from __future__ import annotations

import re

import pytest
from lxml import etree

from gongkai.ingest.markup import names_of
from gongkai.ingest.page import Labels, Pattern, Tags, load_page, load_page_config
from gongkai.ingest.page_metadata import statements_of
from gongkai.text import fold

CONFIG = load_page_config()
ROWS = [
    pytest.param(row, id=f"{section}.{row.name}")
    for section in ("elements", "pieces", "lines", "related", "footer")
    for row in getattr(CONFIG, section)
]


@pytest.mark.parametrize("row", ROWS)
def test_pattern(row: Pattern) -> None:
    pattern = re.compile(row.pattern, re.IGNORECASE)
    assert row.match
    assert row.reject
    assert [text for text in row.match if not pattern.fullmatch(fold(text))] == []
    assert [text for text in row.reject if pattern.fullmatch(fold(text))] == []


@pytest.mark.parametrize(
    "row", [row for row in CONFIG.pieces if row.name != "counter"], ids=lambda row: row.name
)
def test_pieces_do_not_cut_what_they_reject(row: Pattern) -> None:
    pattern = re.compile(row.pattern, re.IGNORECASE)
    left = [pattern.sub("", fold(text)) for text in row.reject]
    assert all(left)


@pytest.mark.parametrize("row", CONFIG.content, ids=lambda row: row.name)
def test_content_name(row) -> None:
    element = (
        etree.fromstring(row.example, etree.HTMLParser()).find("body")[0]
        if "<td" not in row.example
        else None
    )
    names = names_of(element) if element is not None else row.example.lower()
    assert row.name in names


@pytest.mark.parametrize("row", CONFIG.labels, ids=lambda row: row.labels[0])
def test_label(row: Labels) -> None:
    (statement, *_) = statements_of(row.example)
    assert statement.field == row.field
    assert statement.value


@pytest.mark.parametrize("row", CONFIG.tags, ids=lambda row: row.field)
def test_tag(row: Tags) -> None:
    tag = etree.fromstring(row.example, etree.HTMLParser()).find(".//meta")
    assert load_page().tags[tag.get("name").lower()] == row.field


def test_no_label_leads_to_two_fields() -> None:
    labels = [label for row in CONFIG.labels for label in row.labels]
    assert len(set(labels)) == len(labels)
