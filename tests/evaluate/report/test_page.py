"""The page of an evaluation: what it holds, and how it behaves in a browser."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from lxml import html

from evaluation_page import Shown, browser
from gongkai.evaluate.report import threshold_for
from gongkai.evaluate.report.html import boundary_table, confusion, page
from gongkai.evaluate.result import Calibration, Evaluation, Example, GoldFile, Group, RiskPoint
from gongkai.evaluate.types import Counts, Mistake, Outcome, Part
from gongkai.show import visible
from handmade_evaluation import (
    HOSTILE,
    calibration,
    empty,
    evaluation,
    examples,
    hostile_example,
    level_result,
    outcomes,
    run,
)
from label_studio_editor import chromium

ORDER = ("METRIC", "COUNT", "PERCENT", "DOCNO", "POLICY", "ORG", "PERIOD")


@pytest.fixture(scope="module")
def written() -> str:
    """The page of `evaluation`."""
    return page(evaluation())


@pytest.fixture(scope="module")
def tree(written: str) -> html.HtmlElement:
    return parse(written)


def parse(written: str) -> html.HtmlElement:
    return html.document_fromstring(written.encode(), parser=html.HTMLParser(encoding="utf-8"))


def listing(*examples: Example) -> str:
    """A page of nothing but these errors."""
    return page(msgspec.structs.replace(empty(), mistakes=len(examples), examples=examples))


def many(number: int) -> list[Example]:
    """Mistakes in as many documents, every third one a spurious COUNT."""
    return [
        Example(
            document=f"many/{n:05}",
            text=f"第{n}页共收到申请{n}件。" * 8,
            offset=0,
            mistake=Mistake(
                level="entities",
                kind="missed" if n % 3 else "spurious",
                label="COUNT",
                gold=(Part("COUNT", 1, 2),) if n % 3 else (),
                predicted=() if n % 3 else (Part("COUNT", 1, 2),),
            ),
        )
        for n in range(number)
    ]


# Without a browser


def test_confusion_adds_up() -> None:
    matrix = confusion(outcomes(), ORDER)
    assert matrix.columns == [*ORDER, None]
    cells = {(cell.gold, cell.predicted): cell for row in matrix.rows for cell in row.cells}
    assert sum(cell.number for cell in cells.values()) == sum(number for _, number in outcomes())
    assert (cells["METRIC", "METRIC"].number, cells["METRIC", "METRIC"].errors) == (1274 + 193, 193)
    assert (cells["PERCENT", "COUNT"].number, cells["PERCENT", "COUNT"].errors) == (4, 4)
    assert cells["DOCNO", "DOCNO"].errors == 0
    assert cells["DOCNO", None].share == pytest.approx(4 / 62)
    assert cells[None, "METRIC"].errors == 133


def test_confusion_knows_labels_outside_the_scheme() -> None:
    matrix = confusion([(Outcome("X", "COUNT", "same"), 2), (Outcome(None, "A", None), 1)], ORDER)
    assert matrix.columns == ["COUNT", "A", "X", None]


def test_boundary_table() -> None:
    table = boundary_table(outcomes(), ORDER)
    assert table.labels == ["METRIC", "COUNT", "POLICY", "ORG"]
    assert {row.boundary: row.total for row in table.rows} == {
        "longer_left": 96,
        "longer_right": 22,
        "longer_both": 6,
        "shorter_left": 80,
        "shorter_both": 1,
        "shifted_right": 5,
    }
    ends = {row.boundary: (row.left, row.right) for row in table.rows}
    assert ends["longer_left"] == (10, 25)  # gold lies from 25 to 25
    assert ends["longer_right"] == (25, 10)
    assert ends["shorter_left"] == (40, 25)
    assert ends["shifted_right"] == (40, 10)


@pytest.mark.parametrize(
    ("precision", "threshold"), [(0.5, 0.1), (0.8, 0.5), (0.9, 0.5), (0.95, 0.9), (1.0, None)]
)
def test_threshold_for_a_wanted_precision(precision: float, threshold: float | None) -> None:
    """The curve may fall again: the point that keeps most counts, not the first one."""
    points = (
        RiskPoint(threshold=0.9, coverage=0.2, risk=0.05),
        RiskPoint(threshold=0.7, coverage=0.4, risk=0.12),
        RiskPoint(threshold=0.5, coverage=0.6, risk=0.1),
        RiskPoint(threshold=0.1, coverage=1.0, risk=0.4),
    )
    curve = Calibration(
        level="entities", label=None, count=5, ece=0.1, bins=(), risk_coverage=points, aurc=0.1
    )
    found = threshold_for(curve, precision)
    assert (found and found.threshold) == threshold


def test_script_is_admitted_by_its_digest_and_nothing_is_loaded(tree: html.HtmlElement) -> None:
    (policy,) = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    data, script = tree.xpath("//script")
    digest = base64.b64encode(hashlib.sha256(script.text.encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; script-src 'sha256-{digest}';")
    assert data.get("type") == "application/json"
    assert not tree.xpath("//*/@src | //link | //iframe | //base")
    assert all(link.startswith("#") for link in tree.xpath("//@href"))
    assert not [name for element in tree.iter() for name in element.attrib if name.startswith("on")]


def test_ids_are_single_and_links_lead_somewhere(tree: html.HtmlElement) -> None:
    for one in (tree, parse(page(empty()))):
        ids = one.xpath("//@id")
        assert len(ids) == len(set(ids))
        assert {link[1:] for link in one.xpath("//a/@href")} <= set(ids)


def test_tables_say_the_counts(tree: html.HtmlElement) -> None:
    (table,) = tree.xpath("//div[@id='group-scores']/details[1]//table")
    rows = [[cell.text_content() for cell in row] for row in table.xpath(".//tr")]
    assert rows[1][:7] == [
        "METRIC 指标",
        "1,608",
        "1,601",
        "1,274",
        "0.796 0.778–0.808",
        "0.792 0.774–0.805",
        "0.794 0.776–0.807",
    ]
    assert [row[0] for row in rows[-2:]] == ["micro", "macro"]
    assert "Findings (no gold document lists its findings)" in tree.text_content()


def test_a_sentence_is_written_once() -> None:
    data = json.loads(parse(listing(*examples(), *many(3))).xpath("//script[@id='data']")[0].text)
    assert len(data["sentences"]) == 4 + 3
    assert len(data["errors"]) == 11 + 3


def test_line_breaks_show_as_signs() -> None:
    mistake = Mistake(level="entities", kind="missed", label="ORG", gold=(Part("ORG", 2, 3),))
    example = Example(document="d", text="甲\n乙\r\n\x07", offset=0, mistake=mistake)
    (data,) = parse(listing(example)).xpath("//script[@id='data']")
    assert json.loads(data.text)["sentences"][0]["text"] == "甲↵乙␍↵␇"


def test_hostile_text_makes_no_element() -> None:
    written = page(hostile_evaluation())
    assert [element.tag for element in parse(written).iter("script", "img")] == ["script", "script"]
    assert "\x1b" not in written
    assert "\u2028" not in written.split('id="data">')[1].split("</script>")[0]


def hostile_evaluation() -> Evaluation:
    """An evaluation every name of which means harm."""
    labels = {HOSTILE: Counts(1, 2, 3)}
    everything = Group(documents=1, characters=1, levels={"facts": level_result(labels)})
    return msgspec.structs.replace(
        empty(),
        run=msgspec.structs.replace(
            run(HOSTILE), code=HOSTILE, gold=(GoldFile(name=HOSTILE, sha256=HOSTILE, documents=1),)
        ),
        all=everything,
        groups={HOSTILE: {HOSTILE: everything}},
        absent={"findings": HOSTILE},
        outcomes=((Outcome(HOSTILE, "COUNT", "same"), 1), (Outcome(HOSTILE, HOSTILE, "longer_left"), 1)),
        calibration=(msgspec.structs.replace(calibration()[0], label=HOSTILE),),
        examples=(hostile_example(),),
    )


# In a browser


@pytest.fixture(scope="module")
def chrome() -> Iterator[Any]:
    pytest.importorskip("playwright", reason="no driver for the browser")
    if chromium() is None:
        pytest.skip("no browser")
    with browser() as launched:
        yield launched


@pytest.fixture
def shown(chrome: Any, tmp_path: Path, written: str) -> Iterator[Shown]:
    with opened(chrome, tmp_path, written) as shown:
        yield shown


@contextmanager
def opened(chrome: Any, folder: Path, written: str) -> Iterator[Shown]:
    """The page, open; afterwards, that it asked for nothing and complained of nothing."""
    file = folder / "page.html"
    file.write_text(written, encoding="utf-8", newline="")
    shown = Shown(chrome, file)
    yield shown
    assert shown.requests == [file.as_uri()]
    assert shown.complaints == []
    shown.page.close()


def test_all_errors_are_listed(shown: Shown) -> None:
    assert shown.count() == "11 of 11 errors"
    assert len(shown.errors()) == 11
    assert shown.errors()[0] == ("METRIC 指标", "boundary")


def test_filters_give_exactly_the_errors(shown: Shown) -> None:
    shown.choose("label", "METRIC")
    assert shown.errors() == [("METRIC 指标", "boundary"), ("METRIC 指标", "missed")]
    shown.choose("kind", "missed")
    assert shown.errors() == [("METRIC 指标", "missed")]
    assert shown.count() == "1 of 11 errors"
    shown.choose("label", "")
    assert shown.errors() == [("METRIC 指标", "missed"), ("share 占比不符", "missed")]
    shown.choose("level", "findings")
    assert shown.errors() == [("share 占比不符", "missed")]
    shown.page.click("#filters [type=reset]")
    assert shown.count() == "11 of 11 errors"
    shown.choose("boundary", "shorter_both")
    assert shown.errors() == [("POLICY 政策文件名", "label and boundary")]


def test_choices_are_counted_under_the_other_filters(shown: Shown) -> None:
    shown.choose("label", "METRIC")
    options = shown.page.eval_on_selector_all(
        "#filters [name=kind] option", "found => found.map(o => o.textContent)"
    )
    assert options == ["any", "missed (1)", "boundary (1)"]


def test_document_and_text_filters(shown: Shown) -> None:
    shown.type("document", "PLAN-04")
    assert shown.errors() == [("POLICY 政策文件名", "spurious"), ("PERCENT 比例", "qualifier")]
    shown.type("text", "≥90%")
    assert shown.errors() == [("PERCENT 比例", "qualifier")]
    shown.type("text", "不在")
    assert shown.errors() == []
    assert "No error matches" in shown.page.inner_text("#list")
    shown.page.click("#filters [type=reset]")
    shown.page.click("#list li:nth-child(3) .document")
    assert shown.count() == "3 of 11 errors"


def test_a_cell_of_the_matrix_lists_its_errors(shown: Shown) -> None:
    shown.page.click("button[data-gold=PERCENT][data-predicted=COUNT]")
    assert shown.errors() == [("PERCENT 比例", "label")]
    assert shown.page.inner_text("#pair span") == "gold PERCENT → predicted COUNT"
    shown.page.click("button[data-gold=''][data-predicted=POLICY]")
    assert shown.errors() == [("POLICY 政策文件名", "spurious")]
    shown.page.click("button[data-gold=METRIC][data-predicted='']")
    assert shown.errors() == [("METRIC 指标", "missed")]
    shown.page.click("button[data-gold=METRIC][data-predicted=METRIC]")
    assert shown.errors() == [("METRIC 指标", "boundary")]
    shown.page.click("#pair button")
    assert shown.count() == "11 of 11 errors"


def test_a_boundary_lists_its_errors(shown: Shown) -> None:
    shown.page.click("button[data-boundary=shorter_left]:not([data-gold])")
    assert shown.errors() == [("COUNT 数量", "boundary")]
    shown.page.click("button[data-boundary=shifted_right][data-gold=ORG]")
    assert shown.errors() == [("ORG 机构", "label and boundary")]


MARKED = """item => {
  const sentence = item.querySelector(".sentence");
  const found = { text: sentence.textContent, gold: "", predicted: "" };
  for (const side of ["gold", "predicted"]) {
    found[side] = [...sentence.querySelectorAll(`.mark.${side}`)].map(mark => {
      const before = document.createRange();
      before.setStart(sentence, 0);
      before.setEndBefore(mark);
      return [Array.from(before.toString()).length, mark.textContent];
    });
  }
  return found;
}"""


def test_spans_are_drawn_at_their_characters(shown: Shown) -> None:
    """Of every error: the marked characters of each side are those of its spans, astral characters or not."""
    items = shown.page.query_selector_all("#list .error")
    for item, example in zip(items, evaluation().examples, strict=True):
        found = item.evaluate(MARKED)
        assert found["text"] == example.text
        for side in ("gold", "predicted"):
            drawn = {start + n for start, text in found[side] for n in range(len(text))}
            parts = getattr(example.mistake, side)
            assert drawn == {n - example.offset for part in parts for n in range(part.start, part.end)}


def test_both_sides_are_seen_where_spans_nest_and_cross(shown: Shown) -> None:
    pieces = {}
    for item, name in zip(shown.page.query_selector_all("#list .error")[4:6], ("nest", "cross"), strict=True):
        pieces[name] = [
            (mark.inner_text(), mark.get_attribute("class").removeprefix("mark "))
            for mark in item.query_selector_all(".sentence .mark")
        ]
        tags = [tag.get_attribute("data-tag") for tag in item.query_selector_all(".tag")]
        assert sorted(tag[0] for tag in tags) == ["G", "P"]
    assert pieces["nest"] == [
        ("《", "gold"),
        ("某市政府", "gold predicted"),
        ("信息公开规定》", "gold"),
    ]
    assert pieces["cross"] == [("镇", "gold"), ("党政办", "gold predicted"), ("受理申请", "predicted")]
    both = shown.page.query_selector(".sentence .mark.gold.predicted")
    style = both.evaluate("e => [getComputedStyle(e).borderTopStyle, getComputedStyle(e).borderBottomStyle]")
    assert style == ["dashed", "solid"]


def test_sides_say_values_and_relations(shown: Shown) -> None:
    shown.choose("level", "values")
    assert shown.page.inner_text("#list .sides .gold dd") == "不低于90% PERCENT 226–232 = ≥90%"
    assert shown.page.inner_text("#list .sides .predicted .value") == "90%"
    shown.choose("level", "")
    shown.choose("level", "relations")
    assert shown.page.inner_text("#list .gold dd") == "约三成 PERCENT 226–229 → 74宗 COUNT 221–224"
    tags = shown.page.eval_on_selector_all("#list .tag", "found => found.map(tag => tag.dataset.tag)")
    assert sorted(tags) == ["G head", "G tail", "P head", "P tail"]


def test_groups_change_the_scores(shown: Shown) -> None:
    documents = shown.page.inner_text("#group-scores td")
    shown.page.select_option("#group", label="plan (9)")
    assert shown.page.inner_text("#group-scores td") == f"{int(1608 * 0.12)}"
    shown.page.select_option("#group", "")
    assert shown.page.inner_text("#group-scores td") == documents == "1,608"


def test_page_is_worked_by_the_keyboard(shown: Shown) -> None:
    page = shown.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the errors"
    page.focus("button[data-gold=PERCENT][data-predicted=COUNT]")
    page.keyboard.press("Enter")
    assert shown.count() == "1 of 11 errors"
    assert page.evaluate("document.activeElement.textContent") == "Errors"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "level"


def test_hostile_text_does_not_run(chrome: Any, tmp_path: Path) -> None:
    with opened(chrome, tmp_path, page(hostile_evaluation())) as shown:
        assert shown.page.title().endswith("@who`␛[2J · gongkai evaluation")
        shown.choose("level", "values")
        shown.choose("kind", "value")
        item = shown.page.query_selector("#list .error")
        found = item.evaluate(MARKED)
        assert found["text"] == visible(HOSTILE)
        assert found["gold"] == [[HOSTILE.index("12条"), "12条"]]
        assert found["predicted"] == [[0, "</script>"]]
        assert not shown.page.query_selector("#list img, #list script")
        shown.page.select_option("#group", index=1)


def test_spans_outside_the_sentence_do_no_harm(chrome: Any, tmp_path: Path) -> None:
    example = Example(
        document="d",
        text="甲乙",
        offset=10,
        mistake=Mistake(
            level="entities",
            kind="missed",
            label="ORG",
            gold=(Part("ORG", 3, 11), Part("ORG", 40, 50)),
        ),
    )
    with opened(chrome, tmp_path, listing(example)) as shown:
        found = shown.page.query_selector("#list .error").evaluate(MARKED)
        assert (found["text"], found["gold"]) == ("甲乙", [[0, "甲"]])


def test_long_text_is_folded_and_unfolds(chrome: Any, tmp_path: Path) -> None:
    text = "字" * 5000
    example = Example(
        document="d",
        text=text,
        offset=0,
        mistake=Mistake(level="entities", kind="missed", label="ORG", gold=(Part("ORG", 2500, 2502),)),
    )
    with opened(chrome, tmp_path, listing(example)) as shown:
        assert len(shown.page.inner_text(".sentence")) < 300
        while more := shown.page.query_selector(".more"):
            more.click()
        assert shown.page.query_selector("#list .error").evaluate(MARKED) == {
            "text": text,
            "gold": [[2500, "字字"]],
            "predicted": [],
        }


def test_page_of_nothing(chrome: Any, tmp_path: Path) -> None:
    with opened(chrome, tmp_path, listing()) as shown:
        assert shown.count() == "0 of 0 errors"


@pytest.mark.slow
def test_twenty_thousand_errors_stay_responsive(chrome: Any, tmp_path: Path) -> None:
    with opened(chrome, tmp_path, listing(*many(20_000))) as shown:
        assert shown.count() == "20,000 of 20,000 errors"
        assert len(shown.errors()) == 50
        shown.page.click(".pager [data-step='1'] >> nth=0")
        assert shown.page.inner_text(".pager .page >> nth=0") == "page 2 of 400"
        milliseconds = shown.page.evaluate(
            """() => {
              const start = performance.now();
              const kind = document.querySelector("#filters [name=kind]");
              kind.value = "spurious";
              kind.dispatchEvent(new Event("input", { bubbles: true }));
              return performance.now() - start;
            }"""
        )
        assert shown.count() == "6,667 of 20,000 errors"
        assert milliseconds < 1000  # some 40 on an idle machine


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_fits_its_screen(chrome: Any, tmp_path: Path, written: str, width: int, scheme: str) -> None:
    file = tmp_path / "page.html"
    file.write_text(written, encoding="utf-8")
    shown = Shown(chrome, file, viewport={"width": width, "height": 800}, color_scheme=scheme)
    assert shown.page.evaluate("document.documentElement.scrollWidth") <= width
    ink, paper = shown.page.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )
    brightness = [sum(int(part) for part in re.findall(r"\d+", colour)[:3]) for colour in (ink, paper)]
    assert (brightness[0] < brightness[1]) == (scheme == "light")
    shown.page.close()
