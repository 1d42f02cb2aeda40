"""Sampling: the doubtful first, none twice, not all of one issuer, the same choice every time."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from gold_records import gold
from gongkai.gold.records import from_record, read, write
from gongkai.ingest import read_text
from gongkai.types import Document, Entity, Fact, Meta, Record, Relation, Source
from gongkai_annotations import sample as sampling
from gongkai_annotations.cli import app
from gongkai_annotations.push import submissions
from gongkai_annotations.sample import bigrams, compared, minhash, profile, sample, shares


def text_of(seed: int, length: int = 400) -> str:
    """A text of its own for each seed."""
    chance = np.random.default_rng(seed)
    return "".join(chr(0x4E00 + int(code)) for code in chance.integers(0, 3000, length))


def record(text: str, *, scores: Sequence[float] = (), numbers: int = 0, issuer: str | None = None) -> Record:
    """A record of spans with these scores, and of numbers that nothing names."""
    entities = [
        Entity(id=f"T{n}", label="ORG", start=n, end=n + 1, text=text[n : n + 1], score=score, by="x")
        for n, score in enumerate(scores)
    ]
    entities += [
        Entity(id=f"N{n}", label="COUNT", start=100 + n, end=101 + n, text=text[100 + n], score=1.0, by="x")
        for n in range(numbers)
    ]
    facts = [Fact(id=f"F{n}", value=1.0, unit=None, start=100 + n, end=101 + n) for n in range(numbers)]
    document = read_text(text)
    return Record(
        id=document.id,
        source=Source(),
        meta=Meta(issuer=issuer),
        text=text,
        entities=tuple(entities),
        facts=tuple(facts),
    )


class Prepared:
    """An extractor that knows what to say of each text."""

    def __init__(self, records: Sequence[Record]) -> None:
        self._records = {each.text: each for each in records}

    def __call__(self, document: Document) -> Record:
        return msgspec.structs.replace(self._records[document.text], id=document.id)


def folder_of(records: Sequence[Record], folder: Path) -> Path:
    for number, each in enumerate(records):
        (folder / f"{number:04}.txt").write_text(each.text, "utf-8", newline="")
    return folder


def chosen(records: Sequence[Record], count: int, folder: Path, **options: object) -> list[int]:
    result = sample([folder_of(records, folder)], count, [Prepared(records)], **options)  # type: ignore[arg-type]
    texts = [each.text for each in records]
    return [texts.index(each.text) for each in result.records]


def test_terms_by_hand() -> None:
    named = Relation(label="value_of", head="N0", tail="T0", score=0.5, by="x")
    one = msgspec.structs.replace(record(text_of(1), scores=[0.5, 0.95], numbers=5), relations=(named,))
    terms = shares([one])
    assert terms.low == pytest.approx(2 / (8 + 5))
    assert terms.bare == pytest.approx(4 / (5 + 5))
    assert terms.unnamed == pytest.approx(5 / (5 + 5))
    assert terms.apart == 0
    assert terms.value == pytest.approx((2 / 13 + 0.4 + 0.5) / 4)
    other = msgspec.structs.replace(one, entities=one.entities[:2], relations=())
    assert shares([one, other]).apart == pytest.approx(1 - 2 * 2 / (2 * 2 + 6))
    assert shares([record("无")]).value == 0


def test_the_doubtful_come_first(tmp_path: Path) -> None:
    records = [record(text_of(n), numbers=n) for n in range(6)]
    assert chosen(records, 3, tmp_path) == [5, 4, 3]


def test_near_duplicates_count_once(tmp_path: Path) -> None:
    doubtful = text_of(1)
    copies = [record(doubtful + str(n) * 3, numbers=20) for n in range(10)]
    others = [record(text_of(n), numbers=5) for n in range(20, 23)]
    picked = chosen([*copies, *others], 4, tmp_path)
    assert len(picked) == 4
    assert sum(n < 10 for n in picked) == 1


def test_near_duplicates_of_gold_are_left_out(tmp_path: Path) -> None:
    records = [record(text_of(n), numbers=10) for n in range(3)]
    annotated = gold("g", records[1].text + "完。")
    assert sorted(chosen(records, 3, tmp_path, gold=[annotated])) == [0, 2]


def test_one_issuer_does_not_take_all(tmp_path: Path) -> None:
    one = [record(text_of(n), numbers=20, issuer="甲市") for n in range(20)]
    others = [record(text_of(100 + n), numbers=15, issuer=f"乙{n}市") for n in range(4)]
    picked = chosen([*one, *others], 5, tmp_path)
    assert sum(n < 20 for n in picked) <= 2


def test_fewer_documents_than_wanted(tmp_path: Path) -> None:
    records = [record(text_of(n)) for n in range(2)]
    assert sorted(chosen(records, 9, tmp_path)) == [0, 1]


def test_no_more_candidates_are_kept_than_promised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "CANDIDATES", 3)
    records = [record(text_of(n), numbers=n % 17) for n in range(60)]
    kept: list[int] = []
    original = sampling._Pool.offer

    def watched(pool: sampling._Pool, *arguments: object) -> None:
        original(pool, *arguments)  # type: ignore[arg-type]
        kept.append(len(pool.kept()))

    monkeypatch.setattr(sampling._Pool, "offer", watched)
    picked = chosen(records, 2, tmp_path)
    assert [records[n].entities.__len__() for n in picked] == [16, 16]
    assert max(kept) == 6


def test_the_same_folder_gives_the_same_choice(tmp_path: Path) -> None:
    records = [record(text_of(n), numbers=n % 5, issuer=f"市{n % 4}") for n in range(30)]
    first = chosen(records, 8, tmp_path)
    assert chosen(records, 8, tmp_path) == first
    assert len(set(first)) == 8


def test_documents_of_one_file(tmp_path: Path) -> None:
    records = [record(text_of(n), numbers=n) for n in range(5)]
    lines = [msgspec.json.encode({"id": f"d{n}", "text": each.text}) for n, each in enumerate(records)]
    (tmp_path / "all.jsonl").write_bytes(b"\n".join([lines[0], b"{broken", *lines[1:]]))
    result = sample([tmp_path], 2, [Prepared(records)])
    assert [each.id for each in result.records] == ["d4", "d3"]
    assert len(result.unread) == 1


def test_a_file_that_changes_meanwhile_is_named(tmp_path: Path) -> None:
    records = [record(text_of(n), numbers=3) for n in range(2)]
    folder = folder_of(records, tmp_path)
    prepared, calls = Prepared(records), itertools.count()

    def changing(document: Document) -> Record:
        found = prepared(document)
        if next(calls) == 1:
            (folder / "0000.txt").write_text("另一篇")
        return found

    result = sample([folder], 2, [changing])
    assert len(result.records) == 1
    assert "It changed" in result.unread[0]


@given(st.text(max_size=60))
def test_spacing_does_not_matter(text: str) -> None:
    assert (compared(text) == compared(text.replace(" ", "  "))).all()
    assert minhash(compared(text)).shape == (128,)
    assert (bigrams(compared(text)) ** 2).sum() == pytest.approx(1 if len(compared(text)) > 1 else 0)


def test_spelling_does_not_matter() -> None:
    assert (compared("２０１８年申請答覆12件") == compared("2019 年申请答复34件")).all()


def test_similarity_estimates_jaccard() -> None:
    base = text_of(1, 2000)
    half = base[:1000] + text_of(2, 1000)
    profiles = sampling._Profiles()
    profiles.add(profile(gold("a", base)))
    profiles.add(profile(gold("b", text_of(3, 2000))))
    near, far = profiles.similarity(profile(gold("c", half)))
    assert near == pytest.approx(1 / 3, abs=0.13)
    assert far < 0.05
    assert profiles.similarity(profile(gold("a", base)))[0] == 1
    assert profiles.distance(profile(gold("a", base))) == pytest.approx(0, abs=1e-3)


def test_empty_texts_are_not_alike() -> None:
    profiles = sampling._Profiles()
    profiles.add(profile(gold("a", "短")))
    assert profiles.similarity(profile(gold("b", "文")))[0] == 0


def test_command_writes_what_push_takes(tmp_path: Path) -> None:
    from gongkai.pipeline import Extractor

    source = tmp_path / "in"
    source.mkdir()
    for number, words in enumerate(("2018年，我局收到申请12件。", "全年开会30次，走访5户，办件800个。", "")):
        (source / f"{number}.txt").write_text(words, "utf-8")
    write([gold("g", "无关。")], tmp_path / "gold.jsonl")
    out = tmp_path / "next.jsonl"
    arguments = ["sample", source, "--count", 2, "-o", out, "--gold", tmp_path / "gold.jsonl"]
    result = CliRunner().invoke(app, [str(each) for each in arguments])
    assert result.exit_code == 3
    assert "2 documents read, 2 chosen" in result.output
    assert "not read: 1" in result.output
    records = list(read(out))
    assert [each.meta["sample"]["rank"] for each in records] == [1, 2]
    extract = Extractor().extract
    for pushed in submissions([out], extract, "hybrid"):
        assert not isinstance(pushed, Exception)
        assert str(pushed.version).endswith("-hybrid")
        again = from_record(extract(read_text(pushed.record.text)))
        assert pushed.record.entities == again.entities
