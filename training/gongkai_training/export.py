"""A trained model to ONNX: what `gongkai.model.runtime` reads, without torch.

Two graphs, because relations cost 4 · 8 · (size + 2) numbers a character and are needed at the ends of spans only.
"""

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
from torch.nn import functional

from gongkai.errors import OutputError
from gongkai.model.bundle import DESCRIPTION, RELATIONS, SPANS, Description
from gongkai.model.scheme import ENTITY_LABELS

from .artifacts import WEIGHTS, load_model, write_file
from .heads.pointer import PointerHead
from .heads.rotary import rotate
from .heads.tags import TagHead
from .model import JointModel

_OPSET: Final = 17
_PACKAGES: Final = ("gongkai", "torch", "onnx")
_OUTSIDE: Final = -1e4
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
    model = trained.model
    data = trained.settings.data
    graphs = {SPANS: _spans(model), RELATIONS: _relations(model)}
    graphs[SPANS] = _with_half_embedding(graphs[SPANS])
    files = {name: graph.SerializeToString() for name, graph in graphs.items()}
    description = Description(
        design="tags" if isinstance(model.span_head, TagHead) else "pointer",
        longest=data.longest,
        overlap=data.overlap,
        characters="".join(trained.characters.characters),
        trained=hashlib.sha256((model_dir / WEIGHTS).read_bytes()).hexdigest(),
        sha256={name: hashlib.sha256(file).hexdigest() for name, file in files.items()},
        versions={name: version(name) for name in _PACKAGES},
    )
    files[DESCRIPTION] = msgspec.json.format(msgspec.json.encode(description), indent=1)
    out.mkdir(parents=True, exist_ok=True)
    for name, file in files.items():
        write_file(out / name, file)
    return Exported(out, description, sum(map(len, files.values())))


class _Spans(nn.Module):
    """ids → hidden vectors, and what spans are decoded from."""

    def __init__(self, model: JointModel) -> None:
        super().__init__()
        self.backbone = model.backbone
        self.head = (
            _Candidates(model.span_head) if isinstance(model.span_head, PointerHead) else model.span_head
        )

    def forward(self, ids: Tensor) -> tuple[Tensor, ...]:
        hidden = self.backbone(ids)[:, 1:-1]
        if isinstance(self.head, _Candidates):
            # From the input, the one tensor whose sizes the exporter never takes for fixed.
            return hidden, *self.head(hidden, torch.arange(ids.shape[1] - 2))
        return hidden, self.head(hidden)


class _Candidates(nn.Module):
    """The scores of `PointerHead`, for those spans alone of which some label scores above 0."""

    def __init__(self, head: PointerHead) -> None:
        super().__init__()
        self.head = head

    def forward(self, hidden: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
        """(windows, characters, width) → (candidates, 3): window, first character, width - 1; (candidates, labels)."""
        head = self.head
        first, last = rotate(head.ends(hidden).unflatten(-1, (2, head.size)), places).unbind(2)
        span = first @ last.transpose(1, 2) / head.size**0.5
        begin, end = head.labels(hidden).unflatten(-1, (2, len(ENTITY_LABELS))).unbind(2)
        characters = places.shape[0]
        # Rows of one more than a row each: the n-th begins n characters later, at the diagonal.
        row = characters + head.longest + 1
        flat = functional.pad(span, (0, row - characters)).flatten(1)
        banded = functional.pad(flat, (0, characters)).view(-1, characters, row + 1)[:, :, : head.longest]
        ends = functional.pad(end.amax(-1), (0, head.longest), value=_OUTSIDE)
        highest = banded + begin.amax(-1).unsqueeze(2) + ends[:, places[:, None] + torch.arange(head.longest)]
        candidates = (highest > 0).nonzero()
        window, start, width = candidates.unbind(1)
        logits = banded[window, start, width].unsqueeze(1) + begin[window, start] + end[window, start + width]
        return candidates, logits


class _Relations(nn.Module):
    """Hidden vectors of the first and last characters of spans → vectors of the spans."""

    def __init__(self, model: JointModel) -> None:
        super().__init__()
        self.head = model.relation_head

    def forward(
        self, firsts: Tensor, lasts: Tensor, first_places: Tensor, last_places: Tensor
    ) -> tuple[Tensor, ...]:
        starts = self.head(firsts.unsqueeze(0), first_places)
        ends = self.head(lasts.unsqueeze(0), last_places)
        return tuple(start[0, :, 0] + end[0, :, 1] for start, end in zip(starts, ends, strict=True))


def _spans(model: JointModel) -> onnx.ModelProto:
    found = ["scores"] if isinstance(model.span_head, TagHead) else ["places", "logits"]
    both = {0: "windows", 1: "characters"}
    axes = {"hidden": both, "scores": both, "places": {0: "candidates"}, "logits": {0: "candidates"}}
    return _exported(
        _Spans(model),
        (torch.randint(5, 6, (2, 12)),),
        ["ids"],
        ["hidden", *found],
        {"ids": both, **{name: axes[name] for name in ("hidden", *found)}},
    )


def _relations(model: JointModel) -> onnx.ModelProto:
    width = model.backbone.width
    vectors, places = torch.randn(3, width), torch.arange(3)
    names = ["firsts", "lasts", "first_places", "last_places"]
    axes = {name: {0: "spans"} for name in (*names, "heads", "tails")}
    return _exported(_Relations(model), (vectors, vectors, places, places), names, ["heads", "tails"], axes)


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
