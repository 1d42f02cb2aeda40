"""The summary page: what it holds, and that it stands alone in a browser."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from lxml import html

from archive_reports import TEXTS, write
from evaluation_page import Shown, browser
from gongkai import __version__
from gongkai.archive.checking import check_archive
from gongkai.archive.plots import HEIGHT, WIDTH, line, year_bars
from gongkai.archive.report import ERRORS, summary_page
from gongkai.batch.assemble import RUN_FILE
from gongkai.errors import BrokenArchive
from gongkai.export import ERRORS_FILE, Failure, Format
from gongkai.run import run
from gongkai.types import Meta, Record, Source
from harmful import Planted
from label_studio_editor import chromium

HOSTILE = "<script>alert(1)</script>&amp;\"'\x1b[2J"


def failures(out: Path, number: int) -> None:
    lines = [
        msgspec.json.encode(Failure(f"{n}.pdf", None, "NoTextLayer", f"{HOSTILE} {n}")) for n in range(number)
    ]
    (out / ERRORS_FILE).write_bytes(b"".join(line + b"\n" for line in lines))


@pytest.fixture
def page(out: Path) -> html.HtmlElement:
    check_archive(out)
    failures(out, ERRORS + 5)
    return html.document_fromstring(summary_page(out))


def text(page: html.HtmlElement, path: str) -> list[str]:
    return [" ".join(found.text_content().split()) for found in page.xpath(path)]


def test_coverage(page: html.HtmlElement) -> None:
    assert text(page, "//*[@id='coverage']//tr[@class='total']/*")[:3] == ["all", str(len(TEXTS)), "11"]
    assert len(page.xpath("//*[@id='coverage']//rect")) == 3
    assert text(page, "//header//b")[0] == str(len(TEXTS))


def test_metrics(page: html.HtmlElement) -> None:
    assert "requests.received" in " ".join(text(page, "//*[@id='metrics']//h3"))
    assert all(len(figure.xpath(".//circle")) == 3 for figure in page.xpath("//*[@id='metrics']//figure"))


def test_findings_are_ranked_with_their_evidence(page: html.HtmlElement) -> None:
    found = page.xpath("//article")
    assert [article.get("class") for article in found] == [
        "finding error",
        "finding warning",
        "finding warning",
    ]
    assert text(page, "//article//mark")[:2] == ["5件", "6件"]
    assert "上年结转5件，结转下年度继续办理7件" in text(page, "//article//li")[0]


def test_cited(page: html.HtmlElement) -> None:
    assert text(page, "//*[@id='cited']//tbody/tr[1]/td") == [
        "中华人民共和国政府信息公开条例",
        "—",
        "11",
        "11",
    ]


def test_errors_are_counted_and_the_first_shown(page: html.HtmlElement) -> None:
    assert text(page, "//*[@id='errors']//summary") == [f"NoTextLayer: {ERRORS + 5}"]
    assert len(page.xpath("//*[@id='errors']//tbody/tr")) == ERRORS
    assert "and 5 more" in " ".join(text(page, "//*[@id='errors']//p"))
    assert not page.xpath("//script")


def test_the_run_and_what_it_left_out(tmp_path: Path) -> None:
    """As a run itself wrote them."""
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    (folder / "1.txt").write_text("公开12条。", "utf8")
    (folder / "2.txt").write_text("崩", "utf8")
    run([folder], out, extractor=Planted, formats=[Format.PARQUET], workers=1, settings={"mode": HOSTILE})
    page = html.document_fromstring(summary_page(out))
    told = dict(zip(text(page, "//*[@id='run']//th"), text(page, "//*[@id='run']//td"), strict=True))
    assert told["input"] == str(folder)
    assert told["mode"].startswith("<script>alert(1)")
    assert told["versions"].startswith(f"gongkai {__version__} · Python 3.")
    assert told["documents"].startswith("1 (")
    assert (told["files"], told["quarantined"]) == ("2", "1")
    assert text(page, "//*[@id='errors']//h3/following-sibling::*//td") == [
        str(folder / "2.txt"), "It ended its process (exit status 3).",
    ]  # fmt: skip


def test_without_a_run_s_own_word(extracted: Path) -> None:
    assert 'id="run"' not in summary_page(extracted)


def test_a_damaged_word_of_the_run(out: Path) -> None:
    (out / RUN_FILE).write_text('{"state": 1}')
    with pytest.raises(BrokenArchive, match=r"run\.json"):
        summary_page(out)


def test_fewer_findings(out: Path) -> None:
    check_archive(out)
    assert summary_page(out, findings=1).count("<article") == 1


def test_without_a_check_the_page_says_so(extracted: Path) -> None:
    assert "gongkai check" in summary_page(extracted)


def test_an_empty_archive(tmp_path: Path) -> None:
    write(tmp_path / "out", [])
    written = summary_page(tmp_path / "out")
    assert "Every input gave a record." in written
    assert "Nothing was found" in written


def test_damaged_errors(out: Path) -> None:
    (out / ERRORS_FILE).write_text('{"path": 1}\n')
    with pytest.raises(BrokenArchive, match=r"errors\.jsonl line 1"):
        summary_page(out)


def test_year_bars() -> None:
    bars = year_bars({2018: 5, 2020: 10})
    assert [(bar.year, bar.y, bar.height) for bar in bars.bars] == [
        (2018, HEIGHT / 2, HEIGHT / 2),
        (2020, 0, HEIGHT),
    ]
    assert bars.bars[1].x + bars.bars[1].width < WIDTH
    assert year_bars({}).bars == []


def test_line_has_a_run_for_each_stretch_of_years() -> None:
    drawn = line([(2015, 1, 2, 4), (2016, 2, 3, 4), (2020, 0, 0, 0)])
    assert drawn.top == 4
    assert drawn.runs == ["0.0,60.0 60.0,30.0", "300.0,120.0"]
    assert drawn.bands[0] == "0.0,0.0 60.0,0.0 60.0,60.0 0.0,90.0"


def test_line_of_zeros_and_of_one_year() -> None:
    drawn = line([(2020, 0, 0, 0)])
    assert (drawn.points[0].x, drawn.points[0].y) == (WIDTH / 2, HEIGHT)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of an archive whose documents and errors say whatever could break a page."""
    folder = tmp_path_factory.mktemp("hostile")
    meta = Meta(title=HOSTILE, issuer=f"临川市{HOSTILE}", year=2020, doc_type="annual_report_b")
    write(folder / "out", [Record(id=HOSTILE, source=Source(), meta=meta, text=HOSTILE)])
    failures(folder / "out", 1)
    (folder / "report.html").write_text(summary_page(folder / "out"), encoding="utf-8")
    return folder / "report.html"


@pytest.mark.slow
@pytest.mark.skipif(chromium() is None, reason="no browser is installed")
def test_in_a_browser(hostile: Path, out: Path, tmp_path: Path) -> None:
    check_archive(out)
    (tmp_path / "report.html").write_text(summary_page(out), encoding="utf-8")
    with browser() as chrome:
        for file in (tmp_path / "report.html", hostile):
            for width in (1280, 390):
                shown = Shown(chrome, file, viewport={"width": width, "height": 800})
                assert shown.requests == [file.as_uri()]
                assert shown.complaints == []
                wide = shown.page.evaluate("document.documentElement.scrollWidth")
                assert wide <= width
        assert "<script>alert(1)</script>" in shown.page.inner_text("#errors")
