"""Document numbers: damage, boundaries of the code."""

from __future__ import annotations

import pytest

from gongkai.rules.docnos import tag_docnos
from gongkai.text import fold
from marking import unmark


def texts(text: str) -> list[str]:
    return [text[m.start : m.end] for m in tag_docnos(fold(text))]


@pytest.mark.parametrize(
    "marked",
    [
        "⟦深府办〔2018〕14号⟧",
        "⟦深府办〔２０１８〕１４号⟧",
        "⟦深府办〔2018\u200b〕14号⟧",
        "⟦深府辦〔2018〕14號⟧",
        "⟦国 办 发〔2018〕10号⟧",
        "（⟦财税字〔1994〕020号⟧）",
        "（⟦示府办〔2018〕14号⟧、⟦示府办〔2018〕15号⟧）",
        "依据⟦国务院令第711号⟧",
        "关于废止⟦沪府办发〔2018〕16号⟧文件",
        "1994年1月28日⟦中华人民共和国国务院令第142号⟧发布",
        "市物价局⟦沪价经〔2018〕5号⟧",
        "联合印发⟦沪发改环资〔2018〕5号⟧",
    ],
)
def test_the_code_starts_where_it_starts(marked: str) -> None:
    text, spans = unmark(marked)
    assert [(m.start, m.end) for m in tag_docnos(fold(text))] == spans


@pytest.mark.parametrize(
    "text",
    [
        "《条例》第十七条",
        "第2741号提案",
        "第3号楼",
        "12345热线12345号",
        "2018年12号线",
        "索引号 000014349/2018-00204",
        "（2018）京01行终12号",
    ],
)
def test_what_is_no_document_number(text: str) -> None:
    assert texts(text) == []
