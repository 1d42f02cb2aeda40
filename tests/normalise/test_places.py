"""What the text around a phrase speaks of."""

from __future__ import annotations

import pytest

from gongkai.normalise.metrics import load_matcher
from gongkai.normalise.places import Place
from gongkai.structure import analyse
from gongkai.text import fold
from gongkai.types import Document, Source


def place_of(phrase: str, text: str) -> Place:
    """The place of the last `phrase` of a document."""
    document, view = Document(id="a", text=text, source=Source()), fold(text)
    surroundings = load_matcher().surroundings(view, analyse(document, view))
    return surroundings.at(view.rindex(phrase))


HEADED = "某区2020年政府信息公开工作年度报告\n一、依申请公开情况\n"


@pytest.mark.parametrize(
    ("phrase", "text", "topics"),
    [
        ("维持", "收到申请3件。行政复议2件，其中维持1件。", ("reconsideration", "requests")),
        ("维持", "行政复议2件，行政诉讼3件，维持1件。", ("litigation",)),
        ("维持", "行政复议申请2件，维持1件。", ("reconsideration",)),
        ("维持", "未经复议直接起诉2件，维持1件。", ("litigation.direct",)),
        ("维持", "未经复议直接起诉2件，复议后起诉1件，维持3件。", ("litigation",)),
        ("延期", HEADED + "全年没有延期的。", ("requests", "since_2019")),
        ("延期", HEADED + "设有热线。\n全年没有延期的。", ("requests", "since_2019")),
        ("维持", "某区2020年政府信息公开工作年度报告\n一、行政复议、诉讼情况\n维持1件。", ("since_2019",)),
        ("延期", "延期1件。收到申请3件。", ()),
    ],
)
def test_topics_nearest_first(phrase: str, text: str, topics: tuple[str, ...]) -> None:
    assert place_of(phrase, text).topics == topics


@pytest.mark.parametrize(
    ("text", "near", "far"),
    [
        ("在门户网站发布信息3条。", {"disclosure.website"}, {"disclosure.website"}),
        ("开通政务微博，粉丝3万人，发布信息3条。", set(), {"disclosure.weibo"}),
        ("开通政务微博。发布信息3条。", set(), set()),
        ("通过网站、微信发布信息3条。", {"disclosure.website", "disclosure.wechat"}, {"disclosure.wechat"}),
        ("发布信息3条，网站2条。", set(), set()),
    ],
)
def test_channels_of_the_clause_and_of_the_sentence(text: str, near: set[str], far: set[str]) -> None:
    place = place_of("发布信息", text)
    assert (place.near, place.far) == (near, far)
