"""Metadata: the rows with their examples, and small documents with what they say of themselves."""

from __future__ import annotations

import time
from pathlib import Path

import opencc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gongkai.structure import metadata, paragraphs_of
from gongkai.structure.patterns import PatternRow
from gongkai.text import fold
from gongkai.types import Document, Meta, Source

ROWS = metadata.config().rows


def matches(row: PatternRow, line: str) -> bool:
    pattern = metadata.patterns()[row.name]
    return bool((pattern.search if row.name.startswith("form_") else pattern.match)(fold(line)))


@pytest.mark.parametrize(("row", "line"), [(row, line) for row in ROWS for line in row.match])
def test_row_takes_its_examples(row: PatternRow, line: str) -> None:
    assert matches(row, line)


@pytest.mark.parametrize(("row", "line"), [(row, line) for row in ROWS for line in row.reject])
def test_row_leaves_its_near_misses(row: PatternRow, line: str) -> None:
    assert not matches(row, line)


def meta_of(text: str, given_meta: Meta | None = None) -> Meta:
    view = fold(text)
    document = Document(id="x", text=text, source=Source(), meta=given_meta or Meta())
    return metadata.complete(document, view, paragraphs_of(view))


DOCUMENTS: dict[str, tuple[str, dict[str, object]]] = {
    "a work report tells of the year before its session": (
        "2018年临江市人民政府工作报告（摘登）\n（2018年1月29日在临江市第十六届人民代表大会第三次会议上）\n\n各位代表：\n",
        {"title": "2018年临江市人民政府工作报告（摘登）", "year": 2017, "doc_type": "other"},
    ),
    "a work report, its session not named": (
        "临江市2018年政府工作报告\n发布时间：2018-02-06\n\n各位代表：\n",
        {"year": 2017, "published": "2018-02-06"},
    ),
    "a work report that appeared after the year of its title": (
        "临江市2018年政府工作报告\n发布时间：2019-02-06\n\n各位代表：\n",
        {"year": 2018},
    ),
    "a date without a label, between source and counter": (
        "《临江市电梯补助办法》政策问答\n来源：县住建局　　2021-08-30 09:12　　阅读：2,077\n\n问：何时施行？\n",
        {"published": "2021-08-30", "year": 2021},
    ),
    "a date of the text is no dateline": (
        "临江市信息公开年度报告\n本报告的数据自2018年1月1日至2018年12月31日。\n二〇一九年三月十一日",
        {"published": "2019-03-11", "year": 2018},
    ),
    "labels, several in a line": (
        "索引号：MB2C000001/2019-00012 分类：公告\n"
        "发布机构：临江市海潮区综合办公室主办 成文日期：2019-03-11\n"
        "名称：海潮区综合办公室2018年政府信息公开工作年度报告\n"
        "文号： 发布日期：2019-03-12\n主题词：\n\n一、概述\n无。",
        {
            "index_number": "MB2C000001/2019-00012",
            "issuer": "临江市海潮区综合办公室",
            "title": "海潮区综合办公室2018年政府信息公开工作年度报告",
            "published": "2019-03-12",
            "docno": None,
            "year": 2018,
            "doc_type": "annual_report_a",
        },
    ),
    "labels, letter-spaced, values on the next line": (
        "索 引 号：\n000014349/2018-00204\n发文机关：\n临江市人民政府\n标　　题：\n"
        "临江市人民政府关于保护水源的通告\n发文字号：\n"
        "临府〔2018〕7号\n发布日期：\n2018年11月09日\n主 题 词：\n\n无。",
        {
            "index_number": "000014349/2018-00204",
            "issuer": "临江市人民政府",
            "title": "临江市人民政府关于保护水源的通告",
            "docno": "临府〔2018〕7号",
            "published": "2018-11-09",
            "year": 2018,
            "doc_type": "notice",
        },
    ),
    "notice that issues a plan": (
        "临江市人民政府办公室关于印发2021年政务公开工作要点的通知\n\n临府办〔2021〕15号\n\n各区人民政府：\n"
        "  现印发给你们。\n临江市人民政府办公室\n2021年7月8日",
        {
            "title": "临江市人民政府办公室关于印发2021年政务公开工作要点的通知",
            "issuer": "临江市人民政府办公室",
            "docno": "临府办〔2021〕15号",
            "year": 2021,
            "published": "2021-07-08",
            "doc_type": "plan",
        },
    ),
    "wrapped title, letter-spaced": (
        "临江市人民政府办公室\n关于印发\n"
        "水 源 保 护 方 案 的 通 知\n临府办函〔2016〕8号\n\n各区人民政府：\n无。",
        {
            "title": "临江市人民政府办公室关于印发水源保护方案的通知",
            "issuer": "临江市人民政府办公室",
            "docno": "临府办函〔2016〕8号",
            "year": 2016,
            "doc_type": "plan",
        },
    ),
    "title whose first line reads as one": (
        "临江市人民政府关于推行公示制度\n和审核制度的指导意见\n\n无。",
        {"title": "临江市人民政府关于推行公示制度和审核制度的指导意见", "doc_type": "notice"},
    ),
    "title under its body": (
        "临江县石坡镇人民政府\n2023年政府信息公开工作年度报告\n\n根据《条例》编制。",
        {
            "title": "临江县石坡镇人民政府2023年政府信息公开工作年度报告",
            "issuer": "临江县石坡镇人民政府",
            "year": 2023,
            "doc_type": "annual_report_c",
        },
    ),
    "title under its body and a blank line": (
        "临江县财政局\n\n2018年度政府信息公开工作年度报告\n\n根据《条例》编制。",
        {"title": "临江县财政局2018年度政府信息公开工作年度报告", "issuer": "临江县财政局"},
    ),
    "title with its own body under the site's": (
        "临江县人民政府\n临江县财政局2018年政府信息公开工作年度报告\n\n根据《条例》编制。",
        {"title": "临江县财政局2018年政府信息公开工作年度报告", "issuer": "临江县财政局"},
    ),
    "issuer from the signature": (
        "关于开展检查的通知\n各区：\n现通知如下。\n临江市财政局\n二〇二〇年十月十八日",
        {"issuer": "临江市财政局", "published": "2020-10-18", "year": 2020, "doc_type": "notice"},
    ),
    "decree": (
        "临江市人民政府令\n第12号\n"
        "现公布《临江市水源保护办法》，自2019年1月1日起施行。\n市长 某某\n2018年12月1日",
        {
            "title": "临江市水源保护办法",
            "issuer": "临江市人民政府",
            "docno": "临江市人民政府令第12号",
            "doc_type": "other",
            "year": 2018,
        },
    ),
    "encyclopedia mirror": (
        "臨江市海潮區2017年政府信息公開工作年度報告_百度百科\n\n"
        "基本介紹\n• 中文名：臨江市\n• 發布時間：2018年\n一、概述",
        {
            "title": "臨江市海潮區2017年政府信息公開工作年度報告",
            "issuer": "臨江市海潮區",
            "year": 2017,
            "doc_type": "annual_report_a",
            "script": "Hant",
        },
    ),
    "year from the period": (
        "海潮区财政局政府信息公开年度报告\n统计期限为2019年1月1日至2019年12月31日。",
        {"issuer": "海潮区财政局", "year": 2019, "doc_type": "annual_report_b"},
    ),
    "year from the publication": (
        "海潮区财政局政府信息公开年度报告\n发布日期：2023-01-20\n无。",
        {"year": 2022, "doc_type": "annual_report_c"},
    ),
    "form by its table": (
        "海潮区财政局政府信息公开年度报告\n一、总体情况\n信息内容\n本年制发件数\n本年废止件数\n",
        {"year": None, "doc_type": "annual_report_c"},
    ),
    "form by its notice": (
        "海潮区财政局2020年政府信息公开工作年度报告\n根据国办公开办函〔2019〕60号的要求编制。",
        {"year": 2020, "doc_type": "annual_report_b"},
    ),
    "table on its own page": (
        "政府信息公开情况统计表\n（2016年度）\n填报单位：海潮区财政局\n统计指标\n单位\n统计数\n",
        {
            "title": "政府信息公开情况统计表",
            "issuer": "海潮区财政局",
            "year": 2016,
            "doc_type": "annual_report_a",
        },
    ),
    "academic year": (
        "海潮理工学院2018-2019学年信息公开工作年度报告\n无。",
        {"issuer": "海潮理工学院", "year": 2018, "doc_type": "annual_report_a"},
    ),
    "speech": (
        "各位代表：\n现在报告工作。\n\n一、去年的工作\n关于改革的决定\n无。",
        {"title": None, "issuer": None, "year": None, "doc_type": "other"},
    ),
    "number in prose is another's": ("根据临府办〔2018〕14号的要求，现公布如下。", {"docno": None}),
    "impossible date": ("发布日期：2018-13-40\n无。", {"published": None}),
    "nothing": ("", {"title": None, "doc_type": "other", "script": "Hans"}),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_document(name: str) -> None:
    text, expected = DOCUMENTS[name]
    found = meta_of(text)
    assert {field: getattr(found, field) for field in expected} == expected


@pytest.mark.parametrize("name", DOCUMENTS)
def test_both_scripts_say_the_same(name: str) -> None:
    text, _ = DOCUMENTS[name]
    simplified = meta_of(opencc.OpenCC("t2s").convert(text))
    traditional = meta_of(opencc.OpenCC("s2t").convert(text))
    for field in ("title", "issuer", "year", "doc_type", "published", "index_number", "docno"):
        one, other = getattr(simplified, field), getattr(traditional, field)
        assert (fold(other) if isinstance(other, str) else other) == (
            fold(one) if isinstance(one, str) else one
        )


def test_the_page_wins() -> None:
    page = Meta(
        title="海潮区规划",
        issuer="海潮区",
        year=2011,
        published="2011-02-03",
        index_number="A1",
        docno="临府〔2011〕1号",
    )
    found = meta_of(DOCUMENTS["labels, several in a line"][0], page)
    assert (found.title, found.issuer, found.year, found.published) == (
        "海潮区规划",
        "海潮区",
        2011,
        "2011-02-03",
    )
    assert (found.index_number, found.docno, found.doc_type) == ("A1", "临府〔2011〕1号", "plan")


@pytest.mark.parametrize(
    ("title", "year", "kind"),
    [
        ("某区2018年政府信息公开工作年度报告", 2018, "annual_report_a"),
        ("某区政府信息公开年报（2019年度）", 2019, "annual_report_b"),
        ("某局2023年政府信息公開工作年度報告", 2023, "annual_report_c"),
        ("某市2017年政务公开工作总结", 2017, "annual_report_a"),
        ("某办关于做好政府信息公开年度报告工作的通知", 2021, "notice"),
        ("某市2022年政务公开工作要点", 2022, "plan"),
        ("某市关于印发《某试点工作方案》的通知", 2020, "plan"),
        ("某市关于部分节假日安排的通知", 2019, "notice"),
        ("某市人民政府关于某区总体规划（2018—2035年）的批复", 2018, "notice"),
        ("某市政府信息公开规定", 2018, "other"),
        ("", None, "other"),
    ],
)
def test_document_type(title: str, year: int | None, kind: str) -> None:
    assert metadata.document_type(title, year) == kind


@given(
    st.text(st.sampled_from("索引号标题文：关于印发通知局2018年月日《》()〔〕令第\n 。_"), max_size=60)
    | st.text()
)
def test_any_text(text: str) -> None:
    found = meta_of(text)
    for printed in (found.title, found.docno, found.issuer):
        assert printed is None or printed.strip() == printed != ""


@pytest.mark.parametrize(
    "piece",
    ["索引号：", "索引号：\n", "某局、", "关于", "关于某\n", "令\n第", "2018年1月1日\n局\n", "(", " "],
)
def test_hostile_text_costs_no_more_than_its_length(piece: str) -> None:
    text = piece * (200_000 // len(piece))
    view, paragraphs = fold(text), paragraphs_of(fold(text))
    document = Document(id="x", text=text, source=Source())
    began = time.perf_counter()
    metadata.complete(document, view, paragraphs)
    assert time.perf_counter() - began < 3


@pytest.mark.shared
def test_real_reports(shared: Path) -> None:
    found = {p.name[:3]: meta_of(p.read_bytes().decode()) for p in sorted((shared / "seeds").glob("*.txt"))}
    assert [(m.year, m.doc_type, m.script) for m in found.values()] == [
        (2018, "annual_report_a", "Hans"),
        (2017, "annual_report_a", "Hant"),
        (2021, "plan", "Hans"),
    ]
    assert found["000"].issuer == "深圳市大鹏新区综合办公室"
    assert found["003"].docno == "深鹏综办发〔2021〕15号"
    assert found["003"].published == "2021-07-12"
