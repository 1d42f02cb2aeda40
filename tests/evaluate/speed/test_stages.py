"""Stages timed one after the other give the pipeline's own time."""

from __future__ import annotations

import time

import pytest

from gongkai.evaluate.speed.results import DECODE, ENCODING, NUMPY, RELATIONS
from gongkai.evaluate.speed.stages import Stopwatch, stage_clock
from gongkai.model import runtime
from gongkai.pipeline import MODEL_STAGE, STAGES

TEXTS = ["2018年，我局主动公开政府信息863条，比上年增长12.5%。", "共收到申请12件，均已答复。"]


def test_stopwatch_adds_up_and_passes_on() -> None:
    watch = Stopwatch()
    double = watch.on(lambda number, *, times: (time.sleep(0.01), number * times)[1])
    assert [double(3, times=2), double(4, times=2)] == [6, 8]
    assert 0.02 <= watch.seconds < 0.2


def test_the_model_is_told_by_its_parts() -> None:
    pytest.importorskip("onnxruntime")
    decode = runtime.relate_spans
    clock = stage_clock("hybrid", 1)
    first, second = clock(TEXTS), clock(TEXTS)
    place = STAGES.index(MODEL_STAGE)
    parts = (ENCODING, DECODE, RELATIONS, NUMPY)
    assert tuple(first) == ("tokenizer", *STAGES[:place], *parts, *STAGES[place + 1 :], "record")
    assert all(seconds > 0 for seconds in second.values())
    assert second[ENCODING] < 2 * first[ENCODING] + 0.1  # not added to what was before
    assert runtime.relate_spans is decode
