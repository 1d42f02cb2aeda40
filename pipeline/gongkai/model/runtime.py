"""The trained model at run time: ONNX Runtime and numpy; no torch is needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from math import exp, log
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from gongkai.errors import GongkaiError
from gongkai.types import Mention

from .bundle import Bundle, Description, read_bundle
from .characters import FIRST, LAST, PAD, Characters
from .cues import may_hold_entity
from .decode import Floats, Link, SpanVectors, held, relate_spans, spans_of_candidates, spans_of_tags, stitch
from .windows import Window, by_length, cut

Scored = TypeVar("Scored", Mention, Link)

_GROUP: Final = 65_536
"""Characters of the documents whose windows are sorted together; their hidden vectors are kept that long."""

_BATCH: Final = 3_200
"""Ids of a batch, padding included: more are no faster to encode, fewer slower to decode."""


class DocumentText(NamedTuple):
    """A document as the model reads it.

    Attributes:
        view: `gongkai.text.fold` of its text.
        paragraphs, boilerplate: As in `gongkai.types.Structure`.
    """

    view: str
    paragraphs: Sequence[tuple[int, int]]
    boilerplate: Sequence[tuple[int, int]] = ()


class Reading(NamedTuple):
    """What the model finds in a document: mentions in text order, links between them by number."""

    mentions: list[Mention]
    links: list[Link]


class MissingRuntime(GongkaiError):
    """The package that runs the model is not installed."""


class Graph(Protocol):
    """Named arrays in, arrays out in the order in which `gongkai.model.bundle` lists them."""

    def __call__(self, **inputs: NDArray[Any]) -> Sequence[NDArray[Any]]: ...


class _Seen(NamedTuple):
    """A window after the first graph: (characters, width) hidden vectors, padding after them, and its mentions."""

    hidden: Floats
    mentions: list[Mention]


class _Tagged(NamedTuple):
    """A document after the first graph; `held` numbers the mentions of each window."""

    windows: tuple[Window, ...]
    seen: list[_Seen]
    mentions: list[Mention]
    held: list[list[int]]


class JointReader:
    """Reads documents with a trained model.

    What it finds in a document does not depend on the documents that it is read with.

    Args:
        spans, relations: What `spans.onnx` and `relations.onnx` compute, by ONNX Runtime or otherwise.
    """

    def __init__(self, description: Description, spans: Graph, relations: Graph) -> None:
        self.description = description
        self._characters = Characters(description.characters)
        self._spans = spans
        self._relations = relations

    @classmethod
    def of(cls, bundle: Bundle, threads: int | None = None) -> JointReader:
        """An exported model.

        Args:
            threads: Of ONNX Runtime; None for one a core.

        Raises:
            MissingRuntime: The package onnxruntime is not installed.
        """
        return cls(bundle.description, graph(bundle.spans, threads), graph(bundle.relations, threads))

    @classmethod
    def load(cls, folder: Path, threads: int | None = None) -> JointReader:
        """The model of a folder that `gongkai train export` wrote.

        Raises:
            BrokenModel: The folder or a file is missing, damaged, or of another schema version.
            MissingRuntime: The package onnxruntime is not installed.
        """
        return cls.of(read_bundle(folder), threads)

    def read(self, documents: Sequence[DocumentText]) -> list[Reading]:
        """What the model finds in each document; paragraphs that can hold no entity are not read."""
        kept = [document._replace(paragraphs=_telling(document)) for document in documents]
        return [reading for group in _groups(kept) for reading in self._read_group(group)]

    def relate(
        self, documents: Sequence[DocumentText], mentions: Sequence[Sequence[Mention]]
    ) -> list[list[Link]]:
        """The links between given mentions of each document, which are in text order."""
        given = iter(mentions)
        return [
            reading.links
            for group in _groups(documents)
            for reading in self._read_group(group, list(islice(given, len(group))))
        ]

    def _read_group(
        self, documents: Sequence[DocumentText], given: Sequence[Sequence[Mention]] | None = None
    ) -> Iterator[Reading]:
        windows = [self._windows(document) for document in documents]
        encoded = (self._encode(*each) for each in zip(documents, windows, strict=True))
        seen = iter(self._see([ids for each in encoded for ids in each]))
        tagged = [
            _tagged(own, list(islice(seen, len(own))), None if given is None else given[number])
            for number, own in enumerate(windows)
        ]
        for document, vectors in zip(tagged, self._vectors(tagged), strict=True):
            links = relate_spans(document.mentions, document.windows, vectors)
            yield Reading(self._calibrated(document.mentions), self._calibrated(links))

    def _windows(self, document: DocumentText) -> tuple[Window, ...]:
        longest, overlap = self.description.longest, self.description.overlap
        return cut(document.paragraphs, longest, overlap=overlap, left_out=document.boilerplate)

    def _encode(self, document: DocumentText, windows: Sequence[Window]) -> Iterator[NDArray[np.int32]]:
        ids = self._characters.encode(document.view)[1:-1]
        return (ids[window.start : window.end] for window in windows)

    def _see(self, windows: Sequence[NDArray[np.int32]]) -> list[_Seen]:
        """The first graph and its decoding, on windows of like length together."""
        seen: dict[int, _Seen] = {}
        for numbers in by_length([len(ids) + 2 for ids in windows], _BATCH):
            batch = [windows[number] for number in numbers]
            hidden, *scores = self._spans(ids=_padded(batch))
            found = self._decode(scores, [len(ids) for ids in batch])
            seen.update(zip(numbers, map(_Seen, hidden, found), strict=True))
        return [seen[number] for number in range(len(windows))]

    def _decode(self, scores: Sequence[NDArray[Any]], lengths: Sequence[int]) -> list[list[Mention]]:
        if self.description.design == "tags":
            return spans_of_tags(scores[0], lengths)
        return spans_of_candidates(scores[0], scores[1], lengths)

    def _vectors(self, documents: Sequence[_Tagged]) -> Iterator[list[SpanVectors]]:
        """The second graph, on the mentions of all windows at once."""
        places, hidden = [], []
        for document in documents:
            ends = np.array([(m.start, m.end - 1) for m in document.mentions], np.int64).reshape(-1, 2)
            for window, seen, numbers in zip(document.windows, document.seen, document.held, strict=True):
                places.append(ends[numbers] - window.start)
                hidden.append(seen.hidden[places[-1]])
        if not places:
            yield from ([] for _ in documents)
            return
        place, vector = np.concatenate(places), np.concatenate(hidden)
        heads, tails = self._relations(
            firsts=vector[:, 0],
            lasts=vector[:, 1],
            first_places=place[:, 0],
            last_places=place[:, 1],
        )
        begin = 0
        for document in documents:
            parts = []
            for numbers in document.held:
                part = slice(begin, begin + len(numbers))
                parts.append(SpanVectors(numbers, heads[part], tails[part]))
                begin = part.stop
            yield parts

    def _calibrated(self, found: list[Scored]) -> list[Scored]:
        temperatures = self.description.temperatures
        if not temperatures:
            return found
        return [each._replace(score=cooled(each.score, temperatures.get(each.label, 1))) for each in found]


def graph(file: bytes, threads: int | None) -> Graph:
    """An ONNX graph in a session of its own.

    Args:
        threads: Of ONNX Runtime; None for one a core.

    Raises:
        MissingRuntime: The package onnxruntime is not installed.
    """
    try:
        import onnxruntime
    except ImportError:
        raise MissingRuntime(
            "onnxruntime", "The package that runs the model is not installed.", "pip install onnxruntime"
        ) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])

    def run(**inputs: NDArray[Any]) -> Sequence[NDArray[Any]]:
        outputs: Sequence[NDArray[Any]] = session.run(None, inputs)
        return outputs

    return run


def _groups(documents: Sequence[DocumentText]) -> Iterator[list[DocumentText]]:
    group: list[DocumentText] = []
    characters = 0
    for document in documents:
        group.append(document)
        characters += len(document.view)
        if characters >= _GROUP:
            yield group
            group, characters = [], 0
    if group:
        yield group


def _padded(windows: Sequence[NDArray[np.int32]]) -> NDArray[np.int64]:
    ids = np.full((len(windows), max(map(len, windows)) + 2), PAD, np.int64)
    ids[:, 0] = FIRST
    for row, window in zip(ids, windows, strict=True):
        row[1 : len(window) + 1] = window
        row[len(window) + 1] = LAST
    return ids


def _telling(document: DocumentText) -> list[tuple[int, int]]:
    return [(start, end) for start, end in document.paragraphs if may_hold_entity(document.view[start:end])]


def _tagged(windows: tuple[Window, ...], seen: list[_Seen], given: Sequence[Mention] | None) -> _Tagged:
    mentions = stitch(windows, [each.mentions for each in seen]) if given is None else list(given)
    return _Tagged(windows, seen, mentions, held(mentions, windows))


def cooled(score: float, temperature: float) -> float:
    """A probability whose logit is divided by a temperature.

    >>> cooled(0.8, 1), cooled(1.0, 2.0), round(cooled(0.8, 2.0), 4)
    (0.8, 1.0, 0.6667)
    """
    if temperature == 1 or not 0 < score < 1:
        return score
    return 1 / (1 + exp(log(1 / score - 1) / temperature))
