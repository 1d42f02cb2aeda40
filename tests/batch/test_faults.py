"""Runs on real processes that are killed, hang, crash, run out of disk: nothing lost, nothing doubled."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from gongkai.batch.shards import ShardSize
from gongkai.batch.workspace import FOLDER
from gongkai.errors import OutputError, WorkerLost
from gongkai.export import Format
from gongkai.run import RunSummary, run
from handmade import StandIn
from harmful import Batched, Planted, Vanishing, ended
from packing import zip_of

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")

SMALL = ShardSize(items=4, bytes=10_000)
SAME = (
    "documents.jsonl",
    "errors.jsonl",
    "duplicates.jsonl",
    "quarantine.jsonl",
    "facts.csv",
    "findings.csv",
)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Thirty reports, some in an archive, some of them twice, one empty, one on which the extractor fails."""
    folder = tmp_path / "in"
    folder.mkdir()
    members = {f"{n}.txt": f"第{n}号：主动公开信息12条。".encode() for n in range(12)}
    (folder / "a.zip").write_bytes(zip_of(members))
    for n in range(6, 24):
        (folder / f"{n:02}.txt").write_text(f"第{n}号：主动公开信息12条。", "utf8")
    (folder / "24.txt").write_bytes(b"")
    (folder / "25.txt").write_text("这一篇会坏。", "utf8")
    return folder


def result(out: Path) -> dict[str, bytes]:
    """The files that must be the same in every run."""
    files = {name: (out / name).read_bytes() for name in SAME if (out / name).exists()}
    return files | {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.glob("*/year=*/*"))}


def lines(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text("utf8").splitlines()]


@pytest.fixture
def expected(archive: Path, tmp_path: Path) -> dict[str, bytes]:
    """What a run that nobody disturbs writes."""
    extract(archive, tmp_path / "undisturbed")
    return result(tmp_path / "undisturbed")


FORMATS = [Format.JSONL, Format.CSV]


def extract(archive: Path, out: Path, **options: object) -> RunSummary:
    given = {"extractor": StandIn, "formats": FORMATS, "workers": 1, "shard": SMALL, **options}
    return run([archive], out, **given)  # type: ignore[arg-type]


def test_two_workers_write_what_one_writes(archive: Path, tmp_path: Path) -> None:
    for workers in (1, 2):
        extract(archive, tmp_path / str(workers), workers=workers, formats=[*FORMATS, Format.PARQUET])
    assert result(tmp_path / "1") == result(tmp_path / "2")
    assert len(result(tmp_path / "1")["documents.jsonl"].splitlines()) == 24


SCRIPT = """
import sys
from functools import partial
from pathlib import Path
from gongkai.batch.shards import ShardSize
from gongkai.export import Format
from gongkai.run import run
from harmful import Planted
if __name__ == "__main__":
    run([Path(sys.argv[1])], Path(sys.argv[2]), extractor=partial(Planted, 0.02),
        formats=[Format.JSONL, Format.CSV], workers=2, shard=ShardSize(4, 10_000), resume=True)
"""


def started(archive: Path, out: Path) -> subprocess.Popen[bytes]:
    """A run in a process of its own, which goes on with what is there."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    return subprocess.Popen([sys.executable, "-c", SCRIPT, str(archive), str(out)], env=environment)


def committed(out: Path) -> int:
    manifest = out / FOLDER / "manifest.jsonl"
    return manifest.read_bytes().count(b'"committed"') if manifest.exists() else 0


def children(pid: int) -> list[int]:
    """Processes of a process, where the system tells."""
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(word) for word in listed.read_text().split()] if listed.exists() else []


def kill_main_after(archive: Path, out: Path, shards: int) -> None:
    with started(archive, out) as process:
        while process.poll() is None and committed(out) < shards:
            time.sleep(0.005)
        process.kill()


def test_kill_of_the_main_process(archive: Path, expected: dict[str, bytes], tmp_path: Path) -> None:
    out = tmp_path / "out"
    kill_main_after(archive, out, 2)
    assert not (out / "errors.jsonl").exists()
    with pytest.raises(OutputError, match="unfinished run"):
        extract(archive, out)
    done = committed(out)
    assert done >= 2
    told: list[int] = []
    extract(archive, out, resume=True, progress=lambda summary: told.append(summary.done))
    assert told[0] >= 4 * done  # what was done is not done again
    assert result(out) == expected
    assert not (out / FOLDER).exists()


def test_kill_of_a_worker(archive: Path, expected: dict[str, bytes], tmp_path: Path) -> None:
    out = tmp_path / "out"
    with started(archive, out) as process:
        while process.poll() is None and not committed(out):
            time.sleep(0.005)
        for child in children(process.pid):
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                os.kill(child, signal.SIGKILL)
    assert process.returncode == 0
    assert result(out) == expected


@pytest.mark.slow
@pytest.mark.parametrize("trial", range(20))
def test_kills_at_random(trial: int, archive: Path, expected: dict[str, bytes], tmp_path: Path) -> None:
    """A worker (even trials) or the main process, at any moment from its start to its end."""
    chance = random.Random(trial)
    out = tmp_path / "out"
    with started(archive, out) as process:
        time.sleep(chance.uniform(0.2, 3.0))
        if process.poll() is None:
            victims = [process.pid] if trial % 2 else children(process.pid) or [process.pid]
            os.kill(chance.choice(victims), signal.SIGKILL)
    extract(archive, out, resume=True)
    assert result(out) == expected


def test_files_that_lost_their_end(archive: Path, expected: dict[str, bytes], tmp_path: Path) -> None:
    """What a loss of power may do to files that a system said it had written."""
    out = tmp_path / "out"
    kill_main_after(archive, out, 3)
    folder = out / FOLDER
    results = sorted(path for path in (folder / "shards").iterdir() if path.name.isdecimal())
    os.truncate(results[0] / "documents.jsonl", 10)
    manifest = folder / "manifest.jsonl"
    os.truncate(manifest, manifest.stat().st_size - 5)
    for path in (folder / "shards").glob("*.in"):
        os.truncate(path, 3)
    extract(archive, out, resume=True)
    assert result(out) == expected


def test_interrupt_and_resume(archive: Path, expected: dict[str, bytes], tmp_path: Path) -> None:
    out = tmp_path / "out"

    def interrupt(summary: RunSummary) -> None:
        if summary.done >= 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extract(archive, out, progress=interrupt)
    assert json.loads((out / FOLDER / "run.json").read_text("utf8"))["state"] == "interrupted"
    extract(archive, out, resume=True)
    assert result(out) == expected
    assert json.loads((out / "run.json").read_text("utf8"))["state"] == "finished"


def interrupted(archive: Path, out: Path, **options: object) -> None:
    """A run that was stopped after two shards."""

    def interrupt(summary: RunSummary) -> None:
        if summary.done >= 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extract(archive, out, progress=interrupt, **options)


def test_resume_with_other_settings_is_refused(archive: Path, tmp_path: Path) -> None:
    interrupted(archive, tmp_path / "out", settings={"mode": "rules"})
    with pytest.raises(OutputError, match=r"another extractor: .*rules.*, not .*hybrid"):
        extract(archive, tmp_path / "out", resume=True, settings={"mode": "hybrid"})


def test_resume_of_a_finished_run_does_nothing(archive: Path, tmp_path: Path) -> None:
    first = extract(archive, tmp_path / "out")
    before = (tmp_path / "out" / "run.json").read_bytes()
    again = extract(archive, tmp_path / "out", resume=True, extractor=ended)
    assert again == first
    assert (tmp_path / "out" / "run.json").read_bytes() == before
    with pytest.raises(OutputError, match="results of another run"):
        extract(archive, tmp_path / "out", resume=True, formats=[Format.JSONL])


def test_two_runs_in_one_folder(archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with started(archive, out) as process:
        while not committed(out):
            time.sleep(0.005)
        with pytest.raises(OutputError, match="Another run is writing here"):
            extract(archive, out, resume=True)
        with pytest.raises(OutputError, match="Another run is writing here"):
            extract(archive, out, force=True)
    assert process.returncode == 0


def test_inputs_that_came_and_went_shift_nothing(
    archive: Path, expected: dict[str, bytes], tmp_path: Path
) -> None:
    interrupted(archive, tmp_path / "out")
    (archive / "06.txt").unlink()
    (archive / "00.txt").write_text("新来的。", "utf8")
    extract(archive, tmp_path / "out", resume=True)
    assert result(tmp_path / "out") == expected


@pytest.mark.parametrize(("change", "message"), [("gone", "It went after"), ("other", "It changed after")])
def test_an_archive_that_changed_midway(change: str, message: str, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    path = folder / "a.zip"
    path.write_bytes(zip_of({f"{n:02}.txt": f"第{n}号。".encode() for n in range(40)}))
    interrupted(folder, tmp_path / "out")
    if change == "gone":
        path.unlink()
    else:
        path.write_bytes(zip_of({"0.txt": "新。".encode()}))
    summary = extract(folder, tmp_path / "out", resume=True)
    (line,) = lines(tmp_path / "out" / "errors.jsonl")
    assert message in line["message"]
    assert summary.documents % 4 == 0
    assert 8 <= summary.documents < 40


def test_an_input_that_vanishes_while_it_is_read(archive: Path, tmp_path: Path) -> None:
    summary = extract(archive, tmp_path / "out", progress=Vanishing(archive / "23.txt"))
    (line,) = (line for line in lines(tmp_path / "out" / "errors.jsonl") if line["path"].endswith("23.txt"))
    assert line["error"] == "UnreadableInput"
    assert summary.documents == 23


@pytest.mark.parametrize("extractor", [Planted, Batched])
def test_documents_that_hang_or_crash_are_left_out(extractor: type, tmp_path: Path) -> None:
    texts = ["公开12条。", "挂", "甲", "崩", "乙", "段", "丙", "丁", "戊"]
    folder = tmp_path / "in"
    folder.mkdir()
    for number, text in enumerate(texts):
        (folder / f"{number}.txt").write_text(text, "utf8")
    summary = extract(folder, tmp_path / "out", extractor=extractor, timeout=1.5)
    found = lines(tmp_path / "out" / "quarantine.jsonl")
    assert [(Path(line["path"]).name, line["reason"]) for line in found] == [
        ("1.txt", "It took longer than 1.5 s."),
        ("3.txt", "It ended its process (exit status 3)."),
        ("5.txt", "It ended its process (signal SIGSEGV)."),
    ]
    assert (summary.documents, summary.quarantined, summary.errors) == (6, 3, {"Quarantined": 3})
    assert [Path(line["path"]).name for line in lines(tmp_path / "out" / "errors.jsonl")] == [
        "1.txt", "3.txt", "5.txt",
    ]  # fmt: skip
    told = json.loads((tmp_path / "out" / "run.json").read_text("utf8"))
    assert [each["reason"] for each in told["quarantine"]] == [line["reason"] for line in found]


def test_workers_that_always_end(archive: Path, tmp_path: Path) -> None:
    with pytest.raises(WorkerLost, match="exit status 7"):
        extract(archive, tmp_path / "out", extractor=ended)
    assert list((tmp_path / "out").iterdir()) == []


def test_full_disk_and_resume(archive: Path, expected: dict[str, bytes], tmp_path: Path) -> None:
    """A limit on the size of files stands for a full disk: writing fails with an error in both cases."""
    out = tmp_path / "out"
    interrupted(archive, out)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(OutputError, match="Writing failed"):
            extract(archive, out, resume=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    extract(archive, out, resume=True)
    assert result(out) == expected


def test_fail_fast_keeps_what_comes_before_whatever_the_workers(archive: Path, tmp_path: Path) -> None:
    (archive / "11.txt").write_text("坏。", "utf8")
    for workers in (1, 2):
        summary = extract(archive, tmp_path / str(workers), workers=workers, fail_fast=True)
        assert summary.stopped_by is not None
        assert summary.stopped_by.path.endswith("11.txt")
        assert summary.documents == 5
    assert result(tmp_path / "1") == result(tmp_path / "2")


def test_read_only_output(archive: Path, tmp_path: Path) -> None:
    """A folder that cannot be made; file modes would not stop root."""
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="Not a directory"):
        extract(archive, tmp_path / "file" / "out")


def test_clock_that_goes_backwards(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(10**9, 0, -3600))
    monkeypatch.setattr(time, "time", lambda: float(next(now)))
    summary = extract(archive, tmp_path / "out", extractor=partial(Planted, 0.0))
    assert summary.documents == 24
    assert summary.seconds > 0
