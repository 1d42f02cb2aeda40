"""A trained model to ONNX: what `gongkai.model.runtime` reads, without torch."""

from __future__ import annotations

import hashlib
import io
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from gongkai.errors import OutputError
from gongkai.model.bundle import DESCRIPTION, RELATIONS, SPANS, Description, encode

from .artifacts import load_model, write_file
from .graphs import RelationGraph, SpanGraph, describe
from .heads.tags import TagHead
from .model import JointModel

_OPSET: Final = 17
_PACKAGES: Final = ("gongkai", "torch", "onnx")
_EMBEDDINGS: Final = ("backbone.embedding.weight", "word_embeddings.weight")


class Exported(NamedTuple):
    """What an export wrote.

    Attributes:
        bytes: Of all its files.
    """

    path: Path
    description: Description
    bytes: int


def export(model_dir: Path, out: Path, *, force: bool = False) -> Exported:
    """Write a trained model as ONNX graphs and their description (see `gongkai.model.bundle`).

    The embedding is stored in half precision, and nothing else: it is two thirds of a small model.

    Args:
        force: Write into a folder that holds something.

    Raises:
        BrokenModel, ConfigError: `model_dir` holds no trained model.
        OutputError: `out` holds something and `force` is not given.
    """
    if out.exists() and not force and any(out.iterdir()):
        raise OutputError(str(out), "It is not empty.", "Choose another folder, or write with --force.")
    trained = load_model(model_dir)
    graphs = {SPANS: _spans(trained.model), RELATIONS: _relations(trained.model)}
    graphs[SPANS] = _with_half_embedding(graphs[SPANS])
    files = {name: graph.SerializeToString() for name, graph in graphs.items()}
    description = msgspec.structs.replace(
        describe(model_dir, trained),
        sha256={name: hashlib.sha256(file).hexdigest() for name, file in files.items()},
        versions={name: version(name) for name in _PACKAGES},
    )
    files[DESCRIPTION] = encode(description)
    out.mkdir(parents=True, exist_ok=True)
    for name, file in files.items():
        write_file(out / name, file)
    return Exported(out, description, sum(map(len, files.values())))


def _spans(model: JointModel) -> onnx.ModelProto:
    found = ["scores"] if isinstance(model.span_head, TagHead) else ["places", "logits"]
    both = {0: "windows", 1: "characters"}
    whole = {0: "windows", 1: "ids"}  # two more than characters: FIRST and LAST
    axes = {"hidden": both, "scores": both, "places": {0: "candidates"}, "logits": {0: "candidates"}}
    return _exported(
        SpanGraph(model),
        (torch.randint(5, 6, (2, 12)),),
        ["ids"],
        ["hidden", *found],
        {"ids": whole, **{name: axes[name] for name in ("hidden", *found)}},
    )


def _relations(model: JointModel) -> onnx.ModelProto:
    width = model.backbone.width
    vectors, places = torch.randn(3, width), torch.arange(3)
    names = ["firsts", "lasts", "first_places", "last_places"]
    axes = {name: {0: "spans"} for name in (*names, "heads", "tails")}
    return _exported(
        RelationGraph(model), (vectors, vectors, places, places), names, ["heads", "tails"], axes
    )


def _exported(
    module: nn.Module, inputs: tuple[Tensor, ...], names: list[str], outputs: list[str], axes: dict[str, Any]
) -> onnx.ModelProto:
    file = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        # The exporter by tracing is deprecated, and names each shape that it takes for fixed.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(),
            inputs,
            file,
            input_names=names,
            output_names=outputs,
            dynamic_axes=axes,
            opset_version=_OPSET,
            dynamo=False,
            do_constant_folding=False,
        )
    return onnx.load_from_string(file.getvalue())


def _with_half_embedding(graph: onnx.ModelProto) -> onnx.ModelProto:
    """The graph, its table of characters stored in half precision; ONNX Runtime widens it once, when it loads."""
    for tensor in graph.graph.initializer:
        if tensor.name.endswith(_EMBEDDINGS):
            name = tensor.name
            half = numpy_helper.from_array(numpy_helper.to_array(tensor).astype("float16"), f"{name}.half")
            tensor.CopyFrom(half)
            graph.graph.node.insert(0, helper.make_node("Cast", [half.name], [name], to=TensorProto.FLOAT))
    return graph
