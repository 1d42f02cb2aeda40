"""Relations of citation: which number, which issuer and which short form belong to a document's name."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from gongkai.spans import IntervalIndex
from gongkai.types import Entity, EntityLabel, Relation

_FAR = 80
"""No pattern between two mentions is longer than this."""
_NOTE = r"[ \u200b]*[(\[〔]?[ \u200b]*"
_NUMBER_AFTER = re.compile(
    rf"{_NOTE}(?:[^()《》。;\n]{{0,20}}?(?:文号|字号|编号|[,、:])[ \u200b]*)?(?:[\u3400-\u9fff、 ]{{0,16}})?"
)
_NUMBER_BELOW = re.compile(r"[)\]〕]?\s{1,8}(?:(?:发?文字?号|文号)[:：]?)?[(\[]?\s*")
_NUMBER_BEFORE = re.compile(r"[ \u200b)\]〕]{0,2}(?:文件?|号文)?(?:印发|发布|下发|公布)?的?[ \u200b:,]?")
_LONGEST_LINE = 120
_MOST_TITLE_LINES = 4
_BLANKS = str.maketrans("", "", " \u200b")
_AND = re.compile(r"[ \u200b]*(?:[、,;和与及]|以及)?[ \u200b]*")
_LISTED = re.compile(r"[ \u200b]*(?:[、和与及]|以及)?[ \u200b]*")
"""A comma begins another clause, whose documents and bodies are its own."""
_DEFINES = re.compile(r"[ \u200b]*[(,\[][^。;《》\n]{0,60}?(?:简称|下称|统称)(?:为|作)?[: \u200b]*[“‘]?")
_ISSUES = (
    r"(?:联合|共同|正式|先后|陆续|及时|专门|研究|重新)?"
    r"(?:印发|发布|出台|下发|制定|制订|颁布|颁发|制发|公布|修订|编制)"
    r"(?:印发|发布|实施|出台|下发)?(?:了|的|并实施)?"
)
_ISSUED = re.compile(
    rf"[ \u200b]*(?:于?(?:\d{{4}}年|今年|去年)?(?:\d{{1,2}}月)?(?:\d{{1,2}}日)?{_ISSUES}|的)?[ \u200b:]*"
)
_BY = re.compile(r"[ \u200b]*(?:已|均|是)?由")
_ISSUES_AFTER = re.compile(rf"[ \u200b]*{_ISSUES}")


def relate_citations(
    view: str, entities: Sequence[Entity], sentences: Sequence[tuple[int, int]]
) -> list[Relation]:
    """number_of, issued_by and alias_of relations among the entities of a document.

    Args:
        view: The folded view of the document's text.
        entities: Its entities; other labels than POLICY, DOCNO and ORG are passed over.
        sentences: Its sentences; an issuer stands in the sentence of the document that it issued.
    """
    citations = _Citations(view, entities, sentences)
    aliases = citations.aliases()
    full = {alias.head: alias.tail for alias in aliases}
    return [*citations.numbers(full), *citations.issuers(), *aliases]


class _Citations:
    """The mentions of one document, in text order, with what stands between them."""

    def __init__(self, view: str, entities: Sequence[Entity], sentences: Sequence[tuple[int, int]]) -> None:
        self.view = view
        self.policies = _of(entities, "POLICY")
        self.docnos = _of(entities, "DOCNO")
        self.orgs = _of(entities, "ORG")
        self._policy_starts = [policy.start for policy in self.policies]
        self._policy_ends = [policy.end for policy in self.policies]
        self._docno_starts = [docno.start for docno in self.docnos]
        self._sentences = IntervalIndex(sentences)
        self._by_name = {self._name(policy).translate(_BLANKS): policy for policy in reversed(self.policies)}

    def numbers(self, full: dict[str, str]) -> Iterator[Relation]:
        """number_of: behind the name, in a list behind a list of names, below a title, or before the name."""
        taken: set[str] = set()
        group: list[Entity] = []
        for docno in self.docnos:
            if group and self._joined(group[-1], docno, _AND):
                group.append(docno)
                continue
            yield from self._numbers_of_group(group, full, taken)
            group = [docno]
        yield from self._numbers_of_group(group, full, taken)

    def _numbers_of_group(
        self, group: list[Entity], full: dict[str, str], taken: set[str]
    ) -> Iterator[Relation]:
        if not group:
            return
        if names := self._names_before(group[0]):
            yield from self._pair(group, names, full, taken)
            return
        if (title := self._title_over_lines(group[0])) is not None:
            yield _relation("number_of", group[0], title.id, "number_below_broken_title", 0.9)
            return
        follower = self._name_after(group[-1])
        if follower is not None and follower.id not in taken:
            taken.add(follower.id)
            yield _relation("number_of", group[-1], follower.id, "number_before_name", 0.9)

    def _pair(
        self, group: list[Entity], names: list[Entity], full: dict[str, str], taken: set[str]
    ) -> Iterator[Relation]:
        """Each number to its name if there are as many of both, else every number to the last name."""
        heads = names[-len(group) :] if len(names) >= len(group) else names[-1:] * len(group)
        for docno, name in zip(group, heads, strict=True):
            target = full.get(name.id, name.id)
            taken.add(target)
            rule = "number_in_list" if len(group) > 1 else "number_behind_name"
            yield _relation("number_of", docno, target, rule, 0.97 if len(group) == 1 else 0.9)

    def _names_before(self, docno: Entity) -> list[Entity]:
        """The name right before a number, with the names that it is listed with."""
        index = bisect_right(self._policy_ends, docno.start) - 1
        if index < 0:
            return []
        name = self.policies[index]
        if not (self._joined(name, docno, _NUMBER_AFTER) or self._below(name, docno)):
            return []
        names = [name]
        while index > 0 and self._joined(self.policies[index - 1], names[0], _AND):
            index -= 1
            names.insert(0, self.policies[index])
            if len(names) > 8:
                break
        return names

    def _below(self, name: Entity, docno: Entity) -> bool:
        """Whether the number is the line under a title that fills its own line."""
        if not self._joined(name, docno, _NUMBER_BELOW) or "\n" not in self.view[name.end : docno.start]:
            return False
        after = self.view[docno.end : docno.end + 12].lstrip(" \u200b)]〕")
        line = self.view[self.view.rfind("\n", 0, name.start) + 1 : name.start]
        return (not after or not "\u3400" <= after[0] <= "\u9fff") or len(line.strip()) <= 6

    def _title_over_lines(self, docno: Entity) -> Entity | None:
        """The mention of the title that stands broken over the lines above a number on its own line."""
        end = self.view.rfind("\n", 0, docno.start)
        if end < 0 or self.view[end + 1 : docno.start].strip(" \u200b(["):
            return None
        title = ""
        for _ in range(_MOST_TITLE_LINES):
            start = self.view.rfind("\n", max(0, end - _LONGEST_LINE), end) + 1
            if start == 0 and end > _LONGEST_LINE:
                return None
            title = self.view[start:end].translate(_BLANKS) + title
            if named := self._by_name.get(title):
                return named
            end = start - 1
            if end < 0:
                return None
        return None

    def _name_after(self, docno: Entity) -> Entity | None:
        index = bisect_left(self._policy_starts, docno.end)
        if index == len(self.policies):
            return None
        name = self.policies[index]
        return name if self._joined(docno, name, _NUMBER_BEFORE) else None

    def issuers(self) -> Iterator[Relation]:
        """issued_by: the bodies right before a name or before its verb of issuing, or behind it after 由.

        A body that passes a document on (转发) has not issued it.
        """
        ends = [org.end for org in self.orgs]
        starts = [org.start for org in self.orgs]
        previous: Entity | None = None
        bodies: list[Entity] = []
        for policy in self.policies:
            own = self._bodies_before(policy, bisect_right(ends, policy.start) - 1)
            own = own or self._body_after(policy, bisect_left(starts, policy.end))
            listed = previous is not None and self._joined(previous, policy, _LISTED)
            bodies = own or (bodies if listed else [])
            for body in bodies:
                yield _relation("issued_by", policy, body.id, "issuer_named", 0.92 if own else 0.8)
            previous = policy

    def _bodies_before(self, policy: Entity, index: int) -> list[Entity]:
        if index < 0:
            return []
        body = self.orgs[index]
        if not self._same_sentence(body, policy) or not _ISSUED.fullmatch(self._between(body, policy)):
            return []
        bodies = [body]
        while index > 0 and self._joined(self.orgs[index - 1], bodies[-1], _LISTED) and len(bodies) < 8:
            index -= 1
            bodies.append(self.orgs[index])
        return bodies[::-1]

    def _body_after(self, policy: Entity, index: int) -> list[Entity]:
        if index == len(self.orgs) or not self._joined(policy, self.orgs[index], _BY):
            return []
        body = self.orgs[index]
        return [body] if _ISSUES_AFTER.match(self.view, body.end) else []

    def aliases(self) -> list[Relation]:
        """alias_of: a short form in its definition, and each later mention of it."""
        defined: dict[str, Entity] = {}
        found: list[Relation] = []
        previous: Entity | None = None
        for policy in self.policies:
            name = self._name(policy)
            if previous is not None and self._joined(previous, policy, _DEFINES):
                defined[name] = previous
                found.append(_relation("alias_of", policy, previous.id, "alias_defined", 0.97))
            elif full := defined.get(name):
                found.append(_relation("alias_of", policy, full.id, "alias_mentioned", 0.95))
            previous = policy
        return found

    def _name(self, policy: Entity) -> str:
        return self.view[policy.start : policy.end].strip("《》“”‘’")

    def _between(self, left: Entity, right: Entity) -> str:
        """What stands between two mentions, without the document numbers there (and their brackets)."""
        if right.start - left.end > _FAR:
            return "\n"
        pieces, at = [], left.end
        index = bisect_left(self._docno_starts, left.end)
        while index < len(self.docnos) and self.docnos[index].end <= right.start:
            docno = self.docnos[index]
            pieces.append(self.view[at : docno.start].rstrip("(["))
            at = docno.end + (self.view[docno.end : docno.end + 1] in (")", "]"))
            index += 1
        pieces.append(self.view[at : right.start])
        return "".join(pieces)

    def _joined(self, left: Entity, right: Entity, pattern: re.Pattern[str]) -> bool:
        if not 0 <= right.start - left.end <= _FAR:
            return False
        return pattern.fullmatch(self.view, left.end, right.start) is not None

    def _same_sentence(self, a: Entity, b: Entity) -> bool:
        return self._sentences.find(a.start) == self._sentences.find(b.start)


def _of(entities: Sequence[Entity], label: EntityLabel) -> list[Entity]:
    return sorted((entity for entity in entities if entity.label == label), key=lambda entity: entity.start)


def _relation(label: str, head: Entity, tail: str, rule: str, score: float) -> Relation:
    return Relation(label=label, head=head.id, tail=tail, score=score, by=f"rule:citation.{rule}")  # type: ignore[arg-type]
