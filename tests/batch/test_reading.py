"""Archives in a process of their own, real ones that never come and real kills."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from gongkai.batch.reading import Reader
from gongkai.errors import IngestError, Quarantined, WorkerLost
from gongkai.ingest import Leaf, leaves
from gongkai.run import run
from handmade import StandIn
from packing import zip_of

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes and signals of POSIX")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "a.zip"
    path.write_bytes(zip_of({"1.txt": b"1", "../2.txt": b"2", "3.txt": b"3"}))
    return path


@pytest.fixture
def stuck(tmp_path: Path) -> Path:
    """An archive whose bytes never come."""
    path = tmp_path / "stuck.zip"
    os.mkfifo(path)
    return path


def told(items: Iterator[Leaf | IngestError]) -> list[str]:
    return [str(item) if isinstance(item, IngestError) else item.data.decode() for item in items]


def test_the_same_as_without(archive: Path, tmp_path: Path) -> None:
    single = tmp_path / "4.txt"
    single.write_text("4")
    with Reader(10) as reader:
        for path in (archive, single, tmp_path / "absent.zip", archive):
            assert told(reader.leaves(path)) == told(leaves(path))


def test_one_that_is_left_halfway_does_not_mix_with_the_next(archive: Path) -> None:
    with Reader(10) as reader:
        next(reader.leaves(archive))
        assert told(reader.leaves(archive)) == told(leaves(archive))


def test_one_that_hangs(stuck: Path, archive: Path) -> None:
    with Reader(0.03) as reader:
        (error,) = reader.leaves(stuck)
        assert isinstance(error, Quarantined)
        assert str(error).startswith(f"{stuck}: It took longer than 0.3 s. What follows in it was left out;")
    with Reader(10) as reader:
        assert len(told(reader.leaves(archive))) == 3


@contextmanager
def beside(task: Callable[[], None]) -> Iterator[None]:
    """Does something else meanwhile."""
    thread = threading.Thread(target=task)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def test_one_that_crashes(stuck: Path) -> None:
    def kill_twice() -> None:
        for _ in range(2):
            held = opened(stuck)
            process = reader._process
            assert process is not None
            process.kill()
            while reader._process is process:
                time.sleep(0.01)
            os.close(held)

    with Reader(60) as reader, beside(kill_twice):
        (error,) = reader.leaves(stuck)
    assert isinstance(error, Quarantined)
    assert error.problem == "It ended its process (signal SIGKILL)."


def opened(pipe: Path) -> int:
    """The other end of a pipe, once somebody reads it."""
    while True:
        with suppress(OSError):
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        time.sleep(0.01)


def test_a_process_that_cannot_be_started(archive: Path) -> None:
    def kill_all() -> None:
        while not ended.wait(0.005):
            if (process := reader._process) is not None and process.pid is not None:
                process.kill()

    ended = threading.Event()
    with Reader(60) as reader, beside(kill_all):
        with pytest.raises(WorkerLost, match="It ends before it reads"):
            list(reader.leaves(archive))
        ended.set()


def test_one_killed_once_is_read_again(archive: Path) -> None:
    with Reader(60) as reader:
        items = reader.leaves(archive)
        first = next(items)
        assert reader._process is not None
        reader._process.kill()
        reader._process.join()
        assert isinstance(first, Leaf)
        assert [first.data.decode(), *told(items)] == told(leaves(archive))


def test_a_run_goes_on_without_it(stuck: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("1.txt", "9.txt"):
        (folder / name).write_text(f"{name}公开12条。", "utf8")
    (folder / "5.zip").symlink_to(folder / ".pipe")
    stuck.rename(folder / ".pipe")
    out = tmp_path / "out"
    summary = run([folder], out, extractor=StandIn, workers=1, timeout=0.2)
    assert (summary.documents, summary.errors, summary.quarantined) == (2, {"Quarantined": 1}, 1)
    (line,) = (out / "quarantine.jsonl").read_text("utf8").splitlines()
    assert json.loads(line) == {
        "path": str(folder / "5.zip"), "member": None, "reason": "It took longer than 2 s.",
    }  # fmt: skip
