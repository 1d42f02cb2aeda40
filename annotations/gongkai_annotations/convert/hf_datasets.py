"""A folder of Hugging Face `datasets` (`load_from_disk`), with features; needs the extra `train`.

    id: string, text: string,
    entities: list of {id: string, label: ClassLabel of the 7, start: int32, end: int32, score: float64, by: string},
    relations: list of {label: ClassLabel of the 8, head: string, tail: string, score: float64, by: string},
    meta: string (JSON)

The order of the labels is that of the scheme, so that numbers mean the same in every file. Everything is
carried; a label outside the scheme is refused.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from gongkai.errors import BrokenRecord, OutputError, UnreadableInput
from gongkai.gold.records import Annotated, GoldEntity, GoldRecord, GoldRelation
from gongkai.types import EntityLabel, RelationLabel

from ..server import need
from .writing import CannotCarry, check_extents, with_texts

if TYPE_CHECKING:
    import datasets

ENTITY_LABELS: tuple[str, ...] = EntityLabel.__args__  # type: ignore[attr-defined]
RELATION_LABELS: tuple[str, ...] = RelationLabel.__args__  # type: ignore[attr-defined]
_MARK = "dataset_info.json"
"""What `save_to_disk` leaves in a folder: no other folder is ever replaced."""


def features() -> datasets.Features:
    """The columns and their types.

    Raises:
        MissingExtra: `datasets` is not installed.
    """
    need("datasets", "train")
    from datasets import ClassLabel, Features, Value

    origin = {"score": Value("float64"), "by": Value("string")}
    entity = {
        "id": Value("string"),
        "label": ClassLabel(names=list(ENTITY_LABELS)),
        "start": Value("int32"),
        "end": Value("int32"),
    }
    relation = {
        "label": ClassLabel(names=list(RELATION_LABELS)),
        "head": Value("string"),
        "tail": Value("string"),
    }
    return Features(
        {
            "id": Value("string"),
            "text": Value("string"),
            "entities": [entity | origin],
            "relations": [relation | origin],
            "meta": Value("string"),
        }
    )


def to_dataset(records: Iterable[Annotated]) -> datasets.Dataset:
    """The records as a dataset in memory.

    Raises:
        MissingExtra: `datasets` is not installed.
        CannotCarry: A label is none of the scheme.
    """
    columns = features()
    from datasets import Dataset

    return Dataset.from_list([_row(record) for record in with_texts(records)], features=columns)


def write(records: Iterable[Annotated], path: Path, *, force: bool = False) -> int:
    """Write a folder for `datasets.load_from_disk`; returns how many documents. Errors as of `convert`.

    With `force`, a folder is replaced that holds a dataset, and no other.
    """
    if path.exists() and not (force and (path / _MARK).is_file()):
        raise OutputError(str(path), "It exists.", "Choose another; --force replaces a dataset only.")
    dataset = to_dataset(records)
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        dataset.save_to_disk(unfinished)
        if path.exists():
            shutil.rmtree(path)
        unfinished.replace(path)
    except OSError as error:
        raise OutputError(str(path), f"{error.strerror or error}.", "Choose another place.") from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return len(dataset)


def read(path: Path) -> Iterator[GoldRecord]:
    """The records of a folder that `write` made.

    Raises:
        BrokenRecord: A row has not our columns.
        UnreadableInput: It is no dataset.
        MissingExtra: `datasets` is not installed.
    """
    expected = features()
    from datasets import load_from_disk

    if not (path / _MARK).is_file():
        raise UnreadableInput(str(path), f"It holds no {_MARK}.", "Name the folder of one dataset (a split).")
    try:
        dataset = load_from_disk(path)
    except (OSError, ValueError) as error:
        raise UnreadableInput(str(path), f"{error}.", "Write it anew.") from None
    if dataset.features != expected:
        raise BrokenRecord(str(path), "Its features are not ours.", "Write it anew from gold.")
    for number, row in enumerate(dataset):
        record = _record(row)
        check_extents(record, f"{path} row {number}")
        yield record


def _row(record: GoldRecord) -> dict[str, Any]:
    labels = [(e.label, ENTITY_LABELS) for e in record.entities]
    labels += [(r.label, RELATION_LABELS) for r in record.relations]
    for label, known in labels:
        if label not in known:
            problem = f"The label {label!r} is none of the scheme."
            raise CannotCarry(f"document {record.id}", problem, "Correct it; see: gongkai annotate validate.")
    return {
        "id": record.id,
        "text": record.text,
        "entities": [
            {"id": e.id, "label": e.label, "start": e.start, "end": e.end, "score": e.score, "by": e.by}
            for e in record.entities
        ],
        "relations": [
            {"label": r.label, "head": r.head, "tail": r.tail, "score": r.score, "by": r.by}
            for r in record.relations
        ],
        "meta": msgspec.json.encode(record.meta).decode(),
    }


def _record(row: dict[str, Any]) -> GoldRecord:
    entities = ({**e, "label": ENTITY_LABELS[e["label"]]} for e in row["entities"])
    relations = ({**r, "label": RELATION_LABELS[r["label"]]} for r in row["relations"])
    return GoldRecord(
        id=row["id"],
        text=row["text"],
        entities=tuple(GoldEntity(**entity) for entity in entities),
        relations=tuple(GoldRelation(**relation) for relation in relations),
        meta=msgspec.json.decode(row["meta"]),
    )
