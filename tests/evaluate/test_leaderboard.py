"""Figures that pages quote: traced to data and code, recomputed, and refused where they differ."""

from __future__ import annotations

from pathlib import Path

import pytest

from gongkai.errors import StalePage
from gongkai.evaluate.leaderboard import (
    Entry,
    Figure,
    add_entries,
    check_page,
    entry,
    read_entries,
    render,
    write_page,
)
from gongkai.evaluate.result import GoldFile
from gongkai.evaluate.run import Pipeline, evaluate

ROOT = Path(__file__).parents[2]
BOARD = ROOT / "models" / "leaderboard.jsonl"
PAGES = ("README.md", "models/README.md", "docs/leaderboard.md")
PART = Figure(9, 10, 11, 0.857, 0.8, 0.9)


def made(system: str = "rules", version: str = "1", gold: str = "own/test", figure: Figure = PART) -> Entry:
    return Entry(
        system=system,
        version=version,
        code="abc",
        gold=GoldFile(name=gold, sha256="0" * 64, documents=3),
        command="gongkai evaluate",
        scores={"entities.strict": {"COUNT": figure, "micro": figure}},
    )


@pytest.mark.parametrize("page", PAGES)
def test_pages_say_what_the_leaderboard_says(page: str) -> None:
    assert "<!-- end of scores -->" in (ROOT / page).read_text("utf8")
    check_page(ROOT / page, read_entries(BOARD))


@pytest.mark.parametrize(
    ("gold", "texts"),
    [
        ("own/dev", None),
        ("own/test", None),
        pytest.param("real/dev", "shared", marks=pytest.mark.shared),
        pytest.param("real/test", "shared", marks=pytest.mark.shared),
    ],
)
@pytest.mark.parametrize("mode", ["rules", "hybrid"])
def test_the_shipped_pipeline_has_the_figures_of_the_leaderboard(
    mode: str, gold: str, texts: str | None, request: pytest.FixtureRequest
) -> None:
    folder = request.getfixturevalue(texts) if texts else None
    path = ROOT / "annotations" / "gold" / f"{gold}.jsonl"
    now = entry(evaluate([path], Pipeline(mode), texts=folder), "")
    listed = [each for each in read_entries(BOARD) if (each.system, each.gold.name) == (mode, gold)][-1]
    assert listed.gold == now.gold
    assert listed.scores == now.scores, "the figures changed: see CONTRIBUTING.md, Figures"


def test_an_entry_gives_way_to_one_of_the_same_system_version_and_gold(tmp_path: Path) -> None:
    path = tmp_path / "board.jsonl"
    better = Figure(10, 10, 10, 1.0, 1.0, 1.0)
    add_entries(path, [made(), made(gold="own/dev")])
    add_entries(path, [made(figure=better), made(version="2")])
    assert read_entries(path) == [made(gold="own/dev"), made(figure=better), made(version="2")]


PAGE = """# Model

<!-- a comment -->
<!-- scores of rules on own/test own/dev -->
old
<!-- end of scores -->
after
"""


def test_tables_are_written_between_the_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    entries = [made(), made(gold="own/dev", figure=Figure(0, 0, 0, None, None, None))]
    with pytest.raises(StalePage, match="not those of the leaderboard"):
        check_page(page, entries)
    write_page(page, entries)
    check_page(page, entries)
    assert page.read_text() == PAGE.replace(
        "old\n",
        "\n| F1 (95 % interval, gold items) | own/test, 3 documents | own/dev, 3 documents |\n|---|---|---|\n"
        "| COUNT | 0.86 (0.80–0.90, 10) | – |\n| **spans, micro** | 0.86 (0.80–0.90, 10) | – |\n\n",
    )


def test_the_newest_entry_counts() -> None:
    newer = made(version="2", figure=Figure(10, 10, 10, 1.0, 1.0, 1.0))
    assert "1.00 (1.00–1.00, 10)" in render(
        "<!-- scores of rules on own/test --><!-- end of scores -->", [made(), newer]
    )


@pytest.mark.parametrize(
    ("page", "message"),
    [
        pytest.param("<!-- scores of rules on own/test -->", "the last table: It has no", id="no end"),
        pytest.param(
            "<!-- scores of rules on own/test --><!-- scores of rules on own/test -->",
            "The table before",
            id="no end, two",
        ),
        pytest.param(
            "<!-- scores of model on own/test --><!-- end of scores -->", "no such entry", id="unknown system"
        ),
        pytest.param("<!-- scores of rules on own/test", "It is not closed", id="not closed"),
    ],
)
def test_a_broken_page_is_refused(page: str, message: str) -> None:
    with pytest.raises(StalePage, match=message):
        render(page, [made()])
