"""The pipeline as a spaCy `Language`: one registered factory a stage, in the order of `STAGES`."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.util import get_lang_class

import gongkai.tokenizers  # noqa: F401  (registers the tokenizers)
from gongkai.analysis import Analysis, NumberPart, NumberReading
from gongkai.checks import check
from gongkai.errors import ConfigError
from gongkai.facts import FactBuilder
from gongkai.ingest import read_text
from gongkai.normalise.entities import Normaliser
from gongkai.normalise.identities import load_identities
from gongkai.normalise.metrics import load_matcher, load_ontology
from gongkai.normalise.quantities import unit_table
from gongkai.rules.cells import CellReading, read_cells
from gongkai.rules.citations import relate_citations
from gongkai.rules.cues import load_cues
from gongkai.rules.docnos import tag_docnos
from gongkai.rules.masking import mask
from gongkai.rules.merge import merge
from gongkai.rules.metrics import MetricReader, load_lexicon
from gongkai.rules.orgs import tag_orgs
from gongkai.rules.periods import tag_periods
from gongkai.rules.policies import tag_policies
from gongkai.rules.quantities import tag_quantities
from gongkai.rules.relations import NumberRelations
from gongkai.spans import IntervalIndex, drop_overlapping
from gongkai.structure import analyse
from gongkai.types import Document, Entity, EntityLabel, Mention, Record, Relation, Table

SPANS_KEY = "gongkai"
"""`doc.spans[SPANS_KEY]` holds the entities as spaCy spans."""

STAGES = (
    "gongkai_structure",
    "gongkai_docnos",
    "gongkai_policies",
    "gongkai_orgs",
    "gongkai_periods",
    "gongkai_quantities",
    "gongkai_metrics",
    "gongkai_entities",
    "gongkai_relations",
    "gongkai_facts",
    "gongkai_checks",
)
MODES = ("rules",)
LONGEST_TEXT = 100_000_000
"""Characters; spaCy's own limit protects its parser, which this pipeline does not have."""

Tag = Callable[[str], list[Mention]]
Stage = Callable[[Doc], Doc]
Factory = Callable[[Language, str], Stage]

if not Doc.has_extension("gongkai"):
    Doc.set_extension("gongkai", default=None)


def analysis_of(doc: Doc) -> Analysis:
    """The state of `doc`; a document that did not come from ingest starts with its bare text."""
    if doc._.gongkai is None:
        doc._.gongkai = Analysis.of(read_text(doc.text))
    state = doc._.gongkai
    assert isinstance(state, Analysis)
    return state


def structure_stage(doc: Doc) -> Doc:
    """Title, issuer, year, type; sections, sentences, paragraphs, boilerplate; tables with typed cells."""
    state = analysis_of(doc)
    state.structure = analyse(state.document, state.view)
    return doc


def _tagger(tag: Tag) -> Stage:
    def stage(doc: Doc) -> Doc:
        state = analysis_of(doc)
        state.mentions += tag(state.view)
        return doc

    return stage


def orgs_stage(doc: Doc) -> Doc:
    """ORG outside the document names and numbers found so far."""
    state = analysis_of(doc)
    state.mentions += tag_orgs(state.view, [m for m in state.mentions if m.label in ("POLICY", "DOCNO")])
    return doc


def metrics_stage(doc: Doc) -> Doc:
    """Settles which mentions stay, then reads for each number what it counts: in tables, then in prose.

    Where spans are given (`Analysis.given`), they are what stays, and what a number counts is one of them.
    """
    state = analysis_of(doc)
    structure = state.structure
    cells = read_table_cells(state)
    if state.given is None:
        taken = IntervalIndex(_spoken_for(structure.tables))
        prose = [m for m in state.mentions if not (m.label in _NUMBERS and taken.overlaps(m.start, m.end))]
        kept = merge([*prose, *(cell.number for cell in cells)], structure.boilerplate)
    else:
        kept = [mention for mention in state.given if mention.label != "METRIC"]
    at = {_place(mention): mention for mention in kept}
    in_cells = {_place(cell.number) for cell in cells}
    reader = MetricReader(
        state.view, [m for m in kept if _place(m) not in in_cells], structure.paragraphs, load_lexicon()
    )
    reader.read()
    for cell in cells:
        number = at.get(_place(cell.number))
        if number is None:
            continue
        if cell.metric is not None:
            state.readings.append(NumberReading(number, cell.metric, cell.metric.by, cell.metric.score))
        if cell.parent is not None and (total := at.get(_place(cells[cell.parent].number))):
            state.parts.append(NumberPart(number, total))
    for reading in reader.readings:
        number, metric = reader.numbers[reading.number], reader.metrics[reading.metric]
        state.readings.append(NumberReading(number, metric, reading.by, reading.score))
    if state.given is not None:
        state.readings = _readings_among(state.readings, state.given)
        state.mentions = list(state.given)
        return doc
    state.mentions = kept + drop_overlapping(reading.metric for reading in state.readings)
    return doc


def entities_stage(doc: Doc) -> Doc:
    """Gives each mention its id and normal form."""
    state = analysis_of(doc)
    name_entities(state)
    doc.spans[SPANS_KEY] = _spacy_spans(doc, state)
    return doc


def name_entities(state: Analysis) -> None:
    """Entities of the mentions, each with its normal form, for which it needs the cells and readings."""
    number_of_metric = {reading.metric: reading.number for reading in reversed(state.readings)}
    normaliser = Normaliser(
        state.document.text,
        state.view,
        state.structure.meta.year,
        load_matcher(),
        number_of_metric,
        state.unit_at,
        state.structure.sentences,
        state.structure.paragraphs,
    )
    state.entities = normaliser.entities(state.mentions)


def read_table_cells(state: Analysis) -> list[CellReading]:
    """The number cells of the document's tables; notes the units that their rows or forms give them."""
    cells = read_cells(state.view, state.structure.tables, unit_names(), parents())
    for cell in cells:
        if unit := cell.unit or metric_units().get(cell.metric_id or ""):
            state.unit_at[cell.number.start] = unit
    return cells


def relations_stage(doc: Doc) -> Doc:
    """All eight relations: of numbers (tables, prose) and of cited documents."""
    state = analysis_of(doc)
    structure, entities = state.structure, state.entities
    by_place = {(e.label, e.start, e.end): e for e in entities}
    relations, metric_of = _read_relations(state, by_place)
    masked = mask(state.view, (m for m in state.mentions if m.label != "METRIC"))
    cells = {cell.start for table in structure.tables for cell in table.cells if cell.state == "number"}
    prose = [entity for entity in entities if entity.start not in cells]
    numbers = NumberRelations(
        masked, prose, metric_of, structure.sentences, structure.paragraphs, load_cues()
    )
    relations += numbers.relate()
    relations += relate_citations(state.view, entities, structure.sentences)
    state.relations = tuple(relations)
    return doc


def facts_stage(doc: Doc) -> Doc:
    """One fact a number."""
    state = analysis_of(doc)
    state.facts = FactBuilder(state.view, state.structure, state.entities, state.relations).build()
    return doc


def checks_stage(doc: Doc) -> Doc:
    """What does not add up."""
    state = analysis_of(doc)
    state.findings = check(state.facts, state.document.text, load_identities())
    return doc


def _factory(name: str, stage: Stage, assigns: Iterable[str] = ("doc._.gongkai",)) -> Factory:
    """Register a stage under its name; spaCy finds it through the package's entry points, too."""

    def make(nlp: Language, name: str) -> Stage:
        return stage

    requires = [] if name == STAGES[0] else ["doc._.gongkai"]
    registered: Factory = Language.factory(name, requires=requires, assigns=list(assigns), func=make)
    return registered


make_structure = _factory("gongkai_structure", structure_stage)
make_docnos = _factory("gongkai_docnos", _tagger(tag_docnos))
make_policies = _factory("gongkai_policies", _tagger(tag_policies))
make_orgs = _factory("gongkai_orgs", orgs_stage)
make_periods = _factory("gongkai_periods", _tagger(tag_periods))
make_quantities = _factory("gongkai_quantities", _tagger(tag_quantities))
make_metrics = _factory("gongkai_metrics", metrics_stage)
make_entities = _factory("gongkai_entities", entities_stage, ("doc._.gongkai", "doc.spans"))
make_relations = _factory("gongkai_relations", relations_stage)
make_facts = _factory("gongkai_facts", facts_stage)
make_checks = _factory("gongkai_checks", checks_stage)


_NUMBERS = ("COUNT", "PERCENT")


@cache
def unit_names() -> frozenset[str]:
    """Folded spellings of every unit: a table cell that holds only one names no metric."""
    return frozenset(form for unit in unit_table().units for form in unit.forms)


@cache
def parents() -> dict[str, str]:
    """Metric id → id of the metric that the form counts it in."""
    return {metric.id: metric.parent for metric in load_ontology().metrics if metric.parent is not None}


@cache
def metric_units() -> dict[str, str]:
    """Metric id → the unit in which the form states it (收费 is in 万元)."""
    return {metric.id: metric.unit for metric in load_ontology().metrics}


def _place(mention: Mention) -> tuple[EntityLabel, int, int]:
    return mention.label, mention.start, mention.end


def _readings_among(readings: Iterable[NumberReading], given: Iterable[Mention]) -> list[NumberReading]:
    """The readings whose phrase shares characters with a given METRIC, with that one (the larger share) instead."""
    metrics = sorted((m for m in given if m.label == "METRIC"), key=lambda metric: metric.start)
    starts = [metric.start for metric in metrics]
    found = []
    for reading in readings:
        start, end = reading.metric.start, reading.metric.end
        # METRICs do not overlap each other: those that reach into the phrase stand together.
        first = max(bisect_right(starts, start) - 1, 0)
        last = bisect_left(starts, end)
        shared = [(min(m.end, end) - max(m.start, start), m) for m in metrics[first:last]]
        length, metric = max(shared, key=lambda each: each[0], default=(0, None))
        if metric is not None and length > 0:
            found.append(reading._replace(metric=metric))
    return found


def _spoken_for(tables: Iterable[Table]) -> list[tuple[int, int]]:
    """Cells whose numbers prose rules must leave alone: numbers (read as cells) and headers (计1条)."""
    spans = {
        (cell.start, cell.end)
        for table in tables
        for cell in table.cells
        if cell.state in ("number", "header") and cell.end > cell.start
    }
    return sorted(spans)


def _read_relations(
    state: Analysis, by_place: dict[tuple[EntityLabel, int, int], Entity]
) -> tuple[list[Relation], dict[str, Entity]]:
    def entity(mention: Mention) -> Entity | None:
        return by_place.get((mention.label, mention.start, mention.end))

    relations: list[Relation] = []
    metric_of: dict[str, Entity] = {}
    for reading in state.readings:
        number, metric = entity(reading.number), entity(reading.metric)
        if number is None or metric is None:
            continue
        metric_of[number.id] = metric
        relations.append(
            Relation(label="value_of", head=number.id, tail=metric.id, score=reading.score, by=reading.by)
        )
    for part in state.parts:
        head, tail = entity(part.part), entity(part.total)
        if head is not None and tail is not None:
            relations.append(
                Relation(label="part_of", head=head.id, tail=tail.id, score=0.9, by="rule:part_of.form")
            )
    return relations, metric_of


def _spacy_spans(doc: Doc, state: Analysis) -> list[Span]:
    if len(doc) == len(state.document.text):
        return [Span(doc, e.start, e.end, label=e.label, span_id=e.id) for e in state.entities]
    spans = (
        doc.char_span(e.start, e.end, label=e.label, span_id=e.id, alignment_mode="expand")
        for e in state.entities
    )
    return [span for span in spans if span is not None]


def load(mode: str = "rules", *, pkuseg_model: Path | None = None) -> Language:
    """The pipeline as a spaCy `Language`; `nlp(text)._.gongkai` holds what it found.

    Args:
        mode: `rules`.
        pkuseg_model: Folder of a pkuseg model, for words instead of characters as tokens; offsets in the
            results are the same.

    Raises:
        ConfigError: Unknown mode, or no pkuseg model in that folder.
    """
    if mode not in MODES:
        raise ConfigError(f"mode {mode!r}", "There is no such mode.", f"Choose one of: {', '.join(MODES)}.")
    tokenizer: dict[str, str] = {"@tokenizers": "gongkai.CharacterTokenizer.v1"}
    if pkuseg_model is not None:
        tokenizer = {"@tokenizers": "gongkai.PkusegTokenizer.v1", "model": str(pkuseg_model)}
    nlp: Language = get_lang_class("zh").from_config({"nlp": {"tokenizer": tokenizer}})
    nlp.max_length = LONGEST_TEXT
    for stage in STAGES:
        nlp.add_pipe(stage)
    return nlp


class Extractor:
    """Documents in, records out. Loads the pipeline once; use one for a run."""

    def __init__(self, mode: str = "rules") -> None:
        self.nlp = load(mode)

    def extract(self, document: Document) -> Record:
        """Run every stage on one document."""
        return self._run(Analysis.of(document))

    def relate(self, document: Document, mentions: Iterable[Mention]) -> Record:
        """Run every stage but the taggers: the spans are given, their relations, facts and findings are not."""
        state = Analysis.of(document)
        state.given = tuple(mentions)
        return self._run(state)

    def _run(self, state: Analysis) -> Record:
        doc = self.nlp.make_doc(state.document.text)
        doc._.gongkai = state
        return analysis_of(self.nlp(doc)).record()
