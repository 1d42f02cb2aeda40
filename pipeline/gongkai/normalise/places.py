"""What the text around a phrase speaks of: the topics and the channels of publication that stand before it."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from gongkai.spans import IntervalIndex
from gongkai.types import Structure

_CLAUSE_ENDS = re.compile(r"[,;。:!?\n]")
_HEADING_SLACK = 4
"""Characters of a heading beside its number and title: brackets, spaces, 、."""
_REACH = 200
"""Characters of a clause that are looked back over: no real one is longer."""


class Place(NamedTuple):
    """Where a phrase stands.

    Attributes:
        topics: Nearest first: the last named before it in the sentence, that in the paragraph before, then the
            only one of each heading above; at the end the report's generation.
        near: Channels of publication named earlier in the clause.
        far: Channels named earlier in the sentence, else in the headings above.
    """

    topics: tuple[str, ...] = ()
    near: frozenset[str] = frozenset()
    far: frozenset[str] = frozenset()


NOWHERE = Place()


class _Told(NamedTuple):
    """What the cues of a document tell, left to right: where each ends, and its name."""

    ends: list[int]
    names: list[str]

    @classmethod
    def by(cls, cues: Cues, view: str) -> _Told:
        found = list(cues.find(view))
        return cls([end for _, end, _ in found], [name for *_, name in found])

    def last(self, start: int, end: int) -> list[str]:
        """The last name between two positions, if there is one; without a look at those before it."""
        place = bisect_right(self.ends, end) - 1
        return [self.names[place]] if place >= 0 and self.ends[place] > start else []

    def between(self, start: int, end: int) -> list[str]:
        """The names between two positions."""
        return self.names[bisect_right(self.ends, start) : bisect_right(self.ends, end)]


class Cues:
    """Finds the words that tell a topic or a channel.

    Args:
        patterns: Name → regular expressions over the folded view; where several match, the longest expression.
    """

    def __init__(self, patterns: Mapping[str, Sequence[str]]) -> None:
        self._patterns = sorted(
            ((re.compile(pattern), name) for name, each in patterns.items() for pattern in each),
            key=lambda cue: (-len(cue[0].pattern), cue[0].pattern),
        )
        # No groups: only alternatives that begin with a character are searched for by their first characters.
        self._regex = re.compile("|".join(pattern.pattern for pattern, _ in self._patterns))
        self._names: dict[str, str] = {}

    def find(self, view: str) -> Iterator[tuple[int, int, str]]:
        """Start, end and name of every cue, left to right."""
        for match in self._regex.finditer(view):
            yield match.start(), match.end(), self._name(match[0])

    def _name(self, words: str) -> str:
        if words not in self._names:
            self._names[words] = next(name for cue, name in self._patterns if cue.fullmatch(words))
        return self._names[words]


class Surroundings:
    """The places of one document.

    Args:
        view: Folded text.
        structure: Sentences, paragraphs and sections of the document.
        topics, channels: What tells them.
        generation: Topic that holds everywhere in this document: the generation of its form.
    """

    def __init__(
        self,
        view: str,
        structure: Structure,
        topics: Cues,
        channels: Cues,
        generation: str | None,
    ) -> None:
        self._clauses = [0, *(match.end() for match in _CLAUSE_ENDS.finditer(view))]
        self._topics = _Told.by(topics, view)
        self._channels = _Told.by(channels, view)
        self._sentences, self._sentence_at = structure.sentences, IntervalIndex(structure.sentences)
        self._paragraphs, self._paragraph_at = structure.paragraphs, IntervalIndex(structure.paragraphs)
        self._sections = structure.sections
        self._starts = [section.start for section in structure.sections]
        self._by_id = {section.id: section for section in structure.sections}
        self._generation = () if generation is None else (generation,)

    def at(self, start: int) -> Place:
        """The place of a phrase that starts there."""
        sentence = _start_of(self._sentence_at, self._sentences, start)
        paragraph = _start_of(self._paragraph_at, self._paragraphs, start)
        clause = max(sentence, self._clauses[bisect_right(self._clauses, start) - 1], start - _REACH)
        headings = list(self._headings(start))
        topics = [
            *self._topics.last(sentence, start),
            *self._topics.last(paragraph, sentence),
            *(topic for above in headings for topic in _only(self._topics.between(*above))),
        ]
        far = frozenset(self._channels.last(sentence, start))
        for above in headings:
            far = far or frozenset(_only(self._channels.between(*above)))
        return Place(
            topics=(*dict.fromkeys(topics), *self._generation),
            near=frozenset(self._channels.between(clause, start)),
            far=far,
        )

    def _headings(self, position: int) -> Iterator[tuple[int, int]]:
        """The headings above a position, the innermost first; of one that goes on past it, what stands before."""
        place = bisect_right(self._starts, position) - 1
        section = self._sections[place] if place >= 0 else None
        while section is not None:
            if section.title and section.start <= position < section.end:
                length = len(section.number or "") + len(section.title) + _HEADING_SLACK
                yield section.start, min(section.start + length, position)
            section = self._by_id.get(section.parent) if section.parent else None


def _start_of(index: IntervalIndex, spans: Sequence[tuple[int, int]], position: int) -> int:
    place = index.find(position)
    return position if place is None else spans[place][0]


def _only(names: Sequence[str]) -> Sequence[str]:
    """The names if they are all one: a heading that speaks of several topics decides nothing."""
    return names[:1] if len(set(names)) == 1 else ()
