"""An evaluation and a comparison made by hand: invented sentences, figures that fit together but were not measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from gongkai.evaluate.result import (
    Calibration,
    Comparison,
    Difference,
    DocumentChange,
    Evaluation,
    Example,
    GoldFile,
    Group,
    LevelResult,
    Macro,
    Ratio,
    ReliabilityBin,
    RiskPoint,
    Run,
    Score,
)
from gongkai.evaluate.types import Counts, Level, Mistake, Outcome, Part

HOSTILE = "</script><script>document.title='x'</script><img src=x onerror=alert(1)> <!-- & \u2028 ]]> 12条|`@who`\x1b[2J"

ENTITIES = {
    "METRIC": Counts(1274, 1608, 1601),
    "COUNT": Counts(1604, 1644, 1630),
    "PERCENT": Counts(355, 363, 360),
    "DOCNO": Counts(58, 62, 62),
    "POLICY": Counts(146, 148, 147),
    "ORG": Counts(254, 284, 281),
    "PERIOD": Counts(379, 389, 392),
}
RELATIONS = {
    "value_of": Counts(1559, 1998, 1990),
    "during": Counts(411, 442, 440),
    "part_of": Counts(492, 547, 541),
    "share_of": Counts(124, 167, 168),
    "change_from": Counts(0, 0, 0),
}
LEVELS: Mapping[Level, Mapping[str, Counts]] = {
    "entities.strict": ENTITIES,
    "entities.exact": {label: Counts(c.correct + 4, c.gold, c.predicted) for label, c in ENTITIES.items()},
    "entities.partial": {
        label: Counts(c.correct + 9.5, c.gold, c.predicted) for label, c in ENTITIES.items()
    },
    "relations.strict": RELATIONS,
    "values": {"COUNT": Counts(1590, 1604, 1604), "PERIOD": Counts(371, 379, 379)},
    "facts": {"facts": Counts(1481, 2007, 1990)},
}


def ratio(value: float | None, width: float = 0.03) -> Ratio:
    """A ratio with an interval of about `width` on either side."""
    if value is None:
        return Ratio()
    return Ratio(value=value, low=max(0.0, value - width), high=min(1.0, value + 0.7 * width))


def score(counts: Counts) -> Score:
    """Counts with intervals that are the wider the fewer there are."""
    width = 0.5 / max(counts.gold, 1) ** 0.45
    return Score(
        counts=counts,
        precision=ratio(counts.precision, width),
        recall=ratio(counts.recall, width),
        f1=ratio(counts.f1, width),
    )


def level_result(labels: Mapping[str, Counts]) -> LevelResult:
    """A level's scores from its labels' counts."""
    total = Counts()
    for counts in labels.values():
        total = total.plus(counts)
    defined = [counts for counts in labels.values() if counts.f1 is not None]

    def mean(values: Sequence[float | None]) -> Ratio:
        return ratio(sum(value or 0.0 for value in values) / len(defined))

    return LevelResult(
        labels={label: score(counts) for label, counts in labels.items()},
        micro=score(total),
        macro=Macro(
            precision=mean([counts.precision for counts in defined]),
            recall=mean([counts.recall for counts in defined]),
            f1=mean([counts.f1 for counts in defined]),
        ),
    )


def group(documents: int, part: float) -> Group:
    """A group that has `part` of all counts, and is the worse the smaller it is."""
    levels = {}
    for level, labels in LEVELS.items():
        halves = 2 if level == "entities.partial" else 1
        levels[level] = level_result(
            {
                label: Counts(
                    int(halves * c.correct * part * (0.8 + 0.2 * part)) / halves,
                    int(c.gold * part),
                    int(c.predicted * part),
                )
                for label, c in labels.items()
            }
        )
    return Group(documents=documents, characters=documents * 1842, levels=levels)


SENTENCES = {
    "own/2018-district-07": "2018年，全区主动公开政府信息18,642条，其中区直部门公开11,356条，占60.9%。",
    "own/2018-bureau-12": "全年共收到政府信息公开申请近百宗，比上年的74宗增长约三成。",
    "own/2019-town-03": "根据《某市政府信息公开规定》（某府办〔2018〕14号），镇党政办受理申请12件。",
    "real/plan-04": "😀加快推进“一网通办”，年底前政务服务事项网上可办率不低于90%。",
}


def _part(document: str, label: str, text: str) -> Part:
    start = 200 + SENTENCES[document].index(text)
    return Part(label, start, start + len(text))


def _example(document: str, mistake: Mistake) -> Example:
    return Example(document=document, text=SENTENCES[document], offset=200, mistake=mistake)


def examples() -> tuple[Example, ...]:
    """Mistakes of every level, among them spans that nest and cross."""
    district, bureau, town, plan = SENTENCES
    return (
        _example(
            district,
            Mistake(
                level="entities",
                kind="boundary",
                label="METRIC",
                gold=(_part(district, "METRIC", "主动公开政府信息"),),
                predicted=(_part(district, "METRIC", "全区主动公开政府信息"),),
                boundary="longer_left",
            ),
        ),
        _example(
            district,
            Mistake(
                level="entities",
                kind="missed",
                label="METRIC",
                gold=(_part(district, "METRIC", "区直部门公开"),),
            ),
        ),
        _example(
            bureau,
            Mistake(
                level="entities",
                kind="boundary",
                label="COUNT",
                gold=(_part(bureau, "COUNT", "近百宗"),),
                predicted=(_part(bureau, "COUNT", "百宗"),),
                boundary="shorter_left",
            ),
        ),
        _example(
            bureau,
            Mistake(
                level="entities",
                kind="label",
                label="PERCENT",
                gold=(_part(bureau, "PERCENT", "约三成"),),
                predicted=(_part(bureau, "COUNT", "约三成"),),
            ),
        ),
        _example(
            town,
            Mistake(
                level="entities",
                kind="label_and_boundary",
                label="POLICY",
                gold=(_part(town, "POLICY", "《某市政府信息公开规定》"),),
                predicted=(_part(town, "ORG", "某市政府"),),
                boundary="shorter_both",
            ),
        ),
        _example(
            town,
            Mistake(
                level="entities",
                kind="label_and_boundary",
                label="ORG",
                gold=(_part(town, "ORG", "镇党政办"),),
                predicted=(_part(town, "METRIC", "党政办受理申请"),),
                boundary="shifted_right",
            ),
        ),
        _example(
            plan,
            Mistake(
                level="entities",
                kind="spurious",
                label="POLICY",
                predicted=(_part(plan, "POLICY", "一网通办"),),
            ),
        ),
        _example(
            plan,
            Mistake(
                level="values",
                kind="qualifier",
                label="PERCENT",
                gold=(_part(plan, "PERCENT", "不低于90%"),),
                predicted=(_part(plan, "PERCENT", "不低于90%"),),
                gold_value="≥90%",
                predicted_value="90%",
            ),
        ),
        _example(
            bureau,
            Mistake(
                level="relations",
                kind="head_or_tail",
                label="change_from",
                gold=(_part(bureau, "PERCENT", "约三成"), _part(bureau, "COUNT", "74宗")),
                predicted=(_part(bureau, "PERCENT", "约三成"), _part(bureau, "COUNT", "近百宗")),
            ),
        ),
        _example(
            district,
            Mistake(
                level="facts",
                kind="period",
                label="facts",
                gold=(_part(district, "COUNT", "18,642条"),),
                predicted=(_part(district, "COUNT", "18,642条"),),
                gold_value="主动公开政府信息 18,642 条（2018）",
                predicted_value="主动公开政府信息 18,642 条",
            ),
        ),
        _example(
            district,
            Mistake(
                level="findings",
                kind="missed",
                label="share",
                gold=(_part(district, "PERCENT", "60.9%"),),
                gold_value="60.9%",
            ),
        ),
    )


def outcomes() -> tuple[tuple[Outcome, int], ...]:
    """What became of the entities; sums to their counts as far as a matrix needs."""
    found: Counter[Outcome] = Counter(
        {Outcome(label, label, "same"): int(counts.correct) for label, counts in ENTITIES.items()}
    )
    found[Outcome("METRIC", "METRIC", "longer_left")] = 96
    found[Outcome("METRIC", "METRIC", "shorter_left")] = 71
    found[Outcome("METRIC", "METRIC", "longer_right")] = 22
    found[Outcome("METRIC", "METRIC", "shifted_right")] = 4
    found[Outcome("COUNT", "COUNT", "shorter_left")] = 9
    found[Outcome("ORG", "ORG", "longer_both")] = 6
    found[Outcome("ORG", "METRIC", "shifted_right")] = 1
    found[Outcome("PERCENT", "COUNT", "same")] = 4
    found[Outcome("POLICY", "ORG", "shorter_both")] = 1
    found[Outcome("METRIC", None, None)] = 141
    found[Outcome("COUNT", None, None)] = 27
    found[Outcome("PERIOD", None, None)] = 10
    found[Outcome("ORG", None, None)] = 23
    found[Outcome("DOCNO", None, None)] = 4
    found[Outcome(None, "METRIC", None)] = 133
    found[Outcome(None, "COUNT", None)] = 13
    found[Outcome(None, "POLICY", None)] = 1
    found[Outcome(None, "PERIOD", None)] = 13
    return tuple(found.items())


def calibration() -> tuple[Calibration, ...]:
    """Scores that are somewhat too sure of themselves."""
    made = []
    for level, label, count, slack in (
        ("entities", None, 4473, 0.03),
        ("entities", "METRIC", 1601, 0.07),
        ("relations", None, 3139, 0.09),
    ):
        bins = tuple(
            ReliabilityBin(
                low=n / 10,
                high=(n + 1) / 10,
                count=(n - 2) ** 3 * 4,
                score=n / 10 + 0.06,
                accuracy=n / 10 + 0.06 - slack,
            )
            for n in range(4, 10)
        )
        points = tuple(
            RiskPoint(threshold=1 - n / 50, coverage=n / 40, risk=slack * (n / 40) ** 2) for n in range(1, 41)
        )
        made.append(
            Calibration(
                level=level,  # type: ignore[arg-type]
                label=label,
                count=count,
                ece=slack,
                bins=bins,
                risk_coverage=points,
                aurc=slack / 3,
            )
        )
    return tuple(made)


def run(system: str = "rules") -> Run:
    """A run on two gold files."""
    return Run(
        system=system,
        version="0.1.0",
        code="5f2d" * 16,
        gold=(
            GoldFile(name="own-test.jsonl", sha256="a1" * 32, documents=32),
            GoldFile(name="real-test.jsonl", sha256="b2" * 32, documents=15),
        ),
        resamples=1000,
        seed=17,
    )


def evaluation(more: Sequence[Example] = ()) -> Evaluation:
    """An evaluation of 47 documents; `more` examples come after those of `examples`."""
    shown = (*examples(), *more)
    return Evaluation(
        run=run(),
        all=group(47, 1.0),
        groups={
            "part": {"own": group(32, 0.7), "real": group(15, 0.3)},
            "doc_type": {
                "annual_report_a": group(18, 0.45),
                "annual_report_c": group(14, 0.35),
                "plan": group(9, 0.12),
                "notice": group(6, 0.08),
            },
            "script": {"Hans": group(43, 0.93), "Hant": group(4, 0.07)},
        },
        absent={"findings": "no gold document lists its findings"},
        outcomes=outcomes(),
        calibration=calibration(),
        mistakes=1386 + len(more),
        examples=shown,
    )


def empty() -> Evaluation:
    """An evaluation of nothing."""
    return Evaluation(
        run=Run(system="empty", version="0.1.0", code=None, gold=(), resamples=0, seed=0),
        all=Group(documents=0, characters=0, levels={}),
        groups={},
        absent={},
        outcomes=(),
        calibration=(),
        mistakes=0,
        examples=(),
    )


def hostile_example(label: str = HOSTILE) -> Example:
    """A mistake whose document, sentence, label and values mean harm."""
    return Example(
        document=HOSTILE,
        text=HOSTILE,
        offset=0,
        mistake=Mistake(
            level="values",
            kind="value",
            label=label,
            gold=(Part(label, HOSTILE.index("12条"), HOSTILE.index("12条") + 3),),
            predicted=(Part(label, 0, 9),),
            gold_value=HOSTILE,
            predicted_value="12",
        ),
    )


def comparison() -> Comparison:
    """Hybrid against rules."""
    fixed = examples()[0].mistake
    new = examples()[6].mistake
    return Comparison(
        a=run(),
        b=run("hybrid"),
        documents=47,
        differences=(
            Difference(
                level="entities.strict",
                label=None,
                a=Counts(4070, 4498, 4473),
                b=Counts(4153, 4498, 4490),
                f1=Ratio(value=0.017, low=0.009, high=0.026),
                p=0.0001,
                verdict="better",
            ),
            Difference(
                level="entities.strict",
                label="COUNT",
                a=Counts(1604, 1644, 1630),
                b=Counts(1601, 1644, 1631),
                f1=Ratio(value=-0.002, low=-0.005, high=0.001),
                p=0.21,
                verdict="can't tell",
            ),
            Difference(
                level="relations.strict",
                label="share_of",
                a=Counts(124, 167, 168),
                b=Counts(112, 167, 168),
                f1=Ratio(value=-0.072, low=-0.11, high=-0.031),
                p=0.004,
                verdict="worse",
            ),
            Difference(
                level="values",
                label="DOCNO",
                a=Counts(),
                b=Counts(),
                f1=Ratio(),
                p=None,
                verdict="can't tell",
            ),
        ),
        changed=12,
        changes=(
            DocumentChange(document="own/2018-district-07", mended=(fixed,), broken=()),
            DocumentChange(document="real/plan|04", mended=(), broken=(new,)),
        ),
    )
