"""Bodies: boundaries, what is part of something longer."""

from __future__ import annotations

import pytest

from gongkai.rules.orgs import tag_orgs
from gongkai.text import fold


def texts(text: str) -> list[str]:
    return [text[m.start : m.end] for m in tag_orgs(fold(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("市委市政府", ["市委", "市政府"]),
        ("党中央、国务院", ["党中央", "国务院"]),
        ("市教育和体育局、区财政局和审计局", ["市教育和体育局", "区财政局", "审计局"]),
        ("《示例市政府公园管理办法》", []),
        ("示例市人民政府办公室示府办〔2018〕14号", ["示例市人民政府办公室"]),
        ("报告《示例区管委会工作报告》", ["示例区管委会"]),
        ("示例市人民政府关于2018年度\n公园建设奖励的决定\n各区", []),
        ("国务院关于2018年度\n公园建设要求很高。报市政府", ["国务院", "市政府"]),
        ("支持区政府、监督县委和公示市政府文件", ["区政府", "县委", "市政府"]),
        ("市监督管理局、县提案办理工作领导小组", ["市监督管理局", "县提案办理工作领导小组"]),
        ("各部门、各镇街、有关单位、各级政府", []),
        ("省、市政府网站和政府在线", []),
        ("向省人民政府辦公廳報告", ["省人民政府辦公廳"]),
        ("年初，镇政府印发、各乡镇政府落实", ["镇政府"]),
        ("示例市图书馆（以下简称“本市馆”）。本市馆网站、本市馆印发", ["示例市图书馆", "本市馆", "本市馆"]),
        ("示例市园林局（以下简称市局）印发，各市局落实", ["示例市园林局", "市局"]),
    ],
)
def test_bodies_in_a_sentence(text: str, expected: list[str]) -> None:
    assert texts(text) == expected
