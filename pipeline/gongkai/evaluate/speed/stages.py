"""Where our pipeline spends its time: by stage, and within the model's stage by what it does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial, wraps
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from typing import Final, ParamSpec, TypeVar

from spacy.tokens import Doc

from gongkai.analysis import Analysis
from gongkai.batching import BATCH_CHARACTERS, batches
from gongkai.evaluate.speed.results import DECODE, ENCODING, NUMPY, RELATIONS
from gongkai.ingest import read_text
from gongkai.model import runtime
from gongkai.model.bundle import Bundle, read_bundle
from gongkai.pipeline import MODEL_STAGE, Extractor, analysis_of, stages
from gongkai.reading import SHIPPED_MODEL
from gongkai.resources import data_root

P = ParamSpec("P")
R = TypeVar("R")

_DECODERS: Final = ("spans_of_tags", "spans_of_candidates", "stitch", "relate_spans")


class Stopwatch:
    """Adds up the seconds that calls of functions take."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def on(self, function: Callable[P, R]) -> Callable[P, R]:
        """The function, its calls timed."""

        @wraps(function)
        def timed(*args: P.args, **kwargs: P.kwargs) -> R:
            start = perf_counter()
            result = function(*args, **kwargs)
            self.seconds += perf_counter() - start
            return result

        return timed


def bundle_of(model: Path | None) -> Bundle:
    """The exported model of a folder; the one that comes with gongkai if None.

    Raises:
        BrokenModel: It is missing, damaged or not exported.
    """
    return read_bundle(model or data_root() / SHIPPED_MODEL)


def stage_clock(
    mode: str, threads: int, model: Path | None = None
) -> Callable[[Sequence[str]], dict[str, float]]:
    """What processes documents in batches, and tells the wall-clock seconds spent in each stage.

    Args:
        model: As for `bundle_of`.

    Returns:
        Of texts, seconds by stage: `tokenizer`, those of `nlp.pipe_names` with the four parts of the
        model's in its place, `record`.
    """
    watches = {part: Stopwatch() for part in (ENCODING, DECODE, RELATIONS)}
    reader = None
    if MODEL_STAGE in stages(mode):
        bundle = bundle_of(model)
        reader = runtime.JointReader(
            bundle.description,
            watches[ENCODING].on(runtime.graph(bundle.spans, threads)),
            watches[RELATIONS].on(runtime.graph(bundle.relations, threads)),
        )
    return partial(_stage_seconds, Extractor(mode, reader), watches)


def _stage_seconds(
    extractor: Extractor, watches: dict[str, Stopwatch], texts: Sequence[str]
) -> dict[str, float]:
    names = ("tokenizer", *extractor.nlp.pipe_names, "record")
    spent = dict.fromkeys(names, 0.0)
    for watch in watches.values():
        watch.seconds = 0.0
    with _decoding_timed(watches[DECODE]):
        for batch in batches(texts, len, BATCH_CHARACTERS):
            laps = list(_laps(extractor, batch))
            for name, (start, end) in zip(names, pairwise(laps), strict=True):
                spent[name] += end - start
    if MODEL_STAGE not in spent:
        return spent
    parts = {part: watch.seconds for part, watch in watches.items()}
    parts[NUMPY] = spent[MODEL_STAGE] - sum(parts.values())
    return {
        each: seconds
        for name in names
        for each, seconds in (parts.items() if name == MODEL_STAGE else [(name, spent[name])])
    }


def _laps(extractor: Extractor, texts: Sequence[str]) -> Iterator[float]:
    yield perf_counter()
    docs = [_doc(extractor, text) for text in texts]
    yield perf_counter()
    for _, stage in extractor.nlp.pipeline:
        pipe = getattr(stage, "pipe", None)
        docs = [stage(doc) for doc in docs] if pipe is None else list(pipe(docs, batch_size=len(docs)))
        yield perf_counter()
    for doc in docs:
        analysis_of(doc).record()
    yield perf_counter()


def _doc(extractor: Extractor, text: str) -> Doc:
    document = read_text(text)
    doc = extractor.nlp.make_doc(document.text)
    doc._.gongkai = Analysis.of(document)
    return doc


@contextmanager
def _decoding_timed(watch: Stopwatch) -> Iterator[None]:
    """Time what the model's runtime decodes with: it calls them by these names."""
    decoders = {name: getattr(runtime, name) for name in _DECODERS}
    for name, decoder in decoders.items():
        setattr(runtime, name, watch.on(decoder))
    try:
        yield
    finally:
        for name, decoder in decoders.items():
            setattr(runtime, name, decoder)
