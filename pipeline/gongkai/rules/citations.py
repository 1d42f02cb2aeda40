"""Relations of citation: which number, which issuer and which short form belong to a document's name."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from gongkai.rules.cues import Cues, load_cues
from gongkai.spans import IntervalIndex
from gongkai.types import Entity, EntityLabel, Relation

_FAR = 80
"""No pattern between two mentions is longer than this."""
_LONGEST_LINE = 120
_MOST_TITLE_LINES = 4
_MOST_LISTED = 8
_TELLING = 20
"""Characters before a subject that say whether it begins its sentence."""
_BLANKS = str.maketrans("", "", " \u200b")


def relate_citations(
    view: str, entities: Sequence[Entity], sentences: Sequence[tuple[int, int]]
) -> list[Relation]:
    """number_of, issued_by and alias_of relations among the entities of a document.

    Args:
        view: The folded view of the document's text.
        entities: Its entities; other labels than POLICY, DOCNO and ORG are passed over.
        sentences: Its sentences; an issuer stands in the sentence of the document that it issued.
    """
    citations = _Citations(view, entities, sentences, load_cues())
    aliases = citations.aliases()
    by_id = {policy.id: policy for policy in citations.policies}
    full = {alias.head: by_id[alias.tail] for alias in aliases}
    return [*citations.numbers(full), *citations.issuers(), *aliases]


class _Citations:
    """The mentions of one document, in text order, with what stands between them."""

    def __init__(
        self, view: str, entities: Sequence[Entity], sentences: Sequence[tuple[int, int]], cues: Cues
    ) -> None:
        self.view = view
        self.cues = cues
        self.policies = _of(entities, "POLICY")
        self.docnos = _of(entities, "DOCNO")
        self.orgs = _of(entities, "ORG")
        self._policy_starts = [policy.start for policy in self.policies]
        self._policy_ends = [policy.end for policy in self.policies]
        self._docno_starts = [docno.start for docno in self.docnos]
        self._org_starts = [org.start for org in self.orgs]
        self._org_ends = [org.end for org in self.orgs]
        self._sentences = IntervalIndex(sentences)
        self._by_name = {self._name(policy).translate(_BLANKS): policy for policy in reversed(self.policies)}

    def numbers(self, full: dict[str, Entity]) -> Iterator[Relation]:
        """number_of: behind the name, in a list behind a list of names, below a title, or before the name."""
        taken: set[str] = set()
        group: list[Entity] = []
        for docno in self.docnos:
            if group and self._joined(group[-1], docno, "listed_numbers"):
                group.append(docno)
                continue
            yield from self._numbers_of_group(group, full, taken)
            group = [docno]
        yield from self._numbers_of_group(group, full, taken)

    def _numbers_of_group(
        self, group: list[Entity], full: dict[str, Entity], taken: set[str]
    ) -> Iterator[Relation]:
        if not group:
            return
        if names := self._names_before(group[0]):
            yield from self._pair(group, names, full, taken)
            return
        if (title := self._title_over_lines(group[0])) is not None:
            yield self._relation("citation.number_below_broken_title", group[0], title)
            return
        follower = self._name_after(group[-1])
        if follower is not None and follower.id not in taken:
            taken.add(follower.id)
            yield self._relation("citation.number_before_name", group[-1], follower)

    def _pair(
        self, group: list[Entity], names: list[Entity], full: dict[str, Entity], taken: set[str]
    ) -> Iterator[Relation]:
        """Each number to its name if there are as many of both, else every number to the last name."""
        heads = names[-len(group) :] if len(names) >= len(group) else names[-1:] * len(group)
        for docno, name in zip(group, heads, strict=True):
            target = full.get(name.id, name)
            taken.add(target.id)
            rule = "citation.number_in_list" if len(group) > 1 else "citation.number_behind_name"
            yield self._relation(rule, docno, target)

    def _names_before(self, docno: Entity) -> list[Entity]:
        """The name right before a number, with the names that it is listed with."""
        index = bisect_right(self._policy_ends, docno.start) - 1
        if index < 0:
            return []
        name = self.policies[index]
        if not (self._joined(name, docno, "number_after") or self._below(name, docno)):
            return []
        names = [name]
        while index > 0 and self._joined(self.policies[index - 1], names[0], "listed_numbers"):
            index -= 1
            names.insert(0, self.policies[index])
            if len(names) > _MOST_LISTED:
                break
        return names

    def _below(self, name: Entity, docno: Entity) -> bool:
        """Whether the number is the line under a title that fills its own line."""
        if not self._joined(name, docno, "number_below") or "\n" not in self.view[name.end : docno.start]:
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
        return name if self._joined(docno, name, "number_before") else None

    def issuers(self) -> Iterator[Relation]:
        """issued_by: the bodies right before a name or before its verb of issuing, or behind it after 由.

        A body that passes a document on (转发) has not issued it.
        """
        previous: Entity | None = None
        bodies: list[Entity] = []
        for policy in self.policies:
            rule, own = self._issuers_of(policy)
            listed = previous is not None and bodies and self._listed_after(previous, policy, bodies[-1])
            bodies = own or (bodies if listed else [])
            for body in bodies:
                yield self._relation(rule if own else "citation.issuer_of_list", policy, body)
            if not self._is_alias(previous, policy):
                previous = policy

    def _issuers_of(self, policy: Entity) -> tuple[str, list[Entity]]:
        """The rule that finds the bodies which this name's own sentence says issued it, and the bodies."""
        before = bisect_right(self._org_ends, policy.start) - 1
        after = bisect_left(self._org_starts, policy.end)
        if named := self._bodies_before(policy, before) or self._body_after(policy, after):
            return "citation.issuer_named", named
        return "citation.issuer_subject", self._subject(policy, before)

    def _listed_after(self, previous: Entity, policy: Entity, body: Entity) -> bool:
        """Whether a name goes on the list of what a body issued.

        Numbers may stand between the names only behind a verb of issuing: a list of what is followed
        (按照…) names the documents of several bodies.
        """
        if self._joined(previous, policy, "listed_names"):
            return True
        if not self.cues["issues"].search(self.view, body.end, min(previous.start, body.end + _FAR)):
            return False
        return self.cues["listed_names"].fullmatch(self._between(previous, policy)) is not None

    def _is_alias(self, previous: Entity | None, policy: Entity) -> bool:
        return previous is not None and self._joined(previous, policy, "defines")

    def _bodies_before(self, policy: Entity, index: int) -> list[Entity]:
        if index < 0:
            return []
        body = self.orgs[index]
        if not self._same_sentence(body, policy):
            return []
        if not self.cues["issued"].fullmatch(self._between(body, policy)):
            return []
        return self._listed_bodies(index)

    def _listed_bodies(self, index: int) -> list[Entity]:
        """The body at `index` with those that it is listed with before it."""
        bodies = [self.orgs[index]]
        while index > 0 and self._joined(self.orgs[index - 1], bodies[-1], "listed_bodies"):
            index -= 1
            bodies.append(self.orgs[index])
            if len(bodies) == _MOST_LISTED:
                break
        return bodies[::-1]

    def _body_after(self, policy: Entity, index: int) -> list[Entity]:
        if index == len(self.orgs) or not self._joined(policy, self.orgs[index], "issued_by"):
            return []
        body = self.orgs[index]
        return [body] if self.cues["issues"].match(self.view, body.end) else []

    def _subject(self, policy: Entity, index: int) -> list[Entity]:
        """The bodies that begin the sentence whose later clause issues the document."""
        if index < 0 or not self._same_sentence(self.orgs[index], policy):
            return []
        if not self._joined(self.orgs[index], policy, "subject_issued"):
            return []
        bodies = self._listed_bodies(index)
        before = self.view[max(0, bodies[0].start - _TELLING) : bodies[0].start]
        return bodies if self.cues["subject_before"].search(before) else []

    def aliases(self) -> list[Relation]:
        """alias_of: a short form in its definition, and each later mention of it."""
        defined: dict[str, Entity] = {}
        found: list[Relation] = []
        previous: Entity | None = None
        for policy in self.policies:
            name = self._name(policy)
            if previous is not None and self._joined(previous, policy, "defines"):
                defined[name] = previous
                found.append(self._relation("citation.alias_defined", policy, previous))
            elif full := defined.get(name):
                found.append(self._relation("citation.alias_mentioned", policy, full))
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

    def _joined(self, left: Entity, right: Entity, cue: str) -> bool:
        if not 0 <= right.start - left.end <= _FAR:
            return False
        return self.cues[cue].fullmatch(self.view, left.end, right.start) is not None

    def _relation(self, rule: str, head: Entity, tail: Entity) -> Relation:
        row = self.cues.rules[rule]
        return Relation(label=row.label, head=head.id, tail=tail.id, score=row.score, by=f"rule:{rule}")

    def _same_sentence(self, a: Entity, b: Entity) -> bool:
        return self._sentences.find(a.start) == self._sentences.find(b.start)


def _of(entities: Sequence[Entity], label: EntityLabel) -> list[Entity]:
    return sorted((entity for entity in entities if entity.label == label), key=lambda entity: entity.start)
