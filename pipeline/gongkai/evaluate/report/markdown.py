"""An evaluation or a comparison as Markdown, for a pull request.

Names and what documents say are escaped: a bar or line break ends no cell, and nothing is read as markup, as a link
or as the mention of an account.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from gongkai.evaluate.report import (
    LEVELS,
    count_text,
    difference_text,
    label_text,
    level_rows,
    main_levels,
    mistake_text,
    overall,
    p_text,
    ratio_text,
    share_text,
)
from gongkai.evaluate.result import Comparison, DocumentChange, Evaluation, Group, LevelResult, Run
from gongkai.evaluate.types import Level, Mistake
from gongkai.show import visible

_MARKUP = re.compile(r"([\\`*_{}\[\]()#+!|~$])")
_LINE_BREAK = re.compile("[\r\n\v\f\x85\u2028\u2029]+")


def markdown(evaluation: Evaluation) -> str:
    """The report of an evaluation: scores by level and label, by group, calibration, what was absent."""
    return _document(_evaluation(evaluation))


def comparison_markdown(comparison: Comparison) -> str:
    """The report of a comparison: differences by level and label, then the documents that changed."""
    return _document(_comparison(comparison))


def escaped(text: str) -> str:
    """`text` as it reads, on one line, meaning nothing to Markdown.

    >>> escaped("a|b\\n<i> @who")
    'a\\\\|b &lt;i&gt; &#64;<!-- -->who'
    """
    line = _MARKUP.sub(r"\\\1", _LINE_BREAK.sub(" ", visible(text)).replace("&", "&amp;"))
    line = line.replace("<", "&lt;").replace(">", "&gt;")
    # A comment keeps the sign apart from the name: without, the named account would be notified.
    return line.replace("@", "&#64;<!-- -->")


def _document(blocks: Iterable[str]) -> str:
    return "\n\n".join(blocks) + "\n"


def _evaluation(evaluation: Evaluation) -> Iterator[str]:
    everything = evaluation.all
    yield f"## Evaluation of {_system(evaluation.run)}, gongkai {escaped(evaluation.run.version)}"
    yield (
        f"{_gold(evaluation.run)}; {everything.documents:,} documents, {everything.characters:,} characters. "
        f"In brackets 95 % bootstrap intervals over documents ({evaluation.run.resamples:,} resamples, "
        f"seed {evaluation.run.seed})."
    )
    main = main_levels(everything)
    for level in main:
        yield from _level(level, everything.levels[level])
    variants = {level: result for level, result in everything.levels.items() if level not in main}
    if variants:
        yield _variants(variants)
    if evaluation.groups:
        yield "### By group"
        yield "Micro F1."
    for facet, groups in evaluation.groups.items():
        yield _facet(facet, groups, main)
    if evaluation.calibration:
        yield _calibration(evaluation)
    if evaluation.absent:
        yield _absent(evaluation)


def _comparison(comparison: Comparison) -> Iterator[str]:
    yield f"## {_system(comparison.b)} (B) against {_system(comparison.a)} (A)"
    yield (
        f"{_gold(comparison.b)}; {comparison.documents:,} documents. F1 of B minus F1 of A with its paired 95 % "
        "bootstrap interval; p by approximate randomisation over documents."
    )
    rows = (
        (
            LEVELS[difference.level].title,
            "**micro**" if difference.label is None else escaped(label_text(difference.label)),
            share_text(difference.a.f1),
            share_text(difference.b.f1),
            difference_text(difference),
            escaped(p_text(difference.p)),
            _emphasised(difference.verdict, difference.verdict != "can't tell"),
        )
        for difference in comparison.differences
    )
    yield _table(("level", "label"), ("A", "B", "B − A", "p", "B is"), rows)
    if not comparison.changed:
        yield "No document changed."
        return
    yield f"### {comparison.changed:,} documents changed"
    if len(comparison.changes) < comparison.changed:
        yield f"The {len(comparison.changes):,} that changed most:"
    yield from (_change(change) for change in comparison.changes)


def _system(run: Run) -> str:
    return f"{escaped(run.system)} {_digest(run.code)}" if run.code else escaped(run.system)


def _digest(digest: str) -> str:
    return f"`{escaped(digest[:12])}`"


def _gold(run: Run) -> str:
    files = ", ".join(
        f"{escaped(file.name)} ({file.documents:,}, {_digest(file.sha256)})" for file in run.gold
    )
    return f"Gold: {files or 'no file'}"


def _level(level: Level, result: LevelResult) -> Iterator[str]:
    words = LEVELS[level]
    yield f"### {words.title}"
    yield f"Right: {words.meaning}."
    rows = (
        (
            _emphasised(escaped(row.name), row.total),
            count_text(row.gold),
            count_text(row.predicted),
            count_text(row.correct),
            share_text(row.precision.value),
            share_text(row.recall.value),
            ratio_text(row.f1),
        )
        for row in level_rows(result)
    )
    yield _table(("label",), ("gold", "predicted", "correct", "P", "R", "F1"), rows)


def _variants(levels: dict[Level, LevelResult]) -> str:
    rows = (
        (
            LEVELS[level].title,
            LEVELS[level].meaning,
            count_text(result.micro.counts.gold),
            count_text(result.micro.counts.predicted),
            count_text(result.micro.counts.correct),
            share_text(result.micro.precision.value),
            share_text(result.micro.recall.value),
            ratio_text(result.micro.f1),
            share_text(result.macro.f1.value),
        )
        for level, result in levels.items()
    )
    figures = ("gold", "predicted", "correct", "P", "R", "micro F1", "macro F1")
    return "### Counted in other ways\n\n" + _table(("level", "right"), figures, rows)


def _facet(facet: str, groups: dict[str, Group], levels: Sequence[Level]) -> str:
    rows = (
        (
            escaped(value),
            count_text(group.documents),
            *(ratio_text(group.levels[level].micro.f1) if level in group.levels else "" for level in levels),
        )
        for value, group in groups.items()
    )
    return _table((escaped(facet),), ("documents", *(LEVELS[level].title for level in levels)), rows)


def _calibration(evaluation: Evaluation) -> str:
    said = (
        f"{one.level} ECE {share_text(one.ece)}, AURC {share_text(one.aurc)} ({one.count:,} predictions)"
        for one in overall(evaluation)
    )
    return f"**Calibration.** {'; '.join(said)}."


def _absent(evaluation: Evaluation) -> str:
    lines = (f"- {LEVELS[level].title}: {escaped(reason)}" for level, reason in evaluation.absent.items())
    return "**Not judged**\n\n" + "\n".join(lines)


def _change(change: DocumentChange) -> str:
    heading = f"**{escaped(change.document)}**: {len(change.mended)} mended, {len(change.broken)} broken"
    lines = [*_mistakes("mended", change.mended), *_mistakes("broken", change.broken)]
    return "\n".join((heading, "", *lines))


def _mistakes(what: str, mistakes: Iterable[Mistake]) -> Iterator[str]:
    return (f"- {what}: {escaped(mistake_text(mistake))}" for mistake in mistakes)


def _emphasised(text: str, emphasis: bool) -> str:
    return f"**{text}**" if emphasis else text


def _table(names: Sequence[str], figures: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose first columns are names, set left, and whose others are figures, set right."""
    rules = ["---"] * len(names) + ["--:"] * len(figures)
    return "\n".join(f"| {' | '.join(row)} |" for row in ([*names, *figures], rules, *rows))
