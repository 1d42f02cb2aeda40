"""The reports that archives are made of: those that come with gongkai, or one's own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from gongkai.errors import EmptyInput, GongkaiError
from gongkai.generate.template import Template
from gongkai.ingest import Location, discover, read
from gongkai.pipeline import Extractor
from gongkai.resources import data_root
from gongkai.types import Document


def samples() -> Path:
    """The reports that come with gongkai, written for it."""
    return data_root() / "samples"


def load_templates(paths: Iterable[Location] | None = None) -> tuple[Template, ...]:
    """A template of every document under some paths, by rules; of the samples if None. Their order is kept.

    Raises:
        IngestError: One of them cannot be read.
        EmptyInput: There is none.
    """
    documents = list(_documents([samples()] if paths is None else paths))
    if not documents:
        raise EmptyInput(
            "generate", "There is no report to make others of.", "Name files or folders that hold some."
        )
    records = Extractor("rules").extract_all(documents)
    names = (Path(d.source.path or "").name if d.source.member is None else d.id for d in documents)
    return tuple(Template(name, record) for name, record in zip(names, records, strict=True))


def _documents(paths: Iterable[Location]) -> Iterator[Document]:
    for path in discover(list(paths)):
        if Path(str(path)).name == "README.md":
            continue
        for item in read(path):
            if isinstance(item, GongkaiError):
                raise item
            yield item
