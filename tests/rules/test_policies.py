"""Names of documents: nesting, lost marks."""

from __future__ import annotations

import pytest

from gongkai.rules.policies import tag_policies
from gongkai.text import fold


def texts(text: str) -> list[str]:
    return [text[m.start : m.end] for m in tag_policies(fold(text))]


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
