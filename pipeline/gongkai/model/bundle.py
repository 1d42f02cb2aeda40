"""The folder of an exported model: two ONNX graphs and their description.

model.json  spans.onnx  relations.onnx

`spans.onnx`: ids (windows, characters + 2) int64 → `hidden` (windows, characters, width) float32, and for tags
`scores`, for pointers `places` and `logits`, as `gongkai.model.decode` takes them.

`relations.onnx`: for each of n spans the hidden vectors of its first and its last character, `firsts` and `lasts`
(n, width) float32, and where those stand in the window, `first_places` and `last_places` (n,) int64 → `heads` and
`tails` (n, relations, size) float32.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple

import msgspec

from gongkai.errors import BrokenModel

SCHEMA: Final = 1

DESCRIPTION: Final = "model.json"
SPANS: Final = "spans.onnx"
RELATIONS: Final = "relations.onnx"

_REMEDY: Final = "Name a folder that `gongkai train` or `gongkai train export` wrote, or use --mode rules."

Positive = Annotated[float, msgspec.Meta(gt=0)]
Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """model.json.

    Attributes:
        design: Of the span head: tags or pointers.
        longest: Characters of a window at most.
        overlap: Characters that windows share (see `gongkai.model.windows.cut`).
        characters: The vocabulary, in the order of the ids.
        numbers: What the convolutions are computed in: int8 after `gongkai train quantise`.
        temperatures: Of an entity or relation label, by which the logit of its scores is divided; 1 for others.
        trained: SHA-256 of the trained weights that were exported.
        sha256: Of each graph, by file name.
        versions: Of the packages that wrote it.
    """

    schema: int = SCHEMA
    design: Literal["tags", "pointer"]
    longest: Annotated[int, msgspec.Meta(ge=1)]
    overlap: Annotated[int, msgspec.Meta(ge=0)]
    characters: str
    numbers: Literal["float32", "int8"] = "float32"
    temperatures: dict[str, Positive] = {}
    trained: Digest
    sha256: dict[str, Digest]
    versions: dict[str, str] = {}


class Bundle(NamedTuple):
    """A folder's contents, whole and of this version."""

    description: Description
    spans: bytes
    relations: bytes


def encode(description: Description) -> bytes:
    """The contents of model.json."""
    return msgspec.json.format(msgspec.json.encode(description), indent=1)


class _Version(msgspec.Struct):
    schema: int


def read_bundle(folder: Path) -> Bundle:
    """An exported model's files.

    Raises:
        BrokenModel: The folder or a file is missing, a file is damaged, or the schema is of another version.
    """
    if not folder.is_dir():
        raise BrokenModel(str(folder), "There is no such folder.", _REMEDY)
    description = _describe(folder / DESCRIPTION)
    graphs = [_graph(folder / name, description) for name in (SPANS, RELATIONS)]
    return Bundle(description, *graphs)


def _describe(path: Path) -> Description:
    data = _read(path)
    try:
        schema = msgspec.json.decode(data, type=_Version).schema
        if schema != SCHEMA:
            raise BrokenModel(
                str(path),
                f"Its schema is version {schema}; this gongkai reads version {SCHEMA}.",
                "Export the trained model again, or use --mode rules.",
            )
        return msgspec.json.decode(data, type=Description)
    except msgspec.DecodeError as error:
        raise BrokenModel(str(path), f"It is damaged: {error}.", _REMEDY) from None


def _graph(path: Path, description: Description) -> bytes:
    data = _read(path)
    if hashlib.sha256(data).hexdigest() != description.sha256.get(path.name):
        raise BrokenModel(str(path), f"It is damaged: {DESCRIPTION} has another checksum.", _REMEDY)
    return data


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BrokenModel(str(path), f"{error.strerror or error}.", _REMEDY) from None
