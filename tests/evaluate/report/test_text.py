"""The Markdown and terminal reports: what they say, and that documents cannot speak through them."""

from __future__ import annotations

import io
import re

import msgspec
import pytest
from markdown_it import MarkdownIt
from rich.console import Console

from gongkai.evaluate import report
from gongkai.evaluate.report.markdown import comparison_markdown, escaped, markdown
from gongkai.evaluate.report.terminal import comparison_table, tables, threshold_table
from gongkai.evaluate.result import Ratio
from gongkai.evaluate.types import Boundary, Kind, Level
from gongkai.show import visible
from handmade_evaluation import HOSTILE, comparison, empty, evaluation, hostile_example


def rows(written: str) -> list[list[str]]:
    """Cells of every table's lines."""
    return [line.strip("| ").split(" | ") for line in written.splitlines() if line.startswith("|")]


def printed(*drawn: object) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=140, color_system=None)
    for one in drawn:
        console.print(one)
    return stream.getvalue()


def test_every_level_kind_and_boundary_has_words() -> None:
    assert set(report.LEVELS) == set(Level.__args__)  # type: ignore[attr-defined]
    assert set(report.KINDS) == set(Kind.__args__)  # type: ignore[attr-defined]
    assert set(report.BOUNDARIES) == set(Boundary.__args__)  # type: ignore[attr-defined]


def test_markdown_says_what_was_scored() -> None:
    head, gold, *_ = markdown(evaluation()).split("\n\n")
    assert head == "## Evaluation of rules `5f2d5f2d5f2d`, gongkai 0.1.0"
    assert gold.startswith(
        "Gold: own-test.jsonl (32, `a1a1a1a1a1a1`), real-test.jsonl (15, `b2b2b2b2b2b2`); 47 documents, "
        "86,574 characters."
    )


@pytest.mark.parametrize(
    "line",
    [
        "| METRIC 指标 | 1,608 | 1,601 | 1,274 | 0.796 | 0.792 | 0.794 (0.776–0.807) |",
        "| **micro** | 4,498 | 4,473 | 4,070 | 0.910 | 0.905 | 0.907 (0.896–0.915) |",
        r"| change\_from | 0 | 0 | 0 | – | – | – |",
        "| Entities, partial | same ends count whole, any overlap half, whatever the label | 4,498 | 4,473 | 4,136.5 "
        "| 0.925 | 0.920 | 0.922 (0.911–0.930) | 0.981 |",
        r"| doc\_type | documents | Entities | Relations | Values | Facts |",
        "- Findings: no gold document lists its findings",
        "**Calibration.** entities ECE 0.030, AURC 0.010 (4,473 predictions); relations ECE 0.090, AURC 0.030 "
        "(3,139 predictions).",
    ],
)
def test_markdown_holds(line: str) -> None:
    assert line in markdown(evaluation()).splitlines()


def test_macro_has_no_counts() -> None:
    macro = [row for row in rows(markdown(evaluation())) if row[0] == "**macro**"]
    assert len(macro) == 4
    assert all(row[1:4] == ["", "", ""] for row in macro)


def test_every_table_is_rectangular() -> None:
    for written in (markdown(evaluation()), comparison_markdown(comparison())):
        for block in written.split("\n\n"):
            if block.startswith("|"):
                widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
                assert len(widths) == 1


def test_markdown_of_nothing() -> None:
    assert markdown(empty()).startswith("## Evaluation of empty, gongkai 0.1.0\n\nGold: no file; 0 documents")


def test_comparison_markdown() -> None:
    written = comparison_markdown(comparison())
    for line in (
        "## hybrid `5f2d5f2d5f2d` (B) against rules `5f2d5f2d5f2d` (A)",
        "| Entities | **micro** | 0.907 | 0.924 | +0.017 (+0.009, +0.026) | &lt; 0.001 | **better** |",
        "| Entities | COUNT 数量 | 0.980 | 0.978 | -0.002 (-0.005, +0.001) | 0.210 | can't tell |",
        r"| Relations | share\_of | 0.740 | 0.669 | -0.072 (-0.110, -0.031) | 0.004 | **worse** |",
        "| Values | DOCNO 文号 | – | – | – | – | can't tell |",
        "### 12 documents changed",
        "The 2 that changed most:",
        "**own/2018-district-07**: 1 mended, 0 broken",
        "- mended: entities METRIC, boundary: gold METRIC 208–216; predicted METRIC 206–216",
        r"**real/plan\|04**: 0 mended, 1 broken",
        "- broken: entities POLICY, spurious: predicted POLICY 206–210",
    ):
        assert line in written.splitlines()


@pytest.mark.parametrize(
    "text",
    [
        HOSTILE,
        "a|b",
        "line\r\nbreak",
        "*x* _y_ `z` ~~s~~",
        "[a](http://b) ![i](http://c)",
        "# h",
        "\\| &amp; &lt;",
        "$x$",
    ],
)
def test_escaped_text_is_text(text: str) -> None:
    """A Markdown parser gives the text back, in one cell."""
    html = MarkdownIt("gfm-like", {"linkify": False}).render(f"| a |\n| --- |\n| {escaped(text)} |\n")
    assert html.count("<td>") == 1
    (cell,) = re.findall("<td>(.*)</td>", html, re.S)
    assert not re.search(r"<(?!!-- -->)", cell)
    for entity, character in (
        ("<!-- -->", ""),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", '"'),
        ("&amp;", "&"),
    ):
        cell = cell.replace(entity, character)
    assert cell == re.sub(r"[\r\n\u2028]+", " ", visible(text))


def test_mentions_are_broken() -> None:
    assert not re.search(r"@\w", escaped("@someone"))


def test_hostile_names_stay_in_their_cells() -> None:
    name = "a|b\nc<script>"
    result = evaluation()
    group = next(iter(result.groups["part"].values()))
    hostile = msgspec.structs.replace(
        result,
        run=msgspec.structs.replace(result.run, system=name),
        groups={name: {name: group}},
        absent={"findings": name},
    )
    written = markdown(hostile)
    assert "<script" not in written
    assert r"| a\|b c&lt;script&gt; | 32 |" in written
    assert "c<script>" not in comparison_markdown(
        msgspec.structs.replace(
            comparison(),
            changes=(
                msgspec.structs.replace(
                    comparison().changes[0], document=name, mended=(hostile_example().mistake,)
                ),
            ),
        )
    )


def test_terminal_has_a_table_a_level() -> None:
    drawn = tables(evaluation())
    assert [str(table.title).partition(":")[0] for table in drawn] == [
        "Entities",
        "Relations",
        "Values",
        "Facts",
        "Entities, exact",
        "Entities, partial",
        "Calibration",
    ]
    shown = printed(*drawn)
    assert re.search(r"METRIC 指标 +1,608 +1,601 +1,274 +0\.796 +0\.792 +0\.794 \(0\.776–0\.807\)", shown)
    assert re.search(r"entities +4,473 +0\.030 +0\.010", shown)
    assert tables(empty()) == []


def test_terminal_tables_fit_eighty_columns() -> None:
    stream = io.StringIO()
    for table in tables(evaluation()):
        Console(file=stream, width=80, color_system=None).print(table)
    assert "…" not in stream.getvalue()


def test_terminal_comparison() -> None:
    shown = printed(comparison_table(comparison()))
    assert "hybrid against rules, 47 documents" in shown
    assert re.search(r"share_of +0\.740 +0\.669 +-0\.072 \(-0\.110, -0\.031\) +0\.004 +worse", shown)


def test_threshold_table() -> None:
    shown = printed(threshold_table(evaluation(), 0.95))
    assert re.search(r"all entities +4,473 +0\.200 +100\.0% +0\.970", shown)
    assert re.search(r"all relations +3,139 +0\.420 +72\.5% +0\.953", shown)
    assert re.search(r"METRIC 指标 +1,601 +not reached", printed(threshold_table(evaluation(), 1.0)))


def test_terminal_reads_no_markup() -> None:
    result = evaluation()
    name = "[red]x[/red]\x1b[2J"
    strict = result.all.levels["entities.strict"]
    renamed = msgspec.structs.replace(strict, labels={name: strict.labels["COUNT"]})
    shown = printed(
        *tables(
            msgspec.structs.replace(
                result, all=msgspec.structs.replace(result.all, levels={"entities.strict": renamed})
            )
        )
    )
    assert "[red]x[/red]␛[2J" in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize(
    ("ratio", "reads"),
    [
        (Ratio(), "–"),
        (Ratio(value=1.0), "1.000"),
        (Ratio(value=0.5, low=0.25, high=0.75), "0.500 (0.250–0.750)"),
    ],
)
def test_ratio_text(ratio: Ratio, reads: str) -> None:
    assert report.ratio_text(ratio) == reads
