"""What the model's operations alone would allow on this machine.

Counted are the multiply-adds of matrix products and convolutions, from the shapes that the model's graphs have on
given texts; measured is how many of them ONNX Runtime does a second in one product of the graphs' own largest shape.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from math import prod
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from gongkai.errors import EmptyInput
from gongkai.evaluate.speed.results import Operations
from gongkai.evaluate.speed.stages import bundle_of
from gongkai.ingest import read_text
from gongkai.model.bundle import RELATIONS, SPANS
from gongkai.model.characters import SPECIAL
from gongkai.model.runtime import JointReader, graph
from gongkai.pipeline import Extractor

_ROWS = 3_072
"""Of the matrix whose products are timed: about the ids of one batch of the model."""

_INPUT_OF_WEIGHTS = {"Conv": 1, "ConvInteger": 1, "QLinearConv": 3}
_PRODUCTS = ("MatMul", "Gemm", "MatMulInteger", "MatMulIntegerToFloat", "FusedMatMul", "QLinearMatMul")


class Product(NamedTuple):
    """(rows, depth) times (depth, columns)."""

    rows: int
    depth: int
    columns: int

    @property
    def multiply_adds(self) -> int:
        return prod(self)


def products(model: bytes, inputs: Mapping[str, NDArray[Any]]) -> list[Product]:
    """The matrix products that a graph consists of for given inputs; a convolution is one of its patches."""
    proto = onnx.load_from_string(model)
    nodes = [node for node in proto.graph.node if node.op_type in (*_INPUT_OF_WEIGHTS, *_PRODUCTS)]
    shapes = {tensor.name: tuple(tensor.dims) for tensor in proto.graph.initializer}
    wanted = sorted({name for node in nodes for name in (*node.input, node.output[0])} - shapes.keys() - {""})
    del proto.graph.output[:]
    proto.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in wanted)
    values = graph(proto.SerializeToString(), 1)(**inputs)
    shapes |= {name: value.shape for name, value in zip(wanted, values, strict=True)}
    return [_product(node, shapes) for node in nodes]


def _product(node: onnx.NodeProto, shapes: Mapping[str, tuple[int, ...]]) -> Product:
    out = shapes[node.output[0]]
    if node.op_type in _INPUT_OF_WEIGHTS:
        weights = shapes[node.input[_INPUT_OF_WEIGHTS[node.op_type]]]
        return Product(prod(out) // weights[0], prod(weights[1:]), weights[0])
    return Product(prod(out) // out[-1], shapes[node.input[0]][-1], out[-1])


def operations(texts: Sequence[str], threads: int, seconds: float, model: Path | None = None) -> Operations:
    """Count a model's operations on some texts, and time the machine's.

    What is not read for holding no entity counts nothing; overlaps of windows and padding count.

    Args:
        seconds: Time for each kind of numbers.
        model: Folder of the exported model; None for the one that comes with gongkai.

    Raises:
        BrokenModel: It is missing, damaged or not exported.
        EmptyInput: There is nothing in the texts for it to read.
    """
    bundle = bundle_of(model)
    ids: list[NDArray[Any]] = []
    ends: list[NDArray[Any]] = []
    spans, relations = graph(bundle.spans, threads), graph(bundle.relations, threads)

    def noted_spans(**inputs: NDArray[Any]) -> Sequence[NDArray[Any]]:
        ids.append(inputs["ids"])
        return spans(**inputs)

    def noted_relations(**inputs: NDArray[Any]) -> Sequence[NDArray[Any]]:
        ends.append(inputs["firsts"])
        return relations(**inputs)

    extractor = Extractor("model", model=JointReader(bundle.description, noted_spans, noted_relations))
    for _ in extractor.extract_all(map(read_text, texts)):
        pass
    if not ids:
        raise EmptyInput("the texts", "The model reads nothing in them.", "Give documents that hold figures.")

    @cache
    def of_window(length: int) -> list[Product]:
        return products(bundle.spans, {"ids": np.full((1, length), SPECIAL, np.int64)})

    characters = sum(map(len, texts))
    one = np.zeros((1, ends[0].shape[1]), np.float32)
    place = np.zeros(1, np.int64)
    of_span = products(
        bundle.relations, {"firsts": one, "lasts": one, "first_places": place, "last_places": place}
    )
    largest = max(of_window(ids[0].shape[1]), key=lambda product: product.multiply_adds)
    timed = Product(_ROWS, largest.depth, largest.columns)
    return Operations(
        multiply_adds={
            SPANS: sum(len(each) * _total(of_window(each.shape[1])) for each in ids) / characters,
            RELATIONS: sum(map(len, ends)) * _total(of_span) / characters,
        },
        product=(timed.rows, timed.depth, timed.columns),
        rates={
            "float32": matrix_rate(timed, np.float32, np.float32, threads, seconds),
            "int8": matrix_rate(timed, np.uint8, np.int8, threads, seconds),
        },
    )


def _total(of: Iterable[Product]) -> int:
    return sum(product.multiply_adds for product in of)


def matrix_rate(product: Product, left: type, right: type, threads: int, seconds: float) -> float:
    """Multiply-adds a second of ONNX Runtime in a product with constant weights: its fastest in so many seconds."""
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(left))
    whole = kind != TensorProto.FLOAT
    rng = np.random.default_rng(0)
    weights: NDArray[Any] = rng.integers(-60, 60, (product.depth, product.columns)).astype(right)
    rows: NDArray[Any] = rng.integers(0, 120, (product.rows, product.depth)).astype(left)
    model = helper.make_model(
        helper.make_graph(
            [helper.make_node("MatMulInteger" if whole else "MatMul", ["rows", "weights"], ["out"])],
            "product",
            [helper.make_tensor_value_info("rows", kind, rows.shape)],
            [helper.make_tensor_value_info("out", TensorProto.INT32 if whole else kind, None)],
            [numpy_helper.from_array(weights, "weights")],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    run = graph(model.SerializeToString(), threads)
    run(rows=rows)
    fastest, end = float("inf"), perf_counter() + seconds
    while perf_counter() < end:
        start = perf_counter()
        run(rows=rows)
        fastest = min(fastest, perf_counter() - start)
    return product.multiply_adds / fastest
