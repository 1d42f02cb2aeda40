"""Operations of small graphs, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from gongkai.evaluate.speed.limit import Product, matrix_rate, products  # noqa: E402


def graph_of(nodes: list[onnx.NodeProto], weights: dict[str, tuple[int, ...]]) -> bytes:
    """A graph from x, (batch, 4, length), to y."""
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ("batch", 4, "length"))],
        [helper.make_empty_tensor_value_info("y")],
        [numpy_helper.from_array(np.zeros(shape, np.float32), name) for name, shape in weights.items()],
    )
    opset = helper.make_opsetid("", 17)
    return bytes(helper.make_model(graph, opset_imports=[opset], ir_version=8).SerializeToString())


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


def test_multiply_adds() -> None:
    assert Product(20, 12, 6).multiply_adds == 1440


@pytest.mark.parametrize(("left", "right"), [(np.float32, np.float32), (np.uint8, np.int8)])
def test_a_machine_does_some_million_multiply_adds_a_second(left: type, right: type) -> None:
    assert matrix_rate(Product(64, 64, 64), left, right, 1, 0.02) > 1e6
