"""A record as one self-contained page: no script, no external resource, readable on paper.

Whatever the document says is escaped, and a content security policy forbids the page to load or run
anything. The text pane holds exactly the record's text: its text content is `record.text`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

from gongkai import __version__
from gongkai.errors import OutputError
from gongkai.show import (
    CHECKS,
    LABELS,
    SEVERITIES,
    fact_reference,
    fact_value,
    finding_numbers,
    meta_rows,
    norm_text,
    period_text,
    pieces,
    visible,
)
from gongkai.types import Entity, Fact, Finding, Record, Section

_HEADING_LIMIT = 80
"""No heading is longer; a section whose first line is longer has its text run on after the title."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch of the text to be marked: an entity, a doubtful number, a fact's number, a heading.

    Attributes:
        anchor: Id of the element; a span that crosses another is several elements, the first has the id.
        tag: The HTML element.
        attributes: The rest of the start tag, escaped.
    """

    start: int
    end: int
    anchor: str
    tag: str
    attributes: str


def page(record: Record) -> str:
    """The HTML page of a record."""
    template = Template(files("gongkai.show").joinpath("page.html").read_text(encoding="utf-8"))
    anchors = _number_anchors(record)
    return template.substitute(
        title=_html(record.meta.title or record.id),
        meta="\n".join(
            f"<div><dt>{name}</dt><dd>{_html(value)}</dd></div>" for name, value in meta_rows(record)
        ),
        counts=_counts(record),
        legend=_legend(record),
        outline=_outline(record.sections),
        text="".join(_marked_text(record.text, _marks(record, anchors))),
        findings=_findings(record),
        facts=_facts(record, anchors),
        version=_html(__version__),
    )


def write_page(record: Record, out: Path, *, force: bool = False) -> None:
    """Write the page of a record.

    Raises:
        OutputError: `out` exists and `force` is not given, or it cannot be written.
    """
    write_text(page(record), out, force=force)


def write_text(written: str, out: Path, *, force: bool = False) -> None:
    """Write a finished page.

    Raises:
        OutputError: `out` exists and `force` is not given, or it cannot be written.
    """
    try:
        with out.open("w" if force else "x", encoding="utf-8", newline="") as file:
            file.write(written)
    except FileExistsError:
        raise OutputError(str(out), "The file exists already.", "Choose another, or pass --force.") from None
    except OSError as error:
        raise OutputError(str(out), f"Writing failed: {error.strerror}.", "Choose another place.") from error


def _html(text: str) -> str:
    """`text` so that an HTML parser gives it back unchanged (it would read a bare CR as a line feed)."""
    return escape(visible(text), quote=True).replace("\r", "&#13;")


def _number_anchors(record: Record) -> dict[str, str]:
    """Where in the page each fact's number is: its entity, else a mark of its own."""
    entities = {(e.start, e.end): e.id for e in record.entities if e.label in ("COUNT", "PERCENT")}
    return {
        fact.id: f"e-{entities[fact.start, fact.end]}"
        if (fact.start, fact.end) in entities
        else f"n-{fact.id}"
        for fact in record.facts
    }


def _marks(record: Record, anchors: Mapping[str, str]) -> list[Mark]:
    """All marks, outer kinds first, so that marks of one extent nest in this order."""
    marks = [_heading_mark(record, section) for section in record.sections if section.number]
    for number, finding in enumerate(record.findings, start=1):
        title = f"{SEVERITIES[finding.severity]} {CHECKS[finding.check]}：{finding.message}"
        attributes = f'class="doubt {finding.severity}" title="{_html(title)}"'
        marks += [
            Mark(start, end, f"d-{number}-{place}", "span", attributes)
            for place, (start, end) in enumerate(finding.spans, start=1)
        ]
    for fact in record.facts:
        if anchors[fact.id].startswith("n-"):
            marks.append(Mark(fact.start, fact.end, anchors[fact.id], "span", 'class="number"'))
    marks += [_entity_mark(entity) for entity in record.entities]
    return marks


def _heading_mark(record: Record, section: Section) -> Mark:
    line_end = record.text.find("\n", section.start, section.end)
    end = section.end if line_end < 0 else line_end
    if end - section.start > _HEADING_LIMIT:
        end = section.start + len(section.number or "") + len(section.title or "")
    level = min(max(section.level, 1), 4)
    return Mark(section.start, min(end, section.end), f"s-{section.id}", "span", f'class="heading h{level}"')


def _entity_mark(entity: Entity) -> Mark:
    norm = norm_text(entity.norm)
    says = [f"{entity.label} {LABELS[entity.label]}", norm, f"{entity.by}，{entity.score:.2f}"]
    title = _html(" · ".join(part for part in says if part))
    attributes = f'class="{entity.label}" data-entity="{_html(entity.id)}" title="{title}"'
    return Mark(entity.start, entity.end, f"e-{entity.id}", "mark", attributes)


def _marked_text(text: str, marks: Sequence[Mark]) -> Iterator[str]:
    """The text with its marks as properly nested elements; marks that cross are closed and opened again."""
    opened: tuple[Mark, ...] = ()
    seen: set[str] = set()
    for start, end, covering in pieces(len(text), marks):
        common = 0
        while common < min(len(opened), len(covering)) and opened[common] is covering[common]:
            common += 1
        yield from (f"</{mark.tag}>" for mark in reversed(opened[common:]))
        for mark in covering[common:]:
            anchor = "" if mark.anchor in seen else f' id="{_html(mark.anchor)}"'
            seen.add(mark.anchor)
            yield f"<{mark.tag}{anchor} {mark.attributes}>"
        yield _html(text[start:end])
        opened = covering
    yield from (f"</{mark.tag}>" for mark in reversed(opened))


def _counts(record: Record) -> str:
    counts = [
        (len(record.text), "字"),
        (len(record.entities), "处标注"),
        (len(record.facts), "条事实"),
        (len(record.findings), "处疑点"),
    ]
    return "".join(f"<li><b>{number:,}</b> {name}</li>" for number, name in counts)


def _legend(record: Record) -> str:
    """A check box for each label; style rules alone switch its marks off."""
    counts = dict.fromkeys(LABELS, 0)
    for entity in record.entities:
        counts[entity.label] += 1
    return "\n".join(
        f'<label><input type="checkbox" id="show-{label}" checked>'
        f'<mark class="{label}">{name}</mark> {label} <small>{counts[label]:,}</small></label>'
        for label, name in LABELS.items()
    )


def _outline(sections: Sequence[Section]) -> str:
    numbered = [section for section in sections if section.number]
    if not numbered:
        return '<p class="none">没有编号的章节。</p>'
    items = "".join(_outline_item(section) for section in numbered)
    return f"<ol>{items}</ol>"


def _outline_item(section: Section) -> str:
    heading = f"{section.number}{section.title or ''}"[:_HEADING_LIMIT]
    level = min(max(section.level, 1), 4)
    return f'<li class="l{level}"><a href="#{_html(f"s-{section.id}")}">{_html(heading)}</a></li>'


def _findings(record: Record) -> str:
    if not record.findings:
        return '<p class="none">没有发现疑点。</p>'
    by_id = {fact.id: fact for fact in record.facts}
    return "".join(_finding(record, n, finding, by_id) for n, finding in enumerate(record.findings, start=1))


def _finding(record: Record, number: int, finding: Finding, by_id: Mapping[str, Fact]) -> str:
    reported, expected = finding_numbers(finding, by_id)
    links = "、".join(
        f'<a href="#d-{number}-{place}">{_html(record.text[start:end])}</a>'
        for place, (start, end) in enumerate(finding.spans, start=1)
    )
    return (
        f'<li class="finding {finding.severity}"><p><b>{SEVERITIES[finding.severity]}</b> '
        f"{CHECKS[finding.check]} <code>{finding.check}</code></p>"
        f"<p>{_html(finding.message)}</p>"
        f'<p class="detail">原文 {_html(reported)}，推算 {_html(expected)}；'
        f"见 {links}</p></li>"
    )


def _facts(record: Record, anchors: Mapping[str, str]) -> str:
    if not record.facts:
        return '<tr><td colspan="5" class="none">没有事实。</td></tr>'
    by_id = {fact.id: fact for fact in record.facts}
    return "\n".join(_fact(record, fact, anchors, by_id) for fact in record.facts)


def _fact(record: Record, fact: Fact, anchors: Mapping[str, str], by_id: Mapping[str, Fact]) -> str:
    number = f'<a href="#{_html(anchors[fact.id])}">{_html(record.text[fact.start : fact.end])}</a>'
    metric = _html(fact.metric or "—")
    details = " · ".join(part for part in (fact.metric_id, fact.category) if part)
    if details:
        metric += f"<small>{_html(details)}</small>"
    cells = (
        metric,
        number,
        _html(fact_value(fact)),
        _html(period_text(fact.period)),
        _related(record, fact, anchors, by_id),
    )
    return f'<tr id="{_html(f"f-{fact.id}")}">{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'


def _related(record: Record, fact: Fact, anchors: Mapping[str, str], by_id: Mapping[str, Fact]) -> str:
    links = []
    for verb, other in (("属于", fact.part_of), ("占", fact.share_of), ("比", fact.compared_with)):
        if other is None:
            continue
        name = _html(fact_reference(record, other, by_id))
        target = anchors.get(other)
        links.append(f'{verb} <a href="#{_html(target)}">{name}</a>' if target else f"{verb} {name}")
    return "<br>".join(links)
