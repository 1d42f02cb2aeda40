"""COUNT and PERCENT: what is one, what is none, where each begins and ends."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from gongkai.rules.quantities import tag_quantities
from gongkai.text import fold
from marking import unmark


def spans(text: str, label: str | None = None) -> list[tuple[int, int]]:
    return [(m.start, m.end) for m in tag_quantities(fold(text)) if label in (None, m.label)]


COUNTS = [
    "主动公开政府信息⟦863条⟧，依申请公开⟦0件⟧。",
    "发布信息⟦300余条⟧，总结⟦21条⟧",
    "网民留言⟦超1000个⟧，走访⟦近百家⟧企业，办结⟦约50件⟧",
    "⟦不超过3个工作日⟧办结，最长间隔⟦不超过14天⟧",
    "浏览量⟦367.7万PV⟧，访问⟦1125246人次⟧，点击⟦1,125,246次⟧",
    "收入⟦63.6万亿元⟧，吞吐量⟦6.07亿吨⟧，参保⟦1322万人⟧，收费⟦251000元⟧",
    "需材料⟦3至5个⟧，或⟦3-5个⟧，或⟦3～5个⟧，或⟦3个至5个⟧",
    "由概述等⟦六部分⟧组成，涉及⟦两个⟧镇、⟦三类⟧信息",
    "共⟦三百二十五条⟧，办结⟦十件⟧，召开会议⟦十余次⟧",
    "刊登⟦97期⟧|⟦111版⟧",
    "共 ⟦14 条⟧，占用 ⟦3 個⟧",
    "公开⟦８６３条⟧，發布⟦108個⟧欄目，⟦2737件⟧來信",
    "收到⟦至少3件⟧，办理⟦5件以上⟧，补正⟦2件以下⟧，用时⟦15分钟左右⟧",
    "⟦20家⟧单位⟦665项⟧业务进驻",
    "覆盖⟦1亿3千多万⟧人口，减少⟦1000万以上⟧",
    "受理申请⟦2018件⟧",
    "规章共⟦五十八条⟧",
    "90分以上的⟦9家⟧，10件以上的有⟦23人⟧，办结⟦5件以上⟧的网站",
    "收到⟦5 6件⟧，公开 ⟦1 620条⟧、⟦11 ,382条⟧；12345热线24小时有人值守",
]
NO_COUNTS = {
    "ordinals": "第2名、第一部分、第三、四条，一是加强，其一，前三名",
    "numbering": "一、概述 （一）数量 1.加强 2、落实 3.2 本预案",
    "dates": "2018年3月15日，3月，20日上午，二〇一八年，1-6月，10:22",
    "document numbers": "深府办〔2018〕14号，2018年第14号公告，国务院令第711号",
    "codes": "邮编518000，电话0755-82123456，手机13800138000，索引号K2018-03-00125",
    "hotline": "12345热线与12320热线，24小时“不打烊”，7×24小时",
    "set phrases": "双随机、一公开；五公开；四个一；四个百分百；一门、一窗、一网、一次；三大重点领域",
    "levels": "市、镇两级，区、街、社三级，十九届二中全会，两会，一带一路，五位一体，四个意识，两个维护",
    "articles": "一个重要方面，一种方式，一系列，进一步，一次性，统一，百姓，千方百计，万众一心，十分重要",
    "quoted": "推出“四个一”、“三张清单”、“50条”",
    "sessions": "十三届全国人大五次会议，十四届六中全会",
    "vague": "几十家、数百人、几个、上千户",
    "rates": "每3个月，每万人，每两年",
    "anniversary": "建立40周年，一百周年",
    "versions": "系统3.0版，G20，5G，IPv6",
    "form label": "（不同渠道和方式公开相同信息计1条）",
    "windows of time": "近三年来，过去五年，未来5年，五年规划，三年行动计划",
}
PERCENTS = [
    "占⟦41.67%⟧，达⟦100%⟧，压缩⟦近70%⟧，法定时限⟦50%以下⟧，同比下降⟦1.23%⟧",
    "占⟦百分之五⟧，增长⟦百分之九十八点五⟧，⟦千分之三⟧",
    "提高⟦5个百分点⟧，回落⟦0.3个百分点⟧",
    "占⟦三成⟧，⟦九成以上⟧的事项，比上年⟦翻一番⟧",
    "增长⟦2倍⟧，是上年的⟦1.5倍⟧，占⟦三分之二⟧",
    "增长⟦3%-5%⟧，压缩⟦30至50%⟧",
    "答复率⟦９８．５％⟧",
    "占⟦84 %⟧",
    "占⟦55. 4%⟧，由⟦5.1%⟧降至⟦0. 8%⟧，占⟦一半以上⟧，⟦近半数⟧乡镇，率为⟦九成五⟧",
]
NO_PERCENTS = ["四个百分百", "一成不变", "处违法所得3倍罚款", "百分制", "完成", "加倍努力"]


@pytest.mark.parametrize("marked", COUNTS)
def test_counts(marked: str) -> None:
    text, expected = unmark(marked)
    found = spans(text, "COUNT")
    assert [text[a:b] for a, b in found] == [text[a:b] for a, b in expected]
    assert found == expected


@pytest.mark.parametrize("text", NO_COUNTS.values(), ids=NO_COUNTS)
def test_no_counts(text: str) -> None:
    assert [text[a:b] for a, b in spans(text)] == []


@pytest.mark.parametrize("marked", PERCENTS)
def test_percents(marked: str) -> None:
    text, expected = unmark(marked)
    assert [text[a:b] for a, b in spans(text, "PERCENT")] == [text[a:b] for a, b in expected]


@pytest.mark.parametrize("text", NO_PERCENTS)
def test_no_percents(text: str) -> None:
    assert spans(text, "PERCENT") == []


class _Span(msgspec.Struct):
    label: str
    start: int
    end: int


class _Gold(msgspec.Struct):
    text: str
    entities: tuple[_Span, ...]


@pytest.mark.shared
@pytest.mark.parametrize(("label", "least"), [("COUNT", 0.95), ("PERCENT", 0.97)])
def test_gold(shared: Path, label: str, least: float) -> None:
    hits = size = 0
    for path in (shared / "gold").glob("*.jsonl"):
        for line in path.read_bytes().splitlines():
            doc = msgspec.json.decode(line, type=_Gold)
            gold = {(s.start, s.end) for s in doc.entities if s.label == label}
            found = set(spans(doc.text, label))
            hits += len(gold & found)
            size += len(gold) + len(found)
    assert 2 * hits / size >= least
