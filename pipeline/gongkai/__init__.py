"""gongkai (公开): Chinese government reports to checked, citable data.

>>> import gongkai
>>> record = gongkai.extract("2018年，我局收到政府信息公开申请12件，其中网上申请9件。")
>>> [(fact.value, fact.unit) for fact in record.facts]
[(12.0, '件'), (9.0, '件')]
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from gongkai.errors import GongkaiError
from gongkai.types import Document, Entity, Fact, Finding, Record, Relation

if TYPE_CHECKING:
    from spacy.language import Language

    from gongkai.pipeline import Extractor

__version__ = version("gongkai")

__all__ = [
    "Document",
    "Entity",
    "Fact",
    "Finding",
    "GongkaiError",
    "Record",
    "Relation",
    "__version__",
    "extract",
    "load",
]


def load(
    mode: str = "hybrid",
    *,
    model: Path | None = None,
    threads: int | None = None,
    pkuseg_model: Path | None = None,
) -> Language:
    """The pipeline as a spaCy `Language`; `nlp(text)._.gongkai` holds what it found.

    Args:
        mode: `hybrid` (rules and a trained model, merged), or `rules` or `model` alone.
        model: Folder of the trained model; that which comes with gongkai if None.
        threads: For the model; as many as there are cores if None.
        pkuseg_model: Folder of a pkuseg model, for words instead of characters as tokens; offsets in the
            results are the same.

    Raises:
        ConfigError: Unknown mode, or no pkuseg model in that folder.
        BrokenModel: No trained model in that folder, or a damaged one.
    """
    from gongkai.pipeline import load as load_pipeline

    return load_pipeline(mode, model=model, threads=threads, pkuseg_model=pkuseg_model)


@cache
def _extractor(mode: str, model: Path | None) -> Extractor:
    from gongkai.pipeline import Extractor

    return Extractor(mode, model)


def extract(source: Path | str | Document, mode: str = "hybrid", *, model: Path | None = None) -> Record:
    """The record of one document.

    Args:
        source: A `Path` is read as a file; a `str` is the text itself; a `Document` comes from ingest.
        mode, model: As for `load`.

    Raises:
        IngestError: The file cannot be read; the text names file and remedy.
    """
    from gongkai.ingest import read, read_text

    if isinstance(source, Path):
        document = next(iter(read(source)))
        if isinstance(document, GongkaiError):
            raise document
        return _extractor(mode, model).extract(document)
    return _extractor(mode, model).extract(read_text(source) if isinstance(source, str) else source)
