"""What comes of a run of a study: its scores on each document of dev, or its error. Both lie in its folder."""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from gongkai.errors import GongkaiError

from ..artifacts import RUN, SETTINGS, load_model, write_file
from ..curves import draw_curves, read_log
from ..data import read_gold
from ..devices import device_of
from ..evaluate import Scores, predict, prepare, score
from ..runs import ForeignCheckpoint, contents_of
from ..trainer import Event, train
from .settings import Run

DEV: Final = "dev.jsonl"
ERROR: Final = "error.txt"


class DocumentScores(msgspec.Struct, frozen=True, kw_only=True):
    """What a run's best epoch scores on a document of dev."""

    file: str
    id: str
    scores: Scores


class Measured(NamedTuple):
    """What came of a run.

    Attributes:
        epochs: That it was trained for.
        seconds: Of training and of measuring on dev after each epoch.
        characters: Of the training documents and the silver, over all epochs.
    """

    documents: tuple[DocumentScores, ...]
    epochs: int
    seconds: float
    characters: int


class Failed(NamedTuple):
    """Why a run did not come to its end."""

    problem: str


Outcome = Measured | Failed


def outcome_of(run: Run) -> Outcome | None:
    """What came of a run; None if these settings and data were not run to the end."""
    error = run.folder / ERROR
    if error.exists():
        return Failed(error.read_text(encoding="utf-8").splitlines()[0])
    if not _is_finished(run):
        return None
    _, epochs = read_log(run.folder)
    data = _description(run).data
    share = {"train": 1.0, "silver": run.settings.data.silver_share}
    an_epoch = sum(share.get(part, 0) * file.characters for part, files in data.items() for file in files)
    return Measured(
        documents=tuple(
            msgspec.json.decode(line, type=DocumentScores)
            for line in (run.folder / DEV).read_bytes().splitlines()
        ),
        epochs=len(epochs),
        seconds=sum(epoch.seconds for epoch in epochs),
        characters=round(len(epochs) * an_epoch),
    )


class _File(msgspec.Struct, frozen=True, kw_only=True):
    path: str
    sha256: str
    characters: int


class _Description(msgspec.Struct, frozen=True, kw_only=True):
    """What is needed here of a run's description."""

    data: dict[str, tuple[_File, ...]]
    begun_with: dict[str, str] = {}


def _description(run: Run) -> _Description:
    return msgspec.json.decode((run.folder / RUN).read_bytes(), type=_Description)


def _is_finished(run: Run) -> bool:
    """Whether its last file is there, and it is of these settings and of data and encoder as they are now."""
    if not (run.folder / DEV).exists():
        return False
    if (run.folder / SETTINGS).read_bytes() != msgspec.yaml.encode(run.settings):
        return False
    described = _description(run)
    files = [file for part in described.data.values() for file in part]
    folders = {folder: contents_of(Path(folder)) for folder in run.settings.folders}
    return described.begun_with == folders and all(
        Path(file.path).is_file() and hashlib.sha256(Path(file.path).read_bytes()).hexdigest() == file.sha256
        for file in files
    )


def carry_out(run: Run, force: bool, report: Callable[[Event], None]) -> Outcome:
    """Train, or go on training, and measure.

    Args:
        force: Begin anew.
    """
    # A run that is killed again must not be taken for what it was before.
    for name in (DEV, ERROR):
        (run.folder / name).unlink(missing_ok=True)
    try:
        train(run.folder, settings=run.settings, resume=not force, force=force, report=report)
        draw_curves(run.folder)
        lines = [msgspec.json.encode(document) + b"\n" for document in _measure(run)]
        write_file(run.folder / DEV, b"".join(lines))
    except Exception as error:  # whatever it is, the runs after it are worth having
        return _failure(run, error)
    outcome = outcome_of(run)
    assert outcome is not None
    return outcome


def _failure(run: Run, error: Exception) -> Failed:
    problem = " ".join(_said(run, error).split())
    run.folder.mkdir(parents=True, exist_ok=True)
    write_file(run.folder / ERROR, f"{problem}\n\n{''.join(traceback.format_exception(error))}".encode())
    return Failed(problem)


def _said(run: Run, error: Exception) -> str:
    if isinstance(error, ForeignCheckpoint):
        return f"{error.where}: {error.problem} Train it anew with --force --only {run.variant}."
    return str(error) if isinstance(error, GongkaiError) else f"{type(error).__name__}: {error}"


def _measure(run: Run) -> Iterator[DocumentScores]:
    """The best epoch's weights on each document of dev, by itself."""
    trained = load_model(run.folder, device_of(run.settings.device))
    data = run.settings.data
    files = read_gold(data).dev.files
    records = [record for file in files for record in file.records]
    paths = [file.path for file in files for _ in file.records]
    documents = prepare(records, trained.characters, data.longest, data.overlap)
    found = predict(trained.model, documents, run.settings.optimisation.batch_characters)
    for path, record, prediction in zip(paths, records, found, strict=True):
        yield DocumentScores(file=path, id=record.id, scores=score([record], [prediction]))
