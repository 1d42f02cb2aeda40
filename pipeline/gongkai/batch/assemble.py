"""The results of a run from those of its shards; the same bytes however the run went."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from gongkai.batch.durable import sync_file, sync_folder
from gongkai.batch.messages import Repeat
from gongkai.batch.worker import REPEATS_FILE
from gongkai.batch.workspace import Workspace
from gongkai.export import DERIVED, ERRORS_FILE, RESULTS, Failure, Format, failure_line, writing
from gongkai.export.merge import merge

DUPLICATES_FILE = "duplicates.jsonl"
QUARANTINE_FILE = "quarantine.jsonl"
RUN_FILE = "run.json"
LISTS = (DUPLICATES_FILE, QUARANTINE_FILE, ERRORS_FILE)
"""Written whatever the formats; always there, empty if nothing is to be told."""
RESULT_NAMES = (*(name for names in RESULTS.values() for name in names), RUN_FILE, *LISTS)
"""Every file and folder a run may leave. `errors.jsonl` comes into place last: it says the run ended."""


class Duplicate(msgspec.Struct, frozen=True):
    """A line of duplicates.jsonl: a document with the bytes of an earlier one, which is not extracted again.

    Attributes:
        id: What its id would be.
        duplicate_of: Id of the record that holds for it.
    """

    path: str
    member: str | None
    url: str | None
    id: str
    duplicate_of: str


def assemble(workspace: Workspace, shards: Sequence[int], formats: Sequence[Format]) -> Counter[str]:
    """Write the results of the shards, in their order, into the workspace's folder `merged`.

    Returns:
        How many repeats failed, as they have the bytes of an input that failed, by class of error.

    Raises:
        OutputError: The disk is full, or a file cannot be read or written.
    """
    target = workspace.merged
    with writing(workspace.out):
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        merge([workspace.results(shard) for shard in shards], formats, target)
        failed = _lists(workspace, shards, target)
        _quarantine(workspace, shards, target / QUARANTINE_FILE)
        _settle(target)
    return failed


def publish(workspace: Workspace) -> None:
    """Move what was assembled to where it belongs; older results go, of other formats and what was made of them too.

    Raises:
        OutputError: It cannot be moved.
    """
    with writing(workspace.out):
        for name in (*RESULT_NAMES, *DERIVED):
            _remove(workspace.out / name)
        for name in RESULT_NAMES:
            if (workspace.merged / name).exists():
                (workspace.merged / name).replace(workspace.out / name)
        sync_folder(workspace.out)


def _lists(workspace: Workspace, shards: Sequence[int], target: Path) -> Counter[str]:
    failed: Counter[str] = Counter()
    with (target / DUPLICATES_FILE).open("wb") as duplicates, (target / ERRORS_FILE).open("wb") as errors:
        for shard in shards:
            folder = workspace.results(shard)
            with (folder / ERRORS_FILE).open("rb") as file:
                shutil.copyfileobj(file, errors)
            for repeat in _repeats(folder / REPEATS_FILE):
                if repeat.item in workspace.committed[repeat.shard].failed:
                    failure = _failure(repeat)
                    failed[failure.error] += 1
                    errors.write(failure_line(failure))
                else:
                    duplicates.write(msgspec.json.encode(_duplicate(repeat)) + b"\n")
    return failed


def _repeats(path: Path) -> Iterator[Repeat]:
    with path.open("rb") as file:
        for line in file:
            yield msgspec.json.decode(line, type=Repeat)


def _failure(repeat: Repeat) -> Failure:
    where = f"{repeat.path} {repeat.member}" if repeat.member else repeat.path
    message = f"{where}: It has the bytes of document {repeat.duplicate_of}, which failed."
    return Failure(repeat.path, repeat.member, "DuplicateOfFailed", message)


def _duplicate(repeat: Repeat) -> Duplicate:
    return Duplicate(repeat.path, repeat.member, repeat.url, repeat.id, repeat.duplicate_of)


def _quarantine(workspace: Workspace, shards: Sequence[int], path: Path) -> None:
    with path.open("wb") as file:
        for shard in shards:
            for line in sorted(workspace.poisoned.get(shard, ()), key=lambda line: line.item):
                row = {"path": line.path, "member": line.member, "reason": line.reason}
                file.write(msgspec.json.encode(row) + b"\n")


def _settle(folder: Path) -> None:
    """Have all that is in a folder on the disk."""
    for parent, _, names in os.walk(folder):
        for name in names:
            sync_file(Path(parent, name))
        sync_folder(Path(parent))


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
