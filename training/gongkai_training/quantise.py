"""An exported model's convolutions in whole numbers of eight bits: smaller, and encoded in three fifths of the time.

Each convolution becomes one product of matrices, in which a character's row holds all that the convolution sees of its
surroundings. The rows are whole numbers under a scale that is found beforehand, on texts (static quantisation, Jacob et
al. 2018, https://arxiv.org/abs/1712.05877); the weights have a scale for each output. All else stays as it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from gongkai.errors import EmptyInput, GongkaiError
from gongkai.evaluate.run import references
from gongkai.ingest import read_text
from gongkai.model.bundle import DESCRIPTION, SPANS, Bundle, encode, read_bundle
from gongkai.model.characters import PAD
from gongkai.model.decode import Floats
from gongkai.model.runtime import JointReader, graph
from gongkai.pipeline import Extractor

from .artifacts import write_file

CHARACTERS: Final = 32_768
"""Of the texts that the scales are found on, at most."""

_COVERED: Final = 0.9999
"""Share of the inputs of a convolution that keep their size; the few beyond are cut off."""

_ZERO: Final = 128
"""Which of 0 to 255 stands for 0: the inputs lie on both sides of it."""

_LARGEST: Final = 63
"""Of the weights. Where there is no VNNI two products are added in 16 bits, which 2 · 255 · 63 just fits into."""

_CONTRIBUTED: Final = "com.microsoft"
_PACKAGES: Final = ("gongkai", "onnx", "onnxruntime")

Spans = list[set[tuple[str, int, int]]]
"""(label, start, end) of each document's spans."""


class NotQuantisable(GongkaiError):
    """A model has no convolutions, or has them in eight bits already."""


class Quantised(NamedTuple):
    """What was gained, and what it cost on the texts that the scales were found on.

    Attributes:
        bytes_before, bytes_after: Of the graph.
        characters: Of the texts.
        before, after: Spans that the model finds in them.
        shared: Those that it finds before and after.
    """

    path: Path
    bytes_before: int
    bytes_after: int
    characters: int
    before: int
    after: int
    shared: int

    @property
    def agreement(self) -> float:
        """F1 of the spans after against those before; 1 where there are none."""
        return 2 * self.shared / (self.before + self.after) if self.before + self.after else 1.0


class Convolution(NamedTuple):
    """A convolution along the characters.

    Attributes:
        rows: Name of its input, (windows, characters + 2, width), before that is transposed.
        weights: (outputs, width, size).
    """

    node: onnx.NodeProto
    rows: str
    weights: Floats
    dilation: int
    pads: tuple[int, int]


def quantise(folder: Path, gold: Sequence[Path], texts: Path | None = None) -> Quantised:
    """Put an exported model's convolutions into eight bits, in its folder.

    Its scores change a little: its temperatures go, and configs/merge.yaml is to be chosen again.

    Args:
        folder: As `gongkai train export` writes it.
        gold: Files of the training part, of whose texts `CHARACTERS` are read, always the same; never dev or test.
        texts: Folder of the texts of stand-off gold.

    Raises:
        BrokenModel: There is no exported model in the folder.
        NotQuantisable: It has no convolutions, or they are in eight bits.
        EmptyInput: There is no text for the model to read in the gold.
        GongkaiError: As for `gongkai.evaluate.run.references`.
    """
    bundle = read_bundle(folder)
    if bundle.description.numbers == "int8":
        raise NotQuantisable(
            str(folder), "The model is in eight bits already.", "Export it again to quantise it anew."
        )
    model = onnx.load_from_string(bundle.spans)
    convolutions = convolutions_of(model)
    if not convolutions:
        raise NotQuantisable(
            str(folder),
            "The model has no convolutions, which are what is quantised.",
            "Leave it as it is, or train one with `encoder: {type: convolution}`.",
        )
    sample = _sample(each.record.text for path in gold for each in references(path, texts))
    before, limits = _observed(bundle, model, convolutions, sample)
    spans = in_eight_bits(model, convolutions, limits).SerializeToString()
    description = msgspec.structs.replace(
        bundle.description,
        numbers="int8",
        temperatures={},
        sha256=bundle.description.sha256 | {SPANS: hashlib.sha256(spans).hexdigest()},
        versions=bundle.description.versions | {name: version(name) for name in _PACKAGES},
    )
    after = _spans(JointReader.of(Bundle(description, spans, bundle.relations), threads=1), sample)
    write_file(folder / SPANS, spans)
    write_file(folder / DESCRIPTION, encode(description))
    return Quantised(
        path=folder,
        bytes_before=len(bundle.spans),
        bytes_after=len(spans),
        characters=sum(map(len, sample)),
        before=sum(map(len, before)),
        after=sum(map(len, after)),
        shared=sum(len(one & other) for one, other in zip(before, after, strict=True)),
    )


def _sample(texts: Iterable[str]) -> list[str]:
    """So many characters of the texts, the same in whatever order these come."""
    sample: list[str] = []
    left = CHARACTERS
    for text in sorted(set(texts), key=lambda text: hashlib.sha256(text.encode()).digest()):
        if left == 0:
            break
        sample.append(text[:left])
        left -= len(sample[-1])
    return sample


def _spans(reader: JointReader, texts: Sequence[str]) -> Spans:
    records = Extractor("model", reader).extract_all(map(read_text, texts))
    return [{(entity.label, entity.start, entity.end) for entity in record.entities} for record in records]


def convolutions_of(model: onnx.ModelProto) -> list[Convolution]:
    """Those that the exporter writes for a `ConvolutionBackbone`, in order."""
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    transposed = {
        node.output[0]: node.input[0]
        for node in model.graph.node
        if node.op_type == "Transpose" and _attributes(node)["perm"] == [0, 2, 1]
    }
    found = []
    for node in model.graph.node:
        if node.op_type == "Conv" and node.input[0] in transposed:
            attributes = _attributes(node)
            (dilation,), (left, right) = attributes["dilations"], attributes["pads"]
            rows = transposed[node.input[0]]
            found.append(Convolution(node, rows, weights[node.input[1]], dilation, (left, right)))
    return found


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def _observed(
    bundle: Bundle, model: onnx.ModelProto, convolutions: Sequence[Convolution], texts: Sequence[str]
) -> tuple[Spans, list[float]]:
    """The spans that a model finds, and how large the inputs of each convolution become on the way.

    Raises:
        EmptyInput: It read nothing.
    """
    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    watched.graph.output.extend(helper.make_empty_tensor_value_info(each.rows) for each in convolutions)
    # On one thread, so that sums are in one order wherever it runs.
    encode_windows = graph(watched.SerializeToString(), 1)
    sizes: list[list[Floats]] = [[] for _ in convolutions]

    def observe(**inputs: NDArray[Any]) -> Sequence[NDArray[Any]]:
        outputs = encode_windows(**inputs)
        present = inputs["ids"] != PAD
        for seen, rows in zip(sizes, outputs[-len(convolutions) :], strict=True):
            seen.append(np.abs(rows[present]).ravel())
        return outputs[: -len(convolutions)]

    found = _spans(JointReader(bundle.description, observe, graph(bundle.relations, 1)), texts)
    if not all(sizes):
        raise EmptyInput(
            "the gold",
            "Its texts hold nothing for the model to read.",
            "Name the gold that it was trained on.",
        )
    return found, [_limit(np.concatenate(seen)) for seen in sizes]


def _limit(sizes: Floats) -> float:
    """To three figures, which another machine's rounding does not change; 1 for a convolution that sees zeros alone."""
    return float(f"{np.quantile(sizes, _COVERED):.3g}") or 1.0


def in_eight_bits(
    model: onnx.ModelProto, convolutions: Sequence[Convolution], limits: Sequence[float]
) -> onnx.ModelProto:
    """The model with its convolutions as products of whole numbers.

    Args:
        limits: What the inputs of each convolution are cut off at, on both sides of 0.
    """
    made = onnx.ModelProto()
    made.CopyFrom(model)
    products = {
        convolution.node.output[0]: _product(convolution, limit)
        for convolution, limit in zip(convolutions, limits, strict=True)
    }
    nodes: list[onnx.NodeProto] = []
    for node in model.graph.node:
        product = products.get(node.output[0])
        nodes.extend([node] if product is None else product[0])
    tensors = [
        *model.graph.initializer,
        *(tensor for _, constants in products.values() for tensor in constants),
    ]
    used = {name for node in nodes for name in node.input} | {output.name for output in model.graph.output}
    del made.graph.node[:], made.graph.initializer[:]
    made.graph.node.extend(node for node in nodes if used.intersection(node.output))
    made.graph.initializer.extend(tensor for tensor in tensors if tensor.name in used)
    made.opset_import.append(helper.make_opsetid(_CONTRIBUTED, 1))
    return made


def _product(convolution: Convolution, limit: float) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """The nodes that give a convolution's output, and their constants."""
    outputs, width, size = convolution.weights.shape
    nodes: list[onnx.NodeProto] = []
    constants: list[onnx.TensorProto] = []
    own = convolution.node.output[0]

    def constant(name: str, value: Any) -> str:
        constants.append(numpy_helper.from_array(np.asarray(value), f"{own}/{name}"))
        return f"{own}/{name}"

    def node(kind: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(kind, inputs, [f"{own}/{name}"], **attributes))
        return f"{own}/{name}"

    matrix = convolution.weights.transpose(2, 1, 0).reshape(size * width, outputs)
    largest = np.abs(matrix).max(0)
    steps = np.where(largest > 0, largest / _LARGEST, 1).astype(np.float32)
    weights = constant("weights", np.round(matrix / steps).astype(np.int8))
    scale, zero = constant("scale", np.float32(limit / (255 - _ZERO))), constant("zero", np.uint8(_ZERO))

    left, right = convolution.pads
    rows = node("QuantizeLinear", [convolution.rows, scale, zero], "rows")
    padded = node("Pad", [rows, constant("pads", [0, left, 0, 0, right, 0]), zero], "padded")
    axis = constant("axis", [1])
    reach = convolution.dilation * (size - 1)
    seen = []
    for place in range(0, reach + 1, convolution.dilation):
        # Counted from the end, for how long a window is shows when it is read.
        end = constant(f"end {place}", [place - reach or np.iinfo(np.int64).max])
        seen.append(node("Slice", [padded, constant(f"start {place}", [place]), end, axis], f"seen {place}"))
    surroundings = node("Concat", seen, "surroundings", axis=2)
    product = node(
        "MatMulIntegerToFloat",
        [surroundings, weights, scale, constant("steps", steps), zero, "", *convolution.node.input[2:]],
        "product",
        domain=_CONTRIBUTED,
    )
    # ONNX Runtime moves this down to the next transposition, where the two cancel.
    nodes.append(helper.make_node("Transpose", [product], [own], perm=[0, 2, 1]))
    return nodes, constants
