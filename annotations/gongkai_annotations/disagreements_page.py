"""Agreement and disagreements as one self-contained page: no script, no external resource.

Whatever the documents say is escaped, and a content security policy forbids the page to load or run anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from string import Template

from gongkai import __version__
from gongkai.show.html import write_text

from .agreement import Counts, Key
from .alpha import Alpha
from .disagreements import KINDS, Disagreement, cut, one_line


def page(
    counts: Counts, alpha: Alpha, found: Iterable[tuple[Disagreement, str]], sides: tuple[str, str]
) -> str:
    """The page.

    Args:
        found: Each disagreement with the text of its document, documents together.
        sides: What the two sides are called; where there are more, a document's heading names its pair.
    """
    listed = list(found)
    template = Template(files("gongkai_annotations").joinpath("disagreements.html").read_text("utf-8"))
    return template.substitute(
        first=_html(sides[0]),
        second=_html(sides[1]),
        rows="\n".join(_row(counts, alpha, label) for label in counts.labels),
        kinds="\n".join(_switch(kind, listed) for kind in KINDS),
        documents="\n".join(
            _document(heading, list(some))
            for heading, some in groupby(listed, key=lambda pair: _heading(pair[0], sides))
        )
        or '<p class="none">两份标注完全一致。</p>',
        version=_html(__version__),
    )


def write_page(
    out: Path,
    counts: Counts,
    alpha: Alpha,
    found: Iterable[tuple[Disagreement, str]],
    sides: tuple[str, str],
    *,
    force: bool = False,
) -> None:
    """Write the page.

    Raises:
        OutputError: `out` exists and `force` is not given, or it cannot be written.
    """
    write_text(page(counts, alpha, found, sides), out, force=force)


def _html(text: str) -> str:
    return escape(one_line(text), quote=True)


def _shown(score: float | None) -> str:
    return "–" if score is None else f"{score:.3f}"


def _row(counts: Counts, alpha: Alpha, label: str) -> str:
    numbers = counts.both[label], counts.first_only[label], counts.second_only[label]
    reliability = "" if label.islower() else _shown(alpha.of(label))
    cells = [*(f"{number:,}" for number in numbers), _shown(counts.f1(label)), reliability]
    return f"<tr><th>{_html(label)}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _switch(kind: str, listed: Sequence[tuple[Disagreement, str]]) -> str:
    count = sum(found.kind == kind for found, _ in listed)
    return f'<label><input type="checkbox" id="show-{kind}" checked> {_KIND_NAMES[kind]} <b>{count:,}</b></label>'


_KIND_NAMES = {
    "label": "同处异标",
    "boundary": "边界不同",
    "first_only": "仅前者",
    "second_only": "仅后者",
}


def _heading(found: Disagreement, sides: tuple[str, str]) -> str:
    pair = "" if found.between in (sides, ("first", "second")) else f" · {' / '.join(found.between)}"
    return f"{found.document}{pair}"


def _document(name: str, some: Sequence[tuple[Disagreement, str]]) -> str:
    entries = "\n".join(_entry(found, text) for found, text in some)
    return f"<section><h2>{_html(name)} <small>{len(some):,}</small></h2>\n<ol>\n{entries}\n</ol></section>"


def _entry(found: Disagreement, text: str) -> str:
    labels = " / ".join(dict.fromkeys(key[0] for key in found.sides))
    sides = "".join(
        f'<p class="{side}"><b>{_html(key[0])}</b> {_sentence(found, key, text)}</p>'
        for side, key in (("first", found.first), ("second", found.second))
        if key is not None
    )
    return f'<li class="{found.kind}"><h3>{_KIND_NAMES[found.kind]} <code>{_html(labels)}</code></h3>{sides}</li>'


def _sentence(found: Disagreement, key: Key, text: str) -> str:
    return "".join(
        f'<mark class="{role}">{_html(piece)}</mark>' if role else _html(piece)
        for role, piece in cut(text, key, found.context)
    )
