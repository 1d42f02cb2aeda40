"""The record and its parts: one frozen type for each stage's result.

Offsets are code points into `Record.text`, start inclusive, end exclusive. JSON is read and written from
these types only; `gongkai schema` prints the JSON Schema that msgspec derives from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

import msgspec

SCHEMA_VERSION = 1

EntityLabel = Literal["METRIC", "COUNT", "PERCENT", "DOCNO", "POLICY", "ORG", "PERIOD"]
RelationLabel = Literal[
    "value_of", "during", "part_of", "share_of", "change_from", "number_of", "issued_by", "alias_of"
]
Script = Literal["Hans", "Hant"]
DocType = Literal["annual_report_a", "annual_report_b", "annual_report_c", "notice", "plan", "other"]
Qualifier = Literal["exact", "approx", "at_least", "at_most", "more_than", "less_than"]
Direction = Literal["up", "down"]
CellState = Literal["header", "text", "number", "empty", "slash"]
Check = Literal["sum", "share", "growth", "balance", "repeat", "rate"]
Severity = Literal["error", "warning", "notice"]


RELATION_TYPES: Mapping[RelationLabel, tuple[frozenset[EntityLabel], frozenset[EntityLabel]]] = {
    "value_of": (frozenset({"COUNT", "PERCENT"}), frozenset({"METRIC"})),
    "during": (frozenset({"COUNT", "PERCENT"}), frozenset({"PERIOD"})),
    "part_of": (frozenset({"COUNT"}), frozenset({"COUNT"})),
    "share_of": (frozenset({"PERCENT"}), frozenset({"COUNT"})),
    "change_from": (frozenset({"COUNT", "PERCENT"}), frozenset({"COUNT", "PERIOD"})),
    "number_of": (frozenset({"DOCNO"}), frozenset({"POLICY"})),
    "issued_by": (frozenset({"POLICY"}), frozenset({"ORG"})),
    "alias_of": (frozenset({"POLICY"}), frozenset({"POLICY"})),
}
"""Labels that the head and the tail of a relation may have."""


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where a document came from: `member` is the line or part of a container, `sha256` of the bytes read.

    Attributes:
        path: File or URL that was read.
        url: Where the document had been fetched from, where an archive says so (WARC, a column `url`).
    """

    path: str | None = None
    member: str | None = None
    sha256: str = ""
    media_type: str = "text/plain"
    encoding: str | None = None
    url: str | None = None


class Meta(msgspec.Struct, frozen=True, kw_only=True):
    """What the page says of the document, else what its text says; None where neither does.

    Attributes:
        year: The year that the report is about (not the year of publication).
        published: ISO date of publication.
        index_number: 索引号.
        docno: 发文字号, as printed.
    """

    title: str | None = None
    issuer: str | None = None
    year: int | None = None
    doc_type: DocType = "other"
    published: str | None = None
    index_number: str | None = None
    docno: str | None = None
    script: Script = "Hans"


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One table cell. `start` == `end` for an empty cell: the place where its text would stand.

    Attributes:
        row, column: Zero-based position in the resolved grid (its upper left corner if merged).
        state: header (labels other cells), text, number, empty, slash (`/`, `-`, `—`: not applicable).
        value: The number of a `number` cell; None otherwise. Empty, slash and 0 are three statements.
        row_label, column_label: The texts of the header cells that govern it, outermost first, joined by ` / `.
        metric_id: Row of the metric ontology, where the table is one of the standard forms.
        category: Column of the form, e.g. `natural_person`, `legal.business`, `total`.
    """

    row: int
    column: int
    start: int
    end: int
    row_span: int = 1
    column_span: int = 1
    state: CellState = "text"
    value: float | None = None
    row_label: str | None = None
    column_label: str | None = None
    metric_id: str | None = None
    category: str | None = None


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table, from HTML or DOCX, or recovered from text flattened to one cell a line.

    Attributes:
        form: Standard form and its table, e.g. `A`, `B.2`, `B.3`, `C.2`, `C.3`, `C.4`; None for any other.
        flattened: Recovered from lines rather than from marked-up cells.
    """

    id: str
    start: int
    end: int
    form: str | None = None
    flattened: bool = False
    cells: tuple[Cell, ...] = ()


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A numbered section; `end` is where the next section of its level or above begins.

    Attributes:
        level: 1 for 一、, 2 for （一）, 3 for 1., 4 for （1）; 0 for the part before the first number.
        number: As printed, e.g. `（一）`; None for level 0.
        parent: Id of the enclosing section.
    """

    id: str
    level: int
    start: int
    end: int
    number: str | None = None
    title: str | None = None
    parent: str | None = None


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """What ingest hands on: decoded text with the page's own metadata and marked-up tables (grid only)."""

    id: str
    text: str
    source: Source
    meta: Meta = Meta()
    tables: tuple[Table, ...] = ()


class Structure(msgspec.Struct, frozen=True, kw_only=True):
    """What the structure stage finds in a document.

    Attributes:
        sections: In text order; together with nesting they tile the text.
        sentences: (start, end), in order, disjoint; together they tile the text (white space goes with the
            sentence before it).
        paragraphs: (start, end) of every line with anything on it, without its line break; boilerplate left out.
        boilerplate: (start, end) of lines that are navigation, counters, share bars or footers; never tagged.
    """

    meta: Meta
    sections: tuple[Section, ...]
    sentences: tuple[tuple[int, int], ...]
    paragraphs: tuple[tuple[int, int], ...]
    boilerplate: tuple[tuple[int, int], ...]
    tables: tuple[Table, ...]


class CountNorm(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="count"):
    """A quantity. `value_max` only for a range (3至5个); money in 元; `unit` as in configs/units.yaml."""

    value: float
    value_max: float | None = None
    qualifier: Qualifier = "exact"
    unit: str | None = None


class PercentNorm(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="percent"):
    """A share or change as a fraction: 41.67% is 0.4167, 翻一番 is 1.0 up, 2倍 is 2.0.

    Attributes:
        decimals: Decimals printed of the percentage (41.67% has 2): what rounding it can carry.
    """

    value: float
    value_max: float | None = None
    qualifier: Qualifier = "exact"
    direction: Direction | None = None
    decimals: int = 0


class DocnoNorm(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="docno"):
    """A document number, canonical 深府办〔2018〕14号; `issuer` None for a code not in the table."""

    canonical: str
    code: str | None = None
    issuer: str | None = None
    year: int | None = None
    serial: int | None = None
    repaired: bool = False


class PeriodNorm(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="period"):
    """First and last day, ISO dates, both inclusive; None where the text leaves that side open or unknown."""

    start: str | None = None
    end: str | None = None


class PolicyNorm(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="policy"):
    """A document's name without 《》 and its kind (条例, 办法, 通知 …, None if its name does not say)."""

    name: str
    kind: str | None = None


class OrgNorm(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="org"):
    """A body's name as written, in Simplified script."""

    name: str


class MetricNorm(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="metric"):
    """The ontology's metric that a phrase names, and how sure the match is (1.0: its very label)."""

    metric_id: str
    score: float


Norm = CountNorm | PercentNorm | DocnoNorm | PeriodNorm | PolicyNorm | OrgNorm | MetricNorm


class Mention(NamedTuple):
    """A tagged span before it has an id: what every tagger returns."""

    label: EntityLabel
    start: int
    end: int
    by: str
    score: float


class Entity(msgspec.Struct, frozen=True, kw_only=True):
    """A tagged span; `text` is exactly `Record.text[start:end]`."""

    id: str
    label: EntityLabel
    start: int
    end: int
    text: str
    score: float
    by: str
    norm: Norm | None = None


class Relation(msgspec.Struct, frozen=True, kw_only=True):
    """A directed relation between two entity ids."""

    label: RelationLabel
    head: str
    tail: str
    score: float
    by: str


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One number of the report with all that the report says of it.

    Attributes:
        metric: The metric's words as printed; None where nothing in the paragraph names it.
        value: Counts in their unit; percents as fractions.
        decimals: Decimals printed; None where the number was rounded in 万 or 亿 or written in words.
        period: What the number is for: from its sentence, else its section, else the report's year.
        direction: up or down, of a change.
        compared_with: Fact id of the value it is compared with, else an ISO interval `start/end`.
        part_of: Fact id of the total that it is counted in.
        share_of: Fact id of the total that it is a share of.
        category: Column of a standard form, e.g. `natural_person`; None in prose.
        section, sentence: Section id; index into `Record.sentences`.
        table: Table id, for a number of a table.
        evidence: Entity ids: the number first, then metric, period.
    """

    id: str
    value: float
    unit: str | None
    start: int
    end: int
    metric: str | None = None
    metric_id: str | None = None
    value_max: float | None = None
    qualifier: Qualifier = "exact"
    decimals: int | None = 0
    period: PeriodNorm | None = None
    direction: Direction | None = None
    compared_with: str | None = None
    part_of: str | None = None
    share_of: str | None = None
    category: str | None = None
    section: str | None = None
    sentence: int | None = None
    table: str | None = None
    evidence: tuple[str, ...] = ()
    score: float = 1.0
    by: str = ""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something in the report that does not add up.

    Attributes:
        message: One Chinese sentence: what is printed, and what follows from the other numbers.
        reported, expected: The two numbers that disagree (percents as fractions).
        evidence: Fact ids, the doubtful one first.
        spans: (start, end) of those facts' numbers in the text.
    """

    check: Check
    severity: Severity
    message: str
    reported: float
    expected: float
    evidence: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Everything gongkai knows of one document: one line of documents.jsonl."""

    id: str
    source: Source
    meta: Meta
    text: str
    sections: tuple[Section, ...] = ()
    sentences: tuple[tuple[int, int], ...] = ()
    tables: tuple[Table, ...] = ()
    entities: tuple[Entity, ...] = ()
    relations: tuple[Relation, ...] = ()
    facts: tuple[Fact, ...] = ()
    findings: tuple[Finding, ...] = ()
    schema: int = SCHEMA_VERSION
