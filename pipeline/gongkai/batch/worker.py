"""What a worker process does: read the items of a shard, extract them in batches, write what came of them.

Nothing heavy is imported before `work` has set what the libraries read when they are loaded.
"""

from __future__ import annotations

import os
import pickle
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

import msgspec

from gongkai.batch.durable import sync_file, sync_folder
from gongkai.batch.messages import At, Broken, Committed, Counts, News, Ready, Refusal, Repeat, Task
from gongkai.batch.processes import limit_memory, serve_parent
from gongkai.batch.shards import read_items
from gongkai.batching import BATCH_CHARACTERS, batches
from gongkai.errors import GongkaiError, IngestError, OutputError, Quarantined
from gongkai.export import Chunk, Failure, Format
from gongkai.ingest import Leaf, read_leaf
from gongkai.types import Document, Record

REPEATS_FILE = "repeats.jsonl"
_FAILURE_CHARACTERS = 1_000
"""What an input without a document counts for in a batch."""
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class DocumentExtractor(Protocol):
    """What turns a document into a record: `gongkai.pipeline.Extractor`, or a stand-in."""

    def extract(self, document: Document) -> Record: ...


@runtime_checkable
class BatchExtractor(DocumentExtractor, Protocol):
    """An extractor that is faster on many documents at once, and gives the same records in the same order."""

    def extract_all(self, documents: Iterable[Document]) -> Iterator[Record]: ...


class Orders(msgspec.Struct, frozen=True):
    """What a worker is told once.

    Attributes:
        extractor: Pickled call that makes its extractor.
        fail_fast: Whether a shard ends at the first item that fails.
        threads: Of each library that computes with several.
        memory: Bytes that it may take; a document that takes more fails.
    """

    extractor: bytes
    formats: tuple[Format, ...]
    fail_fast: bool = False
    threads: int = 1
    memory: int | None = None


def work(connection: Connection, orders: Orders) -> None:
    """Do the tasks that come over the connection until it is closed; the main function of a worker."""
    serve_parent()
    for name in _THREADS:
        os.environ[name] = str(orders.threads)
    tell = _teller(connection)
    try:
        make: Callable[[], DocumentExtractor] = pickle.loads(orders.extractor)
        extractor = make()
        limit_memory(orders.memory)
        tell(Ready())
        while True:
            task = msgspec.json.decode(connection.recv_bytes(), type=Task)
            tell(do(task, extractor, orders.formats, fail_fast=orders.fail_fast, tell=tell))
    except (EOFError, BrokenPipeError):
        return
    except GongkaiError as error:
        tell(Broken(type(error).__name__, error.where, error.problem, error.remedy))


def do(
    task: Task,
    extractor: DocumentExtractor,
    formats: Collection[Format],
    *,
    fail_fast: bool = False,
    tell: Callable[[News], None],
) -> Committed:
    """Do one shard; what it returns is on the disk, and still to be moved to its place.

    Raises:
        OutputError: The results cannot be written.
    """
    counts = Counts()
    failed: list[int] = []
    stopped = None
    target = Path(task.target)
    shutil.rmtree(target, ignore_errors=True)  # of a worker that was lost
    with Chunk(target, formats) as chunk, (target / REPEATS_FILE).open("wb") as repeats:
        for number, outcome in _outcomes(task, extractor, chunk, tell):
            if isinstance(outcome, Repeat):
                counts.repeats += 1
                repeats.write(msgspec.json.encode(outcome) + b"\n")
            elif isinstance(outcome, Record):
                counts.count(outcome)
            else:
                chunk.add_failure(outcome)
                counts.errors[outcome.error] += 1
                failed.append(number)
                if fail_fast:
                    stopped = outcome
                    break
        tell(At(None))
    return Committed(task.shard, counts, settled(target), tuple(failed), stopped)


class _Read(NamedTuple):
    """An item read: its number in the shard, and the document, or why there is none."""

    number: int
    path: str
    what: Document | Failure | Repeat


def _outcomes(
    task: Task, extractor: DocumentExtractor, chunk: Chunk, tell: Callable[[News], None]
) -> Iterator[tuple[int, Record | Failure | Repeat]]:
    """What came of each item, in order; a record has been written."""
    batched = isinstance(extractor, BatchExtractor) and not task.careful
    for batch in batches(_read(task, tell), _characters, BATCH_CHARACTERS if batched else 1):
        tell(At(batch[0].number))
        records = _records([each.what for each in batch if isinstance(each.what, Document)], extractor)
        for number, path, what in batch:
            if not isinstance(what, Document):
                yield number, what
                continue
            yield number, _written(path, what, next(records), chunk)
            tell(At(number))


def _read(task: Task, tell: Callable[[News], None]) -> Iterator[_Read]:
    for number, item in enumerate(read_items(Path(task.input))):
        if isinstance(item, Repeat):
            yield _Read(number, item.path, item)
        elif isinstance(item, Refusal):
            yield _Read(number, item.failure.path, item.failure)
        elif reason := task.poisoned.get(number):
            yield _Read(number, item.place.path, _quarantined(item, reason))
        else:
            tell(At(number))
            yield _Read(number, item.place.path, _parsed(item))


def _parsed(leaf: Leaf) -> Document | Failure:
    found = read_leaf(leaf)
    return failure(leaf.place.path, leaf.place.member, found) if isinstance(found, IngestError) else found


def _quarantined(leaf: Leaf, reason: str) -> Failure:
    error = Quarantined(leaf.place.where, reason, "It was left out; please report it, with the file.")
    return failure(leaf.place.path, leaf.place.member, error)


def _characters(each: _Read) -> int:
    return len(each.what.text) if isinstance(each.what, Document) else _FAILURE_CHARACTERS


def _records(documents: Sequence[Document], extractor: DocumentExtractor) -> Iterator[Record | Exception]:
    """The record of each document; one that fails costs the others of its batch nothing but time."""
    done = 0
    if isinstance(extractor, BatchExtractor) and len(documents) > 1:
        try:
            for record in extractor.extract_all(documents):
                yield record
                done += 1
        except Exception:
            pass  # Which document it was shows when they are taken one by one.
    for document in documents[done:]:
        try:
            yield extractor.extract(document)
        except Exception as error:
            yield error


def _written(path: str, document: Document, record: Record | Exception, chunk: Chunk) -> Record | Failure:
    member = document.source.member
    if isinstance(record, Exception):
        return failure(path, member, record)
    try:
        chunk.add(record)
    except OutputError:
        raise
    except Exception as error:
        return failure(path, member, error)
    return record


def failure(path: str, member: str | None, error: Exception) -> Failure:
    r"""A line of errors.jsonl; what is no UTF-8 is written as `\udcXX`."""
    message = str(error) or f"{type(error).__name__} without a message"
    return Failure(path, member, type(error).__name__, message.encode("utf-8", "backslashreplace").decode())


def settled(folder: Path) -> dict[str, int]:
    """Have all of a folder on the disk; the size of each of its files.

    Raises:
        OutputError: It cannot be.
    """
    files = sorted(folder.iterdir())
    try:
        for path in files:
            sync_file(path)
        sync_folder(folder)
    except OSError as error:
        raise OutputError(str(folder), f"Writing failed: {error.strerror}.", "Free space.") from error
    return {path.name: path.stat().st_size for path in files}


def _teller(connection: Connection) -> Callable[[News], None]:
    def tell(news: News) -> None:
        connection.send_bytes(msgspec.json.encode(news))

    return tell
