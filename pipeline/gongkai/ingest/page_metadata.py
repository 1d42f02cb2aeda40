"""A page's own statements about its document: labelled lines and `<meta>` tags to `Meta`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import msgspec

from gongkai.ingest.page import Field, load_page, squeeze
from gongkai.text import fold
from gongkai.types import Meta

_EDGES = " \t\xa0\u3000|｜;；,，【】[]\u200b"
_COLON = re.compile("[:：﹕︰]")
_DATE = re.compile(r"((?:19|20)\d\d)\s*[-年/.]\s*(\d{1,2})\s*[-月/.]\s*(\d{1,2})")
_DOCNO = re.compile(r"\d.*号|令.*\d|[〔\[(【]\s*\d{4}|\d{4}\s*[〕\])】]")
_INDEX = re.compile(r"(?=.*\d)[\w\-/.:()〔〕\[\]· ]{4,60}")
_TITLE_CUT = re.compile(r"\s*[_|]\s*|\s+-+\s+")
_SITE_TAIL = re.compile(r"\s*-+\s*[^-]*(?:网|网站|门户|平台|政府|公开)\s*$")
_SITE = re.compile(r"(?:网|网站|门户|平台|首页)$")
_SHORTEST_BARE_LABEL = 3
_LONGEST_VALUE = 200
_LONGEST_NAME = 80


class Statement(msgspec.Struct, frozen=True):
    """One `label：value` of a line; `field` None where the label is known but not kept."""

    label: str
    field: Field | None
    value: str


def statements_of(line: str) -> list[Statement]:
    """The labelled values of a line that begins with a label; nothing for any other line.

    >>> [s.value for s in statements_of("索 引 号：K12/2019-1 发布机构：某市人民政府办公室 文号：")]
    ['K12/2019-1', '某市人民政府办公室', '']
    """
    if len(line) > 4 * _LONGEST_VALUE or not _COLON.search(line):
        return []
    page = load_page()
    view = fold(line)
    matches = list(page.label.finditer(view))
    if not matches or view[: matches[0].start()].strip(" \u200b"):
        return []
    ends = [match.start() for match in matches[1:]] + [len(line)]
    found: list[Statement] = []
    for match, end in zip(matches, ends, strict=True):
        label = squeeze(match[1])
        found.append(Statement(label, page.labels[label], line[match.end() : end].strip(_EDGES)))
    return found


def bare_label(line: str) -> str | None:
    """The label that a line consists of, with or without its colon.

    >>> bare_label("文　　号："), bare_label("文号：深府办〔2018〕14号")
    ('文号', None)
    """
    if len(line) > 20:
        return None
    label = squeeze(line).strip(":[]【】()")
    return label if label in load_page().labels else None


def labelled_values(lines: Iterable[str]) -> dict[Field, str]:
    """First valid value of each field; a label alone on its line takes the next line as its value."""
    values: dict[Field, str] = {}
    pending: Field | None = None
    for line in lines:
        statements = statements_of(line)
        if not statements:
            label = bare_label(line)
            if label is not None and len(label) >= _SHORTEST_BARE_LABEL:
                pending = load_page().labels[label]
                continue
            if pending is not None and _fits_below(pending, line):
                _keep(values, pending, line)
            pending = None
            continue
        for statement in statements:
            if statement.field is not None:
                _keep(values, statement.field, statement.value)
        pending = statements[-1].field if not statements[-1].value else None
    return values


def is_value_below(label: str, line: str) -> bool:
    """Whether a line can be the value of the label that stands alone in the line above it.

    >>> is_value_below("文号", "某府办〔2018〕1号"), is_value_below("文号", "一、概述")
    (True, False)
    """
    field = load_page().labels.get(label)
    if field is None or bare_label(line) is not None or statements_of(line):
        return False
    value = line.strip(_EDGES)
    return _fits_below(field, value) and _valid(field, value)


def _fits_below(field: Field, line: str) -> bool:
    """Stricter than beside its label: what stands below an empty one may be the text that follows."""
    if field in ("issuer", "source"):
        return len(line) <= _LONGEST_NAME and _issuing(line) is not None
    return field == "title" or len(line) <= _LONGEST_NAME


def tag_values(tags: Iterable[tuple[str, str]]) -> dict[Field, str]:
    """Fields of `<meta>` tags, given as (name, content)."""
    values: dict[Field, str] = {}
    known = load_page().tags
    for name, content in tags:
        field = known.get(name.strip().lower())
        if field is not None:
            _keep(values, field, content)
    return values


def meta_of(
    labelled: Mapping[Field, str],
    tagged: Mapping[Field, str],
    headings: Sequence[str],
    page_title: str | None,
) -> Meta:
    """Labelled values before tags, tags before headings; a source counts as issuer if it is named as a body.

    `published` is the day of publication, else the day that the document was written, where the page
    states that alone.
    """
    both = {**tagged, **labelled}
    issuer = both.get("issuer") or _issuing(both.get("source"))
    published = both.get("published") or both.get("written")
    return Meta(
        title=both.get("title") or title_of(headings, page_title),
        issuer=issuer,
        published=iso_date(published) if published else None,
        index_number=both.get("index_number"),
        docno=both.get("docno"),
    )


def iso_date(text: str) -> str | None:
    """The first date in `text`, ISO.

    >>> iso_date("2018年11月09日"), iso_date("2019-3-11 10:22"), iso_date("2019-13-11")
    ('2018-11-09', '2019-03-11', None)
    """
    match = _DATE.search(fold(text))
    if match is None:
        return None
    try:
        return date(int(match[1]), int(match[2]), int(match[3])).isoformat()
    except ValueError:
        return None


def title_of(headings: Sequence[str], page_title: str | None) -> str | None:
    """The document's title: the heading that the page's title begins with, else that title without the site.

    A page titled by nothing but its site's name takes its first heading.

    >>> title_of([], "2018年政府信息公开工作年度报告-某市人民政府门户网站")
    '2018年政府信息公开工作年度报告'
    >>> title_of(["某市人民政府", "2018年年度报告"], "某市财政局2018年年度报告_某市人民政府")
    '某市财政局2018年年度报告'
    """
    first = _SITE_TAIL.sub("", _TITLE_CUT.split((page_title or "").strip())[0]).strip(_EDGES)
    squeezed = squeeze(first)
    for heading in headings:
        if squeezed and (squeezed.startswith(squeeze(heading)) or squeeze(heading).startswith(squeezed)):
            return heading
    if headings and (not first or _SITE.search(first)):
        return headings[0]
    return first or None


def _keep(values: dict[Field, str], field: Field, value: str) -> None:
    value = " ".join(value.strip(_EDGES).split())
    if field not in values and _valid(field, value):
        values[field] = value


def _valid(field: Field, value: str) -> bool:
    view = fold(value)
    if not 1 < len(value) <= _LONGEST_VALUE:
        return False
    if field in ("published", "written"):
        return iso_date(value) is not None
    if field == "docno":
        return len(value) < 60 and _DOCNO.search(view) is not None
    if field == "index_number":
        return _INDEX.fullmatch(view) is not None
    if field in ("issuer", "source"):
        return len(value) <= 80 and _DATE.search(view) is None
    return True


def _issuing(source: str | None) -> str | None:
    if source is None:
        return None
    return source if fold(source).endswith(load_page().issuer_endings) else None
