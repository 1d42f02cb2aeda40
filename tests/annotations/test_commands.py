"""The commands: what they import, what they say, and that no token shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from gold_records import gold
from gongkai.cli import add_command_groups
from gongkai.cli import app as gongkai
from gongkai.errors import GongkaiError
from gongkai.gold.records import read, write
from gongkai_annotations import server as servers
from gongkai_annotations.cli import app
from gongkai_annotations.push import submissions
from gongkai_annotations.server import MissingExtra, NoServer, NoToken, Server, read_token
from label_studio_server import EMAIL, RunningServer, free_port

RECORD = gold("d", "𠮷市⟦METRIC#m 收到申请⟧⟦COUNT#n 5件⟧。\r\n", "value_of n m", year=2018)


def run(*arguments: object) -> tuple[int, str]:
    """Exit status and all output of `gongkai annotate`, as the user sees them."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if isinstance(result.exception, GongkaiError):
        return 1, f"error: {result.exception}"
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, " ".join(result.output.split())


def test_annotate_is_a_command_of_gongkai() -> None:
    add_command_groups()
    add_command_groups()
    assert [group.name for group in gongkai.registered_groups].count("annotate") == 1
    result = CliRunner().invoke(gongkai, ["annotate", "--help"])
    assert result.exit_code == 0
    assert "Label Studio" in result.output


def test_the_commands_import_nothing_heavy() -> None:
    heavy = ["spacy", "label_studio_sdk", "fastapi", "uvicorn", "httpx", "opencc"]
    code = f"import sys, gongkai_annotations.cli; print([m for m in {heavy} if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_the_interface_is_printed() -> None:
    status, told = run("interface")
    assert status == 0
    assert told.startswith("<View>")


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from importlib import util

    monkeypatch.setattr(util, "find_spec", lambda name: None)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", "x")
    told = "error: label_studio_sdk: It is not installed. Run: pip install 'gongkai[annotate]'."
    assert run("status", "-p", "p") == (1, told)
    assert run("serve") == (1, "error: fastapi: It is not installed. Run: pip install 'gongkai[serve]'.")
    with pytest.raises(MissingExtra):
        Server("http://localhost", "x")


def test_tokens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LABEL_STUDIO_API_KEY", raising=False)
    assert run("status", "-p", "p")[1].startswith("error: LABEL_STUDIO_API_KEY: The variable is not set.")
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", " abc\n")
    assert read_token(None) == "abc"
    file = tmp_path / "token"
    file.write_text("def\n")
    assert read_token(file) == "def"
    for content in (b"", b"two words", "令牌".encode(), b"\xff"):
        file.write_bytes(content)
        with pytest.raises(NoToken) as raised:
            read_token(file)
        assert content.decode("latin-1") == "" or content.decode("latin-1") not in str(raised.value)
    with pytest.raises(NoToken, match="No such file"):
        read_token(tmp_path / "nowhere")


def test_no_option_takes_a_token() -> None:
    for command in app.registered_commands:
        result = CliRunner().invoke(
            app, [str(command.name or (command.callback and command.callback.__name__)), "--help"]
        )
        assert not re.search(r"--(token|api-key|key)\b(?!-file)", result.output)


@pytest.mark.parametrize("url", ["notaurl", "ftp://localhost", "http://", "http://127.0.0.1:{port}"])
def test_urls_where_no_server_is(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("label_studio_sdk")
    monkeypatch.setattr(servers, "_TIMEOUT", 5)
    with pytest.raises(NoServer) as raised:
        Server(url.format(port=free_port()), "s3cret")
    assert "s3cret" not in str(raised.value) + repr(raised.value)


def test_submissions(root: Path, tmp_path: Path) -> None:
    from gongkai.ingest import read_text
    from gongkai.pipeline import Extractor

    extractor = Extractor("rules")
    write([RECORD], tmp_path / "1-gold.jsonl")
    predicted = extractor.extract(read_text("收到申请5件。"))
    (tmp_path / "2-documents.jsonl").write_bytes(msgspec.json.encode(predicted) + b"\n\n{broken\n")
    (tmp_path / "3-texts.jsonl").write_text('{"text": "收到申请5件。", "id": "raw"}\n')
    (tmp_path / "4-report.txt").write_text("收到申请5件。")
    (tmp_path / "5-empty.txt").write_text("")
    (tmp_path / "6-standoff.jsonl").write_text('{"id": "s", "sha256": "0", "entities": []}\n')
    found = list(submissions([tmp_path], extractor.extract, "rules"))
    told = [str(each).split(": ", 1)[1] if isinstance(each, GongkaiError) else each.version for each in found]
    version = told[1]
    assert told[0] is None
    assert str(version).endswith("-rules")
    assert told[3:5] == [version, version]
    assert [str(each)[:20] for each in (told[2], told[5], told[6])] == [
        "JSON is malformed: o",
        "It is empty (0 bytes",
        "It has no text. Join",
    ]
    assert [len(each.record.entities) for each in found if not isinstance(each, GongkaiError)] == [2] * 4


@pytest.mark.label_studio
def test_the_loop_on_the_command_line(
    label_studio: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = tmp_path / "token"
    token.write_text(label_studio.token)
    monkeypatch.delenv("LABEL_STUDIO_API_KEY", raising=False)
    options = ["-p", "loop", "--url", label_studio.url, "--token-file", token]
    write([RECORD], tmp_path / "gold.jsonl")
    status, told = run("push", tmp_path / "gold.jsonl", "--as-annotations", *options)
    assert (status, "1 documents; tasks: 1 sent" in told) == (0, True)
    out = tmp_path / "pulled.jsonl"
    status, told = run("pull", "-o", out, *options)
    assert (status, "1 records of 1 tasks" in told) == (0, True)
    (record,) = read(out)
    assert record == msgspec.structs.replace(RECORD, meta={"year": 2018, "annotator": EMAIL})
    assert run("pull", "-o", out, *options)[1].startswith(f"error: {out}: It exists.")
    assert run("pull", "-o", out, "--force", *options)[0] == 0
    status, told = run("status", *options)
    assert (status, "loop: 1 of 1 tasks annotated" in told, EMAIL in told) == (0, True, True)
    status, told = run("connect", "--backend", f"http://127.0.0.1:{free_port()}", *options)
    assert (status, label_studio.token in told) == (1, False)


@pytest.mark.label_studio
def test_a_refused_token_on_the_command_line(label_studio: RunningServer) -> None:
    """The whole program: one line, exit status 1, and no token in it."""
    environment = os.environ | {"LABEL_STUDIO_API_KEY": "wr0ng" * 8}
    command = [sys.executable, "-c", "import sys, gongkai.cli; sys.exit(gongkai.cli.main())"]
    answer = subprocess.run(
        [*command, "annotate", "status", "-p", "p", "--url", label_studio.url],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert answer.stderr.startswith(f"error: {label_studio.url}: The token is not accepted")
    assert answer.stderr.count("\n") == 1
    assert "wr0ng" not in answer.stderr
