"""Through a real server: gold → push → pull is the identity, and what annotators do comes back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import msgspec
import pytest

from gold_records import gold, random_gold
from gongkai.gold.records import GoldRecord, canonical, from_record
from gongkai.ingest import read_text
from gongkai.pipeline import Extractor
from gongkai_annotations.interface import interface_xml
from gongkai_annotations.pull import pull
from gongkai_annotations.push import InterfaceMismatch, PushSummary, Submission, push
from gongkai_annotations.server import NoProject, NoServer, Server, ServerTask, TokenRefused
from gongkai_annotations.status import status
from label_studio_server import EMAIL, RunningServer, free_port

pytestmark = pytest.mark.label_studio

AWKWARD = [
    gold(
        "astral",
        "𠮷林𪚥市😀：⟦METRIC#m 收到𠮷申请⟧⟦COUNT#n 5件⟧，其中⟦METRIC#o 网上😀⟧⟦COUNT#p 3件⟧。",
        "value_of n m",
        "value_of p o",
        "part_of p n",
        annotator="A",
    ),
    gold("crlf", "\r\n一、概述\r\n⟦PERIOD#y 2018年⟧\r\n\r\n受理⟦COUNT#n 5件⟧\r\n", "during n y", split="dev"),
    gold("cr", "一、概述\r⟦PERIOD#y 2018年⟧\r\r受理⟦COUNT#n 5件⟧\r尾", "during n y"),
    gold("blanks", " \t　⟦POLICY#p 《条例》⟧\t\t⟦DOCNO#d 国令第711号⟧ \u200b　\n \n", "number_of d p"),
    gold(
        "traditional",
        "⟦ORG#o 縣政府⟧訂定⟦POLICY#p 《檔案應用辦法》⟧，並於網際網路公開⟦COUNT#n 12筆⟧。",
        "issued_by p o",
    ),
    gold("odd-ids", "⟦METRIC#a 申请⟧⟦COUNT#b 1件⟧", "value_of b a"),
    gold("nothing", "没有可以标注的内容。"),
    gold("markup", "<b>&amp;&lt;</b>「⟦COUNT#n 3件⟧」\\n {{text}} $text"),
]
RANDOM = [random_gold(f"random-{seed}", seed) for seed in range(12)]


@pytest.fixture(scope="module")
def server(label_studio: RunningServer) -> Server:
    return Server(label_studio.url, label_studio.token)


@pytest.fixture
def title(request: pytest.FixtureRequest) -> str:
    """A project of its own for each test."""
    return str(request.node.name)[-50:]


def send(server: Server, title: str, records: list[GoldRecord], **options: Any) -> PushSummary:
    return push(server, title, [Submission(record=record, version=None) for record in records], **options)


def tasks_of(server: Server, title: str) -> tuple[ServerTask, ...]:
    return server.snapshot(server.project(title)).tasks


def expected(record: GoldRecord) -> GoldRecord:
    return canonical(msgspec.structs.replace(record, meta=record.meta | {"annotator": EMAIL}))


def odd_ids(record: GoldRecord) -> GoldRecord:
    """The record with ids that are hard on a frontend."""
    names = {entity.id: f"{entity.id}#%23 {number}/é" for number, entity in enumerate(record.entities)}
    return msgspec.structs.replace(
        record,
        entities=tuple(msgspec.structs.replace(e, id=names[e.id]) for e in record.entities),
        relations=tuple(
            msgspec.structs.replace(r, head=names[r.head], tail=names[r.tail]) for r in record.relations
        ),
    )


@pytest.mark.parametrize("longest", [4000, 150])
def test_gold_comes_back_as_it_was(server: Server, title: str, longest: int) -> None:
    records = [odd_ids(each) if each.id == "odd-ids" else each for each in AWKWARD] + RANDOM
    summary = send(server, title, records, as_annotations=True, longest=longest)
    assert summary.refused == []
    assert summary.project.created
    assert summary.documents == len(records)
    assert (summary.tasks_sent > len(records)) == (longest == 150)
    back = pull(server, title)
    assert {record.id: record for record in back.records} == {each.id: expected(each) for each in records}
    assert (back.faults, back.skipped, back.rejected, back.incomplete) == ([], [], [], [])
    assert back.crossing_dropped == 0
    assert (back.crossing_kept > 0) == (longest == 150)


def test_predictions_that_are_accepted_come_back_as_gold(server: Server, title: str) -> None:
    text = "2018年，我局收到政府信息公开申请12件，其中网上申请9件，占75%。\n" * 30
    record = from_record(Extractor("rules").extract(msgspec.structs.replace(read_text(text), id="report")))
    push(server, title, [Submission(record=record, version="rules-1")], longest=300)
    for task in tasks_of(server, title):
        assert task.predictions is not None
        (prediction,) = task.predictions
        assert prediction.model_version == "rules-1"
        assert 0 < (prediction.score or 0) <= 1
        assert all(item["score"] > 0 for item in prediction.result or () if item["type"] == "labels")
        server.add_annotation(task.id, prediction.result or [])
    (back,) = pull(server, title).records
    bare = msgspec.structs.replace(
        record,
        entities=tuple(msgspec.structs.replace(e, score=None, by=None) for e in record.entities),
        relations=tuple(msgspec.structs.replace(r, score=None, by=None) for r in record.relations),
    )
    assert back == expected(bare)


def test_pushing_again_sends_nothing_twice(server: Server, title: str) -> None:
    first = send(server, title, RANDOM[:3], longest=200)
    before = tasks_of(server, title)
    again = send(server, title, RANDOM[:3], longest=500)
    assert (again.tasks_sent, again.predictions_added, again.predictions_changed) == (0, 0, 0)
    assert again.tasks_there == first.tasks_sent
    assert tasks_of(server, title) == before


def test_a_new_model_version_is_added_and_a_changed_one_replaced(server: Server, title: str) -> None:
    record = AWKWARD[0]
    without = msgspec.structs.replace(record, relations=())
    push(server, title, [Submission(record=record, version="a")])
    other = push(server, title, [Submission(record=record, version="b")])
    changed = push(server, title, [Submission(record=without, version="b")])
    assert (other.predictions_added, changed.predictions_added, changed.predictions_changed) == (1, 0, 1)
    (task,) = tasks_of(server, title)
    found = {p.model_version: len(p.result or ()) for p in task.predictions or ()}
    assert found == {"a": len(record.entities) + len(record.relations), "b": len(record.entities)}


def test_gold_after_predictions_keeps_its_relations_between_parts(server: Server, title: str) -> None:
    record = RANDOM[0]
    push(
        server,
        title,
        [Submission(record=msgspec.structs.replace(record, relations=()), version="a")],
        longest=200,
    )
    send(server, title, [record], as_annotations=True)
    assert pull(server, title).records == [expected(record)]


def test_annotations_are_never_overwritten(server: Server, title: str) -> None:
    record = AWKWARD[0]
    send(server, title, [record], as_annotations=True)
    again = send(server, title, [msgspec.structs.replace(record, relations=())], as_annotations=True)
    assert (again.annotations_added, again.annotations_left) == (0, 1)
    assert pull(server, title).records == [expected(record)]


def test_another_text_under_the_same_id_is_refused(server: Server, title: str) -> None:
    send(server, title, [AWKWARD[0]])
    summary = send(server, title, [gold("astral", "别的文字。"), gold("new", "新的文字。")])
    assert summary.tasks_sent == 1
    assert len(summary.refused) == 1
    assert "not the one that was pushed" in summary.refused[0]


def test_broken_records_are_refused_and_the_others_sent(server: Server, title: str) -> None:
    outside = gold("outside", "⟦COUNT#n 5件⟧")
    outside = msgspec.structs.replace(outside, text="5")
    summary = send(server, title, [outside, gold("empty", " \n"), AWKWARD[0]])
    assert summary.tasks_sent == 1
    assert [line.split(":")[0] for line in summary.refused] == [
        "document outside, characters 0-2",
        "document empty",
    ]


def annotate(server: Server, task: ServerTask, user: int | None = None, **fields: Any) -> int:
    """What an annotator's browser sends."""
    fields.setdefault("result", (task.predictions or [])[0].result if task.predictions else [])
    if user is not None:
        fields["completed_by"] = user
    return int(server._client.annotations.create(id=task.id, **fields).id)


def second_user(server: Server) -> tuple[int, str]:
    email = "second@example.org"
    for identifier, known in server.emails().items():
        if known == email:
            return identifier, email
    made = server._client.users.create(email=email, username="second", first_name="S", last_name="A")
    return int(made.id), email


def test_two_annotators_a_skipped_and_a_rejected_task(server: Server, title: str) -> None:
    send(
        server,
        title,
        [gold(name, "⟦METRIC#m 申请⟧⟦COUNT#n 5件⟧，" + name, "value_of n m") for name in "abcd"],
    )
    other, email = second_user(server)
    a, b, c, d = tasks_of(server, title)
    annotate(server, a, lead_time=60.0)
    annotate(server, a, other, result=[], lead_time=30.0)
    annotate(server, b, was_cancelled=True)
    verdict = {"from_name": "verdict", "to_name": "text", "type": "choices", "value": {"choices": ["reject"]}}
    note = {"from_name": "note", "to_name": "text", "type": "textarea", "value": {"text": ["乱码"]}}
    annotate(server, c, result=[verdict | {"id": "v"}, note | {"id": "w"}])
    annotate(server, d, lead_time=10.0)
    annotate(server, d, result=[], lead_time=20.0)
    back = pull(server, title)
    assert [(r.id, r.meta["annotator"], len(r.entities)) for r in back.records] == [
        ("a", EMAIL, 2),
        ("a", email, 0),
        ("d", EMAIL, 0),
    ]
    assert back.superseded == 1
    assert back.skipped == [f"document b (task {b.id}), {EMAIL}"]
    assert back.rejected == [f"document c (task {c.id}), {EMAIL}: 乱码"]
    found = status(server, title)
    assert (found.tasks, found.annotated) == (4, 2)
    assert [
        (p.annotator, p.done, p.skipped, p.rejected, p.remaining, p.seconds) for p in found.annotators
    ] == [
        (EMAIL, 2, 1, 1, 0, 80.0),
        (email, 1, 0, 0, 3, 30.0),
    ]


def test_a_document_of_which_a_part_is_not_done(server: Server, title: str) -> None:
    send(server, title, [RANDOM[0]], longest=400)
    first, *_, last = tasks_of(server, title)
    annotate(server, first)
    annotate(server, last, was_cancelled=True)
    back = pull(server, title)
    assert back.records == []
    assert len(back.incomplete) == len(back.skipped) == 1
    assert re.search(r"part [\d, ]+ of \d+ not done", back.incomplete[0])


def while_reading(monkeypatch: pytest.MonkeyPatch, server: Server, act: Callable[[], object]) -> None:
    """Let something happen on the server after the first full listing of a pull."""
    pages, acted = server._pages, []

    def interrupted(*arguments: Any, **options: Any) -> Iterator[ServerTask]:
        yield from pages(*arguments, **options)
        if not acted:
            acted.append(True)
            act()

    monkeypatch.setattr(server, "_pages", interrupted)


def test_an_edit_made_during_the_pull_is_in_it(
    server: Server, label_studio: RunningServer, title: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Server(label_studio.url, label_studio.token)
    records = [gold(name, "⟦METRIC#m 申请⟧⟦COUNT#n 5件⟧，" + name, "value_of n m") for name in "abc"]
    send(server, title, records, as_annotations=True)
    a, b, _ = tasks_of(server, title)

    def edit() -> None:
        server._client.annotations.update(id=(a.annotations or [])[0].id, result=[])
        server._client.tasks.delete(id=str(b.id))
        send(other, title, [gold("d", "后来的文字。")], as_annotations=True)

    while_reading(monkeypatch, server, edit)
    back = pull(server, title)
    assert [(record.id, len(record.entities)) for record in back.records] == [("a", 0), ("c", 2), ("d", 0)]
    assert back.reread > 0


def test_a_project_deleted_during_the_pull(
    server: Server, title: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(server, title, [AWKWARD[0]], as_annotations=True)
    project = server.project(title)
    while_reading(monkeypatch, server, lambda: server._client.projects.delete(id=project.id))
    with pytest.raises(NoServer, match="the project was deleted"):
        pull(server, title)


def test_a_project_whose_interface_was_edited(server: Server, title: str) -> None:
    project = server.project_or_new(title, interface_xml().replace('alias="ORG"', 'alias="BODY"'), "")
    with pytest.raises(InterfaceMismatch, match="lacks: label ORG") as raised:
        send(server, title, [AWKWARD[0]])
    assert "--update-interface" in str(raised.value)
    assert tasks_of(server, title) == ()
    send(server, title, [AWKWARD[4]], update_interface=True)
    server.set_interface(project, interface_xml().replace("</Labels>", '<Label value="DATE"/></Labels>'))
    (task,) = tasks_of(server, title)
    date = {"id": "x", "from_name": "label", "to_name": "text", "type": "labels"}
    annotate(
        server, task, result=[date | {"value": {"start": 0, "end": 3, "text": "縣政府", "labels": ["DATE"]}}]
    )
    assert ["'DATE', which is not ours" in fault for fault in pull(server, title).faults] == [True]


def test_tasks_that_push_did_not_make_are_named(server: Server, title: str) -> None:
    send(server, title, [AWKWARD[0]], as_annotations=True)
    project = server.project(title)
    foreign = {"text": "一", "title": "", "place": "", "before": "", "after": ""}
    server.import_tasks(project, [{"data": foreign}])
    (ours, _) = tasks_of(server, title)
    server.set_data(ours.id, ours.data | {"text": "别的"})
    back = pull(server, title)
    assert back.records == []
    assert ["not made by push" in fault or "text was edited" in fault for fault in back.faults] == [
        True,
        True,
    ]


def test_wrong_tokens(label_studio: RunningServer) -> None:
    for wrong in ("0" * 40, "nonsense", "eyJhbGciOiJub25lIn0.eyJleHAiOjF9.c2VjcmV0"):
        with pytest.raises(TokenRefused) as raised:
            Server(label_studio.url, wrong)
        assert wrong not in str(raised.value)


@pytest.mark.parametrize("suffix", ["/nothing/here", ""])
def test_wrong_urls(label_studio: RunningServer, suffix: str) -> None:
    url = label_studio.url + suffix if suffix else f"http://127.0.0.1:{free_port()}"
    with pytest.raises(NoServer) as raised:
        Server(url, label_studio.token)
    assert label_studio.token not in str(raised.value)
    assert len(str(raised.value)) < 300


def test_a_personal_access_token(server: Server, title: str) -> None:
    """The kind of token that Label Studio gives since 1.20: it is exchanged for one that lasts minutes."""
    token = str(server._client.tokens.create().token)
    send(Server(server.url, token), title, [AWKWARD[0]], as_annotations=True)
    assert pull(Server(server.url, token), title).records == [expected(AWKWARD[0])]


def test_no_such_project(server: Server) -> None:
    with pytest.raises(NoProject, match="no such project"):
        pull(server, "nowhere")


def test_two_projects_of_one_title(server: Server, title: str) -> None:
    for _ in range(2):
        server._client.projects.create(title=title, label_config=interface_xml())
    with pytest.raises(NoProject, match="are 2 projects"):
        send(server, title, [AWKWARD[0]])


def test_a_server_that_goes_in_the_middle(
    label_studio: RunningServer, title: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed during a push: an error, nothing lost; the next push sends what is missing and no more."""
    server = Server(label_studio.url, label_studio.token)
    imported = server.import_tasks
    calls = count()

    def dying(*arguments: Any) -> None:
        if next(calls) == 2:
            label_studio.stop()
        imported(*arguments)

    monkeypatch.setattr(server, "import_tasks", dying)
    records = [random_gold(f"r{seed}", seed) for seed in range(12)]
    with pytest.raises(NoServer, match="No connection"):
        send(server, title, records, as_annotations=True, longest=150)
    label_studio.start()
    server = Server(label_studio.url, label_studio.token)
    there = len(tasks_of(server, title))
    assert there == 40
    again = send(server, title, records, as_annotations=True, longest=150)
    assert again.tasks_there == there
    assert again.tasks_sent > 0
    back = pull(server, title)
    assert {record.id: record for record in back.records} == {each.id: expected(each) for each in records}
    assert len(tasks_of(server, title)) == there + again.tasks_sent
