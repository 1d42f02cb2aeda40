"""What a run says of itself, in a log and on a terminal."""

from __future__ import annotations

import io

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from gongkai_training.progress import counting, line_of, reporting
from gongkai_training.trainer import Epoch, Step

_STEP = Step(
    step=1200,
    epoch=1,
    progress=0.25,
    loss=1.5,
    span_loss=1.0,
    relation_loss=0.5,
    learning_rate=1e-4,
    gradient_norm=1.0,
    characters_per_second=4070.9,
)
_EPOCH = Epoch(step=1200, epoch=1, f1=0.7, span_f1=0.8, relation_f1=0.6, best=True, seconds=12.3)


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        return True


def test_a_line_an_event() -> None:
    assert line_of(_STEP) == (
        "step 1,200  25%  loss 1.500 (spans 1.000, relations 0.500)  rate 1.0e-04  4,071 characters/s"
    )
    assert line_of(_EPOCH) == "epoch 2: dev F1 0.700  spans 0.800  relations 0.600  12 s  best"


def test_a_log_gets_every_event() -> None:
    stream = io.StringIO()
    with reporting(stream) as report:
        report(_STEP)
        report(_EPOCH)
    assert stream.getvalue().splitlines() == [line_of(_STEP), line_of(_EPOCH)]


def test_a_terminal_keeps_the_epochs_and_shows_the_last_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    stream = Terminal()
    with reporting(stream) as report:
        report(_STEP)
        report(_EPOCH)
    assert line_of(_EPOCH) in stream.getvalue()
    assert "25%" in stream.getvalue()
    assert "rate 1.0e-04" in stream.getvalue()


def test_a_log_gets_a_line_for_each_hundredth() -> None:
    stream = io.StringIO()
    with counting("characters", stream) as report:
        for done in range(0, 2001, 5):
            report(done, 2000)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 101
    assert (lines[0], lines[50]) == ("0%  0 of 2,000 characters", "50%  1,000 of 2,000 characters")


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    with counting("characters", stream) as report:
        report(1, 4)
    assert "25%" in stream.getvalue()
