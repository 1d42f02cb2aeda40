"""`gongkai query`, `check` and `report`: thin commands over a run's folder. Nothing heavy is imported here."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gongkai.archive import ResultFormat

if TYPE_CHECKING:
    from pyarrow import RecordBatchReader

_SHOWN = 100
"""Rows of a table on the screen; a file or another format gets them all."""

Out = Annotated[
    Path,
    typer.Argument(
        metavar="OUT",
        help="Folder of a run that wrote Parquet (extract --format parquet).",
        show_default=False,
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Replace what lies there.")]


def query(
    out: Out,
    question: Annotated[
        str | None,
        typer.Argument(metavar="SQL|NAME", help="One SELECT, or a named query.", show_default=False),
    ] = None,
    names: Annotated[
        bool, typer.Option("--list", help="List the named queries, the tables and the views.")
    ] = False,
    parameters: Annotated[
        list[str] | None,
        typer.Option(
            "--param", "-p", metavar="NAME=VALUE", help="A parameter of the query; may be repeated."
        ),
    ] = None,
    form: Annotated[
        ResultFormat | None,
        typer.Option("--format", "-f", help="Write all rows so. [default: a table, or FILE's suffix]"),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write to a file.", show_default=False),
    ] = None,
    force: Force = False,
) -> None:
    """Ask the archive in OUT: one SELECT in SQL (DuckDB), or a named query. Nothing is changed.

    *gongkai query OUT --list* says which tables, views and named queries there are.
    """
    from gongkai.archive.querying import answering, ask, write_answer, write_parquet, write_text
    from gongkai.archive.tables import open_archive

    if names:
        _list()
        return
    if question is None:
        raise typer.BadParameter("Give a SELECT or a named query, or --list.")
    values = _values(parameters or [])
    with open_archive(out) as archive, answering(question):
        reader = ask(archive, question, values)
        if file is not None:
            number = write_answer(reader, file, form or _of_suffix(file), force=force)
            typer.echo(f"{number:,} rows: {file}", err=True)
        elif form is ResultFormat.PARQUET:
            write_parquet(reader, sys.stdout.buffer)
        elif form is not None:
            write_text(reader, sys.stdout, form)
        else:
            _print(reader)


def check(out: Out, force: Force = False) -> None:
    """Compare the reports in OUT with each other, and draw what they cite.

    Writes into OUT **archive_findings.parquet** (carry-overs, values that the next report states otherwise, document
    numbers with two titles), **citations.parquet** and **citations.graphml**. Issuers whose name could be of several
    bodies are left out.
    """
    from rich.console import Console
    from rich.table import Table

    from gongkai.archive.checking import check_archive

    summary = check_archive(out, force=force)
    table = Table("rule", "severity", "findings")
    for (rule, severity), number in sorted(summary.findings.items()):
        table.add_row(rule, severity, f"{number:,}")
    Console().print(table)
    typer.echo(
        f"{summary.reports - summary.left_out:,} annual reports of {summary.compared:,} issuers compared, "
        f"{summary.left_out:,} left out (not clear whose); "
        f"{summary.citations:,} citations, {summary.within:,} of documents in the archive"
    )


def report(
    out: Out,
    page: Annotated[
        Path, typer.Option("--output", "-o", metavar="PAGE", help="The page to write.", show_default=False)
    ],
    findings: Annotated[int, typer.Option(min=0, help="How many findings to show in context.")] = 200,
    force: Force = False,
) -> None:
    """Write a summary of OUT as one self-contained page: coverage, metrics over years, findings, citations, errors."""
    from gongkai.archive.report import summary_page
    from gongkai.show.html import write_text

    write_text(summary_page(out, findings=findings), page, force=force)
    typer.echo(f"wrote {page}")


def _values(parameters: list[str]) -> dict[str, str]:
    values = {}
    for parameter in parameters:
        name, given, value = parameter.partition("=")
        if not given:
            raise typer.BadParameter(f"{parameter}: write it as NAME=VALUE.", param_hint="--param")
        values[name] = value
    return values


def _of_suffix(file: Path) -> ResultFormat:
    try:
        return ResultFormat(file.suffix.removeprefix("."))
    except ValueError:
        raise typer.BadParameter(
            f"{file.name}: its suffix is none of .csv, .json, .parquet; give --format.", param_hint="--output"
        ) from None


def _list() -> None:
    from rich.console import Console
    from rich.table import Table

    from gongkai.export import TABLES
    from gongkai.views.statements import statements

    queries = Table("query", "what it answers", "parameters (* required)", title="Named queries")
    for statement in statements("archive/queries").values():
        parameters = "\n".join(
            f"{parameter.name}{'*' if parameter.required else ''}: {parameter.meaning}"
            + (f" (default {parameter.default})" if parameter.default else "")
            for parameter in statement.parameters
        )
        queries.add_row(statement.name, statement.about, parameters)
    views = Table("view", "what it holds", title="Views")
    for statement in statements("views/sql").values():
        views.add_row(statement.name.partition("_")[2], statement.about)
    console = Console()
    console.print(queries, views)
    console.print("Tables:", ", ".join((*TABLES, "metrics", "archive_findings", "citations")))


def _print(reader: RecordBatchReader) -> None:
    from itertools import islice

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from gongkai.archive.querying import rows
    from gongkai.show import visible

    table = Table()
    for name in reader.schema.names:
        table.add_column(Text(visible(name)))
    answer = rows(reader)
    for row in islice(answer, _SHOWN):
        table.add_row(*(Text("" if cell is None else visible(str(cell))) for cell in row.values()))
    console = Console()
    console.print(table)
    if next(answer, None) is not None:
        typer.echo(f"only the first {_SHOWN:,} rows; -o FILE writes all", err=True)
