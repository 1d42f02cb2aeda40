"""The labelling interface of a Label Studio project: where ours lies, and what one offers.

A project may differ from ours in looks; what matters is that our labels and relations can be set on our text.
"""

from __future__ import annotations

from pathlib import Path
from typing import get_args
from xml.etree import ElementTree

import msgspec

from gongkai.types import EntityLabel, RelationLabel

LABELS = "label"
TEXT = "text"
VERDICT = "verdict"
NOTE = "note"
REJECT = "reject"
"""Names in `interface.xml`, which tasks, predictions and annotations refer to."""

_PACKAGE = Path(__file__).resolve().parent


class Interface(msgspec.Struct, frozen=True):
    """What a labelling interface offers: (name, name of the text it labels) → values; relations."""

    labels: dict[tuple[str, str], frozenset[str]]
    texts: dict[str, str]
    relations: frozenset[str]


def interface_xml() -> str:
    """Our interface: `annotations/label_studio/interface.xml`, in a wheel beside this module."""
    packaged = _PACKAGE / "label_studio"
    folder = packaged if packaged.is_dir() else _PACKAGE.parent / "label_studio"
    return (folder / "interface.xml").read_text(encoding="utf-8")


def read_interface(xml: str) -> Interface:
    """What an interface offers.

    Raises:
        ElementTree.ParseError: It is no XML.
    """
    root = ElementTree.fromstring(xml)
    labels = {
        (tag.get("name", ""), tag.get("toName", "")): _values(tag, "Label") for tag in root.iter("Labels")
    }
    texts = {tag.get("name", ""): tag.get("value", "").removeprefix("$") for tag in root.iter("Text")}
    relations = frozenset(value for tag in root.iter("Relations") for value in _values(tag, "Relation"))
    return Interface(labels=labels, texts=texts, relations=relations)


def missing(xml: str) -> list[str]:
    """What a project's interface lacks of ours, in words; empty where it will do."""
    try:
        found = read_interface(xml)
    except ElementTree.ParseError:
        return ["well-formed XML"]
    lacks = []
    if found.texts.get(TEXT) != TEXT:
        lacks.append(f'<Text name="{TEXT}" value="${TEXT}">')
    offered = found.labels.get((LABELS, TEXT))
    if offered is None:
        lacks.append(f'<Labels name="{LABELS}" toName="{TEXT}">')
    lacks += [f"label {label}" for label in get_args(EntityLabel) if label not in (offered or frozenset())]
    lacks += [f"relation {label}" for label in get_args(RelationLabel) if label not in found.relations]
    return lacks


def _values(tag: ElementTree.Element, child: str) -> frozenset[str]:
    return frozenset(each.get("alias") or each.get("value") or "" for each in tag.iter(child))
