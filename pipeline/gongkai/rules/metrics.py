"""METRIC 指标: for each number, the phrase that says what it counts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import msgspec

from gongkai.resources import config_path, load_yaml
from gongkai.rules.masking import PIECES, mask
from gongkai.rules.table import expand
from gongkai.spans import IntervalIndex
from gongkai.text import fold
from gongkai.types import Mention

_REACH = 60
"""Characters looked at on either side of a number: no metric phrase of the genre is longer."""

_BREAK = re.compile(f".*[{PIECES['BREAK']}]", re.DOTALL)
_CLAUSE_BREAK = re.compile(f".*[{PIECES['BREAK'].replace('、', '')}]", re.DOTALL)
_AFTER = re.compile(rf"(?:“[^“”\n]{{0,30}}”)?[^{PIECES['BREAK']}“”\ue000-\ue006 ]*")
_FIRST = re.compile("([一-鿿])")
_LOOKAROUND = re.compile(r"\(\?<?[!=](?:[^()]|\([^()]*\))*\)")
_BODY = re.compile("\ue003+$")
_JOINED = "\ue010"
_SMALL_BRACKET = re.compile("(?<=[一-鿿])\\([一-鿿、]{1,5}\\)(?=[一-鿿\ue000\ue001])")
"""县(市、区)级, 乡镇(街道): part of the word, no break."""
_HAN = re.compile("[一-鿿]")
_QUOTED = re.compile("“[^“”]*”")
_RATE = re.compile("(?:率|比|比例|比重|权重|占比|程度)达?$")
_TOTAL = re.compile("[,。;](?:共|共计|合计|总计|累计)$")
_TAG = 2
"""Characters after a quoted name that only say what it is (“坪山发布”微博); more of them stand alone."""
_SUM = re.compile("(?:共|共计|合计|总计|总共|累计)$")
_LONGEST_LIST = 40
_TAIL = 30
"""No run of measure words before a number is longer."""
_EDGE = ' \u200b的等\t"'
_RUN_IN = re.compile(
    r"[ \u200b]*(?:\(?[一二三四五六七八九十]{1,3}[)、.]|\(?\d{1,2}[)、.])[ \u200b]*([^。:,;\n]{2,20})[。:]"
)


class Strategy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A way to find the metric, with examples: `text⟦number⟧text → metric`, and near misses without arrow."""

    name: str
    score: float
    source: str
    match: tuple[str, ...]
    reject: tuple[str, ...]


class PhraseFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`configs/metric_phrases.yaml`."""

    words: dict[str, tuple[str, ...]]
    classifiers_before_noun: tuple[str, ...]
    strategies: tuple[Strategy, ...]


class Reading(NamedTuple):
    """Which metric a number has: indices into the numbers and metrics it was read from."""

    number: int
    metric: int
    by: str
    score: float


class _Phrase(NamedTuple):
    start: int
    end: int
    bare: bool
    """Only a verb, its object missing: the noun may follow the number."""


class Lexicon:
    """The compiled word lists of `configs/metric_phrases.yaml`."""

    def __init__(self, file: PhraseFile) -> None:
        where = str(config_path("metric_phrases.yaml"))
        joined = {name: _alternation(words) for name, words in file.words.items()}
        pieces = PIECES | joined

        def compiled(pattern: str) -> re.Pattern[str]:
            return re.compile(expand(pattern, pieces, where))

        self.verb = compiled("{action_verb}")
        self.verbs_only = compiled("(?:{action_verb}|{light_verb})+$")
        self.complete_verb = compiled("{complete_verb}$")
        self.lead_in = compiled("{lead_in}+")
        self.channel = compiled("{channel}{lead_in}*")
        self.measure = compiled("{measure}+$")
        self.change = compiled("{change}+$")
        self.change_begins = compiled("{change}|{second_value}")
        self.spoken_for = compiled("[,、|和及与/( ]*(?:{change}|{measure}|{lead_in})*$")
        self.after_stop = compiled("{after_stop}|$")
        self.after_enumeration = compiled("{after_enumeration}")
        self.duration = compiled("{duration}(?:内|以内|以上|左右|以下)?$")
        self.stated_lead = compiled("{stated_lead}+")
        self.predicate_lead = compiled("{predicate_lead}+")
        self.empty_left = compiled("(?:{lead_in}|{empty_left})*$")
        self.ends_open = re.compile("(?:的|等|在内|使|让|对|将|把|向|给|以|和|与|及)$")
        self.weak_verb = compiled("{weak_verb}")
        self.strategies = {strategy.name: strategy for strategy in file.strategies}
        self.before_noun = tuple(fold(word) for word in file.classifiers_before_noun)


@cache
def load_lexicon() -> Lexicon:
    """The shipped lexicon, compiled once."""
    return Lexicon(load_yaml("metric_phrases.yaml", PhraseFile))


class MetricReader:
    """Reads the numbers of one document, left to right.

    Args:
        view: Folded text.
        mentions: Everything tagged so far; COUNT and PERCENT among them are the numbers to read.
        paragraphs: (start, end) of the lines that may be tagged.
        lexicon: The word lists.

    Attributes:
        numbers: The COUNT and PERCENT mentions, in text order.
        metrics: The METRIC mentions found.
        readings: Which number has which metric; a number without a phrase has none.
    """

    def __init__(
        self, view: str, mentions: Sequence[Mention], paragraphs: Sequence[tuple[int, int]], lexicon: Lexicon
    ) -> None:
        self.lexicon = lexicon
        self.view = view
        self.masked = _SMALL_BRACKET.sub(lambda m: _JOINED * len(m[0]), mask(view, mentions))
        self.numbers = sorted((m for m in mentions if m.label in ("COUNT", "PERCENT")), key=lambda m: m.start)
        self.paragraphs = paragraphs
        self.metrics: list[Mention] = []
        self.readings: list[Reading] = []
        self._metric_at: dict[tuple[int, int], int] = {}
        self._metric_of: dict[int, int] = {}
        self._taken = 0

    def read(self) -> None:
        """Fill `metrics` and `readings`."""
        index = IntervalIndex(self.paragraphs)
        previous: int | None = None
        paragraph: int | None = None
        for number, span in enumerate(self.numbers):
            here = index.find(span.start)
            if here is None:
                continue
            if here != paragraph:
                paragraph, previous = here, None
            self._read_one(number, previous, *self.paragraphs[here])
            previous = number

    def _read_one(self, number: int, previous: int | None, start: int, end: int) -> None:
        span = self.numbers[number]
        edge = max(start, self._taken, self.numbers[previous].end if previous is not None else start)
        left = self._before(edge, span)
        if number + 1 < len(self.numbers):
            end = min(end, self.numbers[number + 1].start)
        strategy = "metric.predicate"
        if span.label == "PERCENT":
            right = self._predicate(span, end, self.lexicon.predicate_lead)
        elif right := self._noun_after(span, end):
            strategy = "metric.after"
        elif left is None:
            right = self._stated_of(span, end)
        if right is not None and self._prefers_right(span, left):
            self._taken = right.end
            self._assign(number, right, strategy)
        elif left is not None:
            self._assign(number, left, "metric.before")
        elif not self._share(number, previous):
            self._assign_heading(number, start)

    def _prefers_right(self, span: Mention, left: _Phrase | None) -> bool:
        if span.label == "PERCENT":
            # Stated of the group before it (事项100%进驻), not its value (答复率100%).
            return left is None or not _RATE.search(self.masked, left.start, left.end)
        if left is None or left.bare or self.masked.startswith("的", left.end):
            return True
        return self.view.endswith(self.lexicon.before_noun, span.start, span.end)

    # -- what stands before -------------------------------------------------------------------------------

    def _before(self, edge: int, span: Mention) -> _Phrase | None:
        edge = max(edge, span.start - _REACH)
        if self.lexicon.after_enumeration.match(self.masked, span.end):
            return None
        segment = self.masked[edge : span.start]
        opened = _after_last_break(segment)
        closed = len(segment)
        # 收到申请:12件 and 当面申请(3件): the label stands before the colon or bracket.
        if opened and segment[opened - 1] in ":(" and not _HAN.search(segment, opened):
            closed = opened - 1
            opened = _after_last_break(segment[:closed])
        if opened and segment[opened - 1] == "、":
            opened = self._start_of_list(segment, _end_of(_CLAUSE_BREAK.match(segment[:closed]), 0), opened)
        return self._cut(segment[opened:closed], edge + opened)

    def _start_of_list(self, segment: str, clause: int, item: int) -> int:
        """Where a phrase begins whose last item follows a 、.

        At the verb that the list shares (收取检索、复制费用0元), at the item if a verb or a number makes it a
        phrase of its own (收到5件、答复5件), else where the list begins (花生种植、收获机械化率65%).
        """
        if self.lexicon.verb.search(segment, item) or not _HAN.search(segment, clause, item):
            return item
        verbs = [m.start() for m in self.lexicon.verb.finditer(segment, clause, item) if m.end() < item]
        return verbs[-1] if verbs else max(clause, len(segment) - _LONGEST_LIST)

    def _cut(self, phrase: str, offset: int) -> _Phrase | None:
        """The metric within what stands between a break and the number; None if nothing of it names one."""
        lexicon = self.lexicon
        end = self._trim_right(phrase)
        start = _end_of(lexicon.lead_in.match(phrase, 0, end), 0)
        if lexicon.empty_left.fullmatch(phrase, start, end) or lexicon.ends_open.search(phrase, start, end):
            return self._body_itself(phrase, start, offset)
        channel = lexicon.channel.match(phrase, start, end)
        after_channel = _end_of(channel, start)
        bare = lexicon.verbs_only.fullmatch(phrase, after_channel, end) is not None
        if channel is not None and lexicon.complete_verb.match(phrase, after_channel, end):
            return _Phrase(offset + after_channel, offset + end, bare=False)
        if bare:
            # A channel stays where only a bare verb would remain: 通过“智慧坪山”发布.
            return _Phrase(offset + start, offset + end, bare=channel is None)
        return self._narrow(phrase, after_channel, end, offset)

    def _body_itself(self, phrase: str, end: int, offset: int) -> _Phrase | None:
        """其中县国土局8件: a body right before its number is what the number is of."""
        body = _BODY.search(phrase, 0, end)
        return _Phrase(offset + body.start(), offset + body.end(), bare=False) if body else None

    def _trim_right(self, phrase: str) -> int:
        lexicon = self.lexicon
        end = len(phrase)
        for _ in range(3):
            before = end
            for pattern in (lexicon.measure, lexicon.change):
                trimmed = pattern.search(phrase, max(0, end - _TAIL), end)
                end = trimmed.start() if trimmed is not None else end
            if end == before:
                break
        return end

    def _narrow(self, phrase: str, start: int, end: int, offset: int) -> _Phrase | None:
        """From the last verb that has an object; else the noun phrase as it stands."""
        unquoted = _QUOTED.sub(lambda quote: "Q" * len(quote[0]), phrase)
        # 因政府信息公开引发行政复议: the cause belongs to what is counted.
        caused = phrase.startswith("因", start)
        verbs = [
            m.span()
            for m in self.lexicon.verb.finditer(unquoted, start, end)
            if not caused
            and m.end() < end
            and (m.start() == start or not self.lexicon.weak_verb.match(unquoted, m.start()))
        ]
        if verbs:
            start = verbs[-1][0]
            for before, after in reversed(list(pairwise(verbs))):
                if before[1] != after[0]:
                    break
                start = before[0]
        elif (
            phrase[:end].endswith("”")
            and phrase.startswith("“", start)
            and phrase.count("“", start, end) == 1
        ):
            quote = start
            start, end = quote + 1, end - 1
        elif (quote := phrase.rfind("”", start, end)) >= 0 and _stands_alone(phrase[quote + 1 : end]):
            start = quote + 1
        start += len(phrase[start:end]) - len(phrase[start:end].lstrip(_EDGE))
        end = start + len(phrase[start:end].rstrip(_EDGE))
        if phrase.count("“", start, end) != phrase.count("”", start, end):
            start += phrase[start:end].startswith(("“", "”"))
            end -= phrase[start:end].endswith(("“", "”"))
        if not _HAN.search(phrase, start, end):
            return None
        return _Phrase(offset + start, offset + end, bare=False)

    # -- what stands after --------------------------------------------------------------------------------

    def _noun_after(self, span: Mention, limit: int) -> _Phrase | None:
        match = _AFTER.match(self.masked, span.end, min(limit, span.end + _REACH))
        if match is None or self.lexicon.after_enumeration.match(self.masked, span.end):
            return None
        if self.lexicon.duration.search(self.view, span.start, span.end):
            return None
        start, end = match.span()
        if self.masked.startswith("的", start):
            start += 1
        stop = self.lexicon.after_stop.search(self.masked, start, end)
        end = stop.start() if stop is not None else end
        if not _HAN.search(self.masked, start, end):
            return None
        return _Phrase(start, end, bare=False)

    def _stated_of(self, span: Mention, limit: int) -> _Phrase | None:
        """What is said of a number that no noun follows (46家|由文书兼管, 20个工作日内|上网)."""
        if self.masked.startswith("的", span.end):
            return None
        return self._predicate(span, limit, self.lexicon.stated_lead)

    def _predicate(self, span: Mention, limit: int, lead: re.Pattern[str]) -> _Phrase | None:
        match = _AFTER.match(self.masked, span.end, min(limit, span.end + _REACH))
        if match is None or self.lexicon.change_begins.match(self.masked, span.end):
            return None
        start = _end_of(lead.match(self.masked, *match.span()), match.start())
        if match.end() - start < 2:
            return None
        return _Phrase(start, match.end(), bare=False)

    # -- assigning ----------------------------------------------------------------------------------------

    def _assign(self, number: int, phrase: _Phrase, strategy: str) -> None:
        key = (phrase.start, phrase.end)
        if key not in self._metric_at:
            self._metric_at[key] = len(self.metrics)
            self.metrics.append(Mention("METRIC", *key, f"rule:{strategy}", self._score(strategy)))
        self._link(number, self._metric_at[key], strategy)

    def _score(self, strategy: str) -> float:
        return self.lexicon.strategies[strategy].score

    def _link(self, number: int, metric: int, strategy: str) -> None:
        score = self._score(strategy)
        self._metric_of[number] = metric
        self.readings.append(Reading(number, metric, f"rule:{strategy}", score))

    def _share(self, number: int, previous: int | None) -> bool:
        """Several numbers of one label: X 12件，占40% · 97期|111版 · 比2017年的3510宗下降1.23%."""
        if previous is None:
            return False
        position = self.numbers[number].start
        if self.masked.startswith(")", self.numbers[previous].end):
            previous = self._before_bracket(previous)
        if previous is None or previous not in self._metric_of:
            return False
        metric = self.metrics[self._metric_of[previous]]
        between = self.masked[max(self.numbers[previous].end, metric.end) : position]
        if between.startswith("("):
            between = between[between.rfind(")") + 1 :]
        if len(between) > _REACH or not self.lexicon.spoken_for.fullmatch(between) or _SUM.search(between):
            return False
        self._link(number, self._metric_of[previous], "metric.shared")
        return True

    def _before_bracket(self, inside: int) -> int | None:
        """The number right before the bracket that holds number `inside`: 47件(个人39件,单位8件),增加9件."""
        opened = self.masked.rfind(
            "(", max(0, self.numbers[inside].start - 2 * _REACH), self.numbers[inside].start
        )
        for earlier in range(inside - 1, -1, -1):
            if self.numbers[earlier].end <= opened:
                return earlier if self.numbers[earlier].end == opened else None
        return None

    def _assign_heading(self, number: int, paragraph: int) -> None:
        """The run-in heading of its paragraph names a number that nothing else does: (一)机构职能。…,共14条."""
        span = self.numbers[number]
        heading = _RUN_IN.match(self.masked, paragraph, span.start)
        if heading is None or not _TOTAL.search(self.masked, max(paragraph, span.start - 8), span.start):
            return
        self._assign(number, _Phrase(*heading.span(1), bare=False), "metric.heading")


def _alternation(words: Sequence[str]) -> str:
    """The words as one pattern, with a look at the first character before any of them is tried."""
    folded = [fold(word) for word in words]
    firsts = [_FIRST.match(branch) for word in folded for branch in _LOOKAROUND.sub("", word).split("|")]
    if not all(firsts):
        return f"(?:{'|'.join(folded)})"
    characters = "".join(sorted({first[1] for first in firsts if first is not None}))
    return f"(?:(?=[{characters}])(?:{'|'.join(folded)}))"


def _stands_alone(after_quote: str) -> bool:
    """Whether the words after a quoted name say by themselves what is counted (“坪山在线”|浏览访问量)."""
    return len(after_quote) > _TAG and not after_quote.startswith("的")


def _after_last_break(segment: str) -> int:
    return _end_of(_BREAK.match(segment), 0)


def _end_of(match: re.Match[str] | None, default: int) -> int:
    return default if match is None else match.end()
