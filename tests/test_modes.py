"""Modes of the pipeline: a model alone, and with the rules; many documents at once; no model where there should be one."""

from __future__ import annotations

import inspect
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import spacy
import typer

from evaluate.building import record
from gongkai import cli, extract, load, pipeline
from gongkai.analysis import Analysis
from gongkai.batch.messages import Task
from gongkai.batch.shards import write_items
from gongkai.batch.worker import do
from gongkai.errors import BrokenModel, ConfigError
from gongkai.export import Format
from gongkai.gold.records import from_record, write
from gongkai.ingest import Leaf, Place, read_text
from gongkai.model.decode import settle
from gongkai.model.runtime import MissingRuntime
from gongkai.pipeline import STAGES, Extractor, analysis_of, stages
from gongkai.reading import Reader
from gongkai.types import Document, Mention, Record
from planted import PlantedReader, mentions_of

READ = record(
    "⟦PERIOD 2018年⟧，⟦ORG 我局⟧主动⟦METRIC 公开政府信息⟧⟦COUNT 863条⟧，依据深府办〔2018〕14号。",
    "value_of T4 T3 0.9",
    "during T4 T1 0.8",
)
OTHER = record("全年⟦METRIC 收到申请⟧⟦COUNT 12件⟧。", "value_of T2 T1")
PLANTED = PlantedReader(READ, OTHER)
DOCUMENTS = [
    msgspec.structs.replace(read_text(text), id=f"d{number}")
    for number, text in enumerate([READ.text, "无。", OTHER.text, "2018年，办结3件。", READ.text])
]


def spans(found: Record) -> set[tuple[str, str]]:
    return {(entity.label, entity.text) for entity in found.entities}


def links(found: Record) -> set[tuple[str, str, str]]:
    words = {entity.id: entity.text for entity in found.entities}
    return {(relation.label, words[relation.head], words[relation.tail]) for relation in found.relations}


def test_model_alone_says_what_the_model_says_and_no_more() -> None:
    found = Extractor("model", PLANTED).extract(DOCUMENTS[0])
    assert spans(found) == {(entity.label, entity.text) for entity in READ.entities}
    assert links(found) == links(READ)
    assert {each.by for each in (*found.entities, *found.relations)} == {"model"}
    (fact,) = found.facts
    assert (fact.metric, fact.value, fact.unit) == ("公开政府信息", 863.0, "条")
    assert fact.period is not None
    assert fact.score == pytest.approx(0.9, abs=0.1)


def test_rules_do_not_ask_a_model() -> None:
    assert Extractor("rules", PLANTED).extract(DOCUMENTS[0]) == Extractor("rules").extract(DOCUMENTS[0])


def test_hybrid_takes_from_both() -> None:
    """The document number is the rules', the ORG the model's, and no number is read twice."""
    found = Extractor("hybrid", PLANTED).extract(DOCUMENTS[0])
    assert ("DOCNO", "深府办〔2018〕14号") in spans(found)
    assert ("ORG", "我局") in spans(found)
    assert [relation[1] for relation in links(found) if relation[0] == "value_of"] == ["863条"]
    assert {by.split(":")[0] for by in (entity.by for entity in found.entities)} == {"rule", "model"}


def test_hybrid_with_a_silent_model_is_rules() -> None:
    rules = Extractor("rules").extract(DOCUMENTS[0])
    found = Extractor("hybrid", PlantedReader()).extract(DOCUMENTS[0])
    certain = [entity for entity in found.entities if entity.label in ("COUNT", "DOCNO", "PERIOD")]
    assert {(e.label, e.text, e.by) for e in certain} <= {(e.label, e.text, e.by) for e in rules.entities}
    assert certain


@pytest.mark.parametrize("mode", ["model", "hybrid"])
@pytest.mark.parametrize("marked", ["⟦METRIC 公开政府信息⟧⟦COUNT 863条⟧", "⟦COUNT 863条⟧", ""])
def test_given_spans_are_related(mode: str, marked: str) -> None:
    """What is given stays, whatever the model would tag; its relations are between given spans."""
    text = marked or "863条"
    given = [
        Mention(m.label, m.start + READ.text.index(record(text).text), m.end + READ.text.index(record(text).text), "given", 0.1)
        for m in mentions_of(record(text))
    ]  # fmt: skip
    found = Extractor(mode, PLANTED).relate(DOCUMENTS[0], reversed(given))
    assert {(e.label, e.start, e.end, e.by) for e in found.entities} == {(*m[:3], "given") for m in given}
    assert links(found) == ({("value_of", "863条", "公开政府信息")} if "METRIC" in marked else set())


# Many documents at once.


@pytest.mark.parametrize("mode", ["rules", "model", "hybrid"])
@pytest.mark.parametrize("batch_characters", [1, 60, 10_000])
def test_batches_give_the_same_records(mode: str, batch_characters: int) -> None:
    extractor = Extractor(mode, PLANTED)
    single = [extractor.extract(document) for document in DOCUMENTS]
    assert list(extractor.extract_all(DOCUMENTS, batch_characters)) == single


def test_the_model_reads_batches_and_no_document_is_taken_early() -> None:
    reader = PlantedReader()
    taken = []

    def documents() -> Iterator[Document]:
        for document in DOCUMENTS:
            taken.append(document.id)
            yield document

    records = Extractor("hybrid", reader).extract_all(documents(), len(READ.text) + 1)
    next(records)
    assert (taken, reader.batches) == (["d0", "d1"], [2])
    assert [found.id for found in records] == ["d1", "d2", "d3", "d4"]
    assert sum(reader.batches) == len(DOCUMENTS)


def test_spacy_streams_like_single_calls() -> None:
    nlp = load_with(PLANTED)
    single = [analysis_of(nlp(document.text)).record() for document in DOCUMENTS]
    streamed = [analysis_of(doc).record() for doc in nlp.pipe(document.text for document in DOCUMENTS)]
    assert streamed == single


def load_with(reader: Reader) -> spacy.Language:
    return Extractor("hybrid", reader).nlp


def test_what_the_model_read_survives_a_round_trip() -> None:
    state = Analysis.of(DOCUMENTS[0])
    state.model_mentions = mentions_of(READ)
    assert msgspec.json.decode(msgspec.json.encode(state), type=Analysis) == state


class Fragile(PlantedReader):
    """Fails on any batch that holds a certain document."""

    def _read(self, document):  # type: ignore[no-untyped-def]
        if "坏" in document.view:
            raise ArithmeticError("not this one")
        return super()._read(document)


def test_one_bad_document_does_not_lose_its_batch(tmp_path: Path) -> None:
    texts = [READ.text, "全年办结3件。", "这一篇会坏。", OTHER.text, "又一篇，坏。"]
    items = [Leaf(Place("in.jsonl", f"line {n}"), "line", _line(n, text)) for n, text in enumerate(texts)]
    write_items(tmp_path / "0.in", items)
    task = Task(0, str(tmp_path / "0.in"), str(tmp_path / "0"))
    done = do(task, Extractor("hybrid", Fragile(READ, OTHER)), [Format.JSONL], tell=lambda _: None)
    written = (tmp_path / "0" / "documents.jsonl").read_text("utf8").splitlines()
    assert [json.loads(line)["id"] for line in written] == ["d0", "d1", "d3"]
    assert (done.counts.documents, done.counts.errors, done.failed) == (3, {"ArithmeticError": 2}, (2, 4))


def _line(number: int, text: str) -> bytes:
    return json.dumps({"id": f"d{number}", "text": text}, ensure_ascii=False).encode()


# Stages, and what is not there.


@pytest.mark.parametrize(
    ("mode", "left_out"),
    [
        ("rules", {"gongkai_model"}),
        ("hybrid", set()),
        (
            "model",
            {"gongkai_docnos", "gongkai_policies", "gongkai_orgs", "gongkai_periods", "gongkai_quantities"},
        ),
    ],
)
def test_a_mode_has_the_stages_that_it_asks(mode: str, left_out: set[str]) -> None:
    assert stages(mode) == tuple(stage for stage in STAGES if stage not in left_out)
    nlp = Extractor(mode, PLANTED).nlp
    assert tuple(nlp.pipe_names) == stages(mode)
    assert not any(nlp.analyze_pipes()["problems"].values())


def test_unknown_mode_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="rules, model, hybrid"):
        load("magic")


@pytest.mark.parametrize("mode", ["model", "hybrid"])
def test_a_model_that_is_not_there_stops_before_the_first_document(mode: str, tmp_path: Path) -> None:
    with pytest.raises(BrokenModel, match="nowhere"):
        Extractor(mode, tmp_path / "nowhere")
    assert Extractor("rules", tmp_path / "nowhere").extract(DOCUMENTS[0]).entities


@pytest.mark.parametrize(("mode", "loaded"), [("rules", False), ("hybrid", True)])
def test_rules_do_not_load_the_runtime_of_models(mode: str, loaded: bool, tmp_path: Path) -> None:
    (tmp_path / "report.txt").write_text(READ.text, "utf8")
    command = ["extract", "report.txt", "-o", "out", "--mode", mode, "--workers", "1"]
    ran = subprocess.run(
        [sys.executable, "-c", "import sys; from gongkai.cli import main; sys.exit(main())", *command],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPROFILEIMPORTTIME": "1"},  # of the worker process, too
    )
    assert ran.returncode == 0, ran.stderr
    assert ("onnxruntime" in ran.stderr) == loaded


# The default, and a model that is damaged.


def test_the_default_is_the_same_wherever_a_user_meets_it() -> None:
    """In every command, in the library, in the stages of a pipeline that a user builds."""
    cli.add_command_groups()
    offered = {path: mode for path, mode, _ in _modes_of(typer.main.get_command(cli.app))}
    assert {"extract", "show", "evaluate score", "annotate push", "annotate serve"} <= offered.keys()
    assert set(offered.values()) == {"hybrid"}
    for function in (load, extract, pipeline.load, Extractor):
        assert inspect.signature(function).parameters["mode"].default == "hybrid"
    nlp = spacy.blank("zh")
    for stage in STAGES:
        nlp.add_pipe(stage)
    built, loaded = nlp.config["components"], load().config["components"]
    assert built == loaded


def test_a_command_that_has_a_mode_takes_a_model() -> None:
    cli.add_command_groups()
    assert {path for path, _, model in _modes_of(typer.main.get_command(cli.app)) if not model} == set()


def _modes_of(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str, bool]]:
    """Each command with the option --mode: its words, the default, whether it has --model, too."""
    for name, each in getattr(command, "commands", {}).items():
        yield from _modes_of(each, (*path, name))
    options = {option: each for each in command.params for option in each.opts}
    if mode := options.get("--mode"):
        # A mode that may be given several times has its default in the command.
        yield " ".join(path), str(mode.default or "hybrid"), "--model" in options


def no_folder(model: Path) -> None:
    shutil.rmtree(model)


def no_description(model: Path) -> None:
    (model / "model.json").unlink()


def no_graph(model: Path) -> None:
    (model / "relations.onnx").unlink()


def half_a_description(model: Path) -> None:
    (model / "model.json").write_bytes((model / "model.json").read_bytes()[:99])


def half_a_graph(model: Path) -> None:
    (model / "spans.onnx").write_bytes((model / "spans.onnx").read_bytes()[:9999])


def another_version(model: Path) -> None:
    description = json.loads((model / "model.json").read_bytes())
    (model / "model.json").write_text(json.dumps({**description, "schema": 99}))


def _status(*arguments: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "argv", ["gongkai", *arguments])
    try:
        return cli.main()
    except SystemExit as stop:
        return int(stop.code or 0)


COMMANDS = [
    ("extract", "report.txt", "-o", "out"),
    ("show", "report.txt"),
    ("evaluate", "gold.jsonl", "--resamples", "100"),
    ("annotate", "sample", "report.txt", "--count", "1", "-o", "next.jsonl"),
]


@pytest.fixture
def workplace(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Our working folder: a report, gold, and a copy of the model that ships."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "report.txt").write_text(READ.text, "utf8")
    write([from_record(READ)], tmp_path / "gold.jsonl")
    shutil.copytree(root / "models" / "zh_gongkai" / "gongkai_model", tmp_path / "model")
    return tmp_path


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (no_folder, "model: There is no such folder"),
        (no_description, "model/model.json: No such file"),
        (no_graph, "model/relations.onnx: No such file"),
        (half_a_description, "model/model.json: It is damaged"),
        (half_a_graph, "model/spans.onnx: It is damaged"),
        (another_version, "model/model.json: Its schema is version 99; this gongkai reads version 1"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_model_that_is_not_whole_is_named_in_one_line_and_rules_still_run(
    damage: Callable[[Path], None],
    named: str,
    workplace: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    damage(workplace / "model")
    for command in COMMANDS:
        assert _status(*command, "--model", "model", monkeypatch=monkeypatch) == 1
        error = capsys.readouterr().err
        assert error.startswith(f"error: {named}")
        assert error.endswith("use --mode rules.\n")
        assert error.count("\n") == 1
    assert not {path.name for path in workplace.iterdir()} & {"out", "next.jsonl"}
    for command in COMMANDS:
        assert _status(*command, "--model", "model", "--mode", "rules", monkeypatch=monkeypatch) == 0


def test_commands_run_with_a_model_of_ones_own(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for command in COMMANDS:
        assert _status(*command, "--model", "model", monkeypatch=monkeypatch) == 0


def test_without_the_model_that_ships_rules_still_run(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("gongkai.reading.data_root", lambda: workplace)
    assert _status("show", "report.txt", monkeypatch=monkeypatch) == 1
    assert capsys.readouterr().err.startswith(f"error: {workplace / 'models'}")
    assert _status("show", "report.txt", "--mode", "rules", monkeypatch=monkeypatch) == 0


# With a model that was trained for real, if only on two sentences.


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for package in ("torch", "transformers", "onnx", "onnxruntime"):
        pytest.importorskip(package)
    from gongkai_training.config import BiaffineRelations, TagSpans
    from gongkai_training.export import export
    from trained_models import trained

    folder = tmp_path_factory.mktemp("model")
    trained(folder / "trained", TagSpans(), BiaffineRelations(size=8))
    return export(folder / "trained", folder / "exported").path


@pytest.fixture(scope="module")
def known() -> list[Document]:
    pytest.importorskip("torch")
    from training_runs import TWO

    return [msgspec.structs.replace(read_text(each.text), id=each.id) for each in TWO]


@pytest.mark.parametrize("mode", ["model", "hybrid"])
def test_a_trained_model_reads_single_documents_and_batches_alike(
    mode: str, exported: Path, known: list[Document]
) -> None:
    extractor = Extractor(mode, exported, threads=1)
    documents = known + DOCUMENTS
    single = [extractor.extract(document) for document in documents]
    assert any(entity.by == "model" for found in single for entity in found.entities)
    batched = list(extractor.extract_all(documents))
    assert [spans(found) for found in batched] == [spans(found) for found in single]
    assert [links(found) for found in batched] == [links(found) for found in single]


def test_a_trained_model_relates_given_spans(exported: Path, known: list[Document]) -> None:
    from training_runs import TWO

    extractor = Extractor("model", exported, threads=1)
    for gold, document in zip(TWO, known, strict=True):
        given = settle(Mention(e.label, e.start, e.end, "given", 1.0) for e in gold.entities)  # type: ignore[arg-type]
        found = extractor.relate(document, given)
        assert len(found.entities) == len(gold.entities)
        assert {relation.label for relation in found.relations} <= {r.label for r in gold.relations}


def test_a_saved_pipeline_takes_its_model_along(
    exported: Path, known: list[Document], tmp_path: Path
) -> None:
    shutil.copytree(exported, tmp_path / "model")
    nlp = Extractor("model", tmp_path / "model", threads=1).nlp
    nlp.to_disk(tmp_path / "saved")
    shutil.rmtree(tmp_path / "model")
    again = spacy.load(tmp_path / "saved")
    for document in known:
        assert analysis_of(again(document.text)).record() == analysis_of(nlp(document.text)).record()


def test_a_damaged_model_is_named(exported: Path, tmp_path: Path) -> None:
    shutil.copytree(exported, tmp_path / "model")
    largest = max((tmp_path / "model").iterdir(), key=lambda path: path.stat().st_size)
    largest.write_bytes(largest.read_bytes()[:-100])
    with pytest.raises(BrokenModel, match=largest.name):
        Extractor("hybrid", tmp_path / "model")


def test_a_missing_runtime_is_named(exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingRuntime, match="onnxruntime"):
        Extractor("model", exported)


def test_without_the_models_stage_the_rules_have_their_say_alone() -> None:
    nlp = load("hybrid", model=PLANTED)
    nlp.remove_pipe("gongkai_model")
    doc = nlp(DOCUMENTS[3].text)
    alone = Extractor("rules").extract(DOCUMENTS[3])
    assert spans(analysis_of(doc).record()) == spans(alone)
    assert ("COUNT", "3件") in spans(alone)
