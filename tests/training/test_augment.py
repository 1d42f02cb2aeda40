"""Changes to documents keep every span on its characters, and the folded view needs none for script and width."""

from __future__ import annotations

import numpy as np
import opencc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gold_records import gold, random_gold
from gongkai.gold.records import GoldRecord
from gongkai.text import fold
from gongkai_training.augment import (
    Augmenter,
    Edit,
    brackets,
    edit,
    first_characters,
    names,
    names_of,
    numerals,
    spaces,
)
from gongkai_training.config import Augmentation

_ALL = Augmentation(documents=1, brackets=0.5, spaces=0.5, numerals=0.8, names=0.8, first_characters=0.5)
_REPORT = gold(
    "r",
    "一、⟦METRIC#m 收到申请⟧⟦COUNT#c 1863件⟧，其中网上⟦COUNT#d 5件⟧。\n"
    "根据⟦POLICY#p 《政府信息公开条例》⟧（⟦DOCNO#n 国办发〔2018〕10号⟧）和⟦ORG#o 市府办⟧的要求。",
    "value_of c m",
    "part_of d c",
    "number_of n p",
)


def printed(record: GoldRecord) -> dict[str, str]:
    return {entity.id: record.text[entity.start : entity.end] for entity in record.entities}


@pytest.mark.parametrize(
    ("edits", "text", "span"),
    [
        pytest.param([Edit(0, 0, "共")], "共收到5件。", "5件", id="before"),
        pytest.param([Edit(2, 2, " ")], "收到 5件。", "5件", id="put in at the start stays outside"),
        pytest.param([Edit(4, 4, " ")], "收到5件 。", "5件", id="put in at the end stays outside"),
        pytest.param([Edit(3, 3, " ")], "收到5 件。", "5 件", id="put in within"),
        pytest.param([Edit(2, 3, "")], "收到件。", "件", id="first character lost"),
        pytest.param([Edit(3, 4, "")], "收到5。", "5", id="last character lost"),
        pytest.param([Edit(2, 4, "十二宗")], "收到十二宗。", "十二宗", id="all of it"),
        pytest.param([Edit(2, 3, "7"), Edit(3, 4, "份")], "收到7份。", "7份", id="side by side"),
        pytest.param([Edit(1, 3, "x")], "收到5件。", "5件", id="over an edge: not made"),
        pytest.param([Edit(0, 5, "x")], "收到5件。", "5件", id="over all of it: not made"),
        pytest.param([Edit(2, 4, "")], "收到5件。", "5件", id="nothing left: not made"),
        pytest.param([Edit(2, 3, " ")], "收到5件。", "5件", id="white space at an edge: not made"),
        pytest.param([Edit(2, 4, "一件"), Edit(3, 4, "")], "收到一件。", "一件", id="overlap: the first"),
    ],
)
def test_edit(edits: list[Edit], text: str, span: str) -> None:
    edited = edit(gold("r", "收到⟦COUNT#c 5件⟧。"), edits)
    assert (edited.text, printed(edited)["c"]) == (text, span)


@given(st.integers(0, 2**32 - 1), st.integers(0, 500))
def test_spans_and_relations_survive(seed: int, name: int) -> None:
    record = random_gold("r", name, length=200)
    changed = Augmenter(_ALL, names_of([_REPORT]))(record, np.random.default_rng(seed))
    assert changed.relations == record.relations
    assert [(e.id, e.label) for e in changed.entities] == [(e.id, e.label) for e in record.entities]
    for before, after in zip(record.entities, changed.entities, strict=True):
        text = changed.text[after.start : after.end]
        assert 0 <= after.start < after.end <= len(changed.text)
        if record.text[before.start : before.end].strip() == record.text[before.start : before.end]:
            assert text == text.strip()


def test_what_is_between_the_spans_stays() -> None:
    changed = edit(_REPORT, numerals(_REPORT, 1.0, np.random.default_rng(1)))
    spans = printed(changed)
    assert spans["m"] == "收到申请"
    assert spans["c"] != "1863件"
    assert spans["n"] == "国办发〔2018〕10号"
    assert changed.text.replace(spans["c"], "1863件").replace(spans["d"], "5件") == _REPORT.text


@pytest.mark.parametrize("seed", range(20))
def test_numbers_keep_their_kind(seed: int) -> None:
    spans = printed(edit(_REPORT, numerals(_REPORT, 1.0, np.random.default_rng(seed))))
    number = spans["c"].removesuffix("件")
    assert len(number.replace(",", "")) == 4
    assert int(number.replace(",", "")) > 999
    assert spans["d"].removesuffix("件") in "一二三四五六七八九123456789"


def test_a_zero_stays_zero() -> None:
    record = gold("r", "⟦COUNT#c 0件⟧")
    assert edit(record, numerals(record, 1.0, np.random.default_rng(1))) == record


def test_names_come_from_the_list_of_their_label() -> None:
    others = {"ORG": ["省教育厅"], "DOCNO": ["深府〔2019〕1号"]}
    spans = printed(edit(_REPORT, names(_REPORT, 1.0, np.random.default_rng(1), others)))
    assert (spans["o"], spans["n"], spans["p"]) == ("省教育厅", "深府〔2019〕1号", "《政府信息公开条例》")


def test_a_name_that_holds_spans_keeps_its_own() -> None:
    record = gold("r", "⟦ORG#o 市府办⟧2018年工作要点")
    policy = edit(gold("r", "⟦POLICY#p 市府办2018年工作要点⟧"), [])
    nested = GoldRecord(id="r", text=record.text, entities=(*record.entities, *policy.entities))
    others = {"POLICY": ["《条例》"], "ORG": ["区府办"]}
    spans = printed(edit(nested, names(nested, 1.0, np.random.default_rng(1), others)))
    assert spans == {"o": "区府办", "p": "区府办2018年工作要点"}


def test_brackets_are_lost_or_of_another_kind() -> None:
    seen = set()
    for seed in range(30):
        spans = printed(edit(_REPORT, brackets(_REPORT, 1.0, np.random.default_rng(seed))))
        seen |= {spans["n"], spans["p"]}
    assert {"国办发2018〕10号", "国办发【2018〕10号", "政府信息公开条例"} & seen
    assert all(span.endswith(("号", "例", "》")) for span in seen)


def test_spaces_part_digits_and_characters() -> None:
    changed = edit(_REPORT, spaces(_REPORT, 1.0, np.random.default_rng(1)))
    assert "申请 1863 件" in changed.text
    assert printed(changed)["c"] == "1863 件"


def test_lines_lose_their_first_character() -> None:
    changed = edit(_REPORT, first_characters(_REPORT, 1.0, np.random.default_rng(1)))
    assert [line[:3] for line in changed.text.split("\n")] == ["、收到", "据《政"]


def test_the_same_draw_gives_the_same_document() -> None:
    augmenter = Augmenter(_ALL, names_of([_REPORT]))
    first, second = (augmenter(_REPORT, np.random.default_rng(7)) for _ in range(2))
    assert first == second != _REPORT


def test_documents_left_out_of_the_draw_stay() -> None:
    settings = Augmentation(documents=0, brackets=1, spaces=1)
    assert Augmenter(settings, {})(_REPORT, np.random.default_rng(1)) is _REPORT


@pytest.mark.parametrize("config", ["s2t", "s2hk", "s2tw"])
def test_traditional_script_needs_no_augmentation(config: str) -> None:
    """Character for character, the model reads the same of either script."""
    text = "全年主动公开政府信息1863条，其中规范性文件5件，办理依申请公开事项，受理行政复议。"
    traditional = opencc.OpenCC(config).convert("\n".join(text)).replace("\n", "")
    assert traditional != text
    assert fold(traditional) == fold(text)
