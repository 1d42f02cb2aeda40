"""The metric ontology and the phrases that map to it."""

from __future__ import annotations

import time

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gongkai.errors import ConfigError
from gongkai.normalise import metrics
from gongkai.normalise.identities import Identity, load_identities
from gongkai.normalise.metrics import (
    Metric,
    MetricMatcher,
    load_matcher,
    load_ontology,
    spelled_out,
    surface,
)
from gongkai.normalise.places import Place
from gongkai.structure.forms import load_forms
from gongkai.text import fold

ROWS = load_ontology().metrics
BY_ID = {metric.id: metric for metric in ROWS}


def mapped(phrase: str, unit: str | None = None) -> str | None:
    norm = load_matcher().match(phrase, unit=unit)
    return None if norm is None else norm.metric_id


# --- the ontology --------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", ROWS, ids=lambda metric: metric.id)
def test_every_row_maps_its_own_phrases(metric: Metric) -> None:
    for label in (metric.label, metric.traditional):
        norm = load_matcher().match(label)
        assert norm is not None
        assert (norm.metric_id, norm.score) == (metric.id, 1.0)
    for synonym in (one for phrase in metric.synonyms for one in spelled_out(phrase)):
        norm = load_matcher().match(synonym, unit=metric.unit)
        assert norm is not None
        assert norm.metric_id == metric.id
        assert norm.score >= 0.95
    for phrase in metric.with_unit:
        assert mapped(phrase, metric.unit) == metric.id
    for head in metric.heads:
        assert mapped(f"举行第三次{head}") == metric.id
    assert mapped(metric.match) == metric.id
    assert mapped(metric.reject) != metric.id


def test_no_two_rows_claim_one_phrase() -> None:
    owners: dict[str, str] = {}
    for metric in ROWS:
        phrases = (one for phrase in metric.synonyms for one in spelled_out(phrase))
        for phrase in (metric.label, metric.traditional, *phrases):
            assert owners.setdefault(surface(phrase), metric.id) == metric.id, phrase


def test_traditional_labels_read_as_the_simplified_ones() -> None:
    for metric in ROWS:
        assert fold(metric.traditional) == fold(metric.label)


def test_parents_exist_and_form_no_cycle() -> None:
    for metric in ROWS:
        seen = [metric.id]
        while (parent := BY_ID[seen[-1]].parent) is not None:
            assert parent in BY_ID
            assert parent not in seen
            assert BY_ID[parent].kind == metric.kind
            seen.append(parent)


def test_every_metric_of_the_forms_and_identities_is_a_row() -> None:
    used = {column.metric for form in load_forms() for column in form.columns}
    used |= {metric for form in load_forms() for row in form.rows for metric in (row.metric, *row.metrics)}
    used |= {term for i in load_identities() if i.axis == "metric" for term in (*i.left, *i.right)}
    assert used - {None} <= BY_ID.keys()
    in_forms = {metric.id for metric in ROWS if metric.forms}
    headings = {"outcome.unavailable", "outcome.not_processed", "litigation.total"}
    assert in_forms - used <= headings


def test_rows_that_claim_one_phrase_are_refused() -> None:
    rows = tuple(
        Metric(id=name, label="收到申请数", traditional="收到申請數", units=("件",), match="a", reject="b")
        for name in ("one", "two")
    )
    ontology = load_ontology()
    clashing = msgspec.structs.replace(ontology, metrics=rows)
    with pytest.raises(ConfigError, match=r"one and two both claim 收到申请数\. Leave it with one"):
        MetricMatcher(clashing)


def test_an_id_that_stands_twice_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    row = Metric(id="one", label="a", traditional="a", units=("件",), match="a", reject="b")
    ontology = load_ontology()
    broken = msgspec.structs.replace(ontology, metrics=(row, row))
    monkeypatch.setattr(metrics, "load_yaml", lambda *_: broken)
    with pytest.raises(ConfigError, match="one stands twice"):
        load_ontology.__wrapped__()


def test_unknown_parent_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    row = Metric(id="one", label="a", traditional="a", units=("件",), match="a", reject="b", parent="none")
    ontology = load_ontology()
    broken = msgspec.structs.replace(ontology, metrics=(row,))
    monkeypatch.setattr(metrics, "load_yaml", lambda *_: broken)
    with pytest.raises(ConfigError, match="unknown parent none"):
        load_ontology.__wrapped__()


# --- phrases -------------------------------------------------------------------------------------

HITS = [
    ("主动公开政府信息", "条", "disclosure.total"),
    ("主動公開政府信息", "條", "disclosure.total"),
    ("主动公开\u200b政府 信息", "条", "disclosure.total"),
    ("全市主动公开政府信息", "条", "disclosure.total"),
    ("動公開政府信息數", "条", "disclosure.total"),
    ("收到信息公开申请", "件", "requests.received"),
    ("共收到政府信息公开的申请", "件", "requests.received"),
    ("受理政府資訊公開申請", "件", "requests.received"),
    ("接到群众信息公开申请", "件", "requests.received"),
    ("网上申请", "宗", "requests.received.online"),
    ("網際網路申請", "件", "requests.received.online"),
    ("通过“政府网站”公开", "条", "disclosure.website"),
    ("答覆率", "%", "requests.reply_rate"),
    ("按时答复率", "%", "requests.on_time_rate"),
    ("有效回復率", "%", "letters.reply_rate"),
    ("瀏覽訪問量", "人次", "website.visits"),
    ("因政府信息公開申請行政複議", "宗", "reconsideration.total"),
    ("因政府信息公開提起行政訴訟", "宗", "litigation.total"),
    ("開展線上訪談", "期", "interviews.online"),
    ("召開新聞發布會", "次", "press.conferences"),
    ("举行新闻发布会", "场", "press.conferences"),
    ("同意公开", "件", "outcome.granted"),
    ("不同意公开", "件", "outcome.refused"),
    ("危及「三安全一稳定」", "件", "outcome.refused.security"),
    ("培训", "人次", "training.participants"),
    ("培训", "期", "training.sessions"),
    ("办理时限压缩", "%", "services.time_reduction"),
    ("综合窗口", "个", "services.windows"),
    ("人大政协建议提案", "件", "proposals.total"),
    ("收取费用", "元", "fees.collected"),
]
MISSES = [
    ("发布信息", "条"),
    ("公开信息", "条"),
    ("信息", "条"),
    ("其他", "宗"),
    ("事项", "项"),
    ("业务", "项"),
    ("培训", None),
    ("培训", "%"),
    ("总计", "件"),
    ("其他情形", "件"),
    ("结果维持", "件"),
    ("区直部门", "条"),
    ("公开会议信息", "条"),
    ("答复率", "件"),
    ("收到政府信息公开申请", "%"),
    ("收到政府信息公开申请", "万元"),
    ("专项经费", "件"),
    ("办结信访件", "件"),
    ("财政专项资金", "万元"),
    ("", None),
    ("，", None),
    ("公开" * 5_000, None),
]


@pytest.mark.parametrize(("phrase", "unit", "metric_id"), HITS)
def test_phrases_that_name_a_metric(phrase: str, unit: str, metric_id: str) -> None:
    assert mapped(phrase, unit) == metric_id


@pytest.mark.parametrize(("phrase", "unit"), MISSES)
def test_phrases_that_stay_unmapped(phrase: str, unit: str | None) -> None:
    assert mapped(phrase, unit) is None


PLACES = [
    ("维持", "件", ("reconsideration",), "reconsideration.upheld"),
    ("維持", "件", ("litigation",), "litigation.upheld"),
    ("维持", "件", ("disclosure",), None),
    ("败诉", "件", ("litigation",), "litigation.corrected"),
    ("办结", "件", ("requests",), "requests.closed"),
    ("办结", "件", ("letters",), "letters.answered"),
    ("公开", "件", ("requests",), "outcome.granted"),
    ("公开", "条", ("disclosure",), "disclosure.total"),
    ("非本机关掌握", "件", ("before_2019",), "outcome.other_body"),
    ("非本机关掌握", "件", ("since_2019",), "outcome.unavailable.not_held"),
    ("结转2023年", "件", ("requests",), "requests.carried_forward"),
    ("答复率", "%", ("letters",), "letters.reply_rate"),
    ("按期办结率", "%", ("requests",), "requests.on_time_rate"),
    ("按期办结率", "%", ("letters",), None),
    ("依申请公开按期答复率", "%", ("letters",), "requests.on_time_rate"),
    ("《某市人民政府公报》出版", "期", (), "gazette.issues"),
]


@pytest.mark.parametrize(("phrase", "unit", "topics", "metric_id"), PLACES)
def test_topics_tell_what_short_phrases_mean(
    phrase: str, unit: str, topics: tuple[str, ...], metric_id: str | None
) -> None:
    norm = load_matcher().match(phrase, unit=unit, place=Place(topics=topics))
    assert (norm.metric_id if norm else None) == metric_id


@pytest.mark.parametrize("metric", [metric for metric in ROWS if metric.under], ids=lambda metric: metric.id)
def test_topics_of_a_row_are_known_and_its_phrases_unclaimed(metric: Metric) -> None:
    known = {*load_ontology().topics, *load_ontology().generations}
    assert metric.under.keys() <= known
    for topic, phrases in metric.under.items():
        for phrase in (one for each in phrases for one in spelled_out(each)):
            norm = load_matcher().match(phrase, unit=metric.unit, place=Place(topics=(topic,)))
            assert norm is None or norm.metric_id == metric.id, phrase


CHANNELS = [
    ("发布信息", "条", {"disclosure.website"}, set(), "disclosure.website"),
    ("发布信息", "条", set(), {"disclosure.website"}, "disclosure.website"),
    ("主动公开政府信息", "条", {"disclosure.wechat"}, set(), "disclosure.wechat"),
    ("主动公开政府信息", "条", set(), {"disclosure.wechat"}, "disclosure.total"),
    ("主动公开政府信息", "条", {"disclosure.website", "disclosure.gazette"}, set(), "disclosure.total"),
    ("发布信息", "条", {"disclosure.weibo", "disclosure.wechat"}, set(), "disclosure.new_media"),
    ("微博、微信釋出", "條", set(), set(), "disclosure.new_media"),
    ("“某某发布”公众号推送", "次", set(), set(), "disclosure.wechat"),
    ("局网站", "条", set(), set(), "disclosure.website"),
    ("微信公众号", "条", set(), set(), "disclosure.wechat"),
    ("微信公众号", "个", set(), set(), "new_media.accounts"),
    ("发布信息", "万元", {"disclosure.website"}, set(), None),
    ("公开", "次", set(), {"disclosure.website"}, None),
]


@pytest.mark.parametrize(("phrase", "unit", "near", "far", "metric_id"), CHANNELS)
def test_the_channel_names_the_row(
    phrase: str, unit: str, near: set[str], far: set[str], metric_id: str | None
) -> None:
    place = Place(near=frozenset(near), far=frozenset(far))
    norm = load_matcher().match(phrase, unit=unit, place=place)
    assert (norm.metric_id if norm else None) == metric_id


def score(phrase: str, unit: str | None = None) -> float:
    norm = load_matcher().match(phrase, unit=unit)
    assert norm is not None
    return norm.score


def test_scores_fall_with_what_had_to_go() -> None:
    label, synonym = score("主动公开政府信息数"), score("主动公开政府信息")
    near, far = score("公开的规范性文件"), score("全区累计主动公开的各类规范性文件情况")
    assert label == 1.0
    assert synonym == 0.95
    assert 0.9 > near > far >= 0.5


def test_a_unit_of_another_kind_lowers_the_score() -> None:
    phrase = "收到政府信息公开申请"
    assert score(phrase, "件") == score(phrase) == 0.95
    assert score(phrase, "篇") < 0.95
    assert score(phrase, "人次") < score(phrase, "篇")
    assert score("收取费用", "亿元") == score("收取费用", "元")


@settings(deadline=None)
@given(st.text(max_size=80), st.sampled_from([None, "件", "%", "元", "天"]))
def test_any_phrase_gets_a_known_metric_or_none(phrase: str, unit: str | None) -> None:
    norm = load_matcher().match(phrase, unit=unit)
    assert norm is None or (norm.metric_id in BY_ID and 0.5 <= norm.score <= 1.0)


def test_matching_is_fast() -> None:
    matcher = load_matcher()
    phrases = [f"{metric.label[:-1]}{n}号" for n in range(20) for metric in ROWS]
    begin = time.perf_counter()
    for phrase in phrases:
        matcher.match(phrase)
    assert (time.perf_counter() - begin) / len(phrases) < 1e-3


# --- the sums of the forms -----------------------------------------------------------------------


@pytest.mark.parametrize("identity", load_identities(), ids=lambda identity: identity.name)
def test_identities_hold_in_their_example_and_fail_off_by_one(identity: Identity) -> None:
    left, right = identity.sides(identity.example) or (0, 1)
    assert left == right
    assert not set(identity.left) & set(identity.right)
    off = identity.example | {identity.left[0]: identity.example[identity.left[0]] + 1}
    assert identity.sides(off) == (left + 1, right)
    assert identity.sides({}) is None


def test_identities_cover_what_their_forms_print() -> None:
    forms = {form.form: form for form in load_forms()} | {
        form.also: form for form in load_forms() if form.also
    }
    for identity in load_identities():
        for name in identity.forms:
            form = forms[name]
            metrics_of = {row.metric for row in form.rows} | {column.metric for column in form.columns}
            categories = {column.category for column in form.columns}
            terms = {*identity.left, *identity.right}
            assert terms <= (metrics_of if identity.axis == "metric" else categories)
