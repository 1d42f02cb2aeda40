"""How far the annotators of a project are."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from . import tasks
from .pull import is_rejected, own_parts, works
from .server import Project, Server


@dataclass
class Progress:
    """Tasks of one annotator, and the seconds spent on those done."""

    annotator: str
    done: int = 0
    skipped: int = 0
    rejected: int = 0
    remaining: int = 0
    seconds: float = 0.0

    @property
    def seconds_per_task(self) -> float | None:
        """Mean time of a task done."""
        return self.seconds / self.done if self.done else None


@dataclass
class Status:
    """A project's progress: `annotated` tasks have at least one annotation that counts."""

    project: Project
    tasks: int
    annotated: int
    drafts: int
    foreign: int
    annotators: list[Progress]


def status(server: Server, title: str) -> Status:
    """The progress of the project of a title, per annotator who has begun.

    Raises:
        GongkaiError: What `Server` raises.
    """
    project = server.project(title)
    parts, foreign = own_parts(server.snapshot(project))
    by_annotator: dict[str, Progress] = {}
    annotated: dict[int, bool] = defaultdict(bool)
    for work in works(parts, server):
        progress = by_annotator.setdefault(work.annotator, Progress(work.annotator))
        annotation = work.annotation
        if annotation.was_cancelled:
            progress.skipped += 1
        elif is_rejected(annotation) or tasks.read_result(annotation.result or (), work.part.data).rejected:
            progress.rejected += 1
        else:
            progress.done += 1
            progress.seconds += annotation.lead_time or 0.0
            annotated[work.part.task.id] = True
    for progress in by_annotator.values():
        progress.remaining = len(parts) - progress.done - progress.skipped - progress.rejected
    return Status(
        project=project,
        tasks=len(parts),
        annotated=len(annotated),
        drafts=sum(len(part.task.drafts or ()) for part in parts),
        foreign=len(foreign),
        annotators=sorted(by_annotator.values(), key=lambda each: each.annotator),
    )
