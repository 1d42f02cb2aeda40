"""`gongkai annotate …`: thin commands; what they call can be imported. Nothing heavy is imported here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gongkai.commands import Mode, ModelFolder

if TYPE_CHECKING:
    from .server import Server

FAILED = 1
INCOMPLETE = 3

app = typer.Typer(
    name="annotate",
    help="Gold data and the annotation loop: Label Studio, validation, agreement, sampling.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)

Files = Annotated[list[Path], typer.Argument(metavar="PATH", help="Files or folders.", show_default=False)]
Url = Annotated[str, typer.Option(envvar="LABEL_STUDIO_URL", help="Label Studio's start page.")]
ProjectTitle = Annotated[
    str, typer.Option("--project", "-p", help="Title of the project.", show_default=False)
]
TokenFile = Annotated[
    Path | None,
    typer.Option(
        help="File that holds the token. [default: the variable LABEL_STUDIO_API_KEY]", show_default=False
    ),
]
LOCAL = "http://localhost:8080"


def _server(url: str, token_file: Path | None) -> Server:
    from .server import Server, read_token

    return Server(url, read_token(token_file))


def _listed(title: str, lines: list[str]) -> None:
    if lines:
        typer.echo(f"{title}: {len(lines):,}", err=True)
    for line in lines:
        typer.echo(f"  {line}", err=True)


@app.command()
def validate(paths: Files) -> None:
    """Check gold files against the annotation scheme; exit status 1 if there is a problem."""
    from .validate import validate_files

    count, problems = validate_files(paths)
    for problem in problems:
        typer.echo(str(problem))
    typer.echo(f"{count:,} documents, {len(problems):,} problems", err=True)
    if problems:
        raise typer.Exit(FAILED)


@app.command()
def push(
    paths: Files,
    project: ProjectTitle,
    url: Url = LOCAL,
    token_file: TokenFile = None,
    as_annotations: Annotated[
        bool, typer.Option("--as-annotations", help="Send gold as annotations, not as predictions.")
    ] = False,
    mode: Annotated[
        Mode, typer.Option(help="What annotates reports that have no annotations.")
    ] = Mode.HYBRID,
    model: ModelFolder = None,
    max_characters: Annotated[
        int, typer.Option(min=200, help="Longest task; longer documents become several.")
    ] = 4000,
    update_interface: Annotated[
        bool, typer.Option("--update-interface", help="Put our labelling interface in the project's place.")
    ] = False,
) -> None:
    """Send documents to a Label Studio project, pre-annotated; what is there is not sent twice.

    Takes reports of any kind that *gongkai extract* reads, its *documents.jsonl*, and gold files.
    The project is made if there is none. Exit status 3 if a document was left out.
    """
    from gongkai.pipeline import Extractor

    from . import push as pushing

    server = _server(url, token_file)
    extractor = Extractor(mode, model)
    summary = pushing.push(
        server,
        project,
        pushing.submissions(paths, extractor.extract, mode),
        as_annotations=as_annotations,
        longest=max_characters,
        update_interface=update_interface,
    )
    typer.echo(
        f"project {project!r}{' (new)' if summary.project.created else ''}: {summary.documents:,} documents; "
        f"tasks: {summary.tasks_sent:,} sent, {summary.tasks_there:,} there already; "
        f"predictions: {summary.predictions_added:,} added, {summary.predictions_changed:,} changed; "
        f"annotations: {summary.annotations_added:,} added, {summary.annotations_left:,} left as they are"
    )
    _listed("left out", summary.refused)
    if summary.refused:
        raise typer.Exit(INCOMPLETE)


@app.command()
def pull(
    project: ProjectTitle,
    out: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Gold file to write.", show_default=False)
    ],
    url: Url = LOCAL,
    token_file: TokenFile = None,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE if it exists.")] = False,
) -> None:
    """Bring annotations back as gold, a record for each document and annotator; nothing is changed there.

    Lists what is skipped, rejected or incomplete, and what breaks the scheme. Exit status 3 if an annotation
    could not be read in full or breaks the scheme; the file is written all the same.
    """
    from gongkai.gold import records

    from . import pull as pulling
    from .validate import validate as check

    server = _server(url, token_file)
    summary = pulling.pull(server, project)
    records.write(summary.records, out, force=force)
    problems = [str(problem) for problem in check(summary.records)]
    typer.echo(
        f"project {project!r}: {len(summary.records):,} records of {summary.tasks:,} tasks → {out}; "
        f"relations between parts: {summary.crossing_kept:,} kept, {summary.crossing_dropped:,} dropped "
        f"with their spans; annotations made again later: {summary.superseded:,}; drafts: {summary.drafts:,}"
    )
    if summary.reread:
        typer.echo(f"changed while being read, and read again: {summary.reread:,} rounds", err=True)
    _listed("skipped", summary.skipped)
    _listed("rejected", summary.rejected)
    _listed("incomplete", summary.incomplete)
    _listed("not read in full", summary.faults)
    _listed("against the scheme", problems)
    if summary.faults or problems:
        raise typer.Exit(INCOMPLETE)


@app.command()
def status(project: ProjectTitle, url: Url = LOCAL, token_file: TokenFile = None) -> None:
    """Show how far each annotator is."""
    from rich.console import Console
    from rich.table import Table

    from .status import status as progress_of

    found = progress_of(_server(url, token_file), project)
    table = Table(title=f"{project}: {found.annotated:,} of {found.tasks:,} tasks annotated")
    table.add_column("annotator", no_wrap=True)
    for column in ("done", "skipped", "rejected", "left", "hours", "min/task"):
        table.add_column(column, justify="right")
    for each in found.annotators:
        mean = each.seconds_per_task
        table.add_row(
            each.annotator,
            f"{each.done:,}",
            f"{each.skipped:,}",
            f"{each.rejected:,}",
            f"{each.remaining:,}",
            f"{each.seconds / 3600:.1f}",
            "" if mean is None else f"{mean / 60:.1f}",
        )
    Console().print(table)
    if found.drafts or found.foreign:
        typer.echo(f"drafts not submitted: {found.drafts:,}; tasks that push did not make: {found.foreign:,}")


@app.command()
def interface() -> None:
    """Print the labelling interface, to paste into a project's settings."""
    from .interface import interface_xml

    typer.echo(interface_xml(), nl=False)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 9090,
    mode: Annotated[Mode, typer.Option(help="What annotates.")] = Mode.HYBRID,
    model: ModelFolder = None,
) -> None:
    """Run an ML backend that gives Label Studio live pre-annotations."""
    from .server import need

    need("fastapi", "serve")
    need("uvicorn", "serve")
    import uvicorn

    from .backend import create_app

    uvicorn.run(create_app(mode, model), host=host, port=port, log_level="warning")


@app.command()
def connect(
    project: ProjectTitle,
    backend: Annotated[
        str, typer.Option(help="Where `gongkai annotate serve` answers.")
    ] = "http://localhost:9090",
    url: Url = LOCAL,
    token_file: TokenFile = None,
) -> None:
    """Connect an ML backend to a project."""
    server = _server(url, token_file)
    server.add_backend(server.project(project), backend, "gongkai")
    typer.echo(f"project {project!r} asks {backend}")


Texts = Annotated[
    Path, typer.Option("--texts", help="Folder that holds the documents' texts.", show_default=False)
]
GOLD = Path("annotations/gold")


@app.command()
def hydrate(
    paths: Files,
    texts: Texts,
    out: Annotated[Path, typer.Option("--out", "-o", help="Gold file to write.", show_default=False)],
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
) -> None:
    """Join stand-off gold with its texts; what is missing or differs is listed, exit status 3."""
    from gongkai.errors import GongkaiError
    from gongkai.gold.records import StandoffRecord, read_lines, write
    from gongkai.gold.standoff import hydrate as join

    records = [
        record for path in paths for _, record in read_lines(path) if isinstance(record, StandoffRecord)
    ]
    joined = list(join(records, texts))
    missing = [item for item in joined if isinstance(item, GongkaiError)]
    written = write((item for item in joined if not isinstance(item, GongkaiError)), out, force=force)
    typer.echo(f"{written:,} documents joined with their texts: {out}", err=True)
    _listed("not joined", [str(error) for error in missing])
    if missing:
        raise typer.Exit(INCOMPLETE)


Force = Annotated[bool, typer.Option("--force", help="Replace what is there.")]


@app.command()
def dehydrate(
    paths: Files,
    out: Annotated[Path, typer.Option("--out", "-o", help="Stand-off file to write.", show_default=False)],
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
) -> None:
    """Take the texts out again of gold that `hydrate` joined, after correcting it."""
    from gongkai.gold.records import read, write
    from gongkai.gold.standoff import without_text

    written = write((without_text(record) for path in paths for record in read(path)), out, force=force)
    typer.echo(f"{written:,} documents without their texts: {out}", err=True)


@app.command()
def agreement(
    first: Annotated[
        list[Path], typer.Argument(metavar="A", help="Gold files of the one side.", show_default=False)
    ],
    others: Annotated[
        list[Path] | None,
        typer.Option(
            "--with",
            metavar="B",
            help="Gold file of another side; give it again for a third. Without it, the annotators "
            "(meta.annotator) within A are compared.",
            show_default=False,
        ),
    ] = None,
    listing: Annotated[bool, typer.Option("--list", help="List every disagreement in its sentence.")] = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="OUT", help="Write them as a page.", show_default=False)
    ] = None,
    force: Force = False,
) -> None:
    """Compare annotations of the same documents: strict F1, Krippendorff's alpha, every disagreement.

    With three annotators or more, F1 and the disagreements are those of every pair.
    """
    from rich.console import Console
    from rich.table import Table

    from gongkai.gold.records import read

    from . import agreement as agreeing
    from .alpha import Alpha
    from .disagreements import all_disagreements, lines

    records = (record for path in first for record in read(path))
    sides = ("first", ", ".join(map(str, others or ())))
    if others:
        named = ["second"] if len(others) == 1 else [str(path) for path in others]
        documents = list(
            agreeing.matched(records, {name: read(path) for name, path in zip(named, others, strict=True)})
        )
        sides = (", ".join(map(str, first)), sides[1])
    else:
        documents = list(agreeing.by_annotator(records))
        annotators = sorted({name for by_name in documents for name in by_name})
        sides = (annotators[0], ", ".join(annotators[1:])) if annotators else ("", "")
    counts = agreeing.pairwise_agreement(documents)
    alpha = Alpha(agreeing.labels_in(documents))
    for by_name in documents:
        some = list(by_name.values())
        alpha.add(some, len(some[0].text))
    table = Table("label", "both", "first only", "second only", "F1", "alpha")
    for label in counts.labels:
        row = counts.both[label], counts.first_only[label], counts.second_only[label]
        reliability = None if label.islower() else alpha.of(label)
        table.add_row(label, *map(str, row), _score(counts.f1(label)), _score(reliability))
    for name, score in (
        ("spans", counts.micro(relations=False)),
        ("relations", counts.micro(relations=True)),
    ):
        table.add_row(f"{name}, micro", "", "", "", _score(score), "")
    Console().print(table)
    typer.echo(f"{len(documents):,} documents", err=True)
    if listing:
        for found, text in all_disagreements(documents):
            typer.echo("\n".join(lines(found, text)))
    if html is not None:
        from .disagreements_page import write_page

        write_page(html, counts, alpha, all_disagreements(documents), sides, force=force)
        typer.echo(f"page: {html}", err=True)


def _score(score: float | None) -> str:
    return "–" if score is None else f"{score:.3f}"


@app.command()
def sample(
    paths: Files,
    count: Annotated[
        int, typer.Option("--count", "-n", min=1, help="How many documents.", show_default=False)
    ],
    out: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="JSONL to write.", show_default=False)
    ],
    gold: Annotated[
        list[Path] | None,
        typer.Option(help="Gold file that the choice is to be unlike; repeatable.", show_default=False),
    ] = None,
    mode: Annotated[
        list[Mode] | None,
        typer.Option(
            help="What annotates; give two to prefer documents on which they differ. [default: hybrid]",
            show_default=False,
        ),
    ] = None,
    model: ModelFolder = None,
    force: Force = False,
) -> None:
    """Choose the next documents to annotate: where the program is least sure, unlike each other and the gold.

    FILE is ready for *gongkai annotate push*; *meta.sample* of each document says why it was chosen. Exit
    status 3 if a file could not be read.
    """
    from gongkai.gold.records import read, write
    from gongkai.pipeline import Extractor

    from . import sample as sampling

    extractors = [Extractor(name, model).extract for name in mode or [Mode.HYBRID]]
    chosen = sampling.sample(
        paths, count, extractors, (record for path in gold or () for record in read(path))
    )
    write(chosen.records, out, force=force)
    for record in chosen.records:
        why = record.meta["sample"]
        typer.echo(
            f"{why['rank']:>4}  value {why['value']:.3f} × distance {why['distance']:.3f}  "
            f"(low {why['low']:.2f}, bare {why['bare']:.2f}, unnamed {why['unnamed']:.2f}, "
            f"apart {why['apart']:.2f})  {record.id}  {record.meta.get('title') or why['path']}"
        )
    typer.echo(
        f"{chosen.read:,} documents read, {len(chosen.records):,} chosen → {out}; near duplicates: "
        f"{chosen.near_gold:,} of gold, {chosen.near_others:,} of each other",
        err=True,
    )
    _listed("not read", chosen.unread)
    if chosen.unread:
        raise typer.Exit(INCOMPLETE)


@app.command()
def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help="File or folder.", show_default=False)],
    out: Annotated[Path, typer.Argument(help="File or folder to write.", show_default=False)],
    to: Annotated[
        str,
        typer.Option("--to", help="gold, spacy, conll, datasets, doccano or brat.", show_default=False),
    ],
    given: Annotated[
        str | None,
        typer.Option("--from", help="Format of IN. [default: what it looks like]", show_default=False),
    ] = None,
    force: Force = False,
) -> None:
    """Convert gold to the formats of other tools, and back."""
    from .convert import convert as converted

    count = converted(source, out, to, given, force=force)
    typer.echo(f"{count:,} documents → {out}", err=True)


@app.command()
def card(
    gold: Annotated[Path, typer.Argument(help="The gold folder.")] = GOLD,
    check: Annotated[bool, typer.Option("--check", help="Only say whether the card is up to date.")] = False,
) -> None:
    """Write the counts into the gold data card."""
    from .card import check_card, write_card

    if check:
        check_card(gold)
    else:
        write_card(gold)
