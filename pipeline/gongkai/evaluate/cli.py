"""`gongkai evaluate …`: thin commands; what they call can be imported. Nothing heavy is imported here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gongkai.commands import Mode, ModelFolder, with_default

DEFAULT = "score"
FAILED = 1

app = typer.Typer(
    name="evaluate",
    cls=with_default(DEFAULT),
    help="Scores with intervals: of a pipeline or a predictions file, of one against another, and of speed.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)

Gold = Annotated[list[Path], typer.Argument(metavar="GOLD", help="Gold files.", show_default=False)]
Texts = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Folder of the texts of stand-off gold.", show_default=False),
]
Resamples = Annotated[int, typer.Option(min=100, help="Replicates of the bootstrap.")]
Force = Annotated[bool, typer.Option("--force", help="Replace results that lie in OUT.")]
Table = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="FILE", help="Write it as Markdown, or as JSON (.json).", show_default=False
    ),
]
ForceTable = Annotated[bool, typer.Option("--force", help="Replace FILE if it exists.")]


@app.command(name=DEFAULT)
def score(
    gold: Gold,
    mode: Annotated[Mode, typer.Option(help="What tags the text.")] = Mode.HYBRID,
    model: ModelFolder = None,
    predictions: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Score this file instead: records, or spans with their text.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="OUT", help="Folder for the reports.", show_default=False),
    ] = None,
    texts: Texts = None,
    resamples: Resamples = 1000,
    force: Force = False,
) -> None:
    """Score a pipeline, or a predictions file, on gold (the default command).

    With **-o** writes **report.html** (scores, plots, error browser), **report.md**, **evaluation.json** and
    **scores.jsonl**, from which *gongkai evaluate compare* tells two systems apart.
    """
    from rich.console import Console

    from gongkai.evaluate.report.terminal import tables
    from gongkai.evaluate.run import Pipeline, PredictionsFile, evaluate, evaluate_into

    system = Pipeline(mode, model) if predictions is None else PredictionsFile(predictions)
    if out is None:
        evaluation = evaluate(gold, system, texts=texts, resamples=resamples)
    else:
        evaluation = evaluate_into(out, gold, system, texts=texts, resamples=resamples, force=force)
    console = Console()
    for table in tables(evaluation):
        console.print(table)
    for level, reason in evaluation.absent.items():
        typer.echo(f"not scored: {level} ({reason})", err=True)


@app.command()
def compare(
    a: Annotated[Path, typer.Argument(metavar="A", help="Folder of an evaluation.", show_default=False)],
    b: Annotated[Path, typer.Argument(metavar="B", help="Folder of another.", show_default=False)],
    out: Table = None,
    force: ForceTable = False,
) -> None:
    """Tell whether B is better than A: level by level, and which documents and spans changed.

    The interval is of a paired bootstrap over documents, p of approximate randomisation; *better* or *worse*
    needs both (the interval leaves out 0, and p is below 0.05).
    """
    from rich.console import Console

    from gongkai.evaluate.report.markdown import comparison_markdown
    from gongkai.evaluate.report.terminal import comparison_table
    from gongkai.evaluate.run import compare_folders
    from gongkai.show.html import write_text

    comparison = compare_folders(a, b)
    Console().print(comparison_table(comparison))
    typer.echo(f"{comparison.changed:,} of {comparison.documents:,} documents changed")
    if out is not None:
        write_text(comparison_markdown(comparison), out, force=force)


@app.command()
def leaderboard(
    pages: Annotated[
        list[Path] | None, typer.Argument(metavar="PAGE", help="Markdown pages to write the tables of.")
    ] = None,
    file: Annotated[Path, typer.Option(metavar="FILE", help="The leaderboard.")] = Path(
        "models/leaderboard.jsonl"
    ),
    gold: Annotated[
        list[Path] | None, typer.Option("--add", metavar="GOLD", help="Score MODE on GOLD first, and add it.")
    ] = None,
    mode: Annotated[Mode, typer.Option(help="What tags the text.")] = Mode.HYBRID,
    model: ModelFolder = None,
    texts: Texts = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only compare; exit status 1 if a page differs.")
    ] = False,
) -> None:
    """Keep the figures that pages quote: score, add to the leaderboard, write the pages' tables from it."""
    from gongkai.evaluate import leaderboard as board
    from gongkai.evaluate.run import Pipeline, evaluate

    if gold:
        system = Pipeline(mode, model)
        board.add_entries(
            file,
            (
                board.entry(evaluate([each], system, texts=texts), _command(each, mode, model, texts))
                for each in gold
            ),
        )
    entries = board.read_entries(file)
    for page in pages or []:
        if check:
            board.check_page(page, entries)
        else:
            board.write_page(page, entries)


def _command(gold: Path, mode: Mode, model: Path | None, texts: Path | None) -> str:
    """The command that gives the figures again."""
    folders = {"--model": model, "--texts": texts}
    named = "".join(f" {option} {folder}" for option, folder in folders.items() if folder)
    return f"gongkai evaluate {gold} --mode {mode}{named}"


@app.command()
def threshold(
    evaluation: Annotated[
        Path, typer.Argument(metavar="OUT", help="Folder of an evaluation.", show_default=False)
    ],
    precision: Annotated[float, typer.Option(min=0.0, max=1.0, help="The precision that is wanted.")] = 0.98,
) -> None:
    """Show from which score on a label's predictions are right often enough, and how many that keeps."""
    from rich.console import Console

    from gongkai.evaluate.report.terminal import threshold_table
    from gongkai.evaluate.run import read_evaluation

    Console().print(threshold_table(read_evaluation(evaluation), precision))


@app.command()
def speed(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Texts to run on.", show_default=False)],
    mode: Annotated[Mode, typer.Option(help="gongkai's mode.")] = Mode.HYBRID,
    model: ModelFolder = None,
    against: Annotated[
        list[str] | None,
        typer.Option(
            help="Run this alternative as well: bert-base, bert-base-int8-onnx, spacy-ner, lac, jieba, or all.",
            show_default=False,
        ),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Cores and threads for each system.")] = 1,
    rounds: Annotated[int, typer.Option(min=1, help="Fresh processes a system, in turn.")] = 3,
    seconds: Annotated[float, typer.Option(min=0.1, help="Measured time a round, at least one pass.")] = 2.0,
    budget: Annotated[
        float, typer.Option(min=1.0, help="Seconds after which a slow system's round ends.")
    ] = 20.0,
    out: Table = None,
    force: ForceTable = False,
) -> None:
    """Measure characters a second, latency, load time and memory, by stage and beside what else one could use.

    Each round of each system is a fresh process on as many cores as it has threads, system after system, so that what
    else the machine does hits all alike. With several threads gongkai runs twice: as that many processes, and as one in
    which the model has all of them. Where weights cannot be had, the same architecture runs with random ones (marked):
    speed does not depend on them. Alternatives need *pip install 'gongkai[speed]'*; what is missing is skipped and named.
    """
    from rich.console import Console

    from gongkai.evaluate.speed import ALTERNATIVES, PROCESSES, Settings, read_texts, side_by_side
    from gongkai.evaluate.speed.show import as_json, markdown, terminal
    from gongkai.show.html import write_text

    one = f"gongkai:{mode}"
    ours = [one + PROCESSES, one] if threads > 1 else [one]
    chosen = list(ALTERNATIVES) if against == ["all"] else against or []
    settings = Settings(
        threads=threads,
        rounds=rounds,
        seconds=seconds,
        budget_s=budget,
        model=None if model is None else str(model),
    )
    report = side_by_side(
        [*ours, *chosen],
        read_texts(paths),
        settings,
        on_round=lambda system, number: typer.echo(f"{system}: round {number}", err=True),
    )
    Console().print(terminal(report))
    if out is not None:
        write_text((as_json if out.suffix == ".json" else markdown)(report), out, force=force)
    if any(skipped.system in ours for skipped in report.skipped):
        raise typer.Exit(FAILED)
