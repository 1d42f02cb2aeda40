"""Pages to documents: what is kept, what is dropped, what is read as metadata."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gongkai.ingest import read
from gongkai.types import Document

# fmt: off
NAVIGATION = (
    "首页", "政务服务", "互动交流", "走进", "您的位置", "当前位置", "无障碍", "长者助手", "登录", "打印",
    "关闭窗口", "字体", "浏览次数", "分享到", "新浪微博", "相关文档", "上一篇", "网站地图", "联系我们",
    "版权所有", "ICP备", "网站标识码", "公网安备", "主办", "技术支持", "Copyright", "主题词",
    "今天是", "邮编", "机构职能", "规划计划", "热門詞條", "首頁", "聯絡我們", "草稿", "二维码", "hits",
)
# fmt: on


def _page(pages: Path, name: str) -> Document:
    (doc,) = read(pages / name)
    assert isinstance(doc, Document)
    return doc


@pytest.mark.parametrize("name", ["municipal.html", "columns.html", "definition_list.html"])
def test_no_navigation_in_the_text(pages: Path, name: str) -> None:
    text = _page(pages, name).text
    assert [word for word in NAVIGATION if word in text] == []
    assert not re.search(r"^\s|\s$|\n\n", text.replace("\t", "|"), re.M)


@pytest.mark.parametrize(
    ("name", "title", "issuer", "published", "index_number", "docno"),
    [
        (
            "municipal.html",
            "云岭市水务局2022年政府信息公开工作年度报告",
            "云岭市水务局",
            "2023-01-18",
            "YL0103/2023-00007",
            None,
        ),
        (
            "columns.html",
            "关于印发青河区2021年政务公开工作要点的通知",
            "青河区人民政府办公室",
            "2021-04-30",
            "QH001-04-2021-0003",
            "青政办发〔2021〕9号",
        ),
        (
            "definition_list.html",
            "松原區2017年政府信息公開工作年度報告",
            "松原區人民政府辦公室",
            "2018-03-30",
            "SY-2018-001",
            "松府辦〔2018〕12號",
        ),
    ],
)
def test_metadata(
    pages: Path, name: str, title: str, issuer: str, published: str, index_number: str, docno: str | None
) -> None:
    meta = _page(pages, name).meta
    assert (meta.title, meta.issuer, meta.published) == (title, issuer, published)
    assert (meta.index_number, meta.docno) == (index_number, docno)


def test_the_municipal_page_line_by_line(pages: Path) -> None:
    lines = _page(pages, "municipal.html").text.split("\n")
    assert lines[0] == "索引号：YL0103/2023-00007"
    assert "发布时间：2023-01-18 09:12　来源：云岭市水务局" in lines
    assert "报告电子版可在本局网站下载。" in lines
    assert any("申请公开26件，全部按期办结" in line for line in lines)
    assert "二、上年结转政府信息公开申请数量\t1\t0\t/\t\t0\t0\t1" in lines
    assert lines[-1] == "附件：云岭市水务局2022年政府信息公开统计表.pdf"


def test_the_form_c_table_is_a_grid(pages: Path) -> None:
    doc = _page(pages, "municipal.html")
    (table,) = doc.tables
    at = {(cell.row, cell.column): cell for cell in table.cells}
    assert (at[0, 0].row_span, at[0, 0].column_span, at[0, 0].state) == (3, 3, "header")
    assert [at[2, column].state for column in range(4, 9)] == ["header"] * 5
    assert [(at[4, column].state, at[4, column].value) for column in (4, 5, 6)] == [
        ("number", 0.0),
        ("slash", None),
        ("empty", None),
    ]
    assert (at[5, 0].row_span, at[6, 1].column_span, at[6, 9].value) == (2, 2, 10.0)
    assert doc.text[at[6, 9].start : at[6, 9].end] == "１０"
    assert at[4, 6].start == at[4, 6].end
    assert (table.start, table.end) == (at[0, 0].start, at[6, 9].end)
    assert not table.flattened


@pytest.mark.parametrize(
    ("name", "source", "text", "cases"),
    [
        ("gb18030 undeclared", "gb18030", None, "municipal.html"),
        ("gb18030 declared utf-8", "gb18030", ("gb2312", "utf-8"), "municipal.html"),
        ("utf-8 declared gb2312", "utf-8", None, "municipal.html"),
        ("utf-16 undeclared", "utf-16-le", None, "municipal.html"),
        ("utf-16 with mark", "utf-16", None, "municipal.html"),
        ("big5 declared utf-8", "big5hkscs", None, "definition_list.html"),
        ("big5 declared gb2312", "big5hkscs", ("utf-8", "gb2312"), "definition_list.html"),
    ],
)
def test_pages_in_any_encoding(
    pages: Path, read_bytes, name: str, source: str, text: tuple[str, str] | None, cases: str
) -> None:
    markup = (pages / cases).read_text(encoding="utf-8")
    if text is not None:
        markup = markup.replace(*text)
    doc = read_bytes(markup.encode(source), "page.html")
    assert doc.text == _page(pages, cases).text
    assert doc.meta == _page(pages, cases).meta


BODY = "<p>" + "本局按照规定主动公开政府信息，并及时更新目录和指南。" * 6 + "</p>"


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<p>甲<br>乙</p><div>丙<div>丁</div>戊</div>", ["甲", "乙", "丙", "丁", "戊"]),
        ("<p>政府信\n      息公开</p>", ["政府信息公开"]),
        ("<p>Open\n government  data</p>", ["Open government data"]),
        ("<p><span>共</span>\n<span>12</span>\n<b>件</b></p>", ["共 12 件"]),
        ("<p>&nbsp;&nbsp;　　甲　</p><p>&nbsp;</p>", ["甲"]),
        ("<pre>甲\n乙  丙</pre>", ["甲", "乙 丙"]),
        ("<p>甲</p><!-- 注 --><script>x</script><style>y</style><noscript>z</noscript>", ["甲"]),
        ("<p>甲<span style='display: none'>隐</span>乙<i hidden>藏</i></p>", ["甲乙"]),
        ("<select><option>选项</option></select><p>甲<input value=x></p>", ["甲"]),
        ("<ul><li>一项</li><li>二项</li></ul>", ["一项", "二项"]),
        ("<p>【打印】【关闭】</p><p>字体：大 中 小</p><p>浏览次数：12</p>", []),
        ("<p>政务微博浏览次数：120万次，同比增长5%。</p>", ["政务微博浏览次数：120万次，同比增长5%。"]),
        ("<p>分享收益12万元</p><p>共3条</p>", ["分享收益12万元", "共3条"]),
        ("<p>上一篇：<a href=x>某通知</a></p><p>上一条规定的期限</p>", ["上一条规定的期限"]),
        ("<p>相关链接：</p><p><a href=x>某通知</a></p><p>共3条</p>", ["共3条"]),
        ("<div class='share'>微信</div><div class='footnote'>注：含电话咨询</div>", ["注：含电话咨询"]),
        ("<p>时间：</p><p>附件：<a href=a.doc>统计表</a></p>", ["时间：", "附件：统计表"]),
    ],
)
def test_blocks_and_white_space(read_bytes, markup: str, expected: list[str]) -> None:
    doc = read_bytes(f"<html><body><div id='zoom'>{BODY}{markup}</div></body></html>".encode(), "a.html")
    assert doc.text.split("\n")[1:] == expected


def test_the_content_element_may_be_anything(read_bytes) -> None:
    menu = "".join(f"<td><a href=/{n}>栏目{n}</a></td>" for n in range(9))
    page = (
        f"<table><tr>{menu}</tr></table><section><section>{BODY}<p>共3条</p></section></section><p>某市</p>"
    )
    assert read_bytes(page.encode(), "a.html").text.split("\n")[1:] == ["共3条"]


def test_prose_outside_the_content_is_kept(read_bytes) -> None:
    lead = "<div><p>按照条例的要求，现公布本局上一年度的工作情况，欢迎社会各界监督。</p></div>"
    doc = read_bytes(f"<body>{lead}<div id='zoom'>{BODY}</div></body>".encode(), "a.html")
    assert doc.text.startswith("按照条例的要求")


@pytest.mark.parametrize(
    ("markup", "tables"),
    [
        ("<table><tr><td>项目<td>数量<tr><td>微博<td>3</table>", 1),
        ("<table><tr><th>项目<th>数量<tr><td>微博<td>/</table>", 1),
        ("<table><tr><td>一格</table>", 0),
        ("<table><tr><td>左<td>右</table>", 0),
        ("<table role=presentation><tr><td>a<td>1<tr><td>b<td>2</table>", 0),
        ("<table><tr><td><table><tr><td>项目<td>数量<tr><td>微博<td>3</table></table>", 1),
        (
            "<table><tr><td>序号<td>文件名称<td>文号<td>发布日期"
            "<tr><td>1<td>工作要点<td>某府办〔2018〕1号<td>2018-03-01</table>",
            1,
        ),
        ("<table><tr><td>索引号<td>K1/2018-1<td>文号<td>某府〔2018〕1号</table>", 0),
    ],
)
def test_which_tables_are_data(read_bytes, markup: str, tables: int) -> None:
    doc = read_bytes(f"<body><div id='zoom'>{BODY}{markup}</div></body>".encode(), "a.html")
    assert len(doc.tables) == tables


def test_a_caption_stands_before_its_table(read_bytes) -> None:
    markup = "<table><caption>表一</caption><tr><td>项目<td>数量<tr><td>微博<td>3</table>"
    assert read_bytes(markup.encode(), "a.html").text == "表一\n项目\t数量\n微博\t3"


@pytest.mark.parametrize(
    ("head", "body", "title", "issuer"),
    [
        ("<title>某通知-某市人民政府门户网站</title>", "", "某通知", None),
        ("<title>某局2018年年度报告_年报_某网</title>", "", "某局2018年年度报告", None),
        ("<title>某网</title>", "<h1>某局2018年年度报告</h1>", "某局2018年年度报告", None),
        ("", "<h1>某局2018年年度报告</h1>", "某局2018年年度报告", None),
        ("<meta name=ArticleTitle content=某某通知><title>x</title>", "", "某某通知", None),
        ("<meta name=ContentSource content=某市财政局>", "", None, "某市财政局"),
        ("<meta name=ContentSource content=某某日报>", "", None, None),
        ("<meta name=contentsource content=某市财政局>", "<p>发布机构：某市审计局</p>", None, "某市审计局"),
    ],
)
def test_where_metadata_comes_from(
    read_bytes, head: str, body: str, title: str | None, issuer: str | None
) -> None:
    doc = read_bytes(f"<html><head>{head}</head><body>{body}{BODY}</body></html>".encode(), "a.html")
    assert (doc.meta.title, doc.meta.issuer) == (title, issuer)


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<p>文号：</p><p>主题词：</p>", []),
        ("<p>来源：某局　浏览次数：12　【字体：大 中 小】</p>", ["来源：某局"]),
        ("<dl><dt>文号</dt><dd>某府〔2018〕1号</dd><dt>分类</dt><dd></dd></dl>", ["文号：某府〔2018〕1号"]),
        ("<div>文号：</div><div>某府〔2018〕1号</div>", ["文号：某府〔2018〕1号"]),
        ("<div>主题词：</div><div>某府〔2018〕1号</div>", ["某府〔2018〕1号"]),
        ("<div>发布机构：</div><div>关于印发要点的通知</div>", ["关于印发要点的通知"]),
        ("<h1>某局年度报告</h1>", ["某局年度报告"]),
        ("<a href=/>首页</a> &gt; <a href=/n>年报</a>", []),
    ],
)
def test_the_head_of_a_document(read_bytes, markup: str, expected: list[str]) -> None:
    doc = read_bytes(f"<html><body><div id='zoom'>{markup}{BODY}</div></body></html>".encode(), "a.html")
    assert doc.text.split("\n")[:-1] == expected


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<p>主办单位：某府办</p><p>版权所有：某府</p><p>邮编：518000</p>", []),
        ("<p>联系地址：某路1号</p>", ["联系地址：某路1号"]),
        ("<p>新增网站地图功能</p><p>共3条</p>", ["新增网站地图功能", "共3条"]),
        (
            "<p>版权所有登记情况</p><table><tr><td>项<td>数<tr><td>甲<td>3</table>",
            ["版权所有登记情况", "项\t数", "甲\t3"],
        ),
        ("<p>附件</p><p>粤ICP备12345678号</p>", ["附件"]),
    ],
)
def test_footers_without_an_element_of_their_own(read_bytes, markup: str, expected: list[str]) -> None:
    doc = read_bytes(f"<html><body>{BODY}{markup}</body></html>".encode(), "a.html")
    assert doc.text.split("\n")[1:] == expected


def test_labels_in_prose_are_not_metadata(read_bytes) -> None:
    markup = f"{BODY}<p>文号：某府办〔2018〕1号的文件已废止。</p>"
    assert read_bytes(f"<body><div id=zoom>{markup}</div></body>".encode(), "a.html").meta.docno is None
