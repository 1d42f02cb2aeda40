"""The counts of the gold data card: written into `annotations/gold/README.md`, and checked against it in CI."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from gongkai.errors import GongkaiError
from gongkai.gold.records import Annotated, GoldRecord, StandoffRecord, read_lines

from .agreement import Counts, agreement

BEGIN = "<!-- counts: written by `gongkai annotate card` -->"
END = "<!-- end of counts -->"
PARTS = ("own/train", "own/dev", "own/test", "real/train", "real/dev", "real/test")
ENTITIES = ("METRIC", "COUNT", "PERCENT", "DOCNO", "POLICY", "ORG", "PERIOD")
RELATIONS = (
    "value_of", "during", "part_of", "share_of", "change_from", "number_of", "issued_by", "alias_of",
)  # fmt: skip


class StaleCard(GongkaiError):
    """The data card does not say what the data say."""


def parts(gold: Path) -> dict[str, list[Annotated]]:
    """The records of each part of the gold folder, stand-off ones as they are."""
    found: dict[str, list[Annotated]] = {}
    for part in PARTS:
        path = gold / f"{part}.jsonl"
        if path.exists():
            found[part] = _records(path)
    return found


def _records(path: Path) -> list[Annotated]:
    """The records of a file, none if it is not there; broken lines are for `validate` to name."""
    if not path.exists():
        return []
    lines = (record for _, record in read_lines(path))
    return [record for record in lines if isinstance(record, GoldRecord | StandoffRecord)]


def tables(gold: Path) -> str:
    """The counts as Markdown tables: documents and characters, labels, relations, kinds, agreement."""
    records = parts(gold)
    sections = [
        _table(["part", "documents", "characters"], _sizes(records)),
        _table(["entities", *records], _labels(records, ENTITIES, entities=True)),
        _table(["relations", *records], _labels(records, RELATIONS, entities=False)),
        _table(["kind", *records], _kinds(records)),
    ]
    first, second = (_records(gold / "second" / f"{which}_pass.jsonl") for which in ("first", "second"))
    if second:
        sections.append(_agreement(agreement(first, second), len(second)))
    return "\n\n".join(sections)


def write_card(gold: Path) -> None:
    """Put the counts between the marks of the card."""
    card = gold / "README.md"
    before, after = _around(card)
    card.write_text(f"{before}{BEGIN}\n\n{tables(gold)}\n\n{END}{after}", "utf8")


def check_card(gold: Path) -> None:
    """Raises:
    StaleCard: The card's counts are not those of the data.
    """
    card = gold / "README.md"
    if f"{BEGIN}\n\n{tables(gold)}\n\n{END}" not in card.read_text("utf8"):
        raise StaleCard(str(card), "Its counts are not those of the data.", "Run: gongkai annotate card.")


def _around(card: Path) -> tuple[str, str]:
    text = card.read_text("utf8")
    if BEGIN not in text or END not in text:
        raise StaleCard(str(card), "It has no marks for the counts.", f"Put {BEGIN} and {END} into it.")
    return text.split(BEGIN)[0], text.split(END)[1]


def _sizes(records: dict[str, list[Annotated]]) -> Iterable[Sequence[str]]:
    total_documents = total_characters = 0
    for part, some in records.items():
        characters = sum(_length(record) for record in some)
        total_documents += len(some)
        total_characters += characters
        yield part, f"{len(some):,}", f"{characters:,}"
    yield "all", f"{total_documents:,}", f"{total_characters:,}"


def _length(record: Annotated) -> int:
    return len(record.text) if isinstance(record, GoldRecord) else int(record.meta["characters"])


def _labels(
    records: dict[str, list[Annotated]], labels: Sequence[str], *, entities: bool
) -> Iterable[Sequence[str]]:
    counts = [
        Counter(item.label for record in some for item in (record.entities if entities else record.relations))
        for some in records.values()
    ]
    for label in labels:
        yield label, *(f"{count[label]:,}" for count in counts)


def _kinds(records: dict[str, list[Annotated]]) -> Iterable[Sequence[str]]:
    kinds = [Counter(_kind(record) for record in some) for some in records.values()]
    for kind in sorted(set().union(*kinds)):
        yield kind, *(f"{count[kind]:,}" for count in kinds)
    damaged = [sum(bool(record.meta.get("damaged")) for record in some) for some in records.values()]
    traditional = [sum(record.meta.get("script") == "Hant" for record in some) for some in records.values()]
    yield "of these Traditional", *(f"{count:,}" for count in traditional)
    yield "of these damaged", *(f"{count:,}" for count in damaged)


def _kind(record: Annotated) -> str:
    return str(record.meta.get("doc_type", "other"))


def _agreement(counts: Counts, documents: int) -> str:
    rows = [
        (label, f"{counts.both[label]:,}", f"{counts.first_only[label]:,}", f"{counts.second_only[label]:,}",
         _shown(counts.f1(label)))
        for label in counts.labels
    ]  # fmt: skip
    rows.append(("spans, micro", "", "", "", _shown(counts.micro(relations=False))))
    rows.append(("relations, micro", "", "", "", _shown(counts.micro(relations=True))))
    head = f"Agreement of the two passes over {documents} documents, before adjudication, strict:\n\n"
    return head + _table(["label", "both", "first only", "second only", "F1"], rows)


def _shown(score: float | None) -> str:
    return "–" if score is None else f"{score:.3f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])
