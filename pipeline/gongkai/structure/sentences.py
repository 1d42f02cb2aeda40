"""Sentences of the folded view."""

from __future__ import annotations

import re

_WHITE = r"[\s\u200b]*+"

# Whatever opens here and closes in reach is passed over as one. Every look-ahead is bounded and stops at the
# next mark of its own kind, so that open marks, however many, cost no more than one reading for each kind;
# and every alternative begins with a literal, so that the engine skips plain text at full speed.
_EVENT = re.compile(
    rf"""
    (?P<quoted> “[^“”\n]{{0,200}}+” (?<=。”) (?![,;:、)》的等]) {_WHITE} )
  | “[^“”\n]{{0,200}}+”
  | "[^"\n]{{0,100}}+"
  | ‘[^‘’\n]{{0,100}}+’
  | 《[^《》\n]{{0,120}}+ (?:《[^《》\n]{{0,80}}+》[^《》\n]{{0,80}}+){{0,3}}+
      (?:\n[^《》\n]{{0,80}}+ (?:《[^《》\n]{{0,80}}+》[^《》\n]{{0,80}}+){{0,2}}+ )?+ 》
  | \([^()\n]{{0,200}}+ (?:\([^()\n]{{0,100}}+\)[^()\n]{{0,200}}+){{0,3}}+ \)
  | 〔[^〔〕\n]{{0,20}}+〕
  | (?P<end> 。[。!?]*+ [”’》)〕】]*+ {_WHITE}
           | [!?](?![A-Za-z0-9=&/]) [。!?]*+ [”’》)〕】]*+ {_WHITE}
           | \n {_WHITE} )
  | (?P<stop> \. (?:\s{_WHITE} | \Z) )
    """,
    re.VERBOSE,
)
_FIRST = re.compile(r"[^\s\u200b]")
_BEFORE_STOP = re.compile(r"[\u3400-\u9fff》”)]")
_NUMBERING = re.compile(r"(?<![\u3400-\u9fff])(?:{0}|\({0}\))\Z".format("[一二三四五六七八九十]{1,3}"))
_LONGEST_NUMBERING = 5


def split(view: str) -> tuple[tuple[int, int], ...]:
    """Sentences as (start, end), in order; together they tile the view.

    A sentence ends at 。 ! ? (with the closing marks after it), at a line break, and at an ASCII full stop
    that follows Chinese and stands before white space; not at ; for relations work across it. It never ends
    within 《》 (which may be wrapped over one line break), within quotes or brackets that close in the same
    line within 200 characters, within a document number, a decimal, or numbering (`1.`, `一. `). A quotation
    that ends in 。” ends its sentence unless the sentence goes on behind it. White space belongs to the
    sentence before it; what stands before the first sentence belongs to the first.

    >>> split("共收到申请3件。均已答复;\\n一. 无。")
    ((0, 8), (8, 14), (14, 19))
    """
    first = _FIRST.search(view)
    if first is None:
        return ((0, len(view)),) if view else ()
    ends = [match.end() for match in _EVENT.finditer(view, first.start()) if _ends_sentence(view, match)]
    if not ends or ends[-1] < len(view):
        ends.append(len(view))
    return tuple(zip([0, *ends[:-1]], ends, strict=True))


def _ends_sentence(view: str, event: re.Match[str]) -> bool:
    if event.lastgroup != "stop":
        return event.lastgroup is not None
    if "\n" in event[0]:
        return True
    stop = event.start()
    if not _BEFORE_STOP.match(view, stop - 1):
        return False
    return not _NUMBERING.search(view, max(0, stop - _LONGEST_NUMBERING), stop)
