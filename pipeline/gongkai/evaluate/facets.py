"""What documents are grouped by."""

from __future__ import annotations

from bisect import bisect_right

from gongkai.evaluate.types import Reference
from gongkai.types import Table

FACETS = ("part", "doc_type", "form", "script", "length")
_BORDERS = (500, 1500, 5000)
LENGTHS = ("under 500", "500–1,499", "1,500–4,999", "5,000 and more")


def facets(reference: Reference) -> dict[str, str]:
    """Facet → this document's value, in the order of FACETS.

    part is where the gold came from (own, real); form the generation of the statistics form (A 2014, B 2019, C 2021)
    whose tables the document holds; length is in characters.
    """
    record = reference.record
    return {
        "part": reference.part or "unnamed",
        "doc_type": record.meta.doc_type,
        "form": _generation(record.tables),
        "script": record.meta.script,
        "length": LENGTHS[bisect_right(_BORDERS, len(record.text))],
    }


def _generation(tables: tuple[Table, ...]) -> str:
    generations = sorted({table.form[0] for table in tables if table.form})
    return "+".join(generations) or "no form"
