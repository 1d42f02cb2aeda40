"""Label Studio's editor counts as we do: what a hand marks in it is the span that comes back."""

from __future__ import annotations

import pytest

import label_studio_editor as editors
from gold_records import gold
from gongkai.gold.records import GoldRecord, canonical
from gongkai_annotations.pull import pull
from gongkai_annotations.push import Submission, push
from gongkai_annotations.server import Server
from label_studio_server import EMAIL, RunningServer

pytestmark = pytest.mark.label_studio

MARKED = "⟦ORG#b 𠮷林😀市⟧共\r\n\r\n\t⟦PERIOD#y 2018年⟧⟦METRIC#m 收到𪚥申请⟧⟦COUNT#n 5件⟧。\r其中<网上>&⟦COUNT#p 3件⟧ \n "
RECORD = gold("editor", MARKED, "value_of n m", "during n y", "part_of p n")
BY_HAND = ("b", "p")
"""Spans that the task comes without."""


def test_what_is_marked_by_hand(label_studio: RunningServer) -> None:
    pytest.importorskip("playwright", reason="no driver for the browser")
    if editors.chromium() is None:
        pytest.skip("no Chromium")
    given = gold("editor", MARKED, "value_of n m", "during n y")
    entities = tuple(entity for entity in given.entities if entity.id not in BY_HAND)
    record = GoldRecord(id=given.id, text=given.text, entities=entities, relations=given.relations)
    server = Server(label_studio.url, label_studio.token)
    push(server, "editor", [Submission(record=record, version="rules")])
    (task,) = server.snapshot(server.project("editor")).tasks
    with editors.editor(label_studio) as editor:
        editor.open(label_studio.url, server.project("editor").id, task.id)
        lines = editor.page.locator(editors.TEXT_LINES).all_text_contents()
        assert lines == ["𠮷林😀市共\u200b", "\u200b", "\t2018年收到𪚥申请5件。", "其中<网上>&3件 ", " "]
        editor.mark("7", 0, 0, 6)
        editor.mark("2", 3, 7, 9)
        editor.submit()
    back = pull(server, "editor")
    assert back.faults == []
    (annotated,) = back.records
    assert annotated.meta["annotator"] == EMAIL
    assert annotated.text == RECORD.text
    places = [(entity.label, entity.start, entity.end) for entity in annotated.entities]
    assert places == [(entity.label, entity.start, entity.end) for entity in RECORD.entities]
    kept = {entity.id for entity in annotated.entities}
    assert kept >= {entity.id for entity in entities}
    assert annotated.relations == canonical(record).relations
