"""Operations of small graphs, counted by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from gongkai.errors import EmptyInput  # noqa: E402
from gongkai.evaluate.speed.limit import Product, matrix_rate, operations, products  # noqa: E402


def graph_of(
    nodes: list[onnx.NodeProto], weights: dict[str, tuple[int, ...]], whole: dict[str, Any] | None = None
) -> bytes:
    """A graph from x, (batch, 4, length), to y, with float weights of these shapes and constants as given."""
    constants = {name: np.zeros(shape, np.float32) for name, shape in weights.items()} | (whole or {})
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ("batch", 4, "length"))],
        [helper.make_empty_tensor_value_info("y")],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString())


CONVOLUTION = helper.make_node("Conv", ["x", "w"], ["c"], dilations=[2], pads=[2, 2])
TRANSPOSE = helper.make_node("Transpose", ["c"], ["t"], perm=[0, 2, 1])


@pytest.mark.parametrize(
    ("nodes", "weights", "expected"),
    [
        pytest.param(
            [CONVOLUTION, helper.make_node("Relu", ["c"], ["y"])],
            {"w": (6, 4, 3)},
            [Product(2 * 10, 4 * 3, 6)],
            id="convolution: each output is a product of a patch",
        ),
        pytest.param(
            [CONVOLUTION, TRANSPOSE, helper.make_node("MatMul", ["t", "v"], ["y"])],
            {"w": (6, 4, 3), "v": (6, 5)},
            [Product(20, 12, 6), Product(20, 6, 5)],
            id="constant weights",
        ),
        pytest.param(
            [CONVOLUTION, TRANSPOSE, helper.make_node("MatMul", ["t", "c"], ["y"])],
            {"w": (6, 4, 3)},
            [Product(20, 12, 6), Product(2 * 10, 6, 10)],
            id="each character with each",
        ),
    ],
)
def test_products(
    nodes: list[onnx.NodeProto], weights: dict[str, tuple[int, ...]], expected: list[Product]
) -> None:
    assert products(graph_of(nodes, weights), {"x": np.zeros((2, 4, 10), np.float32)}) == expected


QUANTISE = helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"])
ROWS = helper.make_node("Transpose", ["q"], ["r"], perm=[0, 2, 1])
WHOLE = {
    "s": np.float32(1),
    "z": np.uint8(128),
    "w": np.zeros((4, 6), np.int8),
    "k": np.zeros((6, 4, 3), np.int8),
    "t": np.int8(0),
}
OF_A_CHARACTER, OF_A_PATCH = Product(2 * 10, 4, 6), Product(2 * 10, 4 * 3, 6)


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (helper.make_node("MatMulInteger", ["r", "w", "z"], ["y"]), OF_A_CHARACTER),
        (
            helper.make_node(
                "MatMulIntegerToFloat", ["r", "w", "s", "s", "z"], ["y"], domain="com.microsoft"
            ),
            OF_A_CHARACTER,
        ),
        (helper.make_node("QLinearMatMul", ["r", "s", "z", "w", "s", "t", "s", "z"], ["y"]), OF_A_CHARACTER),
        (helper.make_node("ConvInteger", ["q", "k", "z"], ["y"], pads=[1, 1]), OF_A_PATCH),
        (
            helper.make_node("QLinearConv", ["q", "s", "z", "k", "s", "t", "s", "z"], ["y"], pads=[1, 1]),
            OF_A_PATCH,
        ),
    ],
    ids=lambda value: getattr(value, "op_type", ""),
)
def test_products_of_whole_numbers(node: onnx.NodeProto, expected: Product) -> None:
    graph = graph_of([QUANTISE, ROWS, node], {}, WHOLE)
    assert products(graph, {"x": np.zeros((2, 4, 10), np.float32)}) == [expected]


def test_texts_of_which_nothing_is_read_have_no_limit() -> None:
    with pytest.raises(EmptyInput, match="reads nothing"):
        operations(["我们坚持以人为本，着力提高服务水平，切实改进工作作风。"], 1, 0.01)


def test_multiply_adds() -> None:
    assert Product(20, 12, 6).multiply_adds == 1440


@pytest.mark.parametrize(("left", "right"), [(np.float32, np.float32), (np.uint8, np.int8)])
def test_a_machine_does_some_million_multiply_adds_a_second(left: type, right: type) -> None:
    assert matrix_rate(Product(64, 64, 64), left, right, 1, 0.02) > 1e6
