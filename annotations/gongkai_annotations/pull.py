"""Annotations from a Label Studio project as gold records: one for each document and annotator."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from gongkai.gold.records import GoldRecord, text_sha256

from . import tasks
from .interface import missing
from .server import Project, Server, ServerAnnotation, ServerTask, Snapshot
from .tasks import Reading, TaskData

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass
class PullSummary:
    """What a pull brought, and what it did not.

    Attributes:
        records: Complete documents, by document id, then annotator.
        skipped, rejected: Tasks that an annotator skipped, or sent back as unfit.
        incomplete: Documents of which an annotator did only some parts.
        faults: What could not be read of annotations, tasks or the project.
        superseded: Annotations that the same annotator made again later.
        drafts: Annotations begun and not submitted.
        crossing_kept, crossing_dropped: Relations between parts, which annotators do not see.
        reread: Rounds in which something had changed while it was read.
    """

    project: Project
    records: list[GoldRecord] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    rejected: list[str] = field(default_factory=list)
    incomplete: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    tasks: int = 0
    superseded: int = 0
    drafts: int = 0
    crossing_kept: int = 0
    crossing_dropped: int = 0
    reread: int = 0


class Part(msgspec.Struct, frozen=True):
    """A task of ours with the data it was made with."""

    task: ServerTask
    data: TaskData


class Work(msgspec.Struct, frozen=True):
    """The annotation that counts for a task and annotator: the last one."""

    part: Part
    annotator: str
    annotation: ServerAnnotation
    superseded: int

    @property
    def place(self) -> str:
        """Document, part, annotator, and where to find the task."""
        data = self.part.data
        part = f" part {data.part}" if len(data.borders) > 2 else ""
        return f"document {data.document_id}{part} (task {self.part.task.id}), {self.annotator}"


def pull(server: Server, title: str) -> PullSummary:
    """The annotations of a project.

    Raises:
        GongkaiError: What `Server` raises; nothing is changed there, run it again.
    """
    project = server.project(title)
    snapshot = server.snapshot(project)
    summary = PullSummary(project, tasks=len(snapshot.tasks), reread=snapshot.rounds)
    summary.faults += [
        f"project {title!r}: its interface lacks {lack}." for lack in missing(project.label_config)
    ]
    summary.faults += [
        f"task {task}: it changed again and again while being read. Pull again."
        for task in snapshot.unsettled
    ]
    parts, foreign = own_parts(snapshot)
    summary.faults += foreign
    summary.drafts = sum(len(part.task.drafts or ()) for part in parts)
    documents: dict[tuple[str, str, str], list[Work]] = defaultdict(list)
    for work in works(parts, server):
        summary.superseded += work.superseded
        documents[work.part.data.document_id, work.annotator, work.part.data.sha256].append(work)
    for key in sorted(documents):
        _add_document(summary, documents[key])
    return summary


def own_parts(snapshot: Snapshot) -> tuple[list[Part], list[str]]:
    """The tasks that a push made; of the others, why they are left out."""
    parts, foreign = [], []
    for task in snapshot.tasks:
        try:
            data = msgspec.convert(task.data, TaskData)
        except msgspec.ValidationError as error:
            foreign.append(f"task {task.id}: it was not made by push, or its data were edited ({error}).")
            continue
        if len(data.exact) != data.borders[data.part] - data.start or tasks.shown(data.exact) != data.text:
            foreign.append(f"task {task.id}: its text was edited. Push the document again under another id.")
            continue
        parts.append(Part(task, data))
    return parts, foreign


def works(parts: Iterable[Part], server: Server) -> Iterator[Work]:
    """For every task and annotator, the annotation that counts.

    Two tasks of one part (two pushes at one time) count as one.
    """
    emails: dict[int, str] = {}
    made: dict[tuple[str, str, int, str], list[tuple[Part, ServerAnnotation]]] = defaultdict(list)
    for part in parts:
        for annotation in part.task.annotations or ():
            by = annotation.completed_by
            if isinstance(by, int) and by not in emails:
                emails = server.emails()
                emails.setdefault(by, f"user {by}")
            data = part.data
            made[data.document_id, data.sha256, data.part, _annotator(by, emails)].append((part, annotation))
    for (*_, annotator), each in made.items():
        *earlier, (part, annotation) = sorted(each, key=_age)
        yield Work(part, annotator, annotation, len(earlier))


def is_rejected(annotation: ServerAnnotation) -> bool:
    """Whether a reviewer rejected it (editions of Label Studio with reviews)."""
    if annotation.reviews:
        return annotation.reviews[-1].get("accepted") is False
    return annotation.last_action == "rejected"


def _age(made: tuple[Part, ServerAnnotation]) -> tuple[datetime, int]:
    return (made[1].updated_at or _LONG_AGO, made[1].id)


def _annotator(by: int | dict[str, object] | None, emails: dict[int, str]) -> str:
    if isinstance(by, int):
        return emails[by]
    return str((by or {}).get("email") or "unknown")


def _add_document(summary: PullSummary, done: Sequence[Work]) -> None:
    """Add what one annotator made of a document."""
    readings: dict[int, Reading] = {}
    for work in done:
        if work.annotation.was_cancelled:
            summary.skipped.append(work.place)
            continue
        reading = tasks.read_result(work.annotation.result or (), work.part.data)
        if is_rejected(work.annotation) or reading.rejected:
            note = f": {reading.note}" if reading.note else ""
            summary.rejected.append(f"{work.place}{note}")
            continue
        readings[work.part.data.part] = reading
    first = done[0].part.data
    count = len(first.borders) - 1
    where = f"document {first.document_id}, {done[0].annotator}"
    if not readings:
        return
    if len(readings) < count:
        lacking = ", ".join(str(number) for number in range(1, count + 1) if number not in readings)
        summary.incomplete.append(f"{where}: part {lacking} of {count} not done.")
        return
    joined = tasks.join([readings[number] for number in sorted(readings)])
    if text_sha256(joined.record.text) != first.sha256:
        summary.faults.append(f"{where}: its parts do not make up the text that was pushed.")
        return
    summary.faults += [_told(where, fault) for fault in joined.faults]
    summary.crossing_kept += joined.crossing_kept
    summary.crossing_dropped += joined.crossing_dropped
    meta = joined.record.meta | {"annotator": done[0].annotator}
    summary.records.append(msgspec.structs.replace(joined.record, meta=meta))


def _told(where: str, fault: tasks.Fault) -> str:
    characters = "" if fault.start is None else f", characters {fault.start}-{fault.end}"
    return f"{where}{characters}: {fault.what}"
