"""What a document says of itself: title, issuer, year, type, date, numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from functools import cache
from itertools import pairwise
from typing import Literal

import msgspec

from gongkai.resources import load_yaml
from gongkai.rules.table import alternatives
from gongkai.structure.patterns import PatternRow, compile_row
from gongkai.text import fold, script_of
from gongkai.types import DocType, Document, Meta

Field = Literal["index_number", "issuer", "docno", "title", "published", "written", "other"]

_FILE = "structure/metadata.yaml"
_FIELDS: tuple[Field, ...] = ("index_number", "issuer", "docno", "title", "published", "written", "other")
_HEAD = 40
"""Paragraphs in which metadata lines and the title are looked for."""
_TAIL = 12
_LONGEST_LINE = 300
_LONGEST_TITLE = 120
_LONGEST_DATELINE = 80
_MOST_TITLE_LINES = 4
_EVIDENCE = 60_000
"""Characters in which the signs of a form are looked for."""
_SITE_SUFFIX = re.compile(r" *(?:_| \| | - ).{1,40}$|\[[0-9]+\]$")
_YEAR = re.compile(r"(?<![0-9])((?:19|20)[0-9]{2})(?= *(?:年|-|\)|政府|政务|$))")
_HAN_YEAR = re.compile(r"([一二][〇零一二三四五六七八九]{3})年")
_HAN_DIGITS = {numeral: str(value) for value, numeral in enumerate("〇一二三四五六七八九")} | {"零": "0"}
_HAN_NUMERAL = "一二三四五六七八九"
_PERIOD = re.compile(r"((?:19|20)[0-9]{2})年1月1日 ?(?:起)?(?:至|-|到)")
_YEAR_LINE = re.compile(r"^[ (]{0,10}((?:19|20)[0-9]{2}) ?年度?[ )]{0,10}$", re.MULTILINE)
_NUMBER_YEAR = re.compile(r"(?<![0-9])((?:19|20)[0-9]{2})(?![0-9])")
_DIGITS = re.compile(r"[0-9]+")
_NUMBERED = re.compile(r"\(?[一二三四五六七八九十0-9]{1,3}[、.)]")
_INDEX_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9/_\-.()〔〕\[\]\u3400-\u9fff]{4,50}")
_ENCLOSED = re.compile(r"\([^()]*\)|《[^《》]*》|“[^“”]*”")
_AFTER_ISSUER = re.compile(r" *(?:主办|承办|制发|发布|供稿|\(盖章\)|\(公章\))$")


class MetadataFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`configs/structure/metadata.yaml`."""

    words: dict[str, tuple[str, ...]]
    pieces: dict[str, str]
    rows: tuple[PatternRow, ...]


@cache
def config() -> MetadataFile:
    """The rows of `configs/structure/metadata.yaml`."""
    return load_yaml(_FILE, MetadataFile)


@cache
def patterns() -> dict[str, re.Pattern[str]]:
    """Each row's pattern by its name."""
    file = config()
    return {row.name: compile_row(row, _FILE, file.pieces, file.words) for row in file.rows}


@cache
def _labels() -> tuple[re.Pattern[str], dict[str, Field]]:
    """A pattern for any label with its colon, letter-spaced or not, and each label's field."""
    fields: dict[str, Field] = {fold(label): field for field in _FIELDS for label in config().words[field]}
    spaced = sorted(fields, key=lambda label: (-len(label), label))
    names = "|".join(r"[ \u200b]{0,6}".join(map(re.escape, label)) for label in spaced)
    return re.compile(rf"(?:(?<=[\s\u200b\[(【|·;,])|\A|(?<=\n))({names})[ \u200b]{{0,4}}:"), fields


@cache
def _title_verb() -> re.Pattern[str]:
    verb = alternatives(config().words["verb"])
    year = r"(?:19|20)[0-9]{2} ?[年-]|[一二][〇零一二三四五六七八九]{3}年"
    return re.compile(rf"[^《]{{2,60}}?(?={verb}|{year})")


def complete(document: Document, view: str, paragraphs: Sequence[tuple[int, int]]) -> Meta:
    """The document's metadata: what its page states (`document.meta`), else what its text states.

    Title, issuer and numbers stand as printed. The year is what the report is about: the title's, else the
    one its period states, else the number's, else that of publication (the year before, for an annual
    report). An annual report is form C by its tables or from 2021, form B by its tables or for 2019 and 2020,
    else A; a page that issues a plan (要点, 方案, 规划, 计划) is a plan, other official documents notices.
    """
    text, meta = document.text, document.meta
    labelled = _labelled(view, paragraphs)
    title_span = None if meta.title else _title(view, paragraphs, labelled)
    title = meta.title or (_clean_title(text, title_span) if title_span else None)
    folded_title = fold(title or "")
    own_docno = None if meta.docno else _docno(view, paragraphs, labelled)
    docno = meta.docno or (_joined(text, *own_docno) if own_docno else None)
    index_span = _first(view, labelled, "index_number", _INDEX_NUMBER)
    published = meta.published or _published(view, paragraphs, labelled)
    year = meta.year or _year(view, folded_title, fold(docno or ""), published)
    own_type = meta.doc_type == "other"
    return Meta(
        title=title,
        issuer=meta.issuer or _issuer(text, view, folded_title, title or "", paragraphs, labelled),
        year=year,
        doc_type=document_type(title or "", year, view) if own_type else meta.doc_type,
        published=published,
        index_number=meta.index_number or (text[slice(*index_span)] if index_span else None),
        docno=docno,
        script=script_of(text),
    )


def document_type(title: str, year: int | None = None, view: str = "") -> DocType:
    """Type of a document by its title, and of an annual report also by its year and text (folded).

    >>> document_type("某区2018年政府信息公开工作年度报告", 2018)
    'annual_report_a'
    """
    folded = fold(title)
    if patterns()["report_title"].match(folded) and not folded.endswith("通知"):
        return _report_form(view, year)
    if patterns()["plan_title"].match(folded):
        return "plan"
    return "notice" if patterns()["notice_title"].match(folded) else "other"


def _report_form(view: str, year: int | None) -> DocType:
    head = view[:_EVIDENCE]
    if patterns()["form_c"].search(head):
        return "annual_report_c"
    if patterns()["form_b"].search(head):
        return "annual_report_b"
    if year is None:
        return "annual_report_c" if patterns()["form_b_or_c"].search(head) else "annual_report_a"
    if year <= 2018:
        return "annual_report_a"
    return "annual_report_b" if year <= 2020 else "annual_report_c"


def _labelled(view: str, paragraphs: Sequence[tuple[int, int]]) -> dict[Field, list[tuple[int, int]]]:
    """Values of the metadata lines by field, in order; an empty one takes the next unlabelled paragraph."""
    found: dict[Field, list[tuple[int, int]]] = {field: [] for field in _FIELDS}
    label, fields = _labels()
    head = paragraphs[:_HEAD]
    for number, (start, end) in enumerate(head):
        if end - start > _LONGEST_LINE:
            continue
        matches = list(label.finditer(view, start, end))
        if not matches or view[start : matches[0].start()].strip(" ·[(【|\u200b"):
            continue
        for match, after in zip(matches, [*(m.start() for m in matches[1:]), end], strict=True):
            field = fields[re.sub(r"[ \u200b]", "", match[1])]
            value = _trim(view, match.end(), after)
            if value is None and after == end and number + 1 < len(head):
                following = head[number + 1]
                value = None if label.match(view, *following) else following
            if value:
                found[field].append(value)
    return found


def _trim(view: str, start: int, end: int) -> tuple[int, int] | None:
    """The span without outer white space and the marks between metadata fields; None if nothing is left."""
    kept = view[start:end]
    left = len(kept) - len(kept.lstrip(" \u200b[("))
    right = len(kept.rstrip(" \u200b|;,【]"))
    if left >= right:
        return None
    if view[start + left - 1 : start + left] == "(" and ")" in kept[left:right]:
        left -= 1
    return start + left, start + right


def _first(
    view: str, labelled: dict[Field, list[tuple[int, int]]], field: Field, shape: re.Pattern[str]
) -> tuple[int, int] | None:
    """The field's first value that has its shape."""
    return next((span for span in labelled[field] if shape.fullmatch(view, *span)), None)


def _title(
    view: str, paragraphs: Sequence[tuple[int, int]], labelled: dict[Field, list[tuple[int, int]]]
) -> tuple[int, int] | None:
    if labelled_title := _first(view, labelled, "title", patterns()["title"]):
        return labelled_title
    if decree := _decree(view, paragraphs):
        return decree.span("title") if decree["title"] else None
    return next(_titles(view, paragraphs[:_HEAD]), None)


def _decree(view: str, paragraphs: Sequence[tuple[int, int]]) -> re.Match[str] | None:
    """The head of a decree (令), over its lines: who issued it, its number, what it puts in force."""
    for start, end in paragraphs[:_HEAD]:
        if view[end - 1] == "令" and (match := patterns()["decree"].match(view, start)):
            return match
    return None


def _titles(view: str, head: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Paragraphs, or lines in a row, that read as a title, before the text's first sentence."""
    whole, begins, body = patterns()["title"], patterns()["title_begins"], patterns()["body"]
    finished = patterns()["title_finished"]
    label, _ = _labels()
    for number, (start, line_end) in enumerate(head):
        if view[line_end - 1] == "。":
            return
        suffix = _SITE_SUFFIX.search(view, start, line_end)
        end = suffix.start() if suffix else line_end
        if end - start > _LONGEST_TITLE or _NUMBERED.match(view, start) or label.match(view, start, end):
            continue
        if finished.match(view, start, end):
            yield start, end
            continue
        if not any(shape.fullmatch(view, start, end) for shape in (whole, begins, body)):
            continue
        lines = [(start, end), *_wrapped(view, head[number : number + _MOST_TITLE_LINES])]
        joined = ((start, last) for _, last in reversed(lines))
        yield from (span for span in joined if whole.fullmatch(_joined(view, *span)))


def _wrapped(view: str, lines: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The lines that may continue a title begun in the first: no blank line, none of another kind.

    A blank line may stand before a report's title that leaves its body to the line above.
    """
    label, _ = _labels()
    without_body = patterns()["report_without_body"]
    others = [patterns()[name] for name in ("docno", "date", "body", "new_block")]
    for (_, before), (start, end) in pairwise(lines):
        apart = view.count("\n", before, start) > 1
        if (apart and not without_body.fullmatch(view, start, end)) or end - lines[0][0] > _LONGEST_TITLE:
            return
        if label.match(view, start, end) or any(other.fullmatch(view, start, end) for other in others):
            return
        yield start, end


def _joined(text: str, start: int, end: int) -> str:
    """The lines as one, without the spaces of letter-spaced words."""
    line = re.sub(r"[\s\u200b]*[\r\n][\s\u200b]*", "", text[start:end])
    return re.sub(r"(?<=[\u3400-\u9fff])[ \u3000\xa0](?=[\u3400-\u9fff](?:[ \u3000\xa0]|$))", "", line)


def _clean_title(text: str, span: tuple[int, int]) -> str:
    """The title on one line, without the brackets around it."""
    title = _joined(text, *span)
    enclosed = _ENCLOSED.fullmatch(fold(title))
    return (title[1:-1] if enclosed else title).strip()


def _docno(
    view: str, paragraphs: Sequence[tuple[int, int]], labelled: dict[Field, list[tuple[int, int]]]
) -> tuple[int, int] | None:
    shape = patterns()["docno"]
    if span := _first(view, labelled, "docno", shape):
        return span
    if decree := _decree(view, paragraphs):
        return decree.span("docno")
    for start, end in [*paragraphs[:_HEAD], *paragraphs[_HEAD:][-_TAIL:]]:
        bare_start, bare_end = _unbracketed(view, start, end)
        if bare_end - bare_start <= 40 and shape.fullmatch(view, bare_start, bare_end):
            return bare_start, bare_end
    return None


def _unbracketed(view: str, start: int, end: int) -> tuple[int, int]:
    enclosed = view[start] == "(" and view[end - 1] == ")" and end - start > 2
    return (start + 1, end - 1) if enclosed else (start, end)


def _issuer(
    text: str,
    view: str,
    folded_title: str,
    title: str,
    paragraphs: Sequence[tuple[int, int]],
    labelled: dict[Field, list[tuple[int, int]]],
) -> str | None:
    """The labelled issuer, else a decree's, else the body that begins the title, else the signature's.

    A title that names its place alone (某区2018年政府信息公开工作年度报告) gives the place as printed: that it
    means the place's government is not what the page says.
    """
    for start, end in labelled["issuer"]:
        printed = view[start:end]
        named = _AFTER_ISSUER.sub("", printed)
        if patterns()["body"].fullmatch(named):
            return text[start : start + len(named)]
    if decree := _decree(view, paragraphs):
        return text[slice(*decree.span("body"))]
    before_verb = _title_verb().match(folded_title)
    subject = before_verb[0].rstrip(" ") if before_verb else ""
    if patterns()["body"].fullmatch(subject):
        return title[: len(subject)]
    if signature := _signature(view, paragraphs):
        return text[slice(*signature)]
    return title[: len(subject)] if patterns()["place"].fullmatch(subject) else None


def _signature(view: str, paragraphs: Sequence[tuple[int, int]]) -> tuple[int, int] | None:
    """The first paragraph that is a body's name and stands right before a date (GB/T 9704-2012, 7.3.5)."""
    body, dated = patterns()["body"], patterns()["date"]
    for (start, end), (date_start, date_end) in pairwise(paragraphs):
        if date_end - date_start > 20 or end - start > 60:
            continue
        if dated.match(view, date_start, date_end) and body.fullmatch(view, start, end):
            return start, end
    return None


def _published(
    view: str, paragraphs: Sequence[tuple[int, int]], labelled: dict[Field, list[tuple[int, int]]]
) -> str | None:
    for start, end in labelled["published"] + labelled["written"]:
        if found := _iso_date(view[start:end]):
            return found
    if in_head := _dateline(view, paragraphs):
        return in_head
    dated = patterns()["date"]
    for start, end in paragraphs:
        if end - start <= 20 and dated.match(view, start, end):
            return _iso_date(view[start:end])
    return None


def _dateline(view: str, paragraphs: Sequence[tuple[int, int]]) -> str | None:
    """The first date that stands apart in a short line above the text (党政办  2021-08-30 09:12  阅读)."""
    for start, end in paragraphs[:_HEAD]:
        if view[end - 1] == "。":
            return None
        if end - start <= _LONGEST_DATELINE and (apart := patterns()["dateline"].match(view, start, end)):
            return _iso_date(apart["date"])
    return None


def _iso_date(printed: str) -> str | None:
    """The date that a value begins with, as ISO; None if it is none.

    >>> _iso_date("2021年7月8日 10:22"), _iso_date("二〇二一年七月十八日"), _iso_date("2021年13月1日")
    ('2021-07-08', '2021-07-18', None)
    """
    numbers = [int(run) for run in _DIGITS.findall(printed)[:3]]
    if not numbers:
        numbers = [_han_number(part) for part in re.split("[年月日]", printed)[:3]]
    try:
        return date(*numbers).isoformat()
    except (TypeError, ValueError):
        return None


def _han_number(numeral: str) -> int:
    """二〇二一 as 2021, 十八 as 18; 0 if it is no numeral."""
    numeral = numeral.strip()
    if len(numeral) == 4:
        digits = "".join(_HAN_DIGITS.get(character, "") for character in numeral)
        return int(digits) if len(digits) == 4 else 0
    tens, ten, units = numeral.rpartition("十")
    value = _HAN_NUMERAL.find(units) + 1 if units else 0
    return value + (10 * (_HAN_NUMERAL.find(tens) + 1 if tens else 1) if ten else 0)


def _year(view: str, title: str, docno: str, published: str | None) -> int | None:
    in_title = _title_year(title)
    if is_work_report(title):
        return _year_of_work_report(view, in_title, published)
    if in_title is not None:
        return in_title
    is_report = bool(patterns()["report_title"].match(title))
    if is_report and (period := _PERIOD.search(view[:_EVIDENCE]) or _YEAR_LINE.search(view[:_EVIDENCE])):
        return int(period[1])
    if not is_report and (in_docno := _NUMBER_YEAR.search(docno)):
        return int(in_docno[1])
    if published is None:
        return None
    return int(published[:4]) - is_report


def _title_year(title: str) -> int | None:
    if printed := _YEAR.search(title):
        return int(printed[1])
    in_han = _HAN_YEAR.search(title)
    return _han_number(in_han[1]) if in_han else None


def _year_of_work_report(view: str, in_title: int | None, published: str | None) -> int | None:
    """The year before the one in which it was delivered: that of the session, the title's, that of publication.

    A report that was published after the title's year tells of the title's year.
    """
    if delivered := patterns()["delivered"].search(view[:_EVIDENCE]):
        return int(delivered["year"]) - 1
    appeared = int(published[:4]) if published else None
    if in_title is None:
        return None if appeared is None else appeared - 1
    return in_title if appeared is not None and appeared > in_title else in_title - 1


def is_work_report(title: str | None) -> bool:
    """Whether a title is that of a government's report to its congress, which tells of the year before.

    >>> is_work_report("2018年某市人民政府工作报告"), is_work_report("某区2018年政府信息公开工作年度报告")
    (True, False)
    """
    return bool(patterns()["work_report_title"].match(fold(title or "")))


def tells_of_the_past(meta: Meta) -> bool:
    """Whether a document reports on a year that was over, or nearly, when it was written."""
    if meta.doc_type.startswith("annual_report"):
        return True
    return bool(patterns()["report_on_a_year"].match(fold(meta.title or "")))
