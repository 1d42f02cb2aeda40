"""Documents shared out to processes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gongkai.evaluate.speed.workers import Workers, shards
from gongkai.ingest import read_text
from gongkai.pipeline import Extractor

TEXTS = [f"2018年，第{n}局共收到申请{n + 12}件，均已答复。" for n in range(5)]


@given(st.lists(st.text("文", max_size=50)), st.integers(1, 4))
def test_shards_hold_each_text_once_and_are_alike(texts: list[str], number: int) -> None:
    parts = shards(texts, number)
    assert len(parts) == number
    assert sorted(text for part in parts for text in part) == sorted(texts)
    sizes = [sum(map(len, part)) for part in parts]
    assert max(sizes) - min(sizes) <= max(map(len, texts), default=0)


def test_workers_find_the_same() -> None:
    extractor = Extractor("rules")
    found = sum(len(extractor.extract(read_text(text)).entities) for text in TEXTS)
    workers = Workers("rules", 2)
    before = workers.usage()
    assert workers.run(TEXTS) == found > 0
    after = workers.usage()
    assert after.cpu_seconds > before.cpu_seconds
    assert after.peak_bytes >= before.peak_bytes > 0
