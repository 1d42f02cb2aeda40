"""Agreement on the command line and the list of disagreements, as text and as a page."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from gold_records import gold, random_gold
from gongkai.errors import GongkaiError
from gongkai.gold.records import write
from gongkai_annotations.agreement import Counts, Unpaired, agreement, by_annotator, keys, pairwise_agreement
from gongkai_annotations.alpha import Alpha
from gongkai_annotations.cli import app
from gongkai_annotations.disagreements import all_disagreements, disagreements, lines
from gongkai_annotations.disagreements_page import page

FIRST = gold(
    "d",
    "概述。⟦PERIOD#p 2018年⟧，我局⟦METRIC#m 收到申请⟧⟦COUNT#n 12件⟧。⟦ORG#o 市府办⟧印发⟦POLICY#q 《办法》⟧。完。",
    "value_of n m",
    "during n p",
    "issued_by q o",
)
SECOND = gold(
    "d",
    "概述。⟦PERIOD#p 2018年⟧，⟦METRIC#m 我局收到申请⟧⟦PERCENT#n 12件⟧。⟦ORG#o 市府办⟧印发《办法》。⟦COUNT#x 完⟧。",
    "value_of n m",
)


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["agreement", *map(str, arguments)], env={"COLUMNS": "120"})
    if isinstance(result.exception, GongkaiError):
        return 1, str(result.exception)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def test_each_kind_of_disagreement_is_named_once() -> None:
    found = [
        (each.kind, *(key and key[0] for key in (each.first, each.second)))
        for each in disagreements(FIRST, SECOND)
    ]
    assert found == [
        ("boundary", "METRIC", "METRIC"),
        ("label", "COUNT", "PERCENT"),
        ("boundary", "value_of", "value_of"),
        ("first_only", "during", None),
        ("first_only", "POLICY", None),
        ("first_only", "issued_by", None),
        ("second_only", None, "COUNT"),
    ]


def test_disagreements_as_text_stand_in_their_sentence() -> None:
    told = ["\n".join(lines(each, FIRST.text)) for each in disagreements(FIRST, SECOND)]
    assert told[0] == (
        "d  boundary differs  METRIC\n"
        "  first   METRIC      2018年，我局⟦收到申请⟧12件。\n"
        "  second  METRIC      2018年，⟦我局收到申请⟧12件。"
    )
    assert told[3] == "d  only first  during\n  first   during      ⟦tail 2018年⟧，我局收到申请⟦head 12件⟧。"


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_disagreements_are_those_that_are_counted(one: int, other: int) -> None:
    """Every difference is in the list, once; nothing else is."""
    first = random_gold("d", one, length=200)
    fitting = [e for e in random_gold("d", other, length=150).entities if e.end <= len(first.text)]
    ids = {e.id for e in fitting}
    relations = [r for r in random_gold("d", other, length=150).relations if {r.head, r.tail} <= ids]
    second = msgspec.structs.replace(first, entities=tuple(fitting), relations=tuple(relations))
    found = disagreements(first, second)
    assert sorted(str(f.first) for f in found if f.first) == sorted(map(str, keys(first) - keys(second)))
    assert sorted(str(f.second) for f in found if f.second) == sorted(map(str, keys(second) - keys(first)))
    for each in found:
        assert 0 <= each.context[0] < each.context[1] <= len(first.text)
        list(lines(each, first.text))


def test_no_disagreement() -> None:
    assert disagreements(FIRST, FIRST) == []
    assert "完全一致" in page(agreement([FIRST], [FIRST]), Alpha([]), [], ("a", "b"))


HOSTILE = gold(
    "<script>alert(1)</script>",
    '‘"<img src=x onerror=alert(1)>&amp;\x1b[2J\u2028${first}$title\r\n⟦COUNT#n 5件<b>⟧</main>\n⟦ORG#o 办⟧',
)


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}


def test_hostile_text_stays_text() -> None:
    bare = msgspec.structs.replace(HOSTILE, entities=())
    documents = [{"<i>first": HOSTILE, "second": bare}]
    written = page(
        pairwise_agreement(documents), Alpha(["COUNT"]), all_disagreements(documents), ("<i>first", "second")
    )
    parser = Elements()
    parser.feed(written)
    assert not parser.names & {"script", "img", "i", "iframe", "link"}
    assert not {name for name in parser.attributes if name.startswith("on")}
    assert "\x1b" not in written
    assert "default-src 'none'" in written
    assert not re.search(r"""(src|href)\s*=""", re.sub(r"&lt;.*?&gt;", "", written))


def test_long_sentences_are_shortened() -> None:
    record = gold("d", "一" * 5000 + "⟦COUNT#n 5件⟧" + "二" * 5000)
    (found,) = disagreements(record, msgspec.structs.replace(record, entities=()))
    assert len("".join(lines(found, record.text))) < 300


def test_two_files(tmp_path: Path) -> None:
    write([FIRST], tmp_path / "a.jsonl")
    write([SECOND], tmp_path / "b.jsonl")
    out = tmp_path / "page.html"
    status, told = run(tmp_path / "a.jsonl", "--with", tmp_path / "b.jsonl", "--list", "--html", out)
    assert status == 0
    assert re.search(r"PERIOD +│ 1 +│ 0 +│ 0 +│ 1\.000 │ 1\.000", told)
    assert "only second  COUNT" in told
    assert "同处异标" in out.read_text("utf-8")
    status, told = run(tmp_path / "a.jsonl", "--with", tmp_path / "b.jsonl", "--html", out)
    assert (status, "exists already" in told) == (1, True)


def test_annotators_of_one_file(tmp_path: Path) -> None:
    three = [
        msgspec.structs.replace(record, meta={"annotator": name})
        for record, name in ((FIRST, "甲"), (SECOND, "乙"), (FIRST, "丙"))
    ]
    alone = gold("alone", "无。", annotator="甲")
    write([*three, alone], tmp_path / "pulled.jsonl")
    status, told = run(tmp_path / "pulled.jsonl", "--list", "--html", tmp_path / "page.html")
    assert status == 0
    assert "1 documents" in told
    (documents,) = by_annotator([*three, alone])
    assert list(documents) == ["丙", "乙", "甲"]
    counts = pairwise_agreement([documents])
    assert (counts.both["POLICY"], counts.first_only["POLICY"], counts.second_only["POLICY"]) == (1, 1, 1)
    assert "丙 / 乙" in (tmp_path / "page.html").read_text("utf-8")


def test_other_texts_are_not_compared() -> None:
    other = gold("d", "另一篇。", annotator="乙")
    with pytest.raises(Unpaired, match="Its texts differ"):
        agreement([FIRST], [other])
    with pytest.raises(Unpaired, match="Its texts differ"):
        list(by_annotator([FIRST, other]))


def test_precision_and_recall() -> None:
    counts = Counts()
    counts.add(keys(FIRST), keys(SECOND))
    assert (counts.precision("PERIOD"), counts.recall("POLICY"), counts.precision("POLICY")) == (1, 0, None)


def test_nobody_to_compare(tmp_path: Path) -> None:
    write([FIRST], tmp_path / "a.jsonl")
    assert run(tmp_path / "a.jsonl")[0] == 0
