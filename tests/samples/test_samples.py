"""The reports in samples/: what each is, what it cites, and which of its numbers do not add up."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

import gongkai
from gongkai.text import fold
from gongkai.types import DocnoNorm, Finding, Record

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
EXPECTED = yaml.safe_load((Path(__file__).parent / "expected.yaml").read_text("utf-8"))
CASES = [pytest.param(case, id=case["file"]) for case in EXPECTED["samples"]]


@cache
def record_of(name: str, mode: str = "hybrid") -> Record:
    return gongkai.extract(SAMPLES / name, mode)


def test_every_sample_is_described() -> None:
    files = {path.name for path in SAMPLES.iterdir() if path.suffix != ".md"}
    assert files == {case["file"] for case in EXPECTED["samples"]}


@pytest.mark.parametrize("case", CASES)
def test_document_is_what_its_page_says(case: dict[str, Any]) -> None:
    record = record_of(case["file"])
    for field in ("doc_type", "year", "title", "issuer", "docno", "published", "index_number", "script"):
        assert getattr(record.meta, field) == case.get(field), field
    assert record.source.encoding == case["encoding"]


@pytest.mark.parametrize("case", CASES)
def test_page_furniture_is_neither_tagged_nor_kept(case: dict[str, Any]) -> None:
    record = record_of(case["file"])
    kept = record.text if not case["file"].endswith(".txt") else " ".join(e.text for e in record.entities)
    assert [words for words in case.get("absent", ()) if words in kept] == []


@pytest.mark.parametrize("case", CASES)
def test_cited_document_numbers(case: dict[str, Any]) -> None:
    norms = [entity.norm for entity in record_of(case["file"]).entities if entity.label == "DOCNO"]
    canonical = {norm.canonical for norm in norms if isinstance(norm, DocnoNorm)}
    # The canonical form is Simplified; the Traditional page prints its number in its own script.
    assert canonical == {fold(number) for number in case.get("cited", ())}


@pytest.mark.parametrize("case", CASES)
def test_tables_of_the_standard_forms(case: dict[str, Any]) -> None:
    tables = record_of(case["file"]).tables
    numbers = [[table.form, sum(cell.state == "number" for cell in table.cells)] for table in tables]
    assert numbers == case.get("tables", [])


@pytest.mark.parametrize("case", CASES)
def test_rules_find_what_was_planted_and_no_more(case: dict[str, Any]) -> None:
    missed, others = _missed_and_others(case, "rules")
    assert missed == Counter(), "planted, not found"
    assert others == Counter(), "found, not planted"


def test_the_default_mode_finds_nearly_the_same() -> None:
    """Over all samples; which one differs hangs on the weights of the model that ships."""
    differences = [_missed_and_others(case, "hybrid") for case in EXPECTED["samples"]]
    assert sum(missed.total() for missed, _ in differences) <= 1, differences
    assert sum(others.total() for _, others in differences) <= 3, differences


Described = tuple[str, str, str, float, float]


def _missed_and_others(case: dict[str, Any], mode: str) -> tuple[Counter[Described], Counter[Described]]:
    """Planted findings that are not found, and findings that are neither planted nor implied."""
    record = record_of(case["file"], mode)
    loud = [finding for finding in record.findings if finding.severity not in EXPECTED["silent"]]
    found = Counter(_described(finding, record.text) for finding in loud)
    planted = Counter(_expected(row) for row in case["findings"])
    implied = Counter(_expected(row) for row in case.get("implied", ()))
    return planted - found, found - planted - implied


def _described(finding: Finding, text: str) -> Described:
    printed = text[slice(*finding.spans[0])]
    return finding.check, finding.severity, printed, round(finding.reported, 6), round(finding.expected, 6)


def _expected(row: dict[str, Any]) -> Described:
    return row["check"], row["severity"], row["printed"], float(row["reported"]), float(row["expected"])


@pytest.mark.parametrize("case", CASES)
def test_entities_are_the_text_they_point_at(case: dict[str, Any]) -> None:
    record = record_of(case["file"])
    assert all(entity.text == record.text[entity.start : entity.end] for entity in record.entities)
