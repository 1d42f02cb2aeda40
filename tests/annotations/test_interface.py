"""The labelling interface offers exactly the scheme."""

from __future__ import annotations

from typing import get_args
from xml.etree import ElementTree

import pytest

from gongkai.show import LABELS
from gongkai.types import EntityLabel, RelationLabel
from gongkai_annotations import interface


def test_labels_and_relations_are_those_of_the_scheme() -> None:
    found = interface.read_interface(interface.interface_xml())
    assert found.labels == {("label", "text"): frozenset(get_args(EntityLabel))}
    assert found.relations == frozenset(get_args(RelationLabel))
    assert found.texts == {"before": "before", "text": "text", "after": "after"}
    assert interface.missing(interface.interface_xml()) == []


def test_every_label_has_a_colour_a_hotkey_and_its_chinese_name() -> None:
    labels = list(ElementTree.fromstring(interface.interface_xml()).iter("Label"))
    names = {label.get("alias"): label.get("value") for label in labels}
    assert names == {label: f"{label} {LABELS[label]}" for label in get_args(EntityLabel)}
    for attribute in ("hotkey", "background"):
        assert len({label.get(attribute) for label in labels}) == len(labels)


@pytest.mark.parametrize(
    ("cut", "lacking"),
    [
        ('alias="ORG"', ["label ORG"]),
        ('<Relation value="alias_of"/>', ["relation alias_of"]),
        ('value="$text"', ['<Text name="text" value="$text">']),
        ("</View>", ["well-formed XML"]),
    ],
)
def test_what_an_edited_interface_lacks(cut: str, lacking: list[str]) -> None:
    edited = interface.interface_xml()
    assert cut in edited
    assert interface.missing(edited.replace(cut, "")) == lacking
