"""What holds of every tagger, whatever the text: clean disjoint spans in text order, at linear cost."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gongkai.rules.docnos import tag_docnos
from gongkai.rules.orgs import tag_orgs
from gongkai.rules.periods import tag_periods
from gongkai.rules.policies import tag_policies
from gongkai.rules.quantities import tag_quantities
from gongkai.text import fold

TAGGERS = {
    "docnos": tag_docnos,
    "orgs": tag_orgs,
    "periods": tag_periods,
    "policies": tag_policies,
    "quantities": tag_quantities,
}
ALPHABETS = {
    "docnos": "国办发〔2018〕[] 14号令公告第年\u200b深府(),。的通知\n",
    "orgs": "市区政府办公室委局国务院的由和、,。《》条例综合 \n各级",
    "periods": "0123456789一二十〇年月日号至到起-—~/.: \n\u200b去今上下全季度底初末旬同期“”五",
    "policies": "《》条例办法关于的通知示例市、,。(试行)\n根据日报“”",
    "quantities": "0123456789一二十百万亿第约近不超过以上至个条件%年月日.,-~ \n\u200b每“”成倍翻番多余",
}
HOSTILE = {
    "docnos": ["《", "〔2018", "号", "第1号", "国发〔2018〕1号、", "2018 1号", "令1号"],
    "orgs": ["政府", "局", "市", "委员会", "领导小组办公室", "关于", "关于市\n", "关于\n市的", "大学"],
    "periods": ["1", "年", "2018", "2018年", "2018年至", "1月", "1月1日至", "十", "2018-", "〔2018", "全年"],
    "policies": ["《", "》", "关于", "《关于", "根据", "》(简称", "的通知", "《甲办法》和", "《甲\n", "《\n"],
    "quantities": ["1", "(", "一", "百", "1,", "1,111,", "1.", "1-", "不超过", "第1、", "“1", "3个至", "约", "十万", "3 "],
}  # fmt: skip


@pytest.mark.parametrize("name", TAGGERS)
@given(data=st.data())
def test_spans_are_clean_and_disjoint(name: str, data: st.DataObject) -> None:
    view = fold(data.draw(st.text(alphabet=ALPHABETS[name], max_size=60)))
    mentions = TAGGERS[name](view)
    for mention in mentions:
        surface = view[mention.start : mention.end]
        assert surface == surface.strip(" \n\u200b") != ""
        # A title's marks may stand on lines of their own; nothing else crosses a line.
        assert mention.label == "POLICY" or "\n" not in surface
    assert all(a.end <= b.start for a, b in pairwise(mentions))


@pytest.mark.parametrize(
    ("name", "unit"), [(name, unit) for name, units in HOSTILE.items() for unit in units]
)
def test_hostile_input_costs_linear_time(name: str, unit: str) -> None:
    """Four times the text may take twelve times as long; a square would take sixteen."""

    def seconds(length: int) -> float:
        view = fold(unit * (length // len(unit)))
        start = time.process_time()
        TAGGERS[name](view)
        return time.process_time() - start

    seconds(1_000)
    short, long = min(seconds(10_000) for _ in range(3)), min(seconds(40_000) for _ in range(3))
    assert long < 12 * short + 0.05
