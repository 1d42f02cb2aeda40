"""How a run reports itself."""

from __future__ import annotations

import io
from collections import Counter

import pytest
from rich.console import Console

from gongkai import progress
from gongkai.run import RunSummary


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_log_gets_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LOG_DOCUMENTS", 100)
    stream = io.StringIO()
    with progress.reporting(stream) as update:
        for number in range(1, 251):
            update(RunSummary(documents=number, characters=number * 10, seconds=1.0))
    assert stream.getvalue().splitlines() == [
        "100 documents, 0 failed, 100.0 documents/s, 1,000 characters/s",
        "200 documents, 0 failed, 200.0 documents/s, 2,000 characters/s",
    ]


def test_log_gets_a_line_when_time_has_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LOG_SECONDS", 0.0)
    stream = io.StringIO()
    with progress.reporting(stream) as update:
        update(RunSummary(errors=Counter({"EmptyInput": 1})))
    assert stream.getvalue() == "0 documents, 1 failed, 0.0 documents/s, 0 characters/s\n"


def test_remaining_time_once_the_total_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LOG_SECONDS", 0.0)
    stream = io.StringIO()
    done = RunSummary(files=50, planned=100, done=50, seconds=60.0)
    assert done.remaining is None
    done.total = 100
    with progress.reporting(stream) as update:
        update(done)
    assert done.remaining == pytest.approx(180.0)
    assert stream.getvalue().endswith(", 0:03:00 left\n")


def test_terminal_shows_the_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    stream = Terminal()
    with progress.reporting(stream) as update:
        update(RunSummary(documents=3, characters=10))
    assert "3 documents, 0 failed" in stream.getvalue()


def test_summary_names_every_count() -> None:
    summary = RunSummary(
        files=4,
        documents=3,
        characters=1200,
        entities=Counter(COUNT=5, ORG=2),
        relations=6,
        facts=5,
        findings=Counter(sum=1),
        errors=Counter(NoTextLayer=1),
        duplicates=7,
        seconds=2.0,
    )
    stream = io.StringIO()
    Console(file=stream, width=60).print(progress.summary_table(summary))
    rows = [" ".join(line.split()) for line in stream.getvalue().splitlines() if line.strip()]
    assert rows == [
        "files 4",
        "documents 3",
        "characters 1,200",
        "entities 7",
        "COUNT 数量 5",
        "ORG 机构 2",
        "relations 6",
        "facts 5",
        "findings 1",
        "sum 合计不符 1",
        "duplicates 7",
        "failed 1",
        "NoTextLayer 1",
        "quarantined 0",
        "seconds 2.0",
        "characters/s 600",
    ]
