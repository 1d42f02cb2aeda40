"""Names of documents: nesting, lost marks."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gongkai.rules.policies import tag_policies
from gongkai.text import fold


def texts(text: str) -> list[str]:
    return [text[m.start : m.end] for m in tag_policies(fold(text))]


@given(st.text(alphabet="《》条例办法关于的通知示例市、,。(试行)\n根据日报“”", max_size=60))
def test_spans_are_ordered_disjoint_and_without_outer_space(text: str) -> None:
    view = fold(text)
    mentions = tag_policies(view)
    for mention in mentions:
        assert 0 <= mention.start < mention.end <= len(view)
        assert not view[mention.start : mention.end].startswith((" ", "\u200b", "\n"))
        assert not view[mention.start : mention.end].endswith((" ", "\u200b", "\n"))
        assert "\n" not in view[mention.start : mention.end]
    assert all(a.end <= b.start for a, b in pairwise(mentions))


@pytest.mark.parametrize("unit", ["《", "》", "关于", "《关于", "根据", "》(简称", "的通知", "《甲办法》和"])
def test_hostile_input_costs_linear_time(unit: str) -> None:
    tag_policies(fold(unit))
    short, long = (fold(unit * (size // len(unit))) for size in (5_000, 20_000))
    assert _seconds(long) < 12 * _seconds(short) + 0.1


def _seconds(view: str) -> float:
    start = time.process_time()
    tag_policies(view)
    return time.process_time() - start


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("根据《甲条例》《乙办法》《丙》", ["《甲条例》", "《乙办法》", "《丙》"]),
        ("《关于印发〈甲方案〉的通知》", ["《关于印发〈甲方案〉的通知》"]),
        ("《甲日报》《乙晚报》刊登", []),
        ("《示例市人民政府公报》12期", []),
        ("根据《中華人民共和國政府信息公開條例》", ["《中華人民共和國政府信息公開條例》"]),
        ("《甲条例》（以下简称“条例”）", ["《甲条例》", "条例"]),
    ],
)
def test_titles_in_a_sentence(text: str, expected: list[str]) -> None:
    assert texts(text) == expected


@pytest.mark.parametrize("name", ["行政许可法", "国务院示例改革方案"])
def test_a_name_on_a_line_of_its_own_between_its_marks(name: str) -> None:
    text = f"认真实施《\n{name}\n》，取消审批事项。"
    (mention,) = tag_policies(fold(text))
    assert text[mention.start : mention.end] == f"《\n{name}\n》"
