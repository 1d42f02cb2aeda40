"""Gold comes back from every format as it went: to the last offset, whatever characters the text has."""

from __future__ import annotations

import json
import tempfile
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from gold_records import gold, random_gold
from gongkai.errors import BrokenRecord, GongkaiError, OutputError, UnreadableInput
from gongkai.gold.records import GoldEntity, GoldRecord, StandoffRecord, canonical, read, write
from gongkai_annotations.cli import app
from gongkai_annotations.convert import FORMATS, UnknownFormat, convert, guess
from gongkai_annotations.convert.brat import file_name
from gongkai_annotations.convert.conll import escape, unescape
from gongkai_annotations.convert.doccano import Utf16
from gongkai_annotations.convert.writing import CannotCarry
from gongkai_annotations.server import MissingExtra

LABELS = ("METRIC", "COUNT", "PERCENT", "DOCNO", "POLICY", "ORG", "PERIOD")
NAMES = {
    "spacy": "out.spacy", "conll": "out.conll", "doccano": "out.jsonl", "brat": "out", "datasets": "dataset",
}  # fmt: skip
KEEPS_SCORES = ("spacy", "datasets", "brat")
needs_datasets = pytest.mark.skipif(
    find_spec("datasets") is None, reason="the extra `train` is not installed"
)
formats = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=needs_datasets if name == "datasets" else ()) for name in NAMES]
)

RECORD = gold(
    "省/市 2018？",
    "#𠮷市\\n\r\n⟦PERIOD#时 2018年⟧\t⟦METRIC#m 收到 申请⟧⟦COUNT#T2 5\n件⟧⟦COUNT#T7 6件⟧😀\x00\u2028\u3000\x85\\u0041。\r",
    "value_of T2 m",
    "during T2 时",
    split="dev",
    深="值",
)
NESTED = GoldRecord(
    id="nested",
    text="《2018年办法》2018",
    entities=(
        GoldEntity(id="T1", label="POLICY", start=0, end=9, score=0.1 + 0.2, by="rule:x.y"),
        GoldEntity(id="T2", label="PERIOD", start=1, end=6),
        GoldEntity(id="T3", label="ORG", start=0, end=9),
        GoldEntity(id="T4", label="COUNT", start=9, end=13, score=1.0),
    ),
)
EMPTY = gold("empty", "")


def there_and_back(records: list[GoldRecord], name: str, folder: Path) -> list[GoldRecord]:
    write(records, folder / "in.jsonl", force=True)
    out = folder / NAMES[name]
    assert convert(folder / "in.jsonl", out, name, "gold", force=True) == len(records)
    assert convert(out, folder / "back.jsonl", "gold", name, force=True) == len(records)
    back = list(read(folder / "back.jsonl"))
    assert guess(out) == name
    return back


def carried(record: GoldRecord, name: str) -> GoldRecord:
    """What a format promises to keep of a record."""
    entities = record.entities
    if name not in KEEPS_SCORES:
        entities = tuple(msgspec.structs.replace(e, score=None, by=None) for e in entities)
    record = msgspec.structs.replace(record, entities=entities)
    return canonical(record) if name == "conll" else record


@formats
def test_what_is_hard_comes_back(name: str, tmp_path: Path) -> None:
    records = sorted([RECORD, NESTED, EMPTY], key=lambda record: file_name(record.id))
    assert there_and_back(records, name, tmp_path) == [carried(record, name) for record in records]


@formats
def test_random_gold_comes_back(name: str, tmp_path: Path) -> None:
    records = [random_gold(f"r{seed}", seed) for seed in range(8)]
    assert there_and_back(records, name, tmp_path) == [carried(record, name) for record in records]


@formats
def test_shipped_gold_comes_back(name: str, root: Path, tmp_path: Path) -> None:
    records = list(read(root / "annotations" / "gold" / "own" / "dev.jsonl"))
    records.sort(key=lambda record: f"{record.id}.ann")
    assert there_and_back(records, name, tmp_path) == [carried(record, name) for record in records]


signs = st.one_of(
    st.sampled_from("收到\n\r\t #\\u0041 \u3000\u2028\x00\x1c\x85𠮷😀\ufeff⟦;\"'%"),
    st.characters(exclude_categories=["Cs"]),
)


@st.composite
def records(draw: st.DrawFn) -> GoldRecord:
    text = draw(st.one_of(st.text(signs, max_size=40), st.just("a\r\n𠮷")))
    entities = []
    for label in draw(st.lists(st.sampled_from(LABELS), unique=True)):
        cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=6)))
        for start, end in pairwise(cuts):
            if draw(st.booleans()):
                entities.append((label, start, end))
    ids = draw(
        st.lists(
            st.text(signs, min_size=1, max_size=5),
            unique=True,
            min_size=len(entities),
            max_size=len(entities),
        )
    )
    order = draw(st.permutations(range(len(entities))))
    return GoldRecord(
        id=draw(st.text(signs, max_size=8)),
        text=text,
        entities=tuple(
            GoldEntity(id=ids[n], label=entities[n][0], start=entities[n][1], end=entities[n][2])
            for n in order
        ),
        meta=draw(
            st.dictionaries(
                st.text(signs, max_size=5),
                st.one_of(st.none(), st.text(signs), st.integers(-9, 9)),
                max_size=2,
            )
        ),
    )


@pytest.mark.parametrize("name", ["spacy", "conll", "doccano", "brat"])
@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(record=records())
def test_any_record_comes_back(name: str, record: GoldRecord) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert there_and_back([record], name, Path(folder)) == [carried(record, name)]


@needs_datasets
@settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow])
@given(record=records())
def test_any_record_comes_back_from_datasets(record: GoldRecord) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert there_and_back([record], "datasets", Path(folder)) == [record]


@given(st.characters(exclude_categories=["Cs"]))
def test_every_character_is_one_word_of_a_line(char: str) -> None:
    written = escape(char)
    assert unescape(written) == char
    assert len(written.split()) == 1
    assert not written.startswith("#")
    assert written.isprintable()


@pytest.mark.parametrize("written", ["", "\\", "\\x", "\\u12", "\\ud800", "\\Uffffffff", "ab"])
def test_what_is_no_character(written: str) -> None:
    assert unescape(written) is None


@given(st.text(signs))
def test_utf16_offsets(text: str) -> None:
    units = Utf16(text)
    for place in range(len(text) + 1):
        unit = len(text[:place].encode("utf-16-le", "surrogatepass")) // 2
        assert (units.unit(place), units.point(unit)) == (unit, place)


def test_conll_as_other_tools_see_it(tmp_path: Path) -> None:
    write([gold("d", "收到⟦COUNT#n 5件⟧\n#")], tmp_path / "in.jsonl")
    convert(tmp_path / "in.jsonl", tmp_path / "out.conll", "conll")
    sequences = (tmp_path / "out.conll").read_text("utf-8").split("\n\n")[1:]
    rows = [
        [line.split() for line in sequence.splitlines() if not line.startswith("#")] for sequence in sequences
    ]
    assert [[row[0] for row in sequence] for sequence in rows] == [
        ["收", "到", "5", "件", "\\n"],
        ["\\u0023"],
    ]
    assert [row[2] for row in rows[0]] == ["O", "O", "B-COUNT", "I-COUNT", "O"]


def test_conll_tags_are_the_truth(tmp_path: Path) -> None:
    write([gold("d", "我⟦COUNT#T1 5件⟧甲乙")], tmp_path / "in.jsonl")
    out = tmp_path / "out.conll"
    convert(tmp_path / "in.jsonl", out, "conll")
    original = out.read_text("utf-8")
    out.write_text(original.replace("乙\tO\tO\tO\tO\tO\tO", "乙\tO\tO\tO\tO\tO\tB-ORG"), "utf-8")
    convert(out, tmp_path / "back.jsonl", "gold")
    (back,) = read(tmp_path / "back.jsonl")
    assert [(e.id, e.label, e.start, e.end) for e in back.entities] == [
        ("T1", "COUNT", 1, 3),
        ("T2", "ORG", 4, 5),
    ]
    for wrong, told in (
        (original.replace("I-COUNT", "B-COUNT"), "2 spans of COUNT, but 1 ids"),
        (original.replace("甲\tO\tO", "甲\tO\tI-ORG"), "'I-ORG' cannot stand in the column COUNT"),
        (original.replace("甲\tO", "甲乙\tO"), "not a character and 7 tags"),
        (original.replace("# columns", "# colums"), "does not begin with"),
    ):
        out.write_text(wrong, "utf-8")
        with pytest.raises(BrokenRecord, match=told):
            convert(out, tmp_path / "back.jsonl", "gold", force=True)


def test_doccano_numbers_spans_anew(tmp_path: Path) -> None:
    """As doccano exports: ids of its own, offsets in UTF-16."""
    line = {
        "id": 7, "text": "😀5件申请", "Comments": [],
        "entities": [
            {"id": 42, "label": "METRIC", "start_offset": 4, "end_offset": 6},
            {"id": 41, "label": "COUNT", "start_offset": 2, "end_offset": 4},
        ],
        "relations": [{"id": 3, "from_id": 41, "to_id": 42, "type": "value_of"}],
    }  # fmt: skip
    path = tmp_path / "export.jsonl"
    path.write_text(json.dumps(line) + "\n")
    assert guess(path) == "doccano"
    convert(path, tmp_path / "gold.jsonl", "gold")
    (back,) = read(tmp_path / "gold.jsonl")
    assert back.id == "7"
    assert [(e.id, back.text[e.start : e.end]) for e in back.entities] == [("T42", "申请"), ("T41", "5件")]
    assert [(r.head, r.tail) for r in back.relations] == [("T41", "T42")]
    line["entities"] = [{"id": 1, "label": "COUNT", "start_offset": 1, "end_offset": 4}]
    path.write_text(json.dumps(line) + "\n")
    with pytest.raises(BrokenRecord, match="within a character"):
        convert(path, tmp_path / "gold.jsonl", "gold", force=True)


def test_doccano_without_relations(tmp_path: Path) -> None:
    path = tmp_path / "export.jsonl"
    path.write_text('{"id": 1, "text": "共5件", "label": [[1, 3, "COUNT"]]}\n')
    convert(path, tmp_path / "gold.jsonl", "gold")
    assert [(e.label, e.start, e.end) for r in read(tmp_path / "gold.jsonl") for e in r.entities] == [
        ("COUNT", 1, 3)
    ]


def test_brat_as_its_editor_writes(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "d.txt").write_bytes("共5\n件申请".encode())
    ann = tmp_path / "in" / "d.ann"
    ann.write_text(
        "T1\tCOUNT 1 2;3 4\t5 件\nT2\tMETRIC 4 6\t申请\n#1\tAnnotatorNotes T1\t疑\nR1\tvalue_of Arg1:T1 Arg2:T2\t\n"
    )
    convert(tmp_path / "in", tmp_path / "gold.jsonl", "gold")
    (back,) = read(tmp_path / "gold.jsonl")
    assert [(e.start, e.end) for e in back.entities] == [(1, 4), (4, 6)]
    for wrong, told in (
        ("T1\tCOUNT 1 2;4 6\t5 申请\n", "in pieces"),
        ("T1\tCOUNT one\n", "not of the form"),
        ("T1\tCOUNT 1 99\tx\n", "does not lie within its text"),
        ("R1\tvalue_of Arg1:T1 Arg2:T2\n", "not there"),
    ):
        ann.write_text(wrong)
        with pytest.raises(BrokenRecord, match=told):
            convert(tmp_path / "in", tmp_path / "gold.jsonl", "gold", force=True)


@pytest.mark.parametrize("name", ["spacy", "conll", "doccano", "brat"])
def test_what_no_format_takes(name: str, tmp_path: Path) -> None:
    module = __import__(FORMATS[name], fromlist=["write"])
    outside = msgspec.structs.replace(NESTED, text="短")
    with pytest.raises(BrokenRecord, match="does not lie within its text"):
        module.write([outside], tmp_path / NAMES[name])
    with pytest.raises(CannotCarry, match="hydrate"):
        module.write([StandoffRecord(id="s", sha256="0")], tmp_path / NAMES[name], force=True)
    assert [path for path in tmp_path.iterdir() if path.is_file()] == []


def test_what_some_formats_cannot_carry(tmp_path: Path) -> None:
    overlapping = gold("d", "⟦COUNT#a 12件⟧")
    other = GoldEntity(id="b", label="COUNT", start=1, end=3)
    overlapping = msgspec.structs.replace(overlapping, entities=(*overlapping.entities, other))
    foreign = gold("d", "⟦PLACE#a 市⟧")
    for name, some, told in (
        ("conll", [overlapping], "overlap"),
        ("conll", [foreign], "none of the scheme"),
        ("brat", [EMPTY, EMPTY], "file name is taken"),
    ):
        write(some, tmp_path / "in.jsonl", force=True)
        with pytest.raises(CannotCarry, match=told):
            convert(tmp_path / "in.jsonl", tmp_path / name, name, force=True)


@needs_datasets
def test_datasets_have_features(tmp_path: Path) -> None:
    import datasets

    write([RECORD], tmp_path / "in.jsonl")
    convert(tmp_path / "in.jsonl", tmp_path / "out", "datasets")
    loaded = datasets.load_from_disk(tmp_path / "out")
    entities = loaded.features["entities"]
    entity = getattr(entities, "feature", None) or entities[0]
    assert entity["label"].names == list(LABELS)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("kept")
    with pytest.raises(OutputError, match="replaces a dataset only"):
        convert(tmp_path / "in.jsonl", tmp_path / "mine", "datasets", force=True)
    assert (tmp_path / "mine" / "file").exists()
    write([gold("d", "⟦PLACE#a 市⟧")], tmp_path / "in.jsonl", force=True)
    with pytest.raises(CannotCarry, match="none of the scheme"):
        convert(tmp_path / "in.jsonl", tmp_path / "out", "datasets", force=True)
    assert len(datasets.load_from_disk(tmp_path / "out")) == 1


def test_datasets_is_an_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib import util

    monkeypatch.setattr(util, "find_spec", lambda name: None)
    write([RECORD], tmp_path / "in.jsonl")
    with pytest.raises(MissingExtra, match=r"pip install 'gongkai\[train\]'"):
        convert(tmp_path / "in.jsonl", tmp_path / "out", "datasets")


def test_formats_that_do_not_show(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("x")
    for source in (tmp_path, tmp_path / "x.txt"):
        with pytest.raises(UnknownFormat, match="--from"):
            guess(source)
    with pytest.raises(UnreadableInput, match="not there"):
        guess(tmp_path / "nowhere")
    with pytest.raises(UnknownFormat, match="no such format"):
        convert(tmp_path / "x.txt", tmp_path / "y", "word", "gold")


@pytest.mark.parametrize("content", [b"", b"rubbish", b"\x78\x9c\x00"])
def test_files_of_another_kind(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.spacy").write_bytes(content)
    with pytest.raises(UnreadableInput, match="no DocBin"):
        convert(tmp_path / "x.spacy", tmp_path / "y.jsonl", "gold")
    assert not (tmp_path / "y.jsonl").exists()


def test_spacy_of_another_tool(tmp_path: Path) -> None:
    import spacy
    from spacy.tokens import DocBin

    nlp = spacy.blank("en")
    doc = nlp("5 files of Acme")
    doc.ents = [doc.char_span(11, 15, label="ORG")]
    DocBin(docs=[doc]).to_disk(tmp_path / "x.spacy")
    convert(tmp_path / "x.spacy", tmp_path / "y.jsonl", "gold")
    (back,) = read(tmp_path / "y.jsonl")
    assert [(e.id, e.label, e.start, e.end) for e in back.entities] == [("T1", "ORG", 11, 15)]


def test_command(tmp_path: Path) -> None:
    write([RECORD], tmp_path / "in.jsonl")
    arguments = ["convert", str(tmp_path / "in.jsonl"), str(tmp_path / "out.conll"), "--to", "conll"]
    result = CliRunner().invoke(app, arguments)
    assert (result.exit_code, "1 documents" in result.output) == (0, True)
    again = CliRunner().invoke(app, arguments)
    assert isinstance(again.exception, OutputError)
    assert isinstance(again.exception, GongkaiError)
