"""The command line: what it prints, what it writes, how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import jsonschema
import pytest

from gongkai import __version__, cli, run
from gongkai.export.jsonl import record_schema
from handmade import StandIn


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extractor of the tests in the pipeline's place: these tests are about the commands."""
    module = ModuleType("gongkai.pipeline")
    module.Extractor = StandIn  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "gongkai.pipeline", module)
    monkeypatch.setattr(run, "load_extractor", StandIn)  # of worker processes, which import their own modules
    monkeypatch.setattr(run, "cores", lambda: 1)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.txt"
    path.write_text("主动公开信息12条。", encoding="utf-8")
    return path


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    path = tmp_path / "empty.txt"
    path.write_bytes(b"")
    return path


ALWAYS = {"errors.jsonl", "duplicates.jsonl", "quarantine.jsonl", "run.json"}


def status_of(*arguments: str | Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Exit status of `gongkai ARGUMENTS`, run in this process."""
    monkeypatch.setattr(sys, "argv", ["gongkai", *map(str, arguments)])
    try:
        return cli.main()
    except SystemExit as stop:
        return int(stop.code or 0)


def test_all_good(
    good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status_of("extract", good, "-o", tmp_path / "out", monkeypatch=monkeypatch) == 0
    line = json.loads((tmp_path / "out" / "documents.jsonl").read_text("utf-8"))
    jsonschema.validate(line, record_schema())
    printed = capsys.readouterr()
    assert printed.err == ""
    for row in ("documents 1", "COUNT 数量 1", "facts 1", "findings 0", "failed 0"):
        assert row in " ".join(printed.out.split())


def test_some_failed(
    good: Path,
    empty: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert status_of("extract", empty, good, "-o", tmp_path / "out", monkeypatch=monkeypatch) == 3
    printed = capsys.readouterr()
    assert printed.err == f"1 failed: see {tmp_path / 'out' / 'errors.jsonl'}\n"
    assert "EmptyInput 1" in " ".join(printed.out.split())


def test_nothing_came_out(empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert status_of("extract", empty, "-o", tmp_path / "out", monkeypatch=monkeypatch) == 1
    assert (tmp_path / "out" / "errors.jsonl").read_text()


def test_fail_fast(
    good: Path,
    empty: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ("extract", good, empty, good, "-o", tmp_path / "out", "--fail-fast")
    assert status_of(*arguments, monkeypatch=monkeypatch) == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"error: {empty}: ")
    assert len((tmp_path / "out" / "documents.jsonl").read_text("utf-8").splitlines()) == 1


def test_formats_may_be_repeated(good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ("extract", good, "-o", tmp_path / "out", "--format", "csv", "--format", "duckdb")
    assert status_of(*arguments, monkeypatch=monkeypatch) == 0
    found = {path.name for path in (tmp_path / "out").iterdir()}
    assert found == {"facts.csv", "findings.csv", "gongkai.duckdb", *ALWAYS}


def test_results_are_kept_unless_forced(
    good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("extract", good, "-o", tmp_path / "out")
    assert status_of(*arguments, monkeypatch=monkeypatch) == 0
    capsys.readouterr()
    assert status_of(*arguments, monkeypatch=monkeypatch) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"error: {tmp_path / 'out'}: The folder already holds results")
    assert error.count("\n") == 1
    assert status_of(*arguments, "--force", monkeypatch=monkeypatch) == 0


@pytest.mark.parametrize(
    "arguments",
    [("extract",), ("extract", "x"), ("extract", "x", "-o", "y", "--format", "xml"), ("nothing",)],
)
def test_wrong_usage(arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert status_of(*arguments, monkeypatch=monkeypatch) == 2
    assert not list(tmp_path.iterdir())


def test_show(good: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of("show", good, monkeypatch=monkeypatch) == 0
    assert "主动公开信息12条。" in capsys.readouterr().out


def test_show_page(
    good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    assert status_of("show", good, "--html", page, monkeypatch=monkeypatch) == 0
    assert status_of("show", good, "--html", "-", monkeypatch=monkeypatch) == 0
    assert capfd.readouterr().out == page.read_text("utf-8")
    assert status_of("show", good, "--html", page, monkeypatch=monkeypatch) == 1
    assert status_of("show", good, "--html", page, "--force", monkeypatch=monkeypatch) == 0


def test_show_bad_input(
    empty: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status_of("show", empty, monkeypatch=monkeypatch) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"error: {empty}: ")
    assert error.count("\n") == 1


def test_schema(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of("schema", monkeypatch=monkeypatch) == 0
    assert json.loads(capsys.readouterr().out) == record_schema()


def test_version(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of("--version", monkeypatch=monkeypatch) == 0
    assert capsys.readouterr().out == f"gongkai {__version__}\n"


def test_help_says_the_exit_statuses(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status_of("extract", "--help", monkeypatch=monkeypatch) == 0
    assert "Exit status: 0" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["extract", "--help"], ["schema"]])
def test_what_needs_no_document_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys; from gongkai.cli import app\n"
        f"try: app({arguments!r})\nexcept SystemExit: pass\n"
        "heavy = {'spacy', 'onnxruntime', 'numpy', 'opencc', 'pyarrow', 'duckdb', 'lxml', 'pypdf'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stderr.splitlines()[-1] == "[]"


def test_closed_pipe_is_quiet() -> None:
    command = [sys.executable, "-c", "import sys; from gongkai.cli import main; sys.exit(main())", "schema"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""


SLOW = """
import sys, time
import harmful
from gongkai import run
run.load_extractor = harmful.telling
from gongkai.cli import main
sys.exit(main())
"""


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize(
    ("sent", "status", "said", "left"),
    [
        (signal.SIGINT, 130, b"interrupted: the same command with --resume goes on\n", []),
        (signal.SIGKILL, -9, b"", [".gongkai"]),
    ],
)
def test_stopped_run_leaves_nothing_that_looks_whole(
    sent: signal.Signals, status: int, said: bytes, left: list[str], good: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-c", SLOW, "extract", str(good), "-o", str(out)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        time.sleep(0.1)
        process.send_signal(sent)
        assert process.stderr.read() == said
    assert process.returncode == status
    assert [path.name for path in out.glob("*")] == left
