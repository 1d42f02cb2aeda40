"""Runs on real processes that are killed, hang, crash, run out of disk: nothing lost, nothing doubled.

Moments are drawn by a seed, the number of the trial, and counted in what the run has done, not in seconds, so that a
trial that fails can be repeated on another machine.
"""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gongkai.batch.shards import ShardSize
from gongkai.batch.workspace import FOLDER
from gongkai.errors import OutputError, WorkerLost
from gongkai.export import Format
from gongkai.run import RunSummary, run
from handmade import StandIn
from harmful import CLOCK, Batched, Greedy, Planted, Vanishing, ended
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


def fill(folder: Path) -> Path:
    """Thirty reports, some in an archive, some of them twice, one empty, one on which the extractor fails."""
    folder.mkdir()
    members = {f"{n}.txt": f"第{n}号：主动公开信息12条。".encode() for n in range(12)}
    (folder / "a.zip").write_bytes(zip_of(members))
    for n in range(6, 24):
        (folder / f"{n:02}.txt").write_text(f"第{n}号：主动公开信息12条。", "utf8")
    (folder / "24.txt").write_bytes(b"")
    (folder / "25.txt").write_text("这一篇会坏。", "utf8")
    return folder


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive that no test changes."""
    return fill(tmp_path_factory.mktemp("archive") / "in")


@pytest.fixture
def fleeting(tmp_path: Path) -> Path:
    """The same, for a test that changes it."""
    return fill(tmp_path / "in")


def result(out: Path) -> dict[str, bytes]:
    """The files that must be the same in every run."""
    files = {name: (out / name).read_bytes() for name in SAME if (out / name).exists()}
    return files | {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.glob("*/year=*/*"))}


def lines(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text("utf8").splitlines()]


@pytest.fixture(scope="module")
def expected(archive: Path) -> dict[str, bytes]:
    """What a run that nobody disturbs writes."""
    out = archive.parent / "undisturbed"
    extract(archive, out)
    return result(out)


FORMATS = [Format.JSONL, Format.CSV]


def extract(archive: Path, out: Path, **options: object) -> RunSummary:
    given = {"extractor": StandIn, "formats": FORMATS, "workers": 1, "shard": SMALL, **options}
    return run([archive], out, **given)  # type: ignore[arg-type]


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


def started(archive: Path, out: Path, *first: Path) -> subprocess.Popen[bytes]:
    """A run in a process group of its own, which goes on with what is there; modules are looked for `first` there."""
    paths = [*map(str, first), *(path for path in sys.path if path)]
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(archive), str(out)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        start_new_session=True,
    )


def noted(out: Path, what: bytes = b"\n") -> int:
    """Lines of the manifest, or those with a word."""
    manifest = out / FOLDER / "manifest.jsonl"
    return manifest.read_bytes().count(what) if manifest.exists() else 0


def committed(out: Path) -> int:
    return noted(out, b'"committed"')


def children(pid: int) -> list[int]:
    """The processes that a run started, where the system tells."""
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    if not listed.exists():
        pytest.skip("there is no /proc that tells the processes of a process")
    every = [int(word) for word in listed.read_text().split()]
    return [pid for pid in every if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


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
            os.kill(child, signal.SIGKILL)
    assert process.returncode == 0
    assert result(out) == expected


LINES = 21
"""Of the manifest of a whole run: ten shards planned and committed, and the end of the inputs."""


@pytest.mark.slow
@pytest.mark.parametrize("trial", range(20))
def test_kills_at_random(trial: int, archive: Path, expected: dict[str, bytes], tmp_path: Path) -> None:
    """A worker (even trials: the run gets over it) or the main process, at any moment from its start to its end."""
    chance = random.Random(trial)
    moment, pause = chance.randint(0, LINES), chance.uniform(0, 0.1)
    out = tmp_path / "out"
    with started(archive, out) as process:
        while process.poll() is None and noted(out) < moment and not (out / "errors.jsonl").exists():
            time.sleep(0.002)
        time.sleep(pause)
        victims = [process.pid] if trial % 2 else children(process.pid)
        if process.poll() is None and victims:
            os.kill(chance.choice(victims), signal.SIGKILL)
    if trial % 2 == 0:
        assert process.returncode == 0
    else:
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


def lives(group: int) -> bool:
    """Whether any process of a group does."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def soon(true: Callable[[], bool]) -> bool:
    """Whether it becomes true within some seconds."""
    end = time.monotonic() + 10
    while not true() and time.monotonic() < end:
        time.sleep(0.01)
    return true()


def test_control_c(archive: Path, expected: dict[str, bytes], tmp_path: Path) -> None:
    """As a terminal sends it: to every process of the run."""
    out = tmp_path / "out"
    with started(archive, out) as process:
        # Of two shards, for the first may be noted on the disk only, and a run without one leaves nothing.
        while process.poll() is None and committed(out) < 2:
            time.sleep(0.005)
        os.killpg(process.pid, signal.SIGINT)
    assert process.returncode == -signal.SIGINT
    assert soon(lambda: not lives(process.pid))
    assert json.loads((out / FOLDER / "run.json").read_text("utf8"))["state"] == "interrupted"
    extract(archive, out, resume=True)
    assert result(out) == expected


def interrupted(archive: Path, out: Path, **options: object) -> None:
    """A run that was stopped after two shards."""

    def interrupt(summary: RunSummary) -> None:
        if summary.done >= 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extract(archive, out, progress=interrupt, **options)


def test_resume_with_other_settings_is_refused(archive: Path, tmp_path: Path) -> None:
    interrupted(archive, tmp_path / "out", settings={"mode": "rules"})
    with pytest.raises(OutputError, match=r"with extractor .*rules.*, not .*hybrid"):
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


def test_inputs_that_came_and_went_shift_nothing(fleeting: Path, tmp_path: Path) -> None:
    extract(fleeting, tmp_path / "undisturbed")
    interrupted(fleeting, tmp_path / "out")
    (fleeting / "06.txt").unlink()
    (fleeting / "00.txt").write_text("新来的。", "utf8")
    extract(fleeting, tmp_path / "out", resume=True)
    assert result(tmp_path / "out") == result(tmp_path / "undisturbed")


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


def test_an_input_that_vanishes_before_it_is_read(fleeting: Path, tmp_path: Path) -> None:
    summary = extract(fleeting, tmp_path / "out", progress=Vanishing(fleeting / "23.txt"))
    (line,) = (line for line in lines(tmp_path / "out" / "errors.jsonl") if line["path"].endswith("23.txt"))
    assert line["error"] == "UnreadableInput"
    assert summary.documents == 23


def test_an_archive_that_is_cut_off_while_it_is_read(tmp_path: Path) -> None:
    """What cannot be read any more is named, member by member."""
    folder = tmp_path / "in"
    folder.mkdir()
    path = folder / "a.zip"
    noise = random.Random(1)
    texts = {
        f"{n:03}.txt": "".join(chr(noise.randrange(0x5E00, 0x9FA5)) for _ in range(9_000)).encode()
        for n in range(40)
    }
    path.write_bytes(zip_of(texts))

    def cut_off(_: RunSummary) -> None:
        os.truncate(path, 300_000)

    summary = extract(folder, tmp_path / "out", progress=cut_off)
    failed = lines(tmp_path / "out" / "errors.jsonl")
    assert summary.documents >= 4
    assert {line["error"] for line in failed} == {"DamagedInput"}
    assert all(line["path"] == str(path) and line["member"] in texts for line in failed)
    assert summary.documents + len(failed) == 40


@pytest.mark.parametrize("extractor", [Planted, Batched])
def test_documents_that_hang_or_crash_are_left_out(extractor: type, tmp_path: Path) -> None:
    texts = ["公开12条。", "挂", "甲", "崩", "乙", "段", "丙", "丁", "戊"]
    folder = tmp_path / "in"
    folder.mkdir()
    for number, text in enumerate(texts):
        (folder / f"{number}.txt").write_text(text, "utf8")
    summary = extract(folder, tmp_path / "out", extractor=extractor, timeout=1.0)
    found = lines(tmp_path / "out" / "quarantine.jsonl")
    assert [(Path(line["path"]).name, line["reason"]) for line in found] == [
        ("1.txt", "It took longer than 1 s."),
        ("3.txt", "It ended its process (exit status 3)."),
        ("5.txt", "It ended its process (signal SIGSEGV)."),
    ]
    assert (summary.documents, summary.quarantined, summary.errors) == (6, 3, {"Quarantined": 3})
    assert [Path(line["path"]).name for line in lines(tmp_path / "out" / "errors.jsonl")] == [
        "1.txt", "3.txt", "5.txt",
    ]  # fmt: skip
    told = json.loads((tmp_path / "out" / "run.json").read_text("utf8"))
    assert [each["reason"] for each in told["quarantine"]] == [line["reason"] for line in found]


def test_a_document_that_takes_too_much_memory(tmp_path: Path) -> None:
    """Limited, it fails by itself; what it had taken is free again for the next."""
    folder = tmp_path / "in"
    folder.mkdir()
    for number, text in enumerate(["甲", "吃", "乙", "吃完", "丙"]):
        (folder / f"{number}.txt").write_text(text, "utf8")
    summary = extract(folder, tmp_path / "out", extractor=Greedy, memory=512 * 2**20)
    found = lines(tmp_path / "out" / "errors.jsonl")
    assert [(Path(line["path"]).name, line["error"]) for line in found] == [
        ("1.txt", "MemoryError"), ("3.txt", "Quarantined"),
    ]  # fmt: skip
    assert (summary.documents, summary.quarantined) == (3, 1)


def test_workers_that_always_end(archive: Path, tmp_path: Path) -> None:
    with pytest.raises(WorkerLost, match="exit status 7"):
        extract(archive, tmp_path / "out", extractor=ended)
    assert not (tmp_path / "out").exists()


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """A small disk of its own, in memory; where none may be mounted, the test is skipped."""
    rights = [] if os.geteuid() == 0 else ["sudo", "-n"]
    folder.mkdir()
    try:
        subprocess.run([*rights, "mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no file system can be mounted here")
    try:
        yield
    finally:
        subprocess.run([*rights, "umount", folder], check=True)


WIDE = [*FORMATS, Format.PARQUET]


@pytest.fixture(scope="module")
def wide(archive: Path) -> dict[str, bytes]:
    """What a run that nobody disturbs writes, with Parquet."""
    out = archive.parent / "wide"
    extract(archive, out, formats=WIDE)
    return result(out)


def test_two_workers_write_what_one_writes(archive: Path, wide: dict[str, bytes], tmp_path: Path) -> None:
    extract(archive, tmp_path / "out", workers=2, formats=WIDE)
    assert result(tmp_path / "out") == wide
    assert len(wide["documents.jsonl"].splitlines()) == 24


@pytest.mark.parametrize("free", [8, 80, 160, 240])
def test_full_disk_and_resume(free: int, archive: Path, wide: dict[str, bytes], tmp_path: Path) -> None:
    """So many KiB are enough to begin with, for some shards, for all but their results; one day, more is free."""
    disk = tmp_path / "disk"
    with mounted(disk, "size=1m"):
        ballast = disk / "ballast"
        ballast.write_bytes(bytes((1024 - free) * 1024))
        with pytest.raises(OutputError, match=r"Writing failed: .*(No space left|disk is full)"):
            extract(archive, disk / "out", formats=WIDE)
        ballast.unlink()
        extract(archive, disk / "out", formats=WIDE, resume=True)
        assert result(disk / "out") == wide


def test_files_that_cannot_grow_and_resume(archive: Path, expected: dict[str, bytes], tmp_path: Path) -> None:
    """A limit on the size of files, which everybody may set: writing fails with an error as on a full disk."""
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


def test_fail_fast_keeps_what_comes_before_whatever_the_workers(fleeting: Path, tmp_path: Path) -> None:
    (fleeting / "11.txt").write_text("坏。", "utf8")
    for workers in (1, 2):
        summary = extract(fleeting, tmp_path / str(workers), workers=workers, fail_fast=True)
        assert summary.stopped_by is not None
        assert summary.stopped_by.path.endswith("11.txt")
        assert summary.documents == 5
    assert result(tmp_path / "1") == result(tmp_path / "2")


def test_output_that_is_no_folder(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="Not a directory"):
        extract(archive, tmp_path / "file" / "out")


def test_read_only_output(archive: Path, tmp_path: Path) -> None:
    """On a file system that is, as no mode of a file would stop root."""
    with mounted(tmp_path / "disk", "ro"), pytest.raises(OutputError, match="Read-only file system"):
        extract(archive, tmp_path / "disk" / "out")


def test_clock_that_goes_backwards(fleeting: Path, tmp_path: Path) -> None:
    """In every process of the run, an hour back at each look; the inputs are of the future."""
    out = tmp_path / "out"
    for path in fleeting.iterdir():
        os.utime(path, (4e9, 4e9))
    extract(fleeting, tmp_path / "undisturbed")
    (tmp_path / "clock").mkdir()
    (tmp_path / "clock" / "sitecustomize.py").write_text(CLOCK, "utf8")
    interrupted(fleeting, out, formats=[Format.CSV, Format.JSONL])
    with started(fleeting, out, tmp_path / "clock") as process:
        pass
    assert process.returncode == 0
    assert result(out) == result(tmp_path / "undisturbed")
    told = json.loads((out / "run.json").read_text("utf8"))
    assert told["ended"] < told["started"]
    assert told["seconds"] > 0
