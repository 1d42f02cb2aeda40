"""The command `gongkai generate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from gongkai.generate.settings import Kind, load_settings


def generate(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="New or empty folder.", show_default=False)],
    documents: Annotated[int, typer.Option("--documents", "-n", min=1, help="How many.")] = 1_000,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, another archive.")] = 0,
    kind: Annotated[Kind, typer.Option(help="What the documents lie in.")] = Kind.FOLDER,
    contradictions: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Share of documents with one. [default: 0.1]", show_default=False),
    ] = None,
    duplicates: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Share that repeat another. [default: 0.05]", show_default=False),
    ] = None,
    reports: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH",
            help="Reports to make others of; may be repeated. [default: the samples]",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Make an archive of any size to try a machine or a check on: OUT/archive, with OUT/truth.jsonl.

    The documents are the samples with other numbers, issuers and years, as pages or text, in several encodings,
    some in Traditional script, some twice. Sums, shares and tables hold as in the source, figures of one issuer
    carry over from year to year, but for the contradictions that **truth.jsonl** lists. Document 17 is the same
    in every archive of the seed, however large.
    """
    from gongkai.generate.archive import write_archive
    from gongkai.generate.generator import Generator
    from gongkai.generate.sources import load_templates

    settings = load_settings()
    given = {"contradiction": contradictions, "duplicate": duplicates}
    changed = {name: share for name, share in given.items() if share is not None}
    settings = msgspec.structs.replace(settings, shares=msgspec.structs.replace(settings.shares, **changed))
    generator = Generator(load_templates(reports), seed, settings)
    with typer.progressbar(length=documents, label="documents") as bar:
        write_archive(generator, out, documents, kind=kind, on_document=lambda _: bar.update(1))
