"""The command line. Commands parse and call; what they call can be imported.

Nothing heavy is imported before a command needs it: `gongkai --version` answers at once.
"""

from __future__ import annotations

import sys
from enum import StrEnum
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated

import typer

from gongkai import __version__
from gongkai.archive import cli as archive
from gongkai.commands import Mode, ModelFolder
from gongkai.errors import GongkaiError
from gongkai.evaluate.cli import app as evaluate
from gongkai.export import Format
from gongkai.generate.cli import generate

FAILED = 1
SOME_FAILED = 3
INTERRUPTED = 130


class Engine(StrEnum):
    """Where documents are extracted."""

    LOCAL = "local"
    RAY = "ray"


app = typer.Typer(
    name="gongkai",
    help="Chinese government reports to checked, citable data.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


app.add_typer(evaluate)
app.command()(generate)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"gongkai {__version__}")
        raise typer.Exit


@app.callback()
def gongkai(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Chinese government reports to checked, citable data: entities, relations, facts and findings."""


@app.command()
def extract(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH",
            help="Files and archives, folders that are searched through, or URLs of either (s3://…).",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="OUT", help="Folder for the results.", show_default=False),
    ],
    formats: Annotated[
        list[Format] | None,
        typer.Option(
            "--format", "-f", help="What to write; may be repeated. [default: jsonl]", show_default=False
        ),
    ] = None,
    mode: Annotated[Mode, typer.Option(help="What tags the text.")] = Mode.HYBRID,
    model: ModelFolder = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Processes. [default: as many as there are cores]", show_default=False),
    ] = None,
    engine: Annotated[
        Engine, typer.Option(help="Where they are: on this machine, or on a Ray cluster.")
    ] = Engine.LOCAL,
    address: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="Where the Ray cluster is. [default: RAY_ADDRESS, or a new one on this machine]",
            show_default=False,
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the unfinished run in OUT, if there is one.")
    ] = False,
    fail_fast: Annotated[
        bool,
        typer.Option("--fail-fast", help="End the run at the first input that fails; keep what was done."),
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace results that lie in OUT.")] = False,
    timeout: Annotated[
        float, typer.Option(min=0.1, metavar="SECONDS", help="What one document may take.")
    ] = 60.0,
    memory: Annotated[
        int | None,
        typer.Option(min=256, metavar="MIB", help="What each process may take.", show_default=False),
    ] = None,
    log_json: Annotated[
        Path | None,
        typer.Option("--log-json", metavar="FILE", help="Append a log, one JSON object a line."),
    ] = None,
) -> None:
    """Extract entities, relations, facts and findings from reports into the folder OUT.

    Writes **documents.jsonl** (jsonl), one table each for documents, sections, entities, relations, facts and
    findings (parquet: folders by year; duckdb: **gongkai.duckdb**), **facts.csv** and **findings.csv** (csv, for
    Excel). Always written: **errors.jsonl**, the inputs that failed; **quarantine.jsonl**, those of them that hung
    or crashed; **duplicates.jsonl**, documents that are byte for byte like an earlier one and point to it; and
    **run.json**.

    A run that was killed goes on with --resume, repeats nothing that was done, and ends with the same bytes.

    Exit status: 0 all inputs were extracted; 3 finished, but some inputs failed; 1 no document came out,
    OUT cannot be written, or --fail-fast ended the run; 2 wrong usage; 130 interrupted.
    """
    if address is not None and engine is Engine.LOCAL:
        raise typer.BadParameter("It is for --engine ray.", param_hint="--address")
    from functools import partial

    from rich.console import Console

    from gongkai.batch.cluster import RayPool
    from gongkai.progress import reporting, summary_table
    from gongkai.resources import fingerprint
    from gongkai.run import load_extractor, processes, run

    try:
        with reporting(sys.stderr) as progress:
            summary = run(
                paths,
                out,
                extractor=partial(load_extractor, mode, model),
                formats=formats or [Format.JSONL],
                workers=workers,
                pool=partial(RayPool, address=address) if engine is Engine.RAY else processes,
                resume=resume,
                force=force,
                fail_fast=fail_fast,
                settings={
                    "mode": mode,
                    "resources": fingerprint(),
                    "model": fingerprint(model) if model else "",
                },
                timeout=timeout,
                memory=None if memory is None else memory * 1024 * 1024,
                progress=progress,
                log=log_json,
            )
    except KeyboardInterrupt:
        typer.echo("interrupted: the same command with --resume goes on", err=True)
        raise
    Console().print(summary_table(summary))
    if summary.failed:
        typer.echo(f"{summary.failed:,} failed: see {out / 'errors.jsonl'}", err=True)
    if summary.stopped_by:
        typer.echo(f"error: {_one_line(summary.stopped_by.message)}", err=True)
        raise typer.Exit(FAILED)
    if summary.failed:
        raise typer.Exit(SOME_FAILED if summary.documents else FAILED)


@app.command()
def show(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A report, or its URL.", show_default=False)],
    html: Annotated[
        str | None,
        typer.Option("--html", metavar="PAGE", help="Write one self-contained page instead; - for stdout."),
    ] = None,
    number: Annotated[int, typer.Option(min=1, help="Which document, where FILE holds several.")] = 1,
    mode: Annotated[Mode, typer.Option(help="What tags the text.")] = Mode.HYBRID,
    model: ModelFolder = None,
    force: Annotated[bool, typer.Option("--force", help="Replace PAGE if it exists.")] = False,
) -> None:
    """Show a report with its marked spans, facts and findings."""
    from gongkai.pipeline import Extractor
    from gongkai.run import nth_document

    record = Extractor(mode, model).extract(nth_document(file, number))
    if html is None:
        from rich.console import Console

        from gongkai.show import terminal

        terminal.show(record, Console())
        return
    from gongkai.show.html import page, write_page

    if html == "-":
        typer.echo(page(record).encode(), nl=False)
    else:
        write_page(record, Path(html), force=force)


app.command()(archive.query)
app.command()(archive.check)
app.command()(archive.report)


@app.command()
def schema() -> None:
    """Print the JSON Schema of a record: one line of documents.jsonl."""
    import json

    from gongkai.export.jsonl import record_schema

    typer.echo(json.dumps(record_schema(), ensure_ascii=False, indent=2))


def _one_line(message: str) -> str:
    return " ".join(message.split())


COMMANDS = "gongkai.commands"
"""Entry-point group of command groups that build on the library; the library itself imports none."""


def add_command_groups() -> None:
    """Add what other packages offer under `COMMANDS`, each a Typer app under its entry point's name."""
    added = {group.name for group in app.registered_groups}
    for entry in entry_points(group=COMMANDS):
        if entry.name not in added:
            app.add_typer(entry.load(), name=entry.name)


def main() -> int:
    """Entry point: an error that the user can act on is one line on stderr, never a traceback.

    Returns:
        The exit status; Typer itself exits for wrong usage (2) and for a command that ended well (0).
    """
    try:
        add_command_groups()
        app(prog_name="gongkai")
    except GongkaiError as error:
        typer.echo(f"error: {_one_line(str(error))}", err=True)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0
