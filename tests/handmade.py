"""Records made by hand, for the tests of what is done with records."""

from __future__ import annotations

from pathlib import Path

from gongkai.types import (
    CountNorm,
    DocnoNorm,
    Document,
    Entity,
    Fact,
    Finding,
    Meta,
    MetricNorm,
    OrgNorm,
    PercentNorm,
    PeriodNorm,
    PolicyNorm,
    Record,
    Relation,
    Section,
    Source,
)

YEAR = PeriodNorm(start="2018-01-01", end="2018-12-31")

REPORT_TEXT = """某市2018年政府信息公开工作年度报告
一、概述
2018年，根据市府办《某市政府信息公开条例》（某府办〔2018〕14号），主动公开信息1,200条，占60%。
（一）收到申请
其中部门700条、镇街600条。
"""


def _entity(number: int, label: str, text: str, norm: object, after: int = 0) -> Entity:
    start = REPORT_TEXT.index(text, after)
    return Entity(
        id=f"T{number}",
        label=label,  # type: ignore[arg-type]
        start=start,
        end=start + len(text),
        text=text,
        score=0.9,
        by=f"rule:{label.lower()}.test",
        norm=norm,  # type: ignore[arg-type]
    )


def report(document_id: str = "report") -> Record:
    """A small report with every label, nested spans, relations, facts and one finding."""
    body = REPORT_TEXT.index("一、")
    child = REPORT_TEXT.index("（一）")
    entities = (
        _entity(1, "PERIOD", "2018年", YEAR, body),
        _entity(2, "ORG", "市府办", OrgNorm(name="市府办")),
        _entity(
            3, "POLICY", "《某市政府信息公开条例》", PolicyNorm(name="某市政府信息公开条例", kind="条例")
        ),
        _entity(4, "ORG", "某市政府", OrgNorm(name="某市政府"), body),
        _entity(
            5,
            "DOCNO",
            "某府办〔2018〕14号",
            DocnoNorm(canonical="某府办〔2018〕14号", code="某府办", year=2018, serial=14),
        ),
        _entity(6, "METRIC", "主动公开信息", MetricNorm(metric_id="disclosure.active", score=1.0)),
        _entity(7, "COUNT", "1,200条", CountNorm(value=1200, unit="条")),
        _entity(8, "PERCENT", "60%", PercentNorm(value=0.6, decimals=0)),
        _entity(9, "COUNT", "700条", CountNorm(value=700, unit="条")),
        _entity(10, "COUNT", "600条", CountNorm(value=600, value_max=650, qualifier="approx", unit="条")),
    )
    counts = [entities[6], entities[8], entities[9]]
    facts = tuple(
        Fact(
            id=f"F{number}",
            metric="主动公开信息" if number == 1 else "部门",
            metric_id="disclosure.active" if number == 1 else None,
            value=float(count.text.rstrip("条").replace(",", "")),
            unit="条",
            start=count.start,
            end=count.end,
            period=YEAR,
            part_of=None if number == 1 else "F1",
            section="S1",
            sentence=number,
            evidence=(count.id,),
            score=0.8,
            by="rule:fact",
        )
        for number, count in enumerate(counts, start=1)
    )
    finding = Finding(
        check="sum",
        severity="error",
        message="合计印作1200条，各项相加为1300条。",
        reported=1200,
        expected=1300,
        evidence=("F1", "F2", "F3"),
        spans=tuple((count.start, count.end) for count in counts),
    )
    return Record(
        id=document_id,
        source=Source(path="report.txt", sha256="0" * 64, encoding="utf-8"),
        meta=Meta(
            title="某市2018年政府信息公开工作年度报告",
            issuer="某市人民政府办公室",
            year=2018,
            doc_type="annual_report_a",
            published="2019-03-01",
        ),
        text=REPORT_TEXT,
        sections=(
            Section(id="S0", level=0, start=0, end=body),
            Section(id="S1", level=1, start=body, end=len(REPORT_TEXT), number="一、", title="概述"),
            Section(
                id="S2",
                level=2,
                start=child,
                end=len(REPORT_TEXT),
                number="（一）",
                title="收到申请",
                parent="S1",
            ),
        ),
        sentences=((0, body), (body, len(REPORT_TEXT))),
        entities=entities,
        relations=(
            Relation(label="value_of", head="T7", tail="T6", score=0.9, by="rule:before"),
            Relation(label="part_of", head="T9", tail="T7", score=0.7, by="rule:among"),
        ),
        facts=facts,
        findings=(finding,),
    )


def marked(text: str, *spans: tuple[str, int, int]) -> Record:
    """A record of `text` with an entity for each (label, start, end), each a fact without evidence."""
    entities = tuple(
        Entity(id=f"T{n}", label=label, start=start, end=end, text=text[start:end], score=1.0, by="rule:t")  # type: ignore[arg-type]
        for n, (label, start, end) in enumerate(spans, start=1)
    )
    facts = tuple(
        Fact(id=f"F{n}", metric=text[s:e], value=float(n), unit=None, start=s, end=e)
        for n, (_, s, e) in enumerate(spans, start=1)
    )
    return Record(
        id="marked",
        source=Source(path=text[:20]),
        meta=Meta(title=text),
        text=text,
        entities=entities,
        facts=facts,
    )


class StandIn:
    """An extractor that knows one thing of a document, whether it says 坏; on that it fails."""

    def __init__(self, mode: str = "hybrid", model: Path | None = None) -> None:
        self.mode, self.model = mode, model

    def extract(self, document: Document) -> Record:
        if "坏" in document.text:
            raise ArithmeticError("no such number\nsecond line")
        found = [
            (match, match + 3)
            for match in range(len(document.text))
            if document.text[match:].startswith("12条")
        ]
        entities = tuple(
            Entity(
                id=f"T{n}",
                label="COUNT",
                start=s,
                end=e,
                text="12条",
                score=1.0,
                by="rule:t",
                norm=CountNorm(value=12, unit="条"),
            )
            for n, (s, e) in enumerate(found, start=1)
        )
        facts = tuple(
            Fact(id=f"F{n}", value=12, unit="条", start=s, end=e, evidence=(f"T{n}",))
            for n, (s, e) in enumerate(found, start=1)
        )
        return Record(
            id=document.id,
            source=document.source,
            meta=document.meta,
            text=document.text,
            entities=entities,
            facts=facts,
        )
