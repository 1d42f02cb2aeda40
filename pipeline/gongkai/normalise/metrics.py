"""Which metric of the ontology a phrase names, and how sure that is; the unknown stays unmapped."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from typing import Literal

import msgspec

from gongkai.errors import ConfigError
from gongkai.normalise.places import NOWHERE, Cues, Place, Surroundings
from gongkai.resources import config_path, load_yaml
from gongkai.rules.table import alternatives
from gongkai.text import fold
from gongkai.types import MetricNorm, Structure

LABEL_SCORE = 1.0
SYNONYM_SCORE = 0.95
_SUBJECT_SCORE = 0.9
_HEAD_SCORE = 0.85
_UNDER_SCORE = 0.85
_CHANNEL_SCORE = 0.9
_FAR_CHANNEL_SCORE = 0.8
_REDUCED_BEST = 0.88
_REDUCED_LOSS = 0.4
_LOST_HEAD_SCORE = 0.8
_LOST_HEAD_LENGTH = 6
_LEAST_SCORE = 0.5
_OTHER_THING = 0.9
_UNKNOWN_UNIT = 0.8
_OTHER_FAMILY = 0.55
_LONGEST_PHRASE = 60

_LAST_YEAR = re.compile(r"(?:至|到)?(?:19|20)\d\d年度?$")
_CHOICE = re.compile(r"\{([^{}]*)\}")
_UNSEEN = re.compile(r"[\s\u200b,.;:、。·“”‘’\"'()《》〈〉\[\]/\-]+")
_NAME = re.compile(r"\s*(?:[《“\"][^》”\"]{1,24}[》”\"]|(?!12345)\d{5,6}(?=热线))")


class Metric(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One indicator: a row of `configs/metrics.yaml`, whose head explains the fields."""

    id: str
    label: str
    traditional: str
    units: tuple[str, ...]
    match: str
    reject: str
    kind: Literal["count", "money", "rate"] = "count"
    parent: str | None = None
    forms: tuple[str, ...] = ()
    synonyms: tuple[str, ...] = ()
    with_unit: tuple[str, ...] = ()
    under: dict[str, tuple[str, ...]] = {}
    heads: tuple[str, ...] = ()

    @property
    def unit(self) -> str:
        """The unit that the form gives it."""
        return self.units[0]


class Reduction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What approximate matching may remove from a phrase, and which words it takes for one another."""

    drop: tuple[str, ...]
    drop_first: tuple[str, ...]
    drop_last: tuple[str, ...]
    keep: tuple[str, ...]
    same: dict[str, tuple[str, ...]]
    shortest: int


class Topic(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that a passage speaks of.

    Attributes:
        cues: Regular expressions over the folded view that tell it.
        silences: Rows that a phrase there does not name unless it says so itself (答复率 of a hotline).
    """

    cues: tuple[str, ...]
    silences: tuple[str, ...] = ()


class Channels(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How information is published, and the words for publishing it.

    Attributes:
        cues: Row of the channel → regular expressions over the folded view.
        social: The rows of social media, which together are `together`.
        publish: Phrases that say no more than that information was published.
        in_clause: Such phrases that name the total where no channel stands in their clause.
        begin: Verbs of social media that say so whatever follows them.
        units: Units in which publications are counted.
        pieces: Those of them in which a channel's bare name means what it published (微博6950条).
    """

    cues: dict[str, tuple[str, ...]]
    social: tuple[str, ...]
    together: str
    publish: tuple[str, ...]
    in_clause: tuple[str, ...]
    begin: tuple[str, ...]
    units: tuple[str, ...]
    pieces: tuple[str, ...]


class Ontology(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`configs/metrics.yaml`."""

    reduction: Reduction
    families: dict[str, tuple[str, ...]]
    generations: dict[str, tuple[int, int]]
    regional: dict[str, tuple[str, ...]]
    verbs: tuple[str, ...]
    topics: dict[str, Topic]
    channels: Channels
    metrics: tuple[Metric, ...]


@cache
def load_ontology() -> Ontology:
    """The shipped ontology.

    Raises:
        ConfigError: An id stands twice, a parent is no row, or two rows claim one phrase.
    """
    ontology = load_yaml("metrics.yaml", Ontology)
    ids = {metric.id for metric in ontology.metrics}
    if len(ids) < len(ontology.metrics):
        twice = Counter(metric.id for metric in ontology.metrics).most_common(1)[0][0]
        raise _refused(f"Metric {twice} stands twice.", "Remove one.")
    for metric in ontology.metrics:
        if metric.parent is not None and metric.parent not in ids:
            raise _refused(f"Metric {metric.id} has the unknown parent {metric.parent}.", "Name a row.")
    return ontology


def spelled_out(phrase: str) -> Iterator[str]:
    """Every phrase that one with choices stands for.

    >>> list(spelled_out("{通过|}网站{公开|发布}信息"))
    ['通过网站公开信息', '通过网站发布信息', '网站公开信息', '网站发布信息']
    """
    choice = _CHOICE.search(phrase)
    if choice is None:
        yield phrase
        return
    for word in choice[1].split("|"):
        yield from spelled_out(phrase[: choice.start()] + word + phrase[choice.end() :])


def _refused(problem: str, remedy: str) -> ConfigError:
    return ConfigError(str(config_path("metrics.yaml")), problem, remedy)


def surface(phrase: str) -> str:
    """The folded phrase without white space, zero-width characters, quotes and punctuation.

    >>> surface("收到 「政府資訊公開」申請")
    '收到政府资讯公开申请'
    """
    return _UNSEEN.sub("", fold(phrase))


class MetricMatcher:
    """Maps phrases to metrics by dictionary: a row's label (1.0), its synonyms (0.95), then reduced forms.

    A reduced form is what is left of a phrase without the words that make no difference (政府, 信息, 数量 …)
    and with one word for several (收到 for 受理, 接到). It scores less the more had to go. A form that two
    rows reduce to maps to neither.

    Where the place of a phrase is known, it tells what short phrases mean (维持 under 行政复议), names the
    channel of a publication (门户网站 … 发布信息), and refuses what is said of something else (a hotline's 答复率).
    """

    def __init__(self, ontology: Ontology) -> None:
        self._metrics = {metric.id: metric for metric in ontology.metrics}
        self._units = {metric.id: frozenset(map(fold, metric.units)) for metric in ontology.metrics}
        self._family = {fold(u): name for name, units in ontology.families.items() for u in units}
        self._reduction = ontology.reduction
        self._generations = ontology.generations
        self._regional = {word: one for one, words in ontology.regional.items() for word in map(fold, words)}
        self._regional_words = re.compile(alternatives(tuple(self._regional)))
        self._spelling = {
            fold(word): fold(one) for one, words in ontology.reduction.same.items() for word in (one, *words)
        }
        self._subject = re.compile(f"{alternatives(ontology.reduction.drop_first)}+")
        self._verb = re.compile(alternatives((*ontology.reduction.drop_first, *ontology.verbs)) + "+")
        self._words = self._compile_words()
        self._exact: dict[str, tuple[str, float]] = {}
        self._with_unit: dict[tuple[str, str], str] = {}
        self._heads: dict[str, str] = {}
        self._under: dict[tuple[str, str], list[str]] = {}
        for metric in ontology.metrics:
            self._add(metric)
        self._reduced = self._index_reduced()
        self._lost_head = self._index_lost_heads()
        self._topics = Cues({name: topic.cues for name, topic in ontology.topics.items()})
        self._channels = Cues(ontology.channels.cues)
        self._silences = {name: frozenset(topic.silences) for name, topic in ontology.topics.items()}
        self._channel = ontology.channels
        self._publish = frozenset(map(self._key, ontology.channels.publish))
        self._in_clause = frozenset(map(self._key, ontology.channels.in_clause))
        self._begin = re.compile(alternatives(ontology.channels.begin))
        self._published_in = frozenset(map(fold, ontology.channels.units))
        self._pieces = frozenset(map(fold, ontology.channels.pieces))
        self._match = lru_cache(maxsize=65_536)(self._match_uncached)

    def surroundings(self, view: str, structure: Structure) -> Surroundings:
        """The places of a document, from its folded text."""
        year = structure.meta.year
        spans = (name for name, (first, last) in self._generations.items() if year and first <= year <= last)
        return Surroundings(view, structure, self._topics, self._channels, next(spans, None))

    def match(self, phrase: str, *, unit: str | None = None, place: Place = NOWHERE) -> MetricNorm | None:
        """The metric that `phrase` names, or None where that is not sure.

        Args:
            phrase: Words of the text, in either script.
            unit: Unit of the number, as printed (`件`, `万元`, `%`). One that the metric cannot have lowers
                the score or refuses the match; 万 and 亿 before it are passed over. Give none for a share
                (占57%) or a change of the metric.
            place: Where it stands (`Surroundings.at`).

        >>> load_matcher().match("受理政府信息公開申請", unit="件")
        MetricNorm(metric_id='requests.received', score=0.95)
        >>> load_matcher().match("维持", unit="件", place=Place(topics=("reconsideration",)))
        MetricNorm(metric_id='reconsideration.upheld', score=0.85)
        >>> load_matcher().match("发布信息") is None
        True
        """
        if len(phrase) > _LONGEST_PHRASE:
            return None
        return self._match(phrase, unit, place)

    def _match_uncached(self, phrase: str, unit: str | None, place: Place) -> MetricNorm | None:
        key = self._key(phrase)
        unit = fold(unit or "").strip().removeprefix("万").removeprefix("亿") or None
        name = _NAME.match(phrase)
        nameless = self._key(phrase[name.end() :]) if name else key
        topics = (*self._named_topics(name[0] if name else ""), *place.topics)
        found = (
            self._match_channel(key, unit, place)
            or self._match_under(nameless, unit, topics)
            or self._match_phrase(key, unit, place)
            or (self._match_phrase(nameless, unit, place) if name else None)
        )
        if found is None:
            return None
        score = round(found[1] * self._unit_factor(self._metrics[found[0]], unit), 3)
        return MetricNorm(metric_id=found[0], score=score) if score >= _LEAST_SCORE else None

    def _named_topics(self, words: str) -> Iterator[str]:
        """The topics that words tell: those of a name before a phrase (《某市人民政府公报》出版)."""
        return (topic for *_, topic in self._topics.find(fold(words)))

    def _key(self, phrase: str) -> str:
        """The phrase's surface in mainland words (資訊 is 信息)."""
        return self._mainland(surface(phrase))

    def _mainland(self, key: str) -> str:
        return self._regional_words.sub(lambda match: self._regional[match[0]], key)

    def _match_phrase(self, key: str, unit: str | None, place: Place) -> tuple[str, float] | None:
        """By the phrase's own words, unless the topic is one that they would have to deny."""
        owner = self._with_unit.get((key, unit)) if unit is not None else None
        found = (
            ((owner, SYNONYM_SCORE) if owner is not None else None)
            or self._exact.get(key)
            or self._match_subject(key)
            or self._match_reduced(key)
            or self._lost_head.get(key)
            or self._match_head(key)
        )
        if found is None or not place.topics or found[0] not in self._silences.get(place.topics[0], ()):
            return found
        return found if next(self._topics.find(key), None) else None

    def _match_channel(self, key: str, unit: str | None, place: Place) -> tuple[str, float] | None:
        """Publication through a channel that the phrase, its clause or its sentence names."""
        if unit is not None and unit not in self._published_in:
            return None
        named = list(self._channels.find(key))
        said = key[named[-1][1] :] if named else self._after_subject(key)
        total = said in self._in_clause
        if unit in self._pieces:
            published = total or said in self._publish or self._begin.match(said) or (named and not said)
        else:
            published = total or said in self._publish
        if not published:
            return None
        if named:
            found = self._one_channel(frozenset(name for *_, name in named), _CHANNEL_SCORE)
            exact = self._exact.get(key)
            return exact if found and exact and exact[0] == found[0] else found
        near = self._one_channel(place.near, _CHANNEL_SCORE)
        if near is not None or total or place.near or unit not in self._pieces:
            return near
        return self._one_channel(place.far, _FAR_CHANNEL_SCORE)

    def _one_channel(self, channels: frozenset[str], score: float) -> tuple[str, float] | None:
        """The row of a channel, or of several social media together."""
        if len(channels) == 1:
            return next(iter(channels)), score
        social = {*self._channel.social, self._channel.together}
        return (self._channel.together, score) if channels and channels <= social else None

    def _match_under(self, key: str, unit: str | None, topics: Iterable[str]) -> tuple[str, float] | None:
        """A phrase that names a row where its topic is spoken of; the unit decides between two rows."""
        key = _LAST_YEAR.sub("", key)
        rest = self._after_subject(key)
        for topic in topics:
            owners = self._under.get((key, topic)) or self._under.get((rest, topic)) or ()
            fitting = [each for each in owners if unit is None or unit in self._units[each]]
            if len(fitting) == 1:
                return fitting[0], _UNDER_SCORE
        return None

    def _after_subject(self, key: str) -> str:
        subject = self._subject.match(key)
        return key[subject.end() :] if subject else key

    def _match_subject(self, key: str) -> tuple[str, float] | None:
        """An exact phrase after the words for the reporting body (全市, 本机关) and for having (设有, 共)."""
        found = self._exact.get(self._after_subject(key))
        return None if found is None else (found[0], _SUBJECT_SCORE)

    def _match_head(self, key: str) -> tuple[str, float] | None:
        """A verb, anything, and the noun that the row counts: 举行水利专场新闻发布会."""
        verb = self._verb.match(key)
        if verb is None:
            return None
        for start in range(verb.end(), len(key)):
            owner = self._heads.get(key[start:])
            if owner is not None:
                return owner, _HEAD_SCORE
        return None

    def _match_reduced(self, key: str) -> tuple[str, float] | None:
        """By the reduced form; its score falls with the share of characters that had to go on both sides."""
        reduced = self._reduce(key)
        found = self._reduced.get(reduced)
        if found is None:
            return None
        metric_id, length = found
        dropped = abs(len(key) - len(reduced)) + abs(length - len(reduced))
        return metric_id, _REDUCED_BEST - _REDUCED_LOSS * min(1.0, dropped / (len(key) + length))

    def _unit_factor(self, metric: Metric, unit: str | None) -> float:
        """1 for a unit of the metric, less for another of the same kind, 0 for one that contradicts it."""
        if unit is None or unit in self._units[metric.id]:
            return 1.0
        family = self._family.get(unit)
        expected = self._family[fold(metric.unit)]
        if family is None:
            return _UNKNOWN_UNIT if expected == "thing" else 0.0
        if family == expected:
            return 1.0 if family == "money" else _OTHER_THING
        return _OTHER_FAMILY if {family, expected} == {"thing", "person"} else 0.0

    def _add(self, metric: Metric) -> None:
        for phrase, score in self._phrases(metric):
            owner = self._exact.setdefault(phrase, (metric.id, score))[0]
            if owner != metric.id:
                raise _refused(f"{owner} and {metric.id} both claim {phrase}.", "Leave it with one of them.")
        for phrase in metric.with_unit:
            for unit in metric.units:
                owner = self._with_unit.setdefault((self._key(phrase), fold(unit)), metric.id)
                if owner != metric.id:
                    raise _refused(f"{owner} and {metric.id} both claim {phrase} in {unit}.", "Leave one.")
        for head in metric.heads:
            self._heads[self._key(head)] = metric.id
        for topic, phrases in metric.under.items():
            for phrase in (one for each in phrases for one in self._keys(each)):
                owners = self._under.setdefault((phrase, topic), [])
                if metric.id not in owners:
                    owners.append(metric.id)

    def _phrases(self, metric: Metric) -> Iterator[tuple[str, float]]:
        yield self._key(metric.label), LABEL_SCORE
        yield self._key(metric.traditional), LABEL_SCORE
        for phrase in metric.synonyms:
            for synonym in self._keys(phrase):
                yield synonym, SYNONYM_SCORE

    def _keys(self, phrase: str) -> Iterator[str]:
        """The keys of a phrase with choices; folded before they are spelled out, which is much less work."""
        return map(self._mainland, spelled_out(surface(phrase)))

    def _compile_words(self) -> re.Pattern[str]:
        reduction = self._reduction
        return re.compile(
            f"(?P<keep>{alternatives(reduction.keep)})"
            f"|(?P<drop>^{alternatives(reduction.drop_first)}+|{alternatives(reduction.drop_last)}$)"
            f"|(?P<same>{alternatives(tuple(self._spelling))})"
            f"|(?P<gone>{alternatives(reduction.drop)}|(?:19|20)\\d\\d年度?)"
        )

    def _reduce(self, key: str) -> str:
        def replace(match: re.Match[str]) -> str:
            if match["keep"]:
                return match["keep"]
            word = self._spelling.get(match["same"] or "", "")
            return "" if word in self._reduction.drop else word

        return self._words.sub(replace, key)

    def _index_reduced(self) -> dict[str, tuple[str, int]]:
        """Reduced form → metric and length of the shortest phrase that it was reduced from."""
        index: dict[str, tuple[str, int]] = {}
        shared: set[str] = set()
        for phrase, (metric_id, _) in self._exact.items():
            reduced = self._reduce(phrase)
            if len(reduced) < self._reduction.shortest:
                continue
            owner, length = index.get(reduced, (metric_id, len(phrase)))
            if owner != metric_id:
                shared.add(reduced)
            index[reduced] = (metric_id, min(length, len(phrase)))
        return {reduced: found for reduced, found in index.items() if reduced not in shared}

    def _index_lost_heads(self) -> dict[str, tuple[str, float]]:
        """Labels and synonyms without their first character: what pages lose most often."""
        index: dict[str, tuple[str, float]] = {}
        shared: set[str] = set()
        for phrase, (metric_id, _) in self._exact.items():
            rest = phrase[1:]
            if len(rest) < _LOST_HEAD_LENGTH or phrase[0] in "不未非无没":
                continue
            if index.setdefault(rest, (metric_id, _LOST_HEAD_SCORE))[0] != metric_id:
                shared.add(rest)
        return {rest: found for rest, found in index.items() if rest not in shared}


@cache
def load_matcher() -> MetricMatcher:
    """The matcher of the shipped ontology."""
    return MetricMatcher(load_ontology())
