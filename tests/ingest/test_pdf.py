"""PDF: the text layer without the page's wraps."""

from __future__ import annotations

import io

import pytest
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen import canvas

from gongkai.ingest.pdf import _joined, _lines

WRAPPED = [
    "2022年，本局认真贯彻落实条例要求，全年主动公开政府信",
    "息1318条，其中通过政府网站公开1204条，通过政务微博公",
    "开114条，收到依申请公开政府信息26件，全部在法定期限内",
    "办结。",
]


def _pdf(*pages: list[str]) -> bytes:
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    buffer = io.BytesIO()
    page = canvas.Canvas(buffer)
    for lines in pages:
        page.setFont("STSong-Light", 12)
        for number, line in enumerate(lines):
            page.drawString(72, 780 - 20 * number, line)
        page.showPage()
    page.save()
    return buffer.getvalue()


def test_a_real_pdf(read_bytes) -> None:
    doc = read_bytes(_pdf(["一、概述", *WRAPPED[:2]], [*WRAPPED[2:], "二、主动公开", "— 2 —"]), "a.pdf")
    assert doc.text == "一、概述\n" + "".join(WRAPPED) + "\n二、主动公开"
    assert doc.source.media_type == "application/pdf"


@pytest.mark.parametrize(
    ("following", "joined"),
    [
        ("息公开工作", True),
        ("26件", True),
        ("二、主动公开", False),
        ("（一）主动公开", False),
        ("1.主动公开", False),
        ("1.5万件", True),
        ("　　另起一段", False),
        ("第三条", False),
        ("附件：统计表", False),
    ],
)
def test_what_a_full_line_is_joined_with(following: str, joined: bool) -> None:
    lines = [*WRAPPED[:3], following]
    result = list(_joined([lines]))
    assert (len(result) == 1) is joined


def test_short_lines_and_sentence_ends_are_kept() -> None:
    lines = ["标题", *WRAPPED, "办公室", "2023年1月16日"]
    assert list(_joined([lines])) == ["标题", "".join(WRAPPED), "办公室", "2023年1月16日"]
    verse = ["甲乙丙", "丁戊己", "庚辛壬", "子丑寅"]
    assert list(_joined([verse])) == verse


def test_rows_of_a_table_are_not_joined() -> None:
    rows = [f"{n}  本年新收政府信息公开申请数量  {n}  0  0  0  0  {n}" for n in range(4)]
    assert list(_joined([rows])) == rows


def test_latin_words() -> None:
    lines = [
        "The annual report on open govern-",
        "ment information is published every",
        "year by public bodies in China now",
    ]
    assert list(_joined([lines])) == [
        "The annual report on open govern-",
        "ment information is published every",
        "year by public bodies in China now",
    ]


def test_page_numbers_and_radicals() -> None:
    assert _lines("⼀、概述\f内容\x00\n- 3 -", 3) == ["一、概述", "内容"]
    assert _lines("3\n正文\n第3页 共9页", 3) == ["正文"]
    assert _lines("合计\n12", 3) == ["合计", "12"]
