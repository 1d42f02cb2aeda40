"""The pipeline as a whole: offsets, references, both scripts, spaCy's own round trips, linear cost."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import opencc
import pytest
import spacy_pkuseg
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from spacy.language import Language
from spacy.tokens import DocBin

from gongkai import extract, load
from gongkai.errors import ConfigError, EmptyInput
from gongkai.export.jsonl import record_schema
from gongkai.ingest import discover, read
from gongkai.merging import MODES
from gongkai.pipeline import STAGES, analysis_of, stages
from gongkai.text import fold
from gongkai.types import Document, Fact, Record

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = [item for path in discover([ROOT / "samples"]) for item in read(path) if isinstance(item, Document)]
GENRE = [
    json.loads(line)["text"]
    for line in (ROOT / "annotations/gold/own/train.jsonl").read_text("utf8").splitlines()[::2]
]
PIECES = [
    "主动公开政府信息", "收到申请", "其中", "，", "。", "、", "；", "（", "）", "《", "》", "“", "”", "〔", "〕", "号", "令",
    "2018年", "２０１９年", "全年", "第", "863条", "近70%", "百分之五", "12.5万元", "同比增长", "比上年", "占", "共",
    "深府办〔2018〕14号", "国务院", "我局", "条例", "关于印发", "的通知", "\n", "\r\n", "\t", " ", "　", "\u200b", "\ufeff",
    "一、", "（一）", "1.", "件", "0", "/", "答复率", "100%", "總計", "臺灣", "𠮷", "😀", "é", "\x00", "\x0c", "以下简称",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=60).map("".join)


@pytest.fixture(scope="module")
def nlp() -> Language:
    return load()


def check(record: Record) -> None:
    """What holds of every record, whatever the text."""
    entities = {entity.id: entity for entity in record.entities}
    facts = {fact.id for fact in record.facts}
    sections = {section.id for section in record.sections}
    for entity in record.entities:
        assert entity.text == record.text[entity.start : entity.end]
        assert entity.text.strip() == entity.text != ""
    for relation in record.relations:
        assert {relation.head, relation.tail} <= entities.keys()
        assert relation.head != relation.tail
    for fact in record.facts:
        assert set(fact.evidence) <= entities.keys()
        assert {fact.part_of, fact.share_of} <= facts | {None}
        assert fact.section is None or fact.section in sections
        assert fact.sentence is None or 0 <= fact.sentence < len(record.sentences)
    for finding in record.findings:
        assert set(finding.evidence) <= facts
    assert "".join(record.text[a:b] for a, b in record.sentences) == record.text
    for table in record.tables:
        for cell in table.cells:
            assert table.start <= cell.start <= cell.end <= table.end


@pytest.mark.parametrize("mode", MODES)
@settings(max_examples=150, deadline=None)
@given(TEXTS)
def test_any_text_gives_a_sound_record(mode: str, text: str) -> None:
    record = extract(text, mode)
    assert record.text == text
    check(record)


@pytest.mark.parametrize("document", SAMPLES, ids=lambda d: Path(d.source.path).name)
def test_samples_give_sound_records_that_obey_the_schema(document: Document) -> None:
    record = extract(document)
    check(record)
    encoded = msgspec.json.encode(record)
    assert msgspec.json.decode(encoded, type=Record) == record
    Draft202012Validator(record_schema()).validate(json.loads(encoded))


def comparable(fact: Fact) -> tuple[Any, ...]:
    """A fact without what is written in a script of its own."""
    return (
        fact.start, fact.end, fact.value, fact.value_max, fact.qualifier, fact.unit, fact.metric_id, fact.period,
        fact.direction, fact.part_of, fact.share_of, fact.compared_with, fact.category, fold(fact.metric or ""),
    )  # fmt: skip


@pytest.mark.parametrize("mode", ["rules", "hybrid"])
@pytest.mark.parametrize("text", [*GENRE, *(d.text for d in SAMPLES)], ids=lambda text: text.strip()[:12])
def test_simplified_and_traditional_give_the_same_facts(text: str, mode: str) -> None:
    simplified = opencc.OpenCC("t2s").convert(text)
    traditional = opencc.OpenCC("s2t").convert(simplified)
    if fold(traditional) != fold(simplified):
        pytest.skip("OpenCC chooses other words for this text")
    ours, theirs = extract(simplified, mode), extract(traditional, mode)
    assert [comparable(fact) for fact in theirs.facts] == [comparable(fact) for fact in ours.facts]
    assert [(f.check, f.spans) for f in theirs.findings] == [(f.check, f.spans) for f in ours.findings]


def test_stages_are_a_snapshot(nlp: Language) -> None:
    """A user's saved config names these; renaming one is a change for the changelog."""
    assert tuple(nlp.pipe_names) == STAGES == stages("hybrid")
    assert nlp.analyze_pipes()["problems"] == {name: [] for name in nlp.pipe_names}


def test_tokens_are_characters_and_spans_are_entities(nlp: Language) -> None:
    doc = nlp(GENRE[0])
    assert len(doc) == len(GENRE[0])
    entities = analysis_of(doc).entities
    assert [(s.label_, s.text) for s in doc.spans["gongkai"]] == [(e.label, e.text) for e in entities]


def test_documents_survive_docbin_and_stream_like_single_calls(nlp: Language) -> None:
    single = [analysis_of(nlp(text)).record() for text in GENRE[:4]]
    streamed = list(nlp.pipe(GENRE[:4]))
    assert [analysis_of(doc).record() for doc in streamed] == single
    restored = DocBin(docs=streamed, store_user_data=True).to_bytes()
    docs = DocBin().from_bytes(restored).get_docs(nlp.vocab)
    assert [analysis_of(doc).record() for doc in docs] == single


def test_a_saved_pipeline_loads_with_spacy_alone(nlp: Language, tmp_path: Path) -> None:
    """In a process that never imports gongkai: spaCy finds the stages by their entry points."""
    nlp.to_disk(tmp_path / "saved")
    code = (
        "import sys, spacy; nlp = spacy.load(sys.argv[1]); doc = nlp(sys.argv[2]);"
        "print(' '.join(span.label_ for span in doc.spans['gongkai']))"
    )
    text = "2018年，我局收到申请12件。"
    command = [sys.executable, "-c", code, str(tmp_path / "saved"), text]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed.split() == [entity.label for entity in analysis_of(nlp(text)).entities]


def test_a_stage_can_be_left_out(nlp: Language) -> None:
    with nlp.select_pipes(disable="gongkai_policies"):
        labels = {entity.label for entity in analysis_of(nlp(GENRE[1])).entities}
    assert "POLICY" not in labels
    assert "COUNT" in labels


@pytest.fixture(scope="module")
def pkuseg_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small segmenter, trained on two sentences."""
    folder = tmp_path_factory.mktemp("pkuseg")
    corpus = folder / "words.txt"
    corpus.write_text(
        "主动 公开 政府 信息 863 条 。\n收到 申请 12 件 ， 其中 网上 申请 9 件 。\n" * 30, "utf8"
    )
    spacy_pkuseg.train(str(corpus), str(corpus), str(folder / "model"), train_iter=2)
    return folder / "model"


@pytest.mark.parametrize("mode", MODES)
def test_pkuseg_words_give_the_same_offsets(mode: str, pkuseg_model: Path) -> None:
    characters, words = load(mode), load(mode, pkuseg_model=pkuseg_model)
    text = "2018年，我局主动公开政府信息863条。\r\n收到申请 12件，其中网上申请9件。😀"
    doc = words(text)
    assert doc.text == text
    assert len(doc) < len(text)
    found = analysis_of(doc).record()
    assert found == analysis_of(characters(text)).record()
    assert {(e.label, e.text) for e in found.entities} >= {("COUNT", "863条"), ("COUNT", "12件")}
    if mode != "rules":
        assert "model" in {entity.by for entity in found.entities}
    for entity, span in zip(found.entities, doc.spans["gongkai"], strict=True):
        assert span.label_ == entity.label
        assert span.start_char <= entity.start < entity.end <= span.end_char


def test_unknown_mode_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="Choose one of: rules"):
        load("magic")


def test_extract_of_a_bad_file_raises_its_error(tmp_path: Path) -> None:
    (tmp_path / "nothing.txt").write_bytes(b"")
    with pytest.raises(EmptyInput, match=r"nothing\.txt"):
        extract(tmp_path / "nothing.txt")


HOSTILE = [
    "《", "》", "“", "（", "(", "〔", "〔2018", "〔2018〕", "号", "第1号", "1", "1,", "1.", "一", "万", "年", "2018年", "1月",
    "比", "占", "其中", "共", "件", "1件", "1件，", "1件、", "1%", "其中1件", "政府", "局", "通知", "的通知", "的", "以下简称《",
    "收到", "公开", "通过", "通过“", "、", "，", ":", "1件(", "比2017年的", "\n1", "\n件\n1", "\t1", "（一）", "\n一、", "\u200b",
    " ", "　", "总计\n1\n", "答复率100%，", "收到1件，答复", "因", "由1件增加到",
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("unit", "mode"),
    [
        *((unit, "rules") for unit in HOSTILE),
        *((unit, "hybrid") for unit in ("1件，", "1%", "2018年", "《", "\n1", "其中1件")),
    ],
    ids=ascii,
)
def test_hostile_text_costs_linear_time(unit: str, mode: str) -> None:
    def seconds(length: int) -> float:
        text = (unit * (length // len(unit) + 1))[:length]
        start = time.process_time()
        extract(text, mode)
        return time.process_time() - start

    seconds(1_000)
    # Thrice, for a machine that does other work at the same time measures too much now and then.
    measured = ((seconds(10_000), seconds(40_000)) for _ in range(3))
    assert any(long < 8 * short + 0.3 for short, long in measured), (
        "4 times the text took over 8 times the time"
    )
