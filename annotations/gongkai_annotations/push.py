"""Documents to a Label Studio project, with pre-annotations. Safe to run again: nothing is sent twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from gongkai import __version__
from gongkai.errors import BrokenRecord, GongkaiError
from gongkai.gold.records import GoldRecord, StandoffRecord, from_record, parse
from gongkai.ingest import discover, read
from gongkai.types import Document, Record

from . import tasks
from .interface import interface_xml, missing
from .server import Project, Server, ServerTask
from .tasks import TaskData
from .validate import check_record

DESCRIPTION = "政府报告标注：实体与关系。由 gongkai 建立；任务的数据请勿改动。"
_BATCH = 20
"""Tasks of one import: a request of a second or so, little to repeat if the server goes."""

Extract = Callable[[Document], Record]


class InterfaceMismatch(GongkaiError):
    """The project's labelling interface was edited, and lacks what gold needs."""


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """A document to be pushed: annotations of a model (`version`), or gold (None)."""

    record: GoldRecord
    version: str | None


@dataclass
class PushSummary:
    """What a push did. `refused` names each document that was left out, and why."""

    project: Project
    documents: int = 0
    tasks_sent: int = 0
    tasks_there: int = 0
    predictions_added: int = 0
    predictions_changed: int = 0
    annotations_added: int = 0
    annotations_left: int = 0
    refused: list[str] = field(default_factory=list)


def submissions(paths: Sequence[Path], extract: Extract, mode: str) -> Iterator[Submission | GongkaiError]:
    """The documents of files and folders, an error in the place of each that cannot be read.

    A line of JSONL with `entities` is taken with its annotations: gold, or the pipeline's own
    documents.jsonl; anything else is read as a report and annotated by `extract`.
    """
    version = f"gongkai-{__version__}-{mode}"
    for path in discover(paths):
        if path.suffix.lower() == ".jsonl" and _holds_annotations(path):
            yield from _annotated(path, version)
        else:
            for document in read(path):
                if isinstance(document, GongkaiError):
                    yield document
                else:
                    yield Submission(record=from_record(extract(document)), version=version)


def push(
    server: Server,
    title: str,
    documents: Iterable[Submission | GongkaiError],
    *,
    as_annotations: bool = False,
    longest: int = tasks.LONGEST_PART,
    update_interface: bool = False,
) -> PushSummary:
    """Send documents to the project of that title, which is made if there is none.

    A task is known by its document's id, the part, and the SHA-256 of the document's text. What is there is
    not sent again; a prediction of the same model version is replaced only if it says something else. Gold
    becomes a prediction named `gold`, or an annotation where the task has none (`as_annotations`).

    Args:
        longest: Characters of a task; documents that are there keep their parts.
        update_interface: Put our labelling interface in the place of the project's.

    Raises:
        InterfaceMismatch: The project's interface lacks labels or relations of ours.
        GongkaiError: What `Server` raises; run it again then.
    """
    project = _prepared(server, title, update_interface)
    pusher = _Pusher(server, project, as_annotations, longest)
    for item in documents:
        if isinstance(item, GongkaiError):
            pusher.summary.refused.append(str(item))
        else:
            pusher.add(item)
    pusher.flush()
    return pusher.summary


def _holds_annotations(path: Path) -> bool:
    """Whether the first line that is not blank has `entities`."""
    try:
        with path.open("rb") as file:
            line = next((line for line in file if line.strip()), b"")
        return "entities" in msgspec.json.decode(line, type=dict[str, msgspec.Raw])
    except (OSError, msgspec.DecodeError):
        return False


def _annotated(path: Path, version: str) -> Iterator[Submission | GongkaiError]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            where = f"{path} line {number}"
            try:
                record = parse(line, where)
            except BrokenRecord as error:
                yield error
                continue
            if isinstance(record, StandoffRecord):
                remedy = "Join it with its text first: gongkai annotate hydrate."
                yield BrokenRecord(where, "It has no text.", remedy)
                continue
            predicted = "schema" in msgspec.json.decode(line, type=dict[str, msgspec.Raw])
            yield Submission(record=_without_empty_meta(record), version=version if predicted else None)


def _without_empty_meta(record: GoldRecord) -> GoldRecord:
    meta = {name: value for name, value in record.meta.items() if value is not None}
    return msgspec.structs.replace(record, meta=meta)


def _prepared(server: Server, title: str, update_interface: bool) -> Project:
    project = server.project_or_new(title, interface_xml(), DESCRIPTION)
    lacks = missing(project.label_config)
    if not lacks:
        return project
    if update_interface:
        return server.set_interface(project, interface_xml())
    raise InterfaceMismatch(
        f"project {title!r}",
        f"Its labelling interface was edited and lacks: {', '.join(lacks)}.",
        "Put ours in its place with --update-interface, or push to another project.",
    )


class _Pusher:
    def __init__(self, server: Server, project: Project, as_annotations: bool, longest: int) -> None:
        self._server = server
        self._as_annotations = as_annotations
        self._longest = longest
        self._batch: list[dict[str, Any]] = []
        self._there: dict[str, dict[tuple[str, int], ServerTask]] = defaultdict(dict)
        for task in server.snapshot(project).tasks:
            data = task.data
            if isinstance(data.get("document_id"), str):
                key = (str(data.get("sha256")), int(data.get("part") or 0))
                self._there[data["document_id"]].setdefault(key, task)
        self.summary = PushSummary(project)

    def add(self, submission: Submission) -> None:
        record = submission.record
        faults = [problem for problem in check_record(record) if problem.structural]
        if not record.text.strip():
            self.summary.refused.append(f"document {record.id}: It holds no text. Leave it out.")
            return
        if faults:
            self.summary.refused.append(str(faults[0]))
            return
        there = self._there[record.id]
        known = {digest for digest, _ in there}
        if known and record.sha256 not in known:
            self.summary.refused.append(
                f"document {record.id}: Its text is not the one that was pushed under this id. "
                "Give it another id, or delete its tasks in Label Studio first."
            )
            return
        self.summary.documents += 1
        for data in tasks.tasks(record, self._borders(record, there)):
            task = there.get((data.sha256, data.part))
            if task is None:
                self._send(data, submission)
                there[data.sha256, data.part] = ServerTask(id=0)
            elif task.id:
                self.summary.tasks_there += 1
                self._complete(task, data, submission)

    def flush(self) -> None:
        if self._batch:
            self._server.import_tasks(self.summary.project, self._batch)
            self.summary.tasks_sent += len(self._batch)
            self._batch = []

    def _borders(self, record: GoldRecord, there: dict[tuple[str, int], ServerTask]) -> Sequence[int]:
        """Those of the parts that are there already, else new ones."""
        for (digest, _), task in there.items():
            borders = task.data.get("borders")
            if digest == record.sha256 and borders:
                return [int(border) for border in borders]
        return tasks.split(record, self._longest)

    def _send(self, data: TaskData, submission: Submission) -> None:
        result = tasks.result(submission.record, data)
        task: dict[str, Any] = {"data": msgspec.to_builtins(data)}
        if self._gold(submission):
            task["annotations"] = [{"result": result}]
            self.summary.annotations_added += 1
        else:
            score = tasks.score(submission.record, data)
            task["predictions"] = [{"result": result, "model_version": _version(submission), "score": score}]
            self.summary.predictions_added += 1
        self._batch.append(task)
        if len(self._batch) >= _BATCH:
            self.flush()

    def _complete(self, task: ServerTask, data: TaskData, submission: Submission) -> None:
        """Add to a task that is there what it lacks."""
        result = tasks.result(submission.record, data)
        if self._gold(submission):
            if task.annotations:
                self.summary.annotations_left += 1
                return
            self._server.add_annotation(task.id, result)
            self.summary.annotations_added += 1
        else:
            self._predict(task, result, tasks.score(submission.record, data), _version(submission))
        before = msgspec.convert(task.data.get("crossing") or [], tuple[tasks.Crossing, ...])
        if not set(data.crossing) <= set(before):
            union = sorted({*before, *data.crossing})
            self._server.set_data(task.id, task.data | {"crossing": msgspec.to_builtins(union)})

    def _predict(
        self, task: ServerTask, result: list[dict[str, Any]], score: float | None, version: str
    ) -> None:
        same = [p for p in task.predictions or () if p.model_version == version]
        if not same:
            self._server.add_prediction(task.id, version, result, score)
            self.summary.predictions_added += 1
        elif same[-1].result != result:
            self._server.change_prediction(same[-1].id, result, score)
            self.summary.predictions_changed += 1

    def _gold(self, submission: Submission) -> bool:
        return submission.version is None and self._as_annotations


def _version(submission: Submission) -> str:
    return submission.version or "gold"
