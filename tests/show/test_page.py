"""The HTML page: exact text, valid nesting, hostile text, links that lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from gongkai.errors import OutputError
from gongkai.show.html import page, write_page
from gongkai.types import EntityLabel, Record
from handmade import marked, report

LABELS = EntityLabel.__args__  # type: ignore[attr-defined]

CASES = {
    "nothing": marked("没有标注。\n第二行"),
    "empty": marked(""),
    "one": marked("公开12条。", ("COUNT", 2, 5)),
    "adjacent": marked("97期111版", ("COUNT", 0, 3), ("COUNT", 3, 7)),
    "nested": marked("根据《2018年要点》", ("POLICY", 2, 11), ("PERIOD", 3, 8)),
    "same extent": marked("办公室", ("ORG", 0, 3), ("METRIC", 0, 3)),
    "three deep": marked("甲乙丙丁戊", ("POLICY", 0, 5), ("ORG", 1, 4), ("PERIOD", 2, 3)),
    "crossing": marked("甲乙丙丁戊", ("METRIC", 0, 3), ("ORG", 2, 5)),
    "hostile": marked(
        "<script>alert('12条')</script> & &amp; \"引号\" <!-- ]]> </article>",
        ("COUNT", 15, 18),
        ("ORG", 0, 8),
    ),
    "astral": marked("😀公开𠮷12条😀👨‍👩‍👧e\u0301", ("COUNT", 4, 7), ("METRIC", 1, 4), ("ORG", 0, 1)),
    "line ends": marked("\n\n甲12条\r\n乙\r丙\t　\x0b", ("COUNT", 3, 6)),
    "over lines": marked("甲\r\n乙", ("METRIC", 0, 4)),
    "report": report(),
}


def parse(record: Record) -> html.HtmlElement:
    return html.document_fromstring(page(record).encode(), parser=html.HTMLParser(encoding="utf-8"))


def pane_text(tree: html.HtmlElement) -> str:
    (pane,) = tree.xpath("//article[@id='text']")
    return pane.text_content()


@pytest.mark.parametrize("record", CASES.values(), ids=CASES.keys())
def test_text_and_spans_are_the_record_s(record: Record) -> None:
    tree = parse(record)
    assert pane_text(tree) == record.text.replace("\x0b", "␋")
    for entity in record.entities:
        parts = tree.xpath("//article//mark[@data-entity=$id]", id=entity.id)
        assert "".join(part.text_content() for part in parts) == entity.text
        assert {part.get("class") for part in parts} == {entity.label}


@pytest.mark.parametrize("record", CASES.values(), ids=CASES.keys())
def test_links_lead_to_one_place_each(record: Record) -> None:
    tree = parse(record)
    ids = tree.xpath("//@id")
    assert len(ids) == len(set(ids))
    targets = [link[1:] for link in tree.xpath("//a/@href")]
    assert set(targets) <= set(ids)
    rows = tree.xpath("//tbody/tr[@id]")
    assert len(rows) == len(record.facts)
    for row, fact in zip(rows, record.facts, strict=True):
        (target,) = row.xpath("./td[2]/a/@href")
        first = tree.xpath("//*[@id=$id]", id=target[1:])[0].text_content()
        assert record.text[fact.start : fact.end].startswith(first)


def test_findings_link_to_their_numbers() -> None:
    tree = parse(report())
    links = tree.xpath("//li[contains(@class, 'finding')]//a")
    assert [link.text for link in links] == ["1,200条", "700条", "600条"]
    for link in links:
        assert tree.xpath("//*[@id=$id]", id=link.get("href")[1:])[0].text_content() == link.text


def test_outline_links_to_headings() -> None:
    tree = parse(report())
    links = tree.xpath("//nav//a")
    assert [link.text for link in links] == ["一、概述", "（一）收到申请"]
    for link in links:
        assert tree.xpath("//*[@id=$id]", id=link.get("href")[1:])[0].text_content() == link.text


def test_hover_title_says_label_norm_and_signature() -> None:
    (mark,) = parse(report()).xpath("//article//mark[@data-entity='T7']")
    assert mark.get("title") == "COUNT 数量 · 1,200 条 · rule:count.test，0.90"


def test_nested_marks_are_nested_elements() -> None:
    tree = parse(CASES["nested"])
    assert tree.xpath("//mark[@class='POLICY']//mark[@class='PERIOD']/text()") == ["2018年"]


def test_page_loads_and_runs_nothing() -> None:
    for record in CASES.values():
        written = page(record)
        assert "<script" not in written
        assert not re.search(r"url\(|@import|<(?:link|img|iframe|object|embed)\b", written)
        tree = parse(record)
        assert not tree.xpath("//*/@src")
        assert all(link.startswith("#") for link in tree.xpath("//@href"))
        assert not [name for element in tree.iter() for name in element.attrib if name.startswith("on")]


@pytest.mark.parametrize("record", CASES.values(), ids=CASES.keys())
def test_elements_are_balanced(record: Record) -> None:
    opened: list[str] = []
    (pane,) = re.findall(r'<article id="text">(.*)</article>', page(record), re.S)
    for close, tag in re.findall(r"<(/?)(span|mark)\b[^>]*>", pane):
        if close:
            assert opened.pop() == tag
        else:
            opened.append(tag)
    assert not opened


@st.composite
def marked_records(draw: st.DrawFn) -> Record:
    text = draw(st.text(alphabet="公开12条<>&\"'\n\r😀 ", max_size=30))
    cut = st.integers(0, len(text))
    spans = draw(st.lists(st.tuples(st.sampled_from(LABELS), cut, cut), max_size=8))
    return marked(text, *((label, min(a, b), max(a, b)) for label, a, b in spans if a != b))


@given(marked_records())
def test_any_spans_keep_the_text(record: Record) -> None:
    tree = parse(record)
    assert pane_text(tree) == record.text
    for entity in record.entities:
        parts = tree.xpath("//article//mark[@data-entity=$id]", id=entity.id)
        assert "".join(part.text_content() for part in parts) == entity.text


def test_write_page_keeps_what_is_there(tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    write_page(report(), out)
    assert out.read_bytes().decode() == page(report())
    with pytest.raises(OutputError, match="exists already"):
        write_page(report(), out)
    write_page(report("other"), out, force=True)
    with pytest.raises(OutputError, match="Writing failed"):
        write_page(report(), tmp_path / "absent" / "page.html")
