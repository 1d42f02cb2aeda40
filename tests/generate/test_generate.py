"""Generated archives: the same by seed, true to their truth file, and readable."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from itertools import pairwise
from pathlib import Path
from random import Random

import msgspec
import pytest
from typer.testing import CliRunner

from gongkai.cli import app
from gongkai.errors import OutputError
from gongkai.generate.archive import write_archive
from gongkai.generate.figures import read_figures
from gongkai.generate.generator import Generated, Generator, Truth
from gongkai.generate.settings import Kind, Settings, load_settings
from gongkai.generate.sources import load_templates
from gongkai.generate.template import Template
from gongkai.ingest import discover, read
from gongkai.ingest.decode import Decoded
from gongkai.ingest.html import read_html
from gongkai.normalise.docnos import parse_docno
from gongkai.pipeline import Extractor
from gongkai.types import Document, Record, Source

OF_ONE_REPORT = frozenset({"sum", "share", "growth", "balance", "repeat"})


@pytest.fixture(scope="module")
def templates() -> tuple[Template, ...]:
    return load_templates()


@pytest.fixture(scope="module")
def extractor() -> Extractor:
    return Extractor("rules")


def sharing(**shares: float) -> Settings:
    settings = load_settings()
    return msgspec.structs.replace(settings, shares=msgspec.structs.replace(settings.shares, **shares))


def document(made: Generated) -> Document:
    if not made.is_page:
        return Document(id=made.name, text=made.text, source=Source())
    page = read_html(Decoded(made.text, "utf-8"))
    return Document(id=made.name, text=page.text, source=Source(), meta=page.meta, tables=page.tables)


def checks(record: Record) -> Counter[str]:
    return Counter(finding.check for finding in record.findings)


def value(record: Record, metric_id: str, category: str | None = "total") -> float:
    """The value of a table's cell."""
    found = {f.value for f in record.facts if f.table and (f.metric_id, f.category) == (metric_id, category)}
    assert len(found) == 1
    return found.pop()


def base(record: Record) -> float:
    """Last year's value, of the first change of the prose."""
    change = next(fact for fact in record.facts if fact.compared_with is not None)
    return next(fact.value for fact in record.facts if fact.id == change.compared_with)


def test_same_seed_same_documents(templates: tuple[Template, ...]) -> None:
    few = list(Generator(templates, 5).documents(0, 20))
    many = list(Generator(load_templates(), 5).documents(0, 60))
    assert few == many[:20]
    assert Generator(templates, 5).document(17) == few[17]
    assert Generator(templates, 6).document(17).content != few[17].content


def test_nothing_breaks_that_was_whole(templates: tuple[Template, ...], extractor: Extractor) -> None:
    of_source = {template.name: checks(template.record) for template in templates}
    made = list(Generator(templates, 7, sharing(contradiction=0)).documents(0, 54))
    for each, record in zip(made, extractor.extract_all(map(document, made)), strict=True):
        assert checks(record) == of_source[each.truth.report], each.truth
        assert record.meta.issuer == each.truth.issuer
        assert record.meta.year == each.truth.year
    assert {each.truth.report for each in made} == set(of_source)


def test_planted_contradictions_are_found(templates: tuple[Template, ...], extractor: Extractor) -> None:
    every = Generator(templates, 8, sharing(contradiction=1, duplicate=0)).documents(0, 90)
    made = [m for m in every if m.truth.planted and m.truth.planted[0].kind in OF_ONE_REPORT]
    for each, record in zip(made, extractor.extract_all(map(document, made)), strict=True):
        (planted,) = each.truth.planted
        spans = [s for f in record.findings if f.check == planted.kind for s in f.spans]
        assert any(planted.printed in record.text[a:b] for a, b in spans), each.truth
    assert {each.truth.planted[0].kind for each in made} == OF_ONE_REPORT


def test_reports_of_following_years_fit(templates: tuple[Template, ...], extractor: Extractor) -> None:
    department = [t for t in templates if t.name.startswith("04")]
    made = list(Generator(tuple(department), 9, sharing(contradiction=0, duplicate=0)).documents(0, 4))
    records = list(extractor.extract_all(map(document, made)))
    assert [each.truth.chain for each in made] == [0, 0, 0, 0]
    for before, after in pairwise(records):
        assert after.meta.year == (before.meta.year or 0) + 1
        assert value(after, "requests.carried_over") == value(before, "requests.carried_forward") > 0
        for name in ("regulations", "normative"):
            in_force, issued, repealed = (
                value(after, f"{name}.{column}", None) for column in ("in_force", "issued", "repealed")
            )
            assert in_force == value(before, f"{name}.in_force", None) + issued - repealed
        stated = {fact.value for fact in before.facts if fact.metric_id == "disclosure.total"}
        assert base(after) in stated


def test_only_values_of_a_known_metric_are_restated(templates: tuple[Template, ...]) -> None:
    city = [t for t in templates if t.name.startswith("06")]
    assert city[0].figures.growths
    made = Generator(tuple(city), 10, sharing(contradiction=1, duplicate=0)).documents(0, 80)
    kinds = {planted.kind for each in made for planted in each.truth.planted}
    assert kinds
    assert "previous_value" not in kinds


@pytest.mark.parametrize("kind", ["carry_over", "previous_value"])
def test_planted_between_years(templates: tuple[Template, ...], extractor: Extractor, kind: str) -> None:
    department = [t for t in templates if t.name.startswith("04")]
    generator = Generator(tuple(department), 10, sharing(contradiction=1, duplicate=0))
    made = next(m for m in generator.documents(0, 80) if [p.kind for p in m.truth.planted] == [kind])
    record = extractor.extract(document(made))
    printed, right = (
        int(n.replace(",", "")) for n in (made.truth.planted[0].printed, made.truth.planted[0].right)
    )
    found = value(record, "requests.carried_over") if kind == "carry_over" else base(record)
    assert found == printed != right
    assert not record.findings, "the report itself adds up"


def test_duplicates_and_citations(templates: tuple[Template, ...]) -> None:
    made = list(Generator(templates, 12, sharing(contradiction=1)).documents(0, 800))
    repeats = [each for each in made if each.truth.duplicate_of is not None]
    assert 0.03 < len(repeats) / len(made) < 0.07
    assert all(each.content == made[each.truth.duplicate_of or 0].content for each in repeats)
    cited = [m for m in made if m.truth.cites_document is not None and m.truth.cites_document < len(made)]
    wrong = 0
    for each in cited:
        plan, number = made[each.truth.cites_document or 0], each.truth.cites or ""
        assert number in each.text
        if plan.truth.script == each.truth.script:
            assert number in plan.text
        for planted in each.truth.planted:
            if planted.kind == "cited_title":
                wrong += 1
                assert planted.right not in each.text
    assert len(cited) > 100
    assert wrong > 5


def test_no_two_issuers_share_a_name(templates: tuple[Template, ...]) -> None:
    world = Generator(templates).world
    names = [world.city(number) for number in range(20_000)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("code", ["政发", "政办发", "政办", "府发", "府办"])
def test_no_place_numbers_documents_as_a_known_body_does(code: str) -> None:
    for character in load_settings().places.first:
        number = parse_docno(f"{character}{code}〔2020〕1号")
        assert number is not None
        assert number.issuer is None, number


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_is_read(templates: tuple[Template, ...], kind: Kind, tmp_path: Path) -> None:
    generator = Generator(templates, 13)
    write_archive(generator, tmp_path / "out", 30, kind=kind)
    truths = [msgspec.json.decode(line, type=Truth) for line in (tmp_path / "out/truth.jsonl").open("rb")]
    assert truths == [each.truth for each in generator.documents(0, 30)]
    items = [item for path in discover([tmp_path / "out/archive"]) for item in read(path)]
    texts = {item.text for item in items if isinstance(item, Document)}
    assert len(items) == 30
    assert texts == {document(each).text for each in generator.documents(0, 30)}


@pytest.mark.parametrize("kind", list(Kind))
def test_same_archive_again(templates: tuple[Template, ...], kind: Kind, tmp_path: Path) -> None:
    for out in ("a", "b"):
        write_archive(Generator(templates, 13), tmp_path / out, 12, kind=kind)
    files = [path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*") if path.is_file()]
    assert files
    assert all((tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes() for file in files)


def test_memory_does_not_grow(templates: tuple[Template, ...], tmp_path: Path) -> None:
    generator = Generator(templates, 14)
    for made in generator.documents(0, 400):
        assert made.content
    tracemalloc.start()
    try:
        for made in generator.documents(400, 1_200):
            assert made.content
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_500_000, "1,200 documents of 10 kB each"


def test_a_folder_in_use_is_left_alone(templates: tuple[Template, ...], tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="not empty"):
        write_archive(Generator(templates), tmp_path, 3)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_command(tmp_path: Path) -> None:
    arguments = ["generate", str(tmp_path / "out"), "-n", "30", "--contradictions", "1", "--duplicates", "0"]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    truths = [msgspec.json.decode(line, type=Truth) for line in (tmp_path / "out/truth.jsonl").open("rb")]
    assert len(list((tmp_path / "out/archive").rglob("*.*"))) == len(truths) == 30
    assert not any(truth.duplicate_of for truth in truths)
    assert sum(bool(truth.planted) for truth in truths) > 20


def test_what_is_open_and_what_ties_it(extractor: Extractor) -> None:
    text = "一、情况\n2018年，收到申请120件，比2017年的100件增长20%。其中网上申请48件，占40%；信函申请72件，占60%，3天答复。"
    figures = read_figures(extractor.extract(Document(id="x", text=text, source=Source())))
    assert [text[s.start : s.end] for s in figures.slots] == ["120", "100", "20", "48", "40", "72", "60"]
    assert [(s.percent, s.part, s.total) for s in figures.shares] == [(4, 3, 0), (6, 5, 0)]
    assert [(g.change, g.now, g.before) for g in figures.growths] == [(2, 0, 1)]
    assert figures.trades == ((3, 5),)


def test_two_changes_from_one_value(extractor: Extractor) -> None:
    text = "临河县2018年报告\n一、情况\n2018年，收到申请120件，比2017年的100件增加20件，增长20%。"
    record = extractor.extract(Document(id="x", text=text, source=Source()))
    figures = read_figures(record)
    assert len({growth.before for growth in figures.growths}) == 1 < len(figures.growths)
    values = figures.values(Random(1), [7] * figures.groups, 0, 0.4)
    now, before, more, percent = values
    assert more == now - before
    assert percent == round(100 * (now - before) / before)
