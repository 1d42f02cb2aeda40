"""HTML source to an element tree, with sizes of all its parts, safely for any input."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from lxml import etree  # type: ignore[import-untyped]

from gongkai.ingest.page import load_page

Element = Any
"""An lxml element (lxml ships no types)."""

# fmt: off
SKIPPED = frozenset((
    "script", "style", "noscript", "template", "head", "title", "meta", "link", "iframe", "object", "embed",
    "applet", "svg", "canvas", "audio", "video", "map", "select", "option", "button", "input", "textarea",
    "datalist",
))
# fmt: on
# fmt: off
_NEVER_DEEP = frozenset((
    "p", "li", "td", "th", "tr", "tbody", "thead", "tfoot", "option", "a", "br", "hr", "img", "input",
    "meta", "link", "col", "area", "base", "wbr",
))
# fmt: on
"""Empty elements, and those that libxml2 closes itself before the next of their kind."""
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)[^<>]*>")
_DEEPEST = 400
_LONGEST_NAMES = 500
_HIDDEN = re.compile(r"(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.I)
_BOILERPLATE_TAGS = frozenset({"nav", "footer", "aside"})


class Size(msgspec.Struct):
    """Characters of an element that are not white space: all, within links, within tables right below.

    `heading` and `content` say whether it holds an h1, or an element named as the document's.
    """

    chars: int = 0
    linked: int = 0
    tabled: int = 0
    heading: bool = False
    content: bool = False

    @property
    def unlinked(self) -> int:
        return self.chars - self.linked


def parse(source: str) -> Element | None:
    """The page's body and head under one root; None if there is no element at all.

    libxml2 gives up below 2,048 levels and would lose the rest of the page, so tags that nest deeper than
    any real page are taken out first (a browser flattens them too). Cost is linear in the source.
    """
    parser = etree.HTMLParser(encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True)
    clean = _flattened(source.replace("\0", "")).encode("utf-8", "replace")
    try:
        return etree.fromstring(clean, parser)
    except etree.XMLSyntaxError:
        return None


def _flattened(source: str) -> str:
    depth = 0
    deepest = 0
    for match in _TAG.finditer(source):
        if match[2].lower() not in _NEVER_DEEP:
            depth = max(0, depth - 1) if match[1] else depth + 1
            deepest = max(deepest, depth)
    return _TAG.sub(_Flattener(), source) if deepest > _DEEPEST else source


class _Flattener:
    """Replaces the tags below the deepest level allowed by line breaks."""

    def __init__(self) -> None:
        self._depth = 0

    def __call__(self, match: re.Match[str]) -> str:
        if match[2].lower() in _NEVER_DEEP:
            return match[0]
        if match[1]:
            self._depth = max(0, self._depth - 1)
            return match[0] if self._depth < _DEEPEST else "<br>"
        self._depth += 1
        return match[0] if self._depth <= _DEEPEST else "<br>"


def names_of(element: Element) -> list[str]:
    """Names of id and class, lower case."""
    own_id, own_class = element.get("id"), element.get("class")
    if own_id is None and own_class is None:
        return []
    names = f"{own_id or ''} {own_class or ''}"
    return names.lower().split() if len(names) < _LONGEST_NAMES else []


def measure(body: Element, dropped: set[Element]) -> dict[Element, Size]:
    """Size of every element, dropped ones counting nothing."""
    content_names = load_page().content
    sizes: dict[Element, Size] = {}
    for element in reversed(list(body.iter())):
        size = Size()
        sizes[element] = size
        if element in dropped or element.tag in SKIPPED:
            continue
        size.chars = _count(element.text)
        size.heading = element.tag == "h1"
        size.content = any(name in content_names for name in names_of(element))
        for child in element:
            _add(size, child, sizes[child])
        if element.tag == "a" and element.get("href") is not None:
            size.linked = size.chars
    return sizes


def _add(size: Size, child: Element, part: Size) -> None:
    size.chars += part.chars + _count(child.tail)
    size.linked += part.linked
    size.tabled += part.chars if child.tag == "table" else part.tabled
    size.heading = size.heading or part.heading
    size.content = size.content or part.content


def _count(text: str | None) -> int:
    return sum(map(len, text.split())) if text else 0


def boilerplate(body: Element, sizes: dict[Element, Size]) -> set[Element]:
    """Elements that are hidden, or by their tag or names are never the document.

    One that holds the document's named element, a heading or a third of the page's text is kept: names
    lie. A hidden one is kept if it holds half of the text (some pages show their content by script).
    """
    found: set[Element] = set()
    total = max(sizes[body].chars, 1)
    walker = etree.iterwalk(body, events=("start",))
    for _, element in walker:
        if element is body:
            continue
        size = sizes[element]
        hidden = _is_hidden(element) and size.chars * 2 < total
        named = size.chars * 3 < total and not (size.heading or size.content) and _is_boilerplate(element)
        if hidden or named:
            found.add(element)
            walker.skip_subtree()
    return found


def _is_hidden(element: Element) -> bool:
    return element.get("hidden") is not None or _HIDDEN.search(element.get("style", "")) is not None


def _is_boilerplate(element: Element) -> bool:
    if element.tag in _BOILERPLATE_TAGS or element.get("role") == "navigation":
        return True
    pattern = load_page().element
    return any(pattern.fullmatch(name) for name in names_of(element) if len(name) < 40)
