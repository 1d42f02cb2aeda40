"""What a terminal shows."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from gongkai.show import fact_value, finding_numbers, norm_text, pieces, terminal
from gongkai.types import (
    CountNorm,
    DocnoNorm,
    Fact,
    Finding,
    Norm,
    PercentNorm,
    PeriodNorm,
    PolicyNorm,
    Record,
)
from handmade import marked, report


def printed(record: Record, *, colour: bool) -> str:
    stream = io.StringIO()
    console = Console(
        file=stream,
        force_terminal=colour,
        color_system="truecolor" if colour else None,
        width=80,
        legacy_windows=False,
    )
    terminal.show(record, console)
    return stream.getvalue()


LONG = marked("公开12条，[bold]不是标记[/bold] :smile: " * 30 + "\n末行", ("COUNT", 2, 5), ("METRIC", 0, 2))


@pytest.mark.parametrize(
    "record", [report(), LONG, marked("😀《2018年要点》", ("POLICY", 1, 10), ("PERIOD", 2, 7))]
)
@pytest.mark.parametrize("colour", [True, False])
def test_text_is_the_record_s(record: Record, colour: bool) -> None:
    shown = re.sub(r"\x1b\[[0-9;]*m", "", printed(record, colour=colour))
    assert f"\n{record.text}\n" in shown


def test_spans_are_coloured() -> None:
    assert "\x1b[1;33m1,200条\x1b[0m" in printed(report(), colour=True)


def test_inner_span_has_its_own_colour() -> None:
    shown = printed(marked("《2018年要点》", ("POLICY", 0, 9), ("PERIOD", 1, 6)), colour=True)
    assert "\x1b[34m《\x1b[0m\x1b[3;96m2018年\x1b[0m\x1b[34m要点》\x1b[0m" in shown


def test_escape_sequences_of_the_text_do_not_reach_the_screen() -> None:
    shown = printed(marked("甲\x1b[2J\x07乙\r\n丙\r丁\x9b31m", ("METRIC", 0, 1)), colour=True)
    assert not re.search(r"\x1b(?!\[[0-9;]*m)|[\x07\r\x9b]", shown)
    assert "␛[2J␇乙\n丙\n丁" in re.sub(r"\x1b\[[0-9;]*m", "", shown)


def test_facts_and_findings_are_listed() -> None:
    shown = printed(report(), colour=False)
    assert re.search(r"700条\s+700 条\s+2018\s+属于", shown)
    assert "● 错误 合计不符  合计印作1200条，各项相加为1300条。  （原文 1,200 条，推算 1,300 条）" in shown


def test_nothing_found_is_said() -> None:
    shown = printed(marked("甲"), colour=False)
    assert "没有事实。" in shown
    assert "没有发现疑点。" in shown


def test_pieces_tile_the_text() -> None:
    record = marked("甲乙丙丁戊", ("METRIC", 0, 3), ("ORG", 2, 5))
    found = [(start, end, [e.id for e in covering]) for start, end, covering in pieces(5, record.entities)]
    assert found == [(0, 2, ["T1"]), (2, 3, ["T1", "T2"]), (3, 5, ["T2"])]


@pytest.mark.parametrize(
    ("norm", "says"),
    [
        (CountNorm(value=300, qualifier="approx", unit="条"), "≈300 条"),
        (CountNorm(value=3, value_max=5, unit="个"), "3–5 个"),
        (CountNorm(value=0), "0"),
        (PercentNorm(value=0.0123, direction="down", decimals=2), "↓ 1.23%"),
        (PercentNorm(value=0.05, value_max=0.1, qualifier="exact"), "5–10%"),
        (
            DocnoNorm(canonical="某府办〔2018〕14号", issuer="某府办公室", repaired=True),
            "某府办〔2018〕14号，某府办公室（已修复）",
        ),
        (PeriodNorm(start="2018-01-01", end="2018-06-30"), "2018-01-01–2018-06-30"),
        (PeriodNorm(start="2018-03-01", end="2018-03-01"), "2018-03-01"),
        (PeriodNorm(), ""),
        (PolicyNorm(name="要点"), "要点"),
        (None, ""),
    ],
)
def test_norm_text(norm: Norm | None, says: str) -> None:
    assert norm_text(norm) == says


def test_shares_read_as_percentages() -> None:
    fact = Fact(id="F1", value=0.4167, unit="%", start=0, end=1, direction="up")
    finding = Finding(
        check="share", severity="error", message="", reported=0.4167, expected=0.5, evidence=("F1",), spans=()
    )
    assert fact_value(fact) == "↑ 41.67%"
    assert finding_numbers(finding, {"F1": fact}) == ("41.67%", "50%")
    assert finding_numbers(finding, {}) == ("0.4167", "0.5")
