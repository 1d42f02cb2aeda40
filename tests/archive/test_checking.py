"""Checks across reports: planted contradictions are found, and nothing else is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from lxml import etree

from archive_reports import TEXTS, write
from gongkai.archive import CITATIONS, FINDINGS, GRAPH
from gongkai.archive.checking import check_archive
from gongkai.archive.graph import NAMESPACE
from gongkai.archive.tables import CITATIONS_SCHEMA, FINDINGS_SCHEMA
from gongkai.errors import OutputError
from gongkai.export.tabular import SCHEMAS
from gongkai.normalise.metrics import load_ontology
from gongkai.types import (
    DocnoNorm,
    Entity,
    Fact,
    Meta,
    PeriodNorm,
    PolicyNorm,
    Record,
    Relation,
    Section,
    Source,
)
from gongkai.views.settings import Balance, ValuesExample, load_settings


def findings(out: Path) -> list[dict[str, Any]]:
    return pq.read_table(out / FINDINGS).to_pylist()


def test_planted_contradictions(out: Path) -> None:
    summary = check_archive(out)
    assert (summary.reports, summary.compared, summary.left_out) == (11, 2, 5)
    assert dict(summary.findings) == {
        ("carryover.requests", "error"): 1,
        ("restated", "warning"): 1,
        ("titles", "warning"): 1,
    }
    carried, restated, titles = findings(out)
    assert carried["message"] == (
        "2021年报告载明「上年结转政府信息公开申请数量」5件，而2020年报告载明「结转下年度继续办理」6件，相差1。"
    )
    assert (carried["reported"], carried["expected"]) == (5.0, 6.0)
    assert (carried["issuer"], carried["year"], carried["check_name"]) == (
        "临川市政府办公室",
        2021,
        "carryover",
    )
    assert restated["message"].startswith("2021年报告称2020年")
    assert (restated["reported"], restated["expected"]) == (98.0, 100.0)
    assert titles["docno"] == "国办发〔2016〕8号"
    assert "《关于加快推进依法行政工作的意见》" in titles["message"]


def test_evidence_is_in_both_documents(out: Path) -> None:
    check_archive(out)
    for finding in findings(out):
        one, other = finding["spans"]
        assert one["document_id"] == finding["document_id"] == "office-2021"
        assert other["document_id"] != one["document_id"]
        for span, text in zip(finding["spans"], finding["texts"], strict=True):
            assert TEXTS[span["document_id"]][span["start_offset"] : span["end_offset"]] == text
            assert span["section_id"].startswith("S")
    assert findings(out)[0]["spans"][0]["section_id"] == "S3"


def test_files_have_their_columns_and_are_not_replaced_unasked(out: Path) -> None:
    check_archive(out)
    assert pq.read_schema(out / FINDINGS).equals(FINDINGS_SCHEMA)
    assert pq.read_schema(out / CITATIONS).equals(CITATIONS_SCHEMA)
    before = (out / FINDINGS).read_bytes()
    with pytest.raises(OutputError, match=r"exists already.*--force"):
        check_archive(out)
    check_archive(out, force=True)
    assert (out / FINDINGS).read_bytes() == before
    assert not list(out.glob(".*partial"))


@pytest.mark.parametrize("moved", range(4))
def test_a_kill_midway_leaves_nothing_that_looks_checked(
    moved: int, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_archive(out)
    places = iter(range(moved))
    real = Path.replace

    def killed(self: Path, target: Path) -> Path:
        if next(places, None) is None:
            raise KeyboardInterrupt
        return real(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", killed)
        if moved < 3:
            with pytest.raises(KeyboardInterrupt):
                check_archive(out, force=True)
        else:
            check_archive(out, force=True)
    assert [(out / name).exists() for name in (GRAPH, CITATIONS, FINDINGS)] == [moved > n for n in range(3)]
    check_archive(out, force=True)
    assert findings(out)


def test_findings_have_the_columns_of_a_documents_own() -> None:
    assert set(SCHEMAS["findings"].names) <= set(FINDINGS_SCHEMA.names)


def test_citations(out: Path) -> None:
    summary = check_archive(out)
    edges = pq.read_table(out / CITATIONS).to_pylist()
    assert (summary.citations, summary.within) == (len(edges), 1)
    (within,) = [edge for edge in edges if edge["cited_document_id"]]
    assert (within["document_id"], within["cited_document_id"]) == ("office-2020", "measures")
    assert within["docno"] == "临府〔2019〕8号"
    assert all(
        TEXTS[edge["document_id"]][edge["start_offset"] : edge["end_offset"]] == edge["text"]
        for edge in edges
    )


def test_graph(out: Path) -> None:
    check_archive(out)
    networkx = pytest.importorskip("networkx")
    graph = networkx.read_graphml(out / GRAPH)
    edges = pq.read_table(out / CITATIONS).to_pylist()
    assert graph.number_of_edges() == len(edges)
    assert graph.nodes["measures"]["in_archive"] is True
    assert graph.nodes["office-2020"]["year"] == 2020
    assert graph.nodes["cited:政府信息公开条例"]["title"] == "中华人民共和国政府信息公开条例"
    assert graph.edges["office-2020", "measures"]["mentions"] == 1


def test_graph_is_graphml(out: Path) -> None:
    check_archive(out)
    root = etree.parse(out / GRAPH).getroot()
    assert root.tag == f"{{{NAMESPACE}}}graphml"
    nodes = {node.get("id") for node in root.iter(f"{{{NAMESPACE}}}node")}
    ends = {edge.get(end) for edge in root.iter(f"{{{NAMESPACE}}}edge") for end in ("source", "target")}
    assert ends == nodes


# --- the examples of configs/archive.yaml ---------------------------------------------------------

ISSUER = "临川市人民政府"


def document(name: str, year: int, facts: list[Fact], **parts: Any) -> Record:
    meta = Meta(issuer=ISSUER, year=year, doc_type="annual_report_b")
    section = Section(id="S1", level=1, start=0, end=200)
    text = "".join(str(int(fact.value)).ljust(4) for fact in facts).ljust(200)
    return Record(
        **{
            "id": name,
            "source": Source(),
            "meta": meta,
            "text": text,
            "sections": (section,),
            "facts": tuple(facts),
        }
        | parts
    )


def facts_of(values: dict[str, float], year: int) -> list[Fact]:
    period = PeriodNorm(start=f"{year}-01-01", end=f"{year}-12-31")
    return [
        Fact(
            id=f"F{year}-{place}",
            value=value,
            unit="件",
            start=4 * place,
            end=4 * place + len(str(int(value))),
            metric_id=metric,
            period=period,
        )
        for place, (metric, value) in enumerate(values.items())
    ]


def found_in(folder: Path, *records: Record) -> list[dict[str, Any]]:
    write(folder, records)
    check_archive(folder)
    return findings(folder)


@pytest.mark.parametrize("balance", load_settings().balances, ids=lambda row: row.name)
def test_balances_say_what_their_examples_say(balance: Balance, tmp_path: Path) -> None:
    assert {balance.last, *balance.plus, *balance.minus} <= {metric.id for metric in load_ontology().metrics}
    example = balance.example
    last, this = (facts_of(example.last, 2020), facts_of(example.this, 2021))
    (finding,) = found_in(tmp_path / "odd", document("a", 2020, last), document("b", 2021, this))
    assert (finding["rule"], finding["severity"]) == (balance.name, balance.severity)
    assert finding["message"] == example.says
    assert finding["document_id"] == "b"
    assert finding["spans"][-1]["document_id"] == "a"


@pytest.mark.parametrize("balance", load_settings().balances, ids=lambda row: row.name)
def test_balances_that_hold_say_nothing(balance: Balance, tmp_path: Path) -> None:
    this = balance.example.this
    left = sum(this[metric] for metric in balance.plus) - sum(this[metric] for metric in balance.minus)
    records = (
        document("a", 2020, facts_of({balance.last: left}, 2020)),
        document("b", 2021, facts_of(this, 2021)),
    )
    assert found_in(tmp_path / "even", *records) == []


@pytest.mark.parametrize("years", [(2019, 2021), (2021, 2020)], ids=["a year between", "backwards"])
def test_only_consecutive_years_are_compared(years: tuple[int, int], tmp_path: Path) -> None:
    example = load_settings().balances[0].example
    first, second = years
    records = (
        document("a", first, facts_of(example.last, first)),
        document("b", second, facts_of(example.this, second)),
    )
    assert found_in(tmp_path / "out", *records) == []


def restated(example: ValuesExample) -> tuple[Record, Record]:
    return document("a", 2020, facts_of(example.last, 2020)), document(
        "b", 2021, facts_of(example.this, 2020)
    )


def test_restated_says_what_its_example_says(tmp_path: Path) -> None:
    example = load_settings().restated.example
    (finding,) = found_in(tmp_path / "out", *restated(example))
    assert (finding["rule"], finding["message"]) == ("restated", example.says)


def test_a_value_stated_alike_says_nothing(tmp_path: Path) -> None:
    example = load_settings().restated.example
    same = ValuesExample(last=example.last, this=example.last, says="")
    assert found_in(tmp_path / "out", *restated(same)) == []


@pytest.mark.parametrize(("value", "number"), [(0.9846, 0), (0.97, 1)], ids=["rounding", "another value"])
def test_rates_may_differ_by_rounding(value: float, number: int, tmp_path: Path) -> None:
    period = PeriodNorm(start="2020-01-01", end="2020-12-31")

    def rate(value: float, decimals: int) -> Fact:
        return Fact(
            id="F1",
            value=value,
            unit="%",
            decimals=decimals,
            start=0,
            end=2,
            metric_id="requests.reply_rate",
            period=period,
        )

    records = document("a", 2020, [rate(value, 2)]), document("b", 2021, [rate(0.985, 1)])
    assert len(found_in(tmp_path / "out", *records)) == number


def cited(docno: str, title: str, *, issuer: str | None = "国务院办公厅") -> dict[str, Any]:
    """A record's text, entities and relation: a title with its number."""
    text = f"《{title}》（{docno}）"
    name = len(title) + 2
    policy = Entity(
        id="T1",
        label="POLICY",
        start=0,
        end=name,
        text=text[:name],
        score=1.0,
        by="",
        norm=PolicyNorm(name=title),
    )
    norm = DocnoNorm(canonical=docno, code="国办发", issuer=issuer, year=2016, serial=12)
    number = Entity(
        id="T2",
        label="DOCNO",
        start=name + 1,
        end=name + 1 + len(docno),
        text=docno,
        score=1.0,
        by="",
        norm=norm,
    )
    relation = Relation(label="number_of", head="T2", tail="T1", score=1.0, by="")
    return {"text": text, "entities": (policy, number), "relations": (relation,)}


def test_titles_say_what_their_example_says(tmp_path: Path) -> None:
    example = load_settings().titles.example
    usual, odd = cited(example.docno, example.one), cited(example.docno, example.other)
    records = (
        document("a", 2020, [], **usual),
        document("b", 2021, [], **usual),
        document("c", 2022, [], **odd),
    )
    (finding,) = found_in(tmp_path / "out", *records)
    assert (finding["rule"], finding["message"]) == ("titles", example.says)
    assert finding["document_id"] == "c"
    assert finding["evidence"] == ["T1", "T1"]


def test_a_title_cut_short_is_no_other_title(tmp_path: Path) -> None:
    whole = cited("国办发〔2016〕12号", "关于全面推进政务公开工作的意见")
    short = cited("国办发〔2016〕12号", "全面推进政务公开")
    assert (
        found_in(tmp_path / "out", document("a", 2020, [], **whole), document("b", 2021, [], **short)) == []
    )


@pytest.mark.parametrize(("issuer", "number"), [("临川市教育局", 0), (ISSUER, 1)])
def test_unknown_codes_are_compared_within_one_issuer(issuer: str, number: int, tmp_path: Path) -> None:
    one = cited("府办〔2016〕12号", "关于全面推进政务公开的意见", issuer=None)
    other = cited("府办〔2016〕12号", "关于全面推进依法行政的意见", issuer=None)
    meta = Meta(issuer=issuer, year=2021, doc_type="annual_report_c")
    records = document("a", 2020, [], **one), document("b", 2021, [], **other, meta=meta)
    assert len(found_in(tmp_path / "out", *records)) == number


TITLE, OTHER = "关于全面推进政务公开的意见", "关于全面推进依法行政工作的若干意见"
NUMBER = "国办发〔2016〕12号"


def bearing(docno: str, title: str) -> dict[str, Any]:
    """Parts of the record of the document itself, which bears the number."""
    parts = cited(docno, title)
    meta = Meta(issuer="国务院办公厅", year=2016, doc_type="notice", title=title, docno=docno)
    return parts | {"entities": parts["entities"][1:], "relations": (), "meta": meta}


@pytest.mark.parametrize("titles", [(TITLE, OTHER), (OTHER, TITLE), (TITLE, OTHER, TITLE, OTHER)])
def test_of_titles_as_frequent_none_is_the_right_one(titles: tuple[str, ...], tmp_path: Path) -> None:
    records = [document(f"d{n}", 2020 + n, [], **cited(NUMBER, title)) for n, title in enumerate(titles)]
    (finding,) = found_in(tmp_path / "out", *records)
    assert finding["document_id"] == "d1"
    assert finding["texts"] == [f"《{titles[1]}》", f"《{titles[0]}》"]
    assert [span["document_id"] for span in finding["spans"]] == ["d1", "d0"]


def test_the_document_itself_says_its_title(tmp_path: Path) -> None:
    titles = [OTHER, OTHER, TITLE]
    citing = [document(f"d{n}", 2020 + n, [], **cited(NUMBER, title)) for n, title in enumerate(titles)]
    itself = document("itself", 2016, [], **bearing(NUMBER, TITLE))
    found = found_in(tmp_path / "out", *citing, itself)
    assert [finding["document_id"] for finding in found] == ["d0", "d1"]
    for finding in found:
        assert finding["message"] == f"文号{NUMBER}在此题为《{OTHER}》，而在原文件中题为《{TITLE}》。"
        assert finding["spans"][1]["document_id"] == "itself"
        assert finding["texts"] == [f"《{OTHER}》", NUMBER]


def test_documents_that_bear_one_number_and_two_titles_decide_nothing(tmp_path: Path) -> None:
    citing = [document(f"d{n}", 2020 + n, [], **cited(NUMBER, OTHER)) for n in range(2)]
    odd = document("odd", 2022, [], **cited(NUMBER, TITLE))
    bearers = [
        document(f"b{n}", 2016, [], **bearing(NUMBER, title)) for n, title in enumerate((TITLE, OTHER))
    ]
    (finding,) = found_in(tmp_path / "out", *citing, odd, *bearers)
    assert finding["document_id"] == "odd"
