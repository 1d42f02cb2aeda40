"""PERIOD: dates and periods in calendar terms, and what only looks like one."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from gongkai.rules.periods import tag_periods
from gongkai.text import fold
from marking import unmark

PERIODS = [
    "⟦2018年⟧，截至⟦2018年12月31日⟧，⟦2018年⟧以来，⟦2018年全年⟧收到",
    "统计时间为⟦2017年1月1日至2017年12月31日⟧。",
    "自⟦2017年1月1日起至12月31日⟧止，⟦2018年1—12月⟧，⟦1至12月⟧，⟦1-6月⟧，⟦2018—2020年⟧，⟦2018年至2020年⟧",
    "⟦全年⟧主动公开，⟦上半年⟧，⟦一季度⟧，⟦2018年第三季度⟧，⟦2018年上半年⟧，⟦前三季度⟧",
    "⟦去年⟧，⟦今年⟧，⟦本年度⟧，⟦上一年度⟧，比⟦上年同期⟧增长，⟦年底⟧前，⟦7月初⟧",
    "发布时间：⟦2019-03-11⟧，⟦2021-07-12 10:22⟧ 来源，⟦2018.3.15⟧，⟦2019/3/11⟧",
    "统计时间为⟦20181月1日起至201812月31日⟧止",
    "⟦二〇一八年三月十五日⟧，⟦2018 年 3 月 5 日⟧，⟦２０１８年⟧",
    "⟦2018年度⟧，⟦2018年底⟧，⟦2018年3月⟧，⟦3月15日⟧，⟦2019年12月底⟧前",
    "《某市⟦2018年⟧政务公开工作要点》",
    "⟦“十三五”时期⟧，⟦十四五期间⟧，⟦20世纪90年代⟧",
    "⟦三年⟧来，⟦过去的五年⟧中，⟦这五年⟧，⟦前五年⟧。⟦五年⟧内新增。⟦五年⟧建成，⟦五年⟧间",
    "尤以⟦2003年12月18日晚8时40分⟧和⟦19日晚8时35分⟧，⟦2004年4月和9月⟧，⟦一九七九和一九八○两年⟧",
    "⟦“十一五”前四年⟧，⟦“五五”末期⟧，⟦“ 五五”时期⟧，⟦“六五’期间⟧",
    "轉入⟦下年度⟧辦理，⟦本學年⟧",
    "⟦2019年 3月⟧\n⟦2019年⟧ 部分",
    "七、⟦20 13年⟧工作，⟦20 17年1月1日至12月3 1日⟧，⟦2018-0 1-31⟧ 阅读",
    "⟦年内⟧完成，⟦当年⟧整改，⟦全学年⟧，⟦“五一”⟧前，编制本年度报告",
]
NO_PERIODS = {
    "document numbers": "深府办〔2018〕14号，2018年第14号公告，〔2018年〕14号，[2018]108号",
    "vague": "每月，每季度，每年底，近年来，目前，日前，周年，几年来，30多年来",
    "recurring": "每月５日前，每年分上、下半年，每年3月31日前，每年1月至3月，每年第一季度",
    "durations": "3个工作日，14天，有效期3年，20日内，任期五年，3年以上，5年期，自公布之日起，五年内有效",
    "ages and hours": "18周岁，24小时，以上年龄",
    "names": "“十四五”开局之年，“十三五”规划",
    "bare numbers": "公开1998条，2018个，1998",
    "codes": "索引号K2018-03-1125，11440300-2018-00125",
}


def spans(text: str) -> list[tuple[int, int]]:
    return [(m.start, m.end) for m in tag_periods(fold(text))]


@pytest.mark.parametrize("marked", PERIODS)
def test_periods(marked: str) -> None:
    text, expected = unmark(marked)
    found = spans(text)
    assert [text[a:b] for a, b in found] == [text[a:b] for a, b in expected]
    assert found == expected


@pytest.mark.parametrize("text", NO_PERIODS.values(), ids=NO_PERIODS)
def test_no_periods(text: str) -> None:
    assert [text[a:b] for a, b in spans(text)] == []


class _Span(msgspec.Struct):
    label: str
    start: int
    end: int


class _Gold(msgspec.Struct):
    text: str
    entities: tuple[_Span, ...]


@pytest.mark.shared
def test_gold(shared: Path) -> None:
    hits = size = 0
    for path in (shared / "gold").glob("*.jsonl"):
        for line in path.read_bytes().splitlines():
            doc = msgspec.json.decode(line, type=_Gold)
            gold = {(s.start, s.end) for s in doc.entities if s.label == "PERIOD"}
            found = set(spans(doc.text))
            hits += len(gold & found)
            size += len(gold) + len(found)
    assert 2 * hits / size >= 0.92
