"""Gold spans given: the pipeline's relations, facts and findings stand on them and on nothing else."""

from __future__ import annotations

import pytest

from evaluate.building import record
from gongkai.ingest import read_text
from gongkai.pipeline import Extractor
from gongkai.types import Mention


@pytest.fixture(scope="module")
def extractor() -> Extractor:
    return Extractor("rules")


@pytest.mark.parametrize(
    ("marked", "links"),
    [
        pytest.param(
            "⟦PERIOD 2018年⟧，我局⟦METRIC 收到信息公开申请⟧⟦COUNT 12件⟧。",
            {"value_of", "during"},
            id="as the rules have it",
        ),
        pytest.param(
            "2018年，我局收到⟦METRIC 信息公开申请⟧⟦COUNT 12件⟧。",
            {"value_of"},
            id="another extent of the metric",
        ),
        pytest.param("2018年，我局收到信息公开申请⟦COUNT 12件⟧。", set(), id="no metric given"),
        pytest.param(
            "⟦METRIC 2018年⟧，我局收到信息公开申请⟦COUNT 12件⟧。",
            set(),
            id="a metric that the number does not have",
        ),
        pytest.param("无。", set(), id="nothing given"),
    ],
)
def test_relations_are_between_given_spans(extractor: Extractor, marked: str, links: set[str]) -> None:
    gold = record(marked)
    given = [Mention(e.label, e.start, e.end, "given", 1.0) for e in gold.entities]
    found = extractor.relate(read_text(gold.text), given)
    assert [(e.label, e.start, e.end) for e in found.entities] == [
        (e.label, e.start, e.end) for e in gold.entities
    ]
    assert {relation.label for relation in found.relations} == links
    assert len(found.facts) == sum(e.label == "COUNT" for e in gold.entities)


def test_giving_back_what_was_extracted_changes_nothing(extractor: Extractor) -> None:
    document = read_text(
        "2019年，我局主动公开信息100条，其中网站公开60条，占60%；收到申请12件，同比增长20%。"
    )
    whole = extractor.extract(document)
    again = extractor.relate(
        document, [Mention(e.label, e.start, e.end, e.by, e.score) for e in whole.entities]
    )
    assert again == whole
