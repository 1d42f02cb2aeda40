"""Names and kinds of documents."""

from __future__ import annotations

import pytest

from gongkai.normalise.policies import normalise_policy


@pytest.mark.parametrize(
    ("surface", "name", "kind"),
    [
        ("《中华人民共和国政府信息公开条例》", "中华人民共和国政府信息公开条例", "条例"),
        ("《中華人民共和國政府信息公開條例》", "中华人民共和国政府信息公开条例", "条例"),
        ("《示例市公园管理办法（试行）》", "示例市公园管理办法(试行)", "办法"),
        ("示例市公园管理办法》", "示例市公园管理办法", "办法"),
        ("示例市2021年政务公开工作要点", "示例市2021年政务公开工作要点", "要点"),
        ("《关于印发〈甲方案〉的通知》", "关于印发〈甲方案〉的通知", "通知"),
        ("《公园建设新思路》", "公园建设新思路", None),
        ("《", "", None),
    ],
)
def test_name_and_kind(surface: str, name: str, kind: str | None) -> None:
    norm = normalise_policy(surface)
    assert (norm.name, norm.kind) == (name, kind)
