"""Gold to examples; whatever is wrong with it is named before the first step."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gold_records import gold
from gongkai.errors import GongkaiError
from gongkai.gold.records import Annotated, GoldEntity, GoldRecord, GoldRelation, write
from gongkai.gold.standoff import MissingText, standoff
from gongkai.model.characters import UNKNOWN, Characters
from gongkai_training.config import Data
from gongkai_training.data import (
    BadGold,
    EmptySplit,
    LeakingSplit,
    RelationTarget,
    SpanTarget,
    characters_of,
    examples_of,
    portion_of,
    read_gold,
)

_TRAIN = gold("a", "⟦METRIC#m 收到申请⟧⟦COUNT#c 5件⟧。", "value_of c m")
_DEV = gold("b", "⟦METRIC#m 公开信息⟧⟦COUNT#c 9条⟧。", "value_of c m")


def data(folder: Path, *, texts: Path | None = None, **parts: Sequence[Annotated]) -> Data:
    """Settings of files with these records."""
    files = {part: (str(folder / f"{part}.jsonl"),) for part in parts}
    for part, records in parts.items():
        write(records, folder / f"{part}.jsonl")
    return Data(**files, texts=None if texts is None else str(texts))  # type: ignore[arg-type]


def spans(
    *entities: tuple[str, str, int, int], relations: tuple[tuple[str, str, str], ...] = ()
) -> GoldRecord:
    return GoldRecord(
        id="x",
        text="收到申请5件，公开9条。",
        entities=tuple(GoldEntity(id=i, label=label, start=s, end=e) for i, label, s, e in entities),
        relations=tuple(GoldRelation(label=label, head=h, tail=t) for label, h, t in relations),
    )


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        pytest.param(spans(("T1", "PERSON", 0, 2)), "Span T1 is PERSON", id="label"),
        pytest.param(spans(("T1", "COUNT", 4, 4)), "Span T1 is empty", id="empty span"),
        pytest.param(spans(("T1", "COUNT", 4, 99)), "outside the text", id="outside"),
        pytest.param(spans(("T1", "COUNT", 4, 6), ("T1", "ORG", 0, 2)), "have one id", id="id twice"),
        pytest.param(
            spans(("T1", "COUNT", 4, 6), ("T2", "COUNT", 5, 7)), "T1 and T2 of COUNT overlap", id="overlap"
        ),
        pytest.param(
            spans(("T1", "COUNT", 4, 6), relations=(("value_of", "T1", "T9"),)),
            "is not there",
            id="no such tail",
        ),
        pytest.param(
            spans(("T1", "COUNT", 4, 6), ("T2", "ORG", 0, 2), relations=(("value_of", "T1", "T2"),)),
            "value_of from COUNT T1 to ORG T2 is not of the scheme",
            id="types",
        ),
        pytest.param(
            spans(("T1", "COUNT", 4, 6), ("T2", "METRIC", 0, 2), relations=(("counts", "T1", "T2"),)),
            "counts from COUNT T1",
            id="relation",
        ),
    ],
)
def test_bad_gold_is_named(tmp_path: Path, record: GoldRecord, problem: str) -> None:
    with pytest.raises(BadGold) as error:
        read_gold(data(tmp_path, train=[_TRAIN, record], dev=[_DEV]))
    assert problem in str(error.value)
    assert f"{tmp_path / 'train.jsonl'}, document x" in str(error.value)


@pytest.mark.parametrize("part", ["train", "dev"])
@pytest.mark.parametrize("records", [[], [gold("x", "无。")]], ids=["no document", "no annotation"])
def test_an_empty_part_is_named(tmp_path: Path, part: str, records: list[Annotated]) -> None:
    parts: dict[str, list[Annotated]] = {"train": [_TRAIN], "dev": [_DEV], part: records}
    with pytest.raises(EmptySplit, match=f"{part} part"):
        read_gold(data(tmp_path, **parts))


@pytest.mark.parametrize(
    ("parts", "named"),
    [
        pytest.param(
            {"train": [_TRAIN], "dev": [_DEV, msgspec.structs.replace(_TRAIN, id="z")]}, "z", id="text"
        ),
        pytest.param({"train": [_TRAIN], "dev": [msgspec.structs.replace(_DEV, id="a")]}, "a", id="id"),
        pytest.param({"train": [_TRAIN, _TRAIN], "dev": [_DEV]}, "a", id="twice in one part"),
        pytest.param(
            {"train": [_TRAIN], "dev": [_DEV], "held_out": [standoff(_DEV, "p", None)]}, "b", id="held out"
        ),
    ],
)
def test_a_document_in_two_parts_is_named(
    tmp_path: Path, parts: dict[str, list[Annotated]], named: str
) -> None:
    with pytest.raises(LeakingSplit, match=f"document {named}"):
        read_gold(data(tmp_path, **parts))


def test_standoff_gold_is_joined_with_its_text(tmp_path: Path) -> None:
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "b.txt").write_text(_DEV.text, encoding="utf-8")
    parts: dict[str, list[Annotated]] = {
        "train": [_TRAIN],
        "dev": [_DEV, standoff(gold("c", "⟦COUNT#c 5件⟧"), "b.txt", None)],
    }
    with pytest.raises(MissingText):
        read_gold(data(tmp_path, texts=texts, **parts))
    parts = {"train": [_TRAIN], "dev": [standoff(_DEV, "b.txt", None)]}
    for part in parts:
        (tmp_path / f"{part}.jsonl").unlink()
    found = read_gold(data(tmp_path, texts=texts, **parts))
    assert [record.text for record in found.dev.records] == [_DEV.text]


def test_standoff_gold_is_left_out_where_there_are_no_texts(tmp_path: Path) -> None:
    write([standoff(_DEV, "b.txt", None)], tmp_path / "real.jsonl")
    own = data(tmp_path, train=[_TRAIN], dev=[gold("c", "⟦COUNT#c 5件⟧")], texts=tmp_path / "none")
    settings = msgspec.structs.replace(own, dev=(*own.dev, str(tmp_path / "real.jsonl")))
    assert [len(file.records) for file in read_gold(settings).dev.files] == [1, 0]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(GongkaiError, match="none"):
        read_gold(Data(train=(str(tmp_path / "none.jsonl"),), dev=()))


def some(name: str, count: int) -> list[GoldRecord]:
    """Documents with one span each."""
    return [gold(f"{name}{n}", f"第{n}号{name}⟦COUNT#c 5件⟧") for n in range(count)]


def test_a_portion_is_of_each_training_file(tmp_path: Path) -> None:
    """Of 40, 3 and 8 documents a quarter is 10, 1 and 2; dev stays whole."""
    own = data(tmp_path, train=some("a", 40), dev=some("d", 8))
    more = {"b": 3, "c": 8}
    for name, count in more.items():
        write(some(name, count), tmp_path / f"{name}.jsonl")
    train = (*own.train, *(str(tmp_path / f"{name}.jsonl") for name in more))
    settings = msgspec.structs.replace(own, train=train, portion=0.25)
    found = read_gold(settings)
    assert [len(file.records) for file in found.train.files] == [10, 1, 2]
    assert len(found.dev.records) == 8
    assert read_gold(settings) == found
    whole = read_gold(msgspec.structs.replace(settings, portion=1))
    assert [file.sha256 for file in whole.train.files] == [file.sha256 for file in found.train.files]
    for part, file in zip(found.train.files, whole.train.files, strict=True):
        assert list(part.records) == [record for record in file.records if record in part.records]


def test_what_is_left_out_may_not_be_in_dev_either(tmp_path: Path) -> None:
    train = some("a", 10)
    drawn = {record.id for record in portion_of(train, 0.1)}
    left_out = next(record for record in train if record.id not in drawn)
    own = data(tmp_path, train=train, dev=[left_out])
    with pytest.raises(LeakingSplit):
        read_gold(msgspec.structs.replace(own, portion=0.1))


@given(st.integers(1, 60), st.floats(0, 1), st.floats(0, 1), st.randoms(use_true_random=False))
def test_portions_nest(count: int, a: float, b: float, chance: Random) -> None:
    """At least one document, all at 1, the share to half a document; whatever the order of the file."""
    records = [GoldRecord(id=f"d{n}", text="。") for n in range(count)]
    small, large = (portion_of(records, share) for share in sorted((a, b)))
    assert set(small_ids := [record.id for record in small]) <= {record.id for record in large}
    assert len(small) >= 1
    assert abs(len(small) - min(a, b) * count) <= max(0.5, 1 - min(a, b) * count)
    assert portion_of(records, 1) == tuple(records)
    shuffled = chance.sample(records, count)
    assert {record.id for record in portion_of(shuffled, min(a, b))} == set(small_ids)


def test_targets_count_from_their_window() -> None:
    record = gold(
        "r",
        "一、⟦METRIC#m 收到申请⟧⟦COUNT#c 5件⟧。\n其中⟦METRIC#n 网上申请⟧⟦COUNT#d 2件⟧。",
        "value_of c m",
        "part_of d c",
        "value_of d n",
    )
    characters = Characters("收到申请")
    whole = examples_of(record, characters, 64, 0)
    (example,) = whole.examples
    assert example.spans == (
        SpanTarget(0, 2, 5),
        SpanTarget(1, 6, 7),
        SpanTarget(0, 12, 15),
        SpanTarget(1, 16, 17),
    )
    assert example.relations == (RelationTarget(0, 1, 0), RelationTarget(2, 3, 1), RelationTarget(0, 3, 2))
    assert (whole.lost_spans, whole.lost_relations) == (0, 0)

    parted = examples_of(record, characters, 10, 0)
    assert [len(example.spans) for example in parted.examples] == [2, 2]
    assert parted.examples[1].relations == (RelationTarget(0, 1, 0),)
    assert (parted.lost_spans, parted.lost_relations) == (0, 1)


def test_the_model_reads_the_folded_view() -> None:
    characters = Characters("公开")
    (simplified,) = examples_of(gold("s", "公开"), characters, 9, 0).examples
    (traditional,) = examples_of(gold("t", "公開"), characters, 9, 0).examples
    assert simplified.ids.tolist() == traditional.ids.tolist()


def test_rare_characters_are_unknown() -> None:
    characters = characters_of([gold("a", "公开公开信")])
    assert characters.characters == ("公", "开")
    assert characters.encode("信")[1] == UNKNOWN
