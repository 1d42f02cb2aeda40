"""The pipeline as a spaCy `Language`: one registered factory a stage, in the order of `STAGES`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, partial
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.util import get_lang_class

import gongkai.tokenizers  # noqa: F401  (registers the tokenizers)
from gongkai.analysis import Analysis, NumberPart, NumberReading
from gongkai.batching import BATCH_CHARACTERS, batches
from gongkai.checks import check
from gongkai.dating import PeriodReader
from gongkai.entities import Normaliser
from gongkai.facts import FactBuilder
from gongkai.ingest import read_text
from gongkai.merging import Merger, Policy, load_policy
from gongkai.normalise.identities import load_identities
from gongkai.normalise.metrics import load_matcher, load_ontology
from gongkai.normalise.quantities import unit_table
from gongkai.reading import ModelStage, Reader
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
from gongkai.spans import IntervalIndex
from gongkai.structure import analyse
from gongkai.types import Document, Entity, EntityLabel, Mention, Record, Relation, Table

SPANS_KEY = "gongkai"
"""`doc.spans[SPANS_KEY]` holds the entities as spaCy spans."""

MODEL_STAGE = "gongkai_model"
STAGES = (
    "gongkai_structure",
    "gongkai_docnos",
    "gongkai_policies",
    "gongkai_orgs",
    "gongkai_periods",
    "gongkai_quantities",
    MODEL_STAGE,
    "gongkai_metrics",
    "gongkai_entities",
    "gongkai_relations",
    "gongkai_facts",
    "gongkai_checks",
)
LONGEST_TEXT = 100_000_000
"""Characters; spaCy's own limit protects its parser, which this pipeline does not have."""

_TAGGERS = ("gongkai_docnos", "gongkai_policies", "gongkai_orgs", "gongkai_periods", "gongkai_quantities")
_MERGING = ("gongkai_metrics", "gongkai_relations")

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


def settle_mentions(state: Analysis, policy: Policy) -> None:
    """Settles which mentions stay, and reads for each number what it counts: in tables, then in prose.

    Where spans are given (`Analysis.given`), they are what stays, and what a number counts is one of them.
    """
    merger = Merger(policy, state)
    cells = read_table_cells(state)
    if state.given is None:
        taken = IntervalIndex(_spoken_for(state.structure.tables))
        prose = [m for m in state.mentions if not (m.label in _NUMBERS and taken.overlaps(m.start, m.end))]
        numbers = (cell.number for cell in cells)
        kept = merger.spans(merge([*prose, *numbers], state.structure.boilerplate))
    else:
        kept = [mention for mention in state.given if mention.label != "METRIC"]
    rules = _read_by_rules(state, kept, cells) if policy.asks("rules") else []
    model = merger.model_readings(kept)
    if state.given is None:
        state.mentions = merger.settled([*kept, *merger.metrics(rules, model)])
    else:
        state.mentions = list(state.given)
    state.readings = merger.readings(state.mentions, rules, model)


def _read_by_rules(
    state: Analysis, kept: Sequence[Mention], cells: Sequence[CellReading]
) -> list[NumberReading]:
    """What the numbers among the mentions count, by rules; notes the totals of table cells."""
    readings = []
    at = {_place(mention): mention for mention in kept}
    in_cells = {_place(cell.number) for cell in cells}
    reader = MetricReader(
        state.view, [m for m in kept if _place(m) not in in_cells], state.structure.paragraphs, load_lexicon()
    )
    reader.read()
    for cell in cells:
        number = at.get(_place(cell.number))
        if number is None:
            continue
        if cell.metric is not None:
            readings.append(NumberReading(number, cell.metric, cell.metric.by, cell.metric.score))
        if cell.parent is not None and (total := at.get(_place(cells[cell.parent].number))):
            state.parts.append(NumberPart(number, total))
    for reading in reader.readings:
        number, metric = reader.numbers[reading.number], reader.metrics[reading.metric]
        readings.append(NumberReading(number, metric, reading.by, reading.score))
    return readings


def entities_stage(doc: Doc) -> Doc:
    """Gives each mention its id and normal form."""
    state = analysis_of(doc)
    name_entities(state)
    doc.spans[SPANS_KEY] = _spacy_spans(doc, state)
    return doc


def name_entities(state: Analysis) -> None:
    """Entities of the mentions, each with its normal form, for which it needs the cells and readings."""
    number_of_metric = {reading.metric: reading.number for reading in reversed(state.readings)}
    structure, matcher = state.structure, load_matcher()
    normaliser = Normaliser(
        state.document.text,
        state.view,
        matcher,
        number_of_metric,
        state.unit_at,
        PeriodReader(
            state.view, structure.meta, structure.sections, structure.sentences, structure.paragraphs
        ),
        matcher.surroundings(state.view, structure),
        state.metric_at,
    )
    state.entities = normaliser.entities(state.mentions)


def read_table_cells(state: Analysis) -> list[CellReading]:
    """The number cells of the document's tables; notes the units that their rows or forms give them."""
    # Lines tell which label stands above a number only where no label heads several columns.
    columns = IntervalIndex(
        [(t.start, t.end) for t in state.structure.tables if t.flattened and t.form in ("B.4", "C.4")]
    )
    cells = read_cells(state.view, state.structure.tables, unit_names(), parents())
    for cell in cells:
        if unit := cell.unit or metric_units().get(cell.metric_id or ""):
            state.unit_at[cell.number.start] = unit
        if cell.metric is None or cell.metric_id is None:
            continue
        if not columns.overlaps(cell.metric.start, cell.metric.end):
            # A label that heads several indicators (行政许可: items, change, decisions) names none of them.
            first = state.metric_at.setdefault(cell.metric.start, cell.metric_id)
            if first != cell.metric_id:
                state.metric_at[cell.metric.start] = None
    return cells


def relate(state: Analysis, policy: Policy) -> None:
    """All eight relations: of numbers (tables, prose) and of cited documents."""
    merger = Merger(policy, state)
    certain, metric_of = _read_relations(state)
    rules = _relate_by_rules(state, metric_of) if policy.asks("rules") else []
    model = merger.model_relations(state.entities)
    state.relations = tuple(merger.relations(certain, rules, model))


def _relate_by_rules(state: Analysis, metric_of: dict[str, Entity]) -> list[Relation]:
    structure, entities = state.structure, state.entities
    masked = mask(state.view, (m for m in state.mentions if m.label != "METRIC"))
    cells = {cell.start for table in structure.tables for cell in table.cells if cell.state == "number"}
    prose = [entity for entity in entities if entity.start not in cells]
    numbers = NumberRelations(
        masked, prose, metric_of, structure.sentences, structure.paragraphs, load_cues()
    )
    return [*numbers.relate(), *relate_citations(state.view, entities, structure.sentences)]


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


def _merging_factory(name: str, merge_into: Callable[[Analysis, Policy], None]) -> Callable[..., Stage]:
    """Register a stage in which model and rules meet; its `mode` says by which policy."""

    def stage(doc: Doc, policy: Policy) -> Doc:
        merge_into(analysis_of(doc), policy)
        return doc

    def make(nlp: Language, name: str, mode: str) -> Stage:
        return partial(stage, policy=load_policy(mode))

    touches = ["doc._.gongkai"]
    registered: Callable[..., Stage] = Language.factory(
        name, default_config={"mode": "hybrid"}, requires=touches, assigns=touches, func=make
    )
    return registered


make_structure = _factory("gongkai_structure", structure_stage)
make_docnos = _factory("gongkai_docnos", _tagger(tag_docnos))
make_policies = _factory("gongkai_policies", _tagger(tag_policies))
make_orgs = _factory("gongkai_orgs", orgs_stage)
make_periods = _factory("gongkai_periods", _tagger(tag_periods))
make_quantities = _factory("gongkai_quantities", _tagger(tag_quantities))
make_entities = _factory("gongkai_entities", entities_stage, ("doc._.gongkai", "doc.spans"))
make_facts = _factory("gongkai_facts", facts_stage)
make_checks = _factory("gongkai_checks", checks_stage)
make_metrics = _merging_factory("gongkai_metrics", settle_mentions)
make_relations = _merging_factory("gongkai_relations", relate)


@Language.factory(
    MODEL_STAGE,
    default_config={"folder": None, "threads": None},
    requires=["doc._.gongkai"],
    assigns=["doc._.gongkai"],
)
def make_model(nlp: Language, name: str, folder: str | None, threads: int | None) -> ModelStage:
    """The trained model of a folder, else the one that comes with gongkai."""
    return ModelStage(None if folder is None else Path(folder), threads)


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


def _spoken_for(tables: Iterable[Table]) -> list[tuple[int, int]]:
    """Cells whose numbers prose rules must leave alone: numbers (read as cells) and headers (计1条)."""
    spans = {
        (cell.start, cell.end)
        for table in tables
        for cell in table.cells
        if cell.state in ("number", "header") and cell.end > cell.start
    }
    return sorted(spans)


def _read_relations(state: Analysis) -> tuple[list[Relation], dict[str, Entity]]:
    """What numbers count and the totals of tables, as relations; number id → METRIC."""
    by_place = {(e.label, e.start, e.end): e for e in state.entities}

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


def stages(mode: str) -> tuple[str, ...]:
    """The stages of a mode, in order: without the model where only rules are asked, and the other way round."""
    policy = load_policy(mode)
    left_out = (() if policy.asks("rules") else _TAGGERS) + (() if policy.asks("model") else (MODEL_STAGE,))
    return tuple(stage for stage in STAGES if stage not in left_out)


def load(
    mode: str = "hybrid",
    *,
    model: Path | Reader | None = None,
    threads: int | None = None,
    pkuseg_model: Path | None = None,
) -> Language:
    """The pipeline as a spaCy `Language`; `nlp(text)._.gongkai` holds what it found.

    Args:
        mode: `hybrid` (rules and the trained model, merged), or `rules` or `model` alone.
        model: The trained model or its folder; that which comes with gongkai if None. Rules need none.
        threads: For the model; as many as there are cores if None.
        pkuseg_model: Folder of a pkuseg model, for words instead of characters as tokens; offsets in the
            results are the same.

    Raises:
        ConfigError: Unknown mode, or no pkuseg model in that folder.
        GongkaiError: No model in that folder, a damaged one, or no runtime for it.
    """
    chosen = stages(mode)
    tokenizer: dict[str, str] = {"@tokenizers": "gongkai.CharacterTokenizer.v1"}
    if pkuseg_model is not None:
        tokenizer = {"@tokenizers": "gongkai.PkusegTokenizer.v1", "model": str(pkuseg_model)}
    nlp: Language = get_lang_class("zh").from_config({"nlp": {"tokenizer": tokenizer}})
    nlp.max_length = LONGEST_TEXT
    folder = str(model) if isinstance(model, Path) else None
    config: dict[str, dict[str, str | int | None]] = {stage: {"mode": mode} for stage in _MERGING}
    config[MODEL_STAGE] = {"folder": folder, "threads": threads}
    for stage in chosen:
        nlp.add_pipe(stage, config=config.get(stage, {}))
    if MODEL_STAGE in chosen:
        component = nlp.get_pipe(MODEL_STAGE)
        assert isinstance(component, ModelStage)
        # Asked for now, so that a model that is not there stops before the first document.
        component.reader = model if isinstance(model, Reader) else component.reader
    return nlp


def _with_given(document: Document, mentions: Iterable[Mention]) -> Analysis:
    state = Analysis.of(document)
    state.given = tuple(mentions)
    return state


class Extractor:
    """Documents in, records out. Loads the pipeline once; use one for a run.

    Args:
        mode, model, threads: As for `load`.
    """

    def __init__(
        self, mode: str = "hybrid", model: Path | Reader | None = None, threads: int | None = None
    ) -> None:
        self.nlp = load(mode, model=model, threads=threads)

    def extract(self, document: Document) -> Record:
        """Run every stage on one document."""
        return next(self.extract_all([document]))

    def extract_all(
        self, documents: Iterable[Document], batch_characters: int = BATCH_CHARACTERS
    ) -> Iterator[Record]:
        """The record of each document, in their order, the same as one by one; the model reads batches.

        Args:
            batch_characters: Documents are taken until they have as many, and no more before their records are out.
        """
        return self._run(map(Analysis.of, documents), batch_characters)

    def relate(self, document: Document, mentions: Iterable[Mention]) -> Record:
        """Run every stage but the taggers: the spans are given, their relations, facts and findings are not."""
        return next(self.relate_all([(document, mentions)]))

    def relate_all(
        self,
        given: Iterable[tuple[Document, Iterable[Mention]]],
        batch_characters: int = BATCH_CHARACTERS,
    ) -> Iterator[Record]:
        """`relate` for each document with its spans, the model reading batches as in `extract_all`."""
        return self._run((_with_given(*each) for each in given), batch_characters)

    def _run(self, states: Iterable[Analysis], batch_characters: int) -> Iterator[Record]:
        for batch in batches(states, lambda state: len(state.document.text), batch_characters):
            yield from (analysis_of(doc).record() for doc in self.nlp.pipe(map(self._doc, batch)))

    def _doc(self, state: Analysis) -> Doc:
        doc = self.nlp.make_doc(state.document.text)
        doc._.gongkai = state
        return doc
