"""The corpus without gold, and its windows."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gongkai.errors import BrokenRecord
from gongkai.gold.records import GoldRecord, StandoffRecord, text_sha256, write
from gongkai_training.encoder.texts import StaleExclusion, read_corpus, windows

TEXT = "训练用的第一段。\n测试用的一段，不得读入。\n训练用的第二段。\n"
HELD = "测试用的一段，不得读入。\n"
PART = (TEXT.index(HELD), TEXT.index(HELD) + len(HELD))


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "one.txt").write_text(TEXT, encoding="utf-8")
    (folder / "two.txt").write_text("另一份报告，没有标注。\n", encoding="utf-8")
    return folder


def _gold(tmp_path: Path, path: str, part: tuple[int, int] | None, text: str) -> Path:
    meta = {"path": path, "slice": None if part is None else list(part)}
    gold = tmp_path / "gold.jsonl"
    write([StandoffRecord(id="g1", sha256=text_sha256(text), meta=meta)], gold)
    return gold


def test_a_gold_slice_is_cut_out_and_what_is_around_it_stays(tmp_path: Path, corpus: Path) -> None:
    read = read_corpus([corpus], [_gold(tmp_path, "corpus/one.txt", PART, HELD)])
    assert [text.parts for text in read.texts] == [
        ("训练用的第一段。\n", "训练用的第二段。\n"),
        ("另一份报告，没有标注。\n",),
    ]
    assert read.excluded == ("g1",)


def test_a_gold_text_is_known_under_another_name(tmp_path: Path, corpus: Path) -> None:
    (corpus / "one.txt").rename(corpus / "renamed.txt")
    read = read_corpus([corpus], [_gold(tmp_path, "corpus/one.txt", PART, HELD)])
    assert not any(HELD.strip() in part for text in read.texts for part in text.parts)
    assert read.excluded == ("g1",)


def test_a_whole_document_leaves_nothing(tmp_path: Path, corpus: Path) -> None:
    read = read_corpus([corpus], [_gold(tmp_path, "corpus/one.txt", None, TEXT)])
    assert [Path(text.name).name for text in read.texts] == ["two.txt"]


def test_gold_with_its_text_is_cut_too(tmp_path: Path) -> None:
    train, test = tmp_path / "train.jsonl", tmp_path / "test.jsonl"
    write([GoldRecord(id="a", text="甲报告。"), GoldRecord(id="b", text="乙报告。")], train)
    write([GoldRecord(id="x", text="乙报告。")], test)
    read = read_corpus([train], [test])
    assert [text.parts for text in read.texts] == [("甲报告。",)]
    assert read.excluded == ("x",)


def test_a_file_that_changed_under_its_annotation_stops_the_run(tmp_path: Path, corpus: Path) -> None:
    gold = _gold(tmp_path, "corpus/one.txt", (PART[0] + 1, PART[1] + 1), HELD)
    with pytest.raises(StaleExclusion, match=r"g1.*one\.txt"):
        read_corpus([corpus], [gold])


def test_a_broken_gold_file_stops_the_run(tmp_path: Path, corpus: Path) -> None:
    gold = tmp_path / "gold.jsonl"
    gold.write_text("{}\n")
    with pytest.raises(BrokenRecord):
        read_corpus([corpus], [gold])


def test_what_cannot_be_read_is_named(corpus: Path) -> None:
    (corpus / "empty.txt").touch()
    assert "empty.txt" in read_corpus([corpus]).unreadable[0]


@pytest.mark.parametrize(
    ("text", "longest", "expected"),
    [
        ("短。\n", 50, []),
        ("共收到申请12件。\n全部办结，无结转。\n", 50, ["共收到申请12件。\n全部办结，无结转。"]),
        ("共收到申请12件。\n全部办结，无结转。\n", 12, ["共收到申请12件。", "全部办结，无结转。"]),
        ("全年共收到申请十二件。均已按期全部办结。", 12, ["全年共收到申请十二件。", "均已按期全部办结。"]),
        ("一二三四五六七八九十甲乙丙丁戊己庚辛", 10, ["一二三四五六七八九十", "甲乙丙丁戊己庚辛"]),
    ],
)
def test_windows(text: str, longest: int, expected: list[str]) -> None:
    assert list(windows(text, longest)) == expected


@given(st.text(st.sampled_from("政府。；，\n 12件"), max_size=300), st.integers(8, 60))
def test_windows_are_short_slices_in_order(text: str, longest: int) -> None:
    place = 0
    for window in windows(text, longest):
        assert len(window) <= longest
        place = text.index(window, place) + len(window)
