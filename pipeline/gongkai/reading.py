"""The trained model's place in the pipeline: the stage that asks it, and what it must answer."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

from spacy.tokens import Doc

from gongkai.analysis import Analysis
from gongkai.batching import BATCH_CHARACTERS, batches
from gongkai.model.decode import Link
from gongkai.model.runtime import DocumentText, JointReader, MissingRuntime, Reading
from gongkai.resources import data_root
from gongkai.types import Mention

SHIPPED_MODEL: Final = "models/zh_gongkai/gongkai_model"
"""The trained model that comes with gongkai, below `data_root()`."""

_TRAINED: Final = "settings.yaml"
"""What tells a trained model from an exported one."""

_TRAINED_FILES: Final = (_TRAINED, "weights.safetensors", "characters.json", "encoder.json")
"""What a trained model is read from; the rest of its folder is of its training."""

_TORCH_READER: Final = "gongkai_training.reader"


@runtime_checkable
class Reader(Protocol):
    """A model that reads documents: `gongkai.model.runtime.JointReader`, or a stand-in."""

    def read(self, documents: Sequence[DocumentText]) -> list[Reading]:
        """The mentions of each document, and the links between them by number."""
        ...

    def relate(
        self, documents: Sequence[DocumentText], mentions: Sequence[Sequence[Mention]]
    ) -> list[list[Link]]:
        """The links between given mentions of each document, which are in text order."""
        ...


def load_reader(folder: Path, threads: int | None = None) -> Reader:
    """The model of a folder: exported, by ONNX Runtime, or as `gongkai train` left it, by torch.

    Args:
        threads: As many as there are cores if None.

    Raises:
        BrokenModel: There is none in the folder, or it is damaged or of another version.
        ConfigError: The settings of a trained model are none.
        MissingRuntime: The package onnxruntime or, for a model that is not exported, the extra `train` is missing.
    """
    if not (folder / _TRAINED).is_file():
        return JointReader.load(folder, threads)
    try:
        # By name: the library does not depend on what trains its models.
        reader: Reader = import_module(_TORCH_READER).TorchReader.load(folder, threads)
    except ImportError as error:
        raise MissingRuntime(
            str(folder),
            f"The model was not exported, and to read it as it is {error.name} is missing.",
            "pip install 'gongkai[train]', or export it with `gongkai train export`.",
        ) from None
    return reader


class ModelStage:
    """Reads documents with the trained model: what it finds awaits the merge.

    Args:
        folder: Of the model, which is read when it is first needed; that which comes with gongkai if None.
        threads: For the model; as many as there are cores if None.
    """

    def __init__(self, folder: Path | None, threads: int | None) -> None:
        self._folder = folder or data_root() / SHIPPED_MODEL
        self._threads = threads
        self._reader: Reader | None = None

    @property
    def reader(self) -> Reader:
        """The model.

        Raises:
            GongkaiError: As for `load_reader`.
        """
        if self._reader is None:
            self._reader = load_reader(self._folder, self._threads)
        return self._reader

    @reader.setter
    def reader(self, reader: Reader) -> None:
        self._reader = reader

    def __call__(self, doc: Doc) -> Doc:
        self._read([doc])
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int) -> Iterator[Doc]:
        """Read many documents at once, for the model is faster on windows of one length."""
        for docs in batches(stream, lambda doc: len(_state(doc).view), BATCH_CHARACTERS):
            self._read(docs)
            yield from docs

    def to_disk(self, path: Path, *, exclude: Iterable[str] = ()) -> None:
        """Save the model with the pipeline: of a trained one what it is read from, no checkpoint."""
        if not (self._folder / _TRAINED).is_file():
            shutil.copytree(self._folder, path, dirs_exist_ok=True)
            return
        path.mkdir(parents=True, exist_ok=True)
        for file in filter(Path.is_file, (self._folder / name for name in _TRAINED_FILES)):
            shutil.copyfile(file, path / file.name)

    def from_disk(self, path: Path, *, exclude: Iterable[str] = ()) -> ModelStage:
        """Use the model that was saved with the pipeline."""
        self._folder, self._reader = path, None
        return self

    def _read(self, docs: Sequence[Doc]) -> None:
        states = [_state(doc) for doc in docs]
        untagged = [state for state in states if state.given is None]
        for state, reading in zip(untagged, self.reader.read(_texts(untagged)), strict=True):
            state.model_mentions, state.model_links = reading.mentions, reading.links
        given = [state for state in states if state.given is not None]
        mentions = [sorted(state.given or (), key=lambda m: (m.start, -m.end)) for state in given]
        links = self.reader.relate(_texts(given), mentions)
        for state, own, each in zip(given, mentions, links, strict=True):
            state.model_mentions, state.model_links = own, each


def _state(doc: Doc) -> Analysis:
    state = doc._.gongkai
    assert isinstance(state, Analysis)
    return state


def _texts(states: Iterable[Analysis]) -> list[DocumentText]:
    return [
        DocumentText(state.view, state.structure.paragraphs, state.structure.boilerplate) for state in states
    ]
