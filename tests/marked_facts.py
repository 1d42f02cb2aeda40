"""Facts written compactly: text with marked numbers, `⟦id key=value|number⟧`.

The metric is the run of Chinese characters before the mark without 其中, unless `metric=` gives it or
`metric_of=` takes another fact's mention; `metric=-` leaves it out. Keys: part, share, compared (fact ids),
direction, metric, metric_of, metric_id, category, table, section, period (start/end), score, unit.
Sentences end at 。 and line breaks. Numbers are digits with 万, 亿 or %; 约 or 余 set the qualifier.
"""

from __future__ import annotations

import re

from gongkai.types import Fact, PeriodNorm, Qualifier

_MARK = re.compile(r"⟦([^|⟧]*)\|([^⟧]*)⟧")
_NUMBER = re.compile(r"(\d+)(?:\.(\d+))?\s*([万亿]?)(%|[^余多\d]*)")
_METRIC = re.compile(r"(?:.*其中)?([一-鿿“”]{1,18})$")
_BOUNDS: dict[str, Qualifier] = {
    "约": "approx",
    "近": "approx",
    "超过": "more_than",
    "不足": "less_than",
    "至少": "at_least",
}
_BEFORE_UNIT = re.compile(r"^[\d.,万亿余多约近超过不足至少]+")
_SCALES = {"": 1, "万": 10_000, "亿": 100_000_000}


def read(marked: str) -> tuple[list[Fact], str]:
    """The facts of a marked text, and the text without its marks."""
    facts: list[Fact] = []
    mentions: dict[str, tuple[str | None, str]] = {}
    text, last, sentence = "", 0, 0
    for match in _MARK.finditer(marked):
        plain = marked[last : match.start()]
        text += plain
        sentence += len(re.findall(r"[。\n]", plain))
        name, *pairs = match[1].split()
        keys = dict(pair.split("=", 1) for pair in pairs)
        before = _METRIC.search(text[-18:])
        metric = keys.get("metric", before[1] if before else None)
        mention = (None if metric == "-" else metric, f"M-{name}")
        if "metric_of" in keys:
            mention = mentions[keys["metric_of"]]
        mentions[name] = mention
        facts.append(_fact(name, match[2], len(text), sentence, mention, keys))
        text += match[2]
        last = match.end()
    return facts, text + marked[last:]


def _fact(
    name: str, printed: str, start: int, sentence: int, mention: tuple[str | None, str], keys: dict[str, str]
) -> Fact:
    number = _NUMBER.search(printed)
    assert number is not None, printed
    percent = number[4].startswith("%")
    digits = float(f"{number[1]}.{number[2] or 0}")
    value = digits / 100 if percent else digits * _SCALES[number[3]]
    bound: Qualifier = next((q for word, q in _BOUNDS.items() if printed.startswith(word)), "exact")
    if re.search(r"\d[余多]", printed):
        bound = "more_than"
    start_day, _, end_day = keys.get("period", "").partition("/")
    return Fact(
        id=name,
        value=value,
        unit="%" if percent else keys.get("unit", _BEFORE_UNIT.sub("", printed) or None),
        start=start,
        end=start + len(printed),
        metric=mention[0],
        metric_id=keys.get("metric_id"),
        qualifier=bound,
        decimals=None if number[3] else len(number[2] or ""),
        period=PeriodNorm(start=start_day, end=end_day) if start_day else None,
        direction=keys.get("direction"),  # type: ignore[arg-type]
        compared_with=keys.get("compared"),
        part_of=keys.get("part"),
        share_of=keys.get("share"),
        category=keys.get("category"),
        section=keys.get("section"),
        sentence=sentence,
        table=keys.get("table"),
        evidence=(f"N-{name}", mention[1]) if mention[0] else (f"N-{name}",),
        score=float(keys.get("score", 1.0)),
        by="test",
    )
