"""The tables, from a report made by hand."""

from __future__ import annotations

from io import StringIO

import msgspec
import pytest
from rich.console import Console

from gongkai.evaluate.speed.results import (
    Environment,
    Latency,
    Limit,
    Operations,
    Reached,
    Round,
    Settings,
    Skipped,
    SpeedReport,
    SpeedResult,
    Spread,
    StageTime,
)
from gongkai.evaluate.speed.show import as_json, markdown, terminal

SETTINGS = Settings(threads=2, rounds=3, budget_s=20)


def same(value: float) -> Spread:
    return Spread(min=value, median=value, max=value)


ROUND = Round(
    load_s=1.5,
    first_document_s=0.25,
    passes=4,
    documents=8,
    characters=4000,
    found=80,
    seconds=0.5,
    cpu_seconds=0.25,
    cores=2,
    start_bytes=20_000_000,
    peak_bytes=350_000_000,
)
OURS = SpeedResult(
    system="gongkai:rules",
    description="",
    weights="shipped",
    settings=SETTINGS,
    documents=2,
    characters=1000,
    characters_per_second=Spread(min=87_654.0, median=93_812.4, max=101_000.0),
    characters_per_cpu_second=same(99_999.0),
    documents_per_second=same(41.05),
    latency=Latency(p50=0.0123, p90=0.5, p99=1.25, documents=8),
    load_s=Spread(min=1.4, median=1.5, max=1.75),
    first_document_s=same(0.25),
    cores_used=same(0.5),
    peak_bytes=350_000_000,
    start_bytes=20_000_000,
    stages=(
        StageTime(name="gongkai_structure", seconds_per_million=2.5, share=0.25),
        StageTime(name="gongkai_metrics", seconds_per_million=7.5, share=0.75),
    ),
    rounds=(ROUND, ROUND, ROUND),
    speedup=same(1.0),
    cpu_speedup=same(1.0),
)
BERT = msgspec.structs.replace(
    OURS,
    system="bert-base",
    weights="random",
    stages=(),
    rounds=(ROUND, ROUND, msgspec.structs.replace(ROUND, passes=0, documents=1)),
    speedup=Spread(min=90.0, median=120.4, max=130.6),
    cpu_speedup=same(99.0),
)
REPORT = SpeedReport(
    environment=Environment(
        python="3.11.7",
        platform="Linux",
        cpu="A fine CPU",
        cores=4,
        cores_available=2,
        load_average=3.14,
        packages={"gongkai": "0.1.0", "torch": "2.13.0"},
    ),
    settings=SETTINGS,
    documents=2,
    characters=1000,
    reference="gongkai:rules",
    results=(OURS, BERT),
    skipped=(Skipped(system="jieba", reason="Not there. Install it."),),
    limit=Limit(
        operations=Operations(
            multiply_adds={"spans.onnx": 600_000.0, "relations.onnx": 12_345.6},
            product=(3072, 384, 256),
            rates={"float32": 90e9, "int8": 180.06e9},
        ),
        characters_per_second={"float32": 146_969.0, "int8": 293_939.0},
        reached=(
            Reached(
                name="gongkai:hybrid: the graphs alone",
                characters_per_second=73_484.0,
                shares={"float32": 0.5, "int8": 0.25},
            ),
        ),
    ),
)

LINES = """\
**Speed on 2 documents, 1,000 characters**
| system | characters/s | characters/CPU s | documents/s | cores used | gongkai:rules is × as fast | by CPU time |
| gongkai:rules | 93,800 (87,700–101,000) | 100,000 | 41 | 0.50 | 1 | 1 |
| bert-base † | 93,800 (87,700–101,000) | 100,000 | 41 | 0.50 | 120 (90–131) | 99 |
| system | p50 ms | p90 ms | p99 ms | load s | first document s | peak MB | of it Python |
| gongkai:rules | 12.3 | 500 | 1,250 | 1.5 (1.4–1.75) | 0.25 | 350 | 20 |
**Where gongkai:rules spends its time**
| --- | ---: | ---: |
| gongkai_metrics | 7.50 | 75.0% |
**What the model's operations alone would allow**
|  | characters/s | of the float32 limit | of the int8 limit |
| limit at the float32 rate | 147,000 | 100% | 50% |
| limit at the int8 rate | 294,000 | 200% | 100% |
| gongkai:hybrid: the graphs alone | 73,500 | 50.0% | 25.0% |
- jieba was skipped: Not there. Install it.
- † with random weights: an architecture's speed does not depend on them.
- bert-base had time for 1 of the 2 documents in a round: its rate is for those.
- Multiply-adds a character of these texts: spans.onnx 600,000, relations.onnx 12,300. Thousand million of them a second \
in a matrix product of 3072 × 384 × 256, on the same cores: float32 90.0, int8 180.1.""".splitlines()


@pytest.mark.parametrize("line", LINES)
def test_markdown(line: str) -> None:
    assert line in markdown(REPORT).splitlines()


def test_markdown_tells_the_conditions() -> None:
    text = markdown(REPORT)
    for part in ("Threads: 2", "Rounds: 3", "A fine CPU", "4 cores", "3.1", "Python 3.11.7", "torch 2.13.0"):
        assert part in text
    assert text.endswith(".\n")
    assert "Where bert-base" not in text


def test_terminal_shows_the_same() -> None:
    screen = Console(file=StringIO(), width=200)
    with screen.capture() as captured:
        screen.print(terminal(REPORT))
    shown = captured.get()
    for part in ("93,800 (87,700–101,000)", "120 (90–131)", "gongkai_metrics", "75.0%", "jieba was skipped"):
        assert part in shown


def test_nothing_but_skipped_systems() -> None:
    bare = msgspec.structs.replace(REPORT, results=(), limit=None)
    assert markdown(bare).startswith("- jieba was skipped: Not there. Install it.\n")


def test_without_a_reference_there_are_no_ratios() -> None:
    alone = msgspec.structs.replace(BERT, speedup=None, cpu_speedup=None)
    text = markdown(msgspec.structs.replace(REPORT, results=(alone,)))
    assert "| 0.50 |  |  |" in text


def test_unknown_load_is_said() -> None:
    environment = msgspec.structs.replace(REPORT.environment, load_average=None)
    assert "load average before the start unknown" in markdown(
        msgspec.structs.replace(REPORT, environment=environment)
    )


def test_json_is_the_whole_report() -> None:
    assert msgspec.json.decode(as_json(REPORT), type=SpeedReport) == REPORT


def test_a_model_of_ones_own_is_named() -> None:
    own = msgspec.structs.replace(REPORT, settings=msgspec.structs.replace(SETTINGS, model="runs/onnx"))
    assert "Time budget of a round: 20 s. Model: runs/onnx.\n" in markdown(own)
    assert "Model: " not in markdown(REPORT)
