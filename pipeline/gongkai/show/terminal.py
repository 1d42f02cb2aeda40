"""A record on a terminal: coloured text, a table of its facts, its findings."""

from __future__ import annotations

from collections.abc import Mapping

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.style import Style
from rich.table import Table
from rich.text import Text

from gongkai.show import (
    CHECKS,
    LABELS,
    SEVERITIES,
    fact_reference,
    fact_value,
    finding_numbers,
    meta_rows,
    period_text,
    pieces,
    visible,
)
from gongkai.types import Entity, EntityLabel, Fact, Finding, Record, Severity

STYLES: Mapping[EntityLabel, Style] = {
    "METRIC": Style(color="green"),
    "COUNT": Style(color="yellow", bold=True),
    "PERCENT": Style(color="magenta", bold=True),
    "DOCNO": Style(color="cyan", underline=True),
    "POLICY": Style(color="blue"),
    "ORG": Style(color="red"),
    "PERIOD": Style(color="bright_cyan", italic=True),
}
_SEVERITY_STYLES: Mapping[Severity, str] = {"error": "bold red", "warning": "yellow", "notice": "cyan"}


class MarkedText:
    """A renderable: the text of a record with its entities coloured; of nested ones the inner colour wins.

    Emits the text as it is, without wrapping, so that copying from the screen gives the source back.
    """

    def __init__(self, record: Record) -> None:
        self._text = visible(record.text)
        self._entities = record.entities

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for start, end, covering in pieces(len(self._text), self._entities):
            yield Segment(_on_screen(self._text[start:end]), _style(covering))
        yield Segment.line()


def _on_screen(text: str) -> str:
    """A carriage return would send the cursor back over the line: `\\r\\n` shows as a line break."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _style(covering: tuple[Entity, ...]) -> Style | None:
    return Style.combine(STYLES[entity.label] for entity in covering) if covering else None


def show(record: Record, console: Console) -> None:
    """Print the document, its facts and its findings."""
    console.rule(Text(visible(record.meta.title or record.id), style="bold"))
    for name, value in meta_rows(record):
        console.print(Text.assemble((f"{name}  ", "dim"), visible(value)), soft_wrap=True)
    console.print(_legend())
    console.print()
    console.print(MarkedText(record), soft_wrap=True)
    console.print(_facts(record) if record.facts else Text("没有事实。", style="dim"))
    console.print(
        Text(f"发现 {len(record.findings)} 处疑点" if record.findings else "没有发现疑点。", style="bold")
    )
    by_id = {fact.id: fact for fact in record.facts}
    for finding in record.findings:
        console.print(_finding(finding, by_id), soft_wrap=True)


def _legend() -> Text:
    legend = Text()
    for label, name in LABELS.items():
        legend.append(f"{label} {name}", STYLES[label]).append("  ")
    return legend


def _facts(record: Record) -> Table:
    table = Table(title=f"事实 {len(record.facts)} 条", box=box.SIMPLE_HEAD, title_justify="left")
    table.add_column("指标")
    table.add_column("原文", justify="right")
    table.add_column("值", justify="right")
    for heading in ("时间", "属于或比较"):
        table.add_column(heading)
    by_id = {fact.id: fact for fact in record.facts}
    for fact in record.facts:
        table.add_row(*(Text(visible(cell)) for cell in _cells(record, fact, by_id)))
    return table


def _cells(record: Record, fact: Fact, by_id: Mapping[str, Fact]) -> tuple[str, ...]:
    links = (
        ("属于", fact.part_of),
        ("占", fact.share_of),
        ("比", fact.compared_with),
    )
    related = "；".join(f"{verb} {fact_reference(record, other, by_id)}" for verb, other in links if other)
    metric = " · ".join(part for part in (fact.metric or fact.metric_id or "—", fact.category) if part)
    printed = record.text[fact.start : fact.end]
    return metric, printed, fact_value(fact), period_text(fact.period), related


def _finding(finding: Finding, by_id: Mapping[str, Fact]) -> Text:
    reported, expected = finding_numbers(finding, by_id)
    severity = SEVERITIES[finding.severity]
    return Text.assemble(
        (f"● {severity} {CHECKS[finding.check]}  ", _SEVERITY_STYLES[finding.severity]),
        visible(finding.message),
        (f"  （原文 {reported}，推算 {expected}）", "dim"),
    )
