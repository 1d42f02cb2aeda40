"""The standard forms' labels and their keys."""

from __future__ import annotations

import pytest

from gongkai.structure.forms import form_indexes, known_keys, label_key, load_forms


@pytest.mark.parametrize(
    ("label", "key"),
    [
        ("一、本年新收政府信息公开申请数量", "本年新收政府信息公开申请数量"),
        ("（一）予以公开", "予以公开"),
        ("（一予以公开", "予以公开"),
        ("1．属于国家秘密", "属于国家秘密"),
        ("1属于国家秘密", "属于国家秘密"),
        ("（1）属于国家秘密", "属于国家秘密"),
        ("①属于国家秘密", "属于国家秘密"),
        ("3.危及「三安全一稳定」", "危及三安全一稳定"),
        ("總\u200b 計", "总计"),
        ("其中：主动公开规范性文件数", "主动公开规范性文件数"),
        ("本年收费金额（单位：万元）", "本年收费金额"),
        ("網際網路申請數", "互联网申请数"),
        ("三类内部事务", "三类内部事务"),
    ],
)
def test_key_of_a_label(label: str, key: str) -> None:
    assert label_key(label) == key


def test_every_row_of_the_forms_is_found_by_its_own_label() -> None:
    for form in load_forms():
        keys = [label_key(label) for row in form.rows for label in row.labels]
        assert all(keys), form.form
        assert all(len(row.metrics) == len(row.columns) for row in form.rows)


@pytest.mark.parametrize(
    ("form", "label", "row"),
    [
        ("C.3", "（一）予以公开", "予以公开"),
        ("C.3", "不予公开属于国家秘密", "属于国家秘密"),
        ("C.3", "没有现成信息需另行制作", "没有现成信息需要另行制作"),
        ("C.3", "不属于国家秘密", None),
        ("C.3", "自然人", None),
        ("C.4", "结果维持", None),
    ],
)
def test_row_of_a_label(form: str, label: str, row: str | None) -> None:
    index = form_indexes()[form]
    found = index.find_rows(label_key(label))
    assert [index.form.rows[number].labels[0] for number in found] == ([row] if row else [])


def test_families_of_a_label() -> None:
    known = known_keys()
    assert known["收到申请数"] == {"A"}
    assert known["行政许可"] == {"2"}
    assert known["总计"] == {"3", "4"}
    assert "" not in known
