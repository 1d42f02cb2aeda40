"""One evaluation: read the gold, run or read the system, score, write the results."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec

from gongkai import __version__
from gongkai.batching import BATCH_CHARACTERS, batches
from gongkai.errors import BrokenRecord, MissingText, OutputError, UnreadableInput
from gongkai.evaluate.comparison import compare
from gongkai.evaluate.documents import score_document
from gongkai.evaluate.evaluator import Evaluator
from gongkai.evaluate.joining import pair
from gongkai.evaluate.references import prediction, reference
from gongkai.evaluate.result import Comparison, Evaluation, GoldFile, Run
from gongkai.evaluate.types import DocumentScore, Reference
from gongkai.gold.records import GoldRecord, StandoffRecord, parse
from gongkai.gold.standoff import hydrate
from gongkai.gold.values import GoldValues, read_values, values_path
from gongkai.ingest import read_text
from gongkai.pipeline import Extractor
from gongkai.reading import SHIPPED_MODEL
from gongkai.resources import data_root
from gongkai.types import Document, Mention, Record

RESAMPLES = 1000
SEED = 0

EVALUATION = "evaluation.json"
SCORES = "scores.jsonl"

Triple = tuple[Reference, Record, Record | None]
"""Gold, prediction, and the prediction made when the gold spans are given (None: the system cannot)."""


class System(Protocol):
    """What is evaluated."""

    name: str
    code: str | None

    def predict(self, references: Iterable[Reference]) -> Iterator[Triple]:
        """Each reference with what the system says of its text."""
        ...


class Pipeline:
    """gongkai's own pipeline in one of its modes, with a trained model of one's own if one is named."""

    def __init__(self, mode: str, model: Path | None = None) -> None:
        self.name = mode if model is None else f"{mode} ({model.name})"
        self._extractor = Extractor(mode, model)
        folder = None if mode == "rules" else model or data_root() / SHIPPED_MODEL
        self.code: str | None = code_digest(folder)

    def predict(self, references: Iterable[Reference]) -> Iterator[Triple]:
        for batch in batches(references, lambda each: len(each.record.text), BATCH_CHARACTERS):
            documents = [_document(each) for each in batch]
            found = self._extractor.extract_all(documents)
            given = self._extractor.relate_all(zip(documents, map(_spans, batch), strict=True))
            yield from zip(batch, found, given, strict=True)


class PredictionsFile:
    """What some system wrote: records (documents.jsonl), or spans and relations in the gold format."""

    def __init__(self, path: Path) -> None:
        self.code: str | None = None
        self.name = path.stem if path.stem != "documents" else path.parent.name or path.stem
        self._path = path

    def predict(self, references: Iterable[Reference]) -> Iterator[Triple]:
        for each, predicted in pair(references, read_predictions(self._path)):
            yield each, predicted, None


def references(path: Path, texts: Path | None = None) -> Iterator[Reference]:
    """The documents of a gold file; with its values file, if one lies beside it.

    A line may be a gold record, a stand-off one, or a whole record whose facts and findings are then gold, too.

    Args:
        texts: Folder of the texts of stand-off records.

    Raises:
        BrokenRecord: A line is none of these.
        MissingText: A stand-off record's text is not below `texts`.
        MismatchedValues: The values do not fit the gold.
        UnreadableInput: A file cannot be read.
    """
    beside = values_path(path)
    values: Mapping[str, GoldValues] = read_values(beside) if beside.is_file() else {}
    for line, where in _lines(path):
        yield _reference(line, where, values, texts)


def read_predictions(path: Path) -> Iterator[Record]:
    """The records of a predictions file.

    Raises:
        BrokenRecord: A line is neither a record nor spans and relations with their text.
        UnreadableInput: The file cannot be read.
    """
    for line, where in _lines(path):
        if _is_whole(line, where):
            yield _decode(line, where)
            continue
        spans = parse(line, where)
        if isinstance(spans, StandoffRecord):
            raise BrokenRecord(where, "It has no text.", "Give predictions with their texts.")
        yield prediction(spans)


def evaluate(
    gold: Sequence[Path],
    system: System,
    *,
    texts: Path | None = None,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    scores: Callable[[DocumentScore], object] | None = None,
) -> Evaluation:
    """Score a system on gold files.

    Args:
        scores: Told of each document's score.

    Raises:
        Unpaired: A predictions file and the gold do not hold the same documents.
        GongkaiError: As for `references` and `read_predictions`.
    """
    counted: dict[Path, int] = {}
    found = Evaluator(_run(system, gold, counted, resamples, seed))
    for each, predicted, given in system.predict(_counting(gold, texts, counted)):
        score = score_document(each, predicted, given)
        found.add(score, each.record)
        if scores:
            scores(score)
    evaluation = found.evaluation()
    return msgspec.structs.replace(evaluation, run=_run(system, gold, counted, resamples, seed))


def evaluate_into(
    out: Path,
    gold: Sequence[Path],
    system: System,
    *,
    texts: Path | None = None,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    force: bool = False,
) -> Evaluation:
    """Evaluate, and write evaluation.json, scores.jsonl, report.md and report.html into the folder `out`.

    Raises:
        OutputError: The folder holds results and `force` is not given, or it cannot be written.
        GongkaiError: As for `evaluate`.
    """
    from gongkai.evaluate.report.html import page
    from gongkai.evaluate.report.markdown import markdown

    encode = msgspec.json.Encoder().encode
    with Results(out, force=force) as results:
        lines = results.open(SCORES)
        evaluation = evaluate(
            gold,
            system,
            texts=texts,
            resamples=resamples,
            seed=seed,
            scores=lambda score: lines.write(encode(score) + b"\n"),
        )
        results.open(EVALUATION).write(encode(evaluation))
        results.open("report.md").write(markdown(evaluation).encode())
        results.open("report.html").write(page(evaluation).encode())
    return evaluation


def compare_folders(a: Path, b: Path) -> Comparison:
    """Compare what `evaluate_into` wrote of two systems.

    Raises:
        Unpaired: They were not scored on the same documents.
        BrokenRecord, UnreadableInput: A folder does not hold an evaluation.
    """
    return compare(_scores(a), _scores(b), read_evaluation(a).run, read_evaluation(b).run)


def read_evaluation(folder: Path) -> Evaluation:
    """The evaluation in a folder.

    Raises:
        BrokenRecord, UnreadableInput: There is none.
    """
    path = folder / EVALUATION
    try:
        return msgspec.json.decode(path.read_bytes(), type=Evaluation)
    except OSError as error:
        raise UnreadableInput(
            str(path), f"{error.strerror or error}.", "Make it with: gongkai evaluate GOLD -o FOLDER."
        ) from None
    except msgspec.DecodeError as error:
        raise BrokenRecord(str(path), f"{error}.", "Evaluate anew.") from None


def code_digest(model: Path | None = None) -> str:
    """Digest of what decides the pipeline's output: the library's code without the harness, the configs, a model."""
    package, configs = Path(__file__).parents[1], data_root() / "configs"
    digest = hashlib.sha256()
    sources = [p for p in package.rglob("*.py") if "evaluate" not in p.parts]
    weights = [] if model is None else sorted(path for path in model.rglob("*") if path.is_file())
    for path in sorted(sources) + sorted(configs.rglob("*.yaml")) + weights:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


class Results:
    """Files of a folder that appear together when all are written, or not at all."""

    def __init__(self, folder: Path, *, force: bool) -> None:
        self._folder = folder
        self._force = force
        self._files: dict[str, BinaryIO] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Results:
        if not self._force and (self._folder / EVALUATION).exists():
            raise OutputError(
                str(self._folder), "It holds an evaluation.", "Choose another, or pass --force."
            )
        return self

    def open(self, name: str) -> BinaryIO:
        """A file to write to."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            file = self._stack.enter_context(self._unfinished(name).open("wb"))
        except OSError as error:
            raise OutputError(str(self._folder), f"{error.strerror}.", "Choose another place.") from None
        self._files[name] = file
        return file

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._stack.close()
        for name in self._files:
            if kind is None:
                self._unfinished(name).replace(self._folder / name)
            else:
                self._unfinished(name).unlink(missing_ok=True)

    def _unfinished(self, name: str) -> Path:
        return self._folder / f".{name}.unfinished"


def _document(each: Reference) -> Document:
    return msgspec.structs.replace(read_text(each.record.text), id=each.record.id)


def _spans(each: Reference) -> list[Mention]:
    return [Mention(e.label, e.start, e.end, "given", 1.0) for e in each.record.entities]


def _run(system: System, gold: Sequence[Path], counted: dict[Path, int], resamples: int, seed: int) -> Run:
    files = tuple(
        GoldFile(
            name=f"{path.resolve().parent.name}/{path.stem}",
            sha256=_sha256(path),
            documents=counted.get(path, 0),
        )
        for path in gold
    )
    return Run(
        system=system.name, version=__version__, code=system.code, gold=files, resamples=resamples, seed=seed
    )


def _counting(gold: Sequence[Path], texts: Path | None, counted: dict[Path, int]) -> Iterator[Reference]:
    for path in gold:
        counted[path] = 0
        for each in references(path, texts):
            counted[path] += 1
            yield each


def _reference(line: bytes, where: str, values: Mapping[str, GoldValues], texts: Path | None) -> Reference:
    if _is_whole(line, where):
        return Reference(record=_decode(line, where), has_values=True, has_findings=True)
    gold = parse(line, where)
    if isinstance(gold, StandoffRecord):
        if texts is None:
            raise BrokenRecord(where, "It has no text.", "Name the folder of the texts with --texts.")
        gold = _hydrated(gold, texts)
    return reference(gold, values.get(gold.id))


def _hydrated(gold: StandoffRecord, texts: Path) -> GoldRecord:
    joined = next(hydrate([gold], texts))
    if isinstance(joined, MissingText):
        raise joined
    return joined


_keys = msgspec.json.Decoder(dict[str, msgspec.Raw])
_record = msgspec.json.Decoder(Record)


def _is_whole(line: bytes, where: str) -> bool:
    """Whether a line is a record rather than spans and relations."""
    try:
        return "facts" in _keys.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BrokenRecord(where, f"{error}.", "Correct the line, or write the file anew.") from None


def _decode(line: bytes, where: str) -> Record:
    try:
        return _record.decode(line)
    except msgspec.DecodeError as error:
        raise BrokenRecord(where, f"{error}.", "Correct the line; see gongkai schema.") from None


def _lines(path: Path) -> Iterator[tuple[bytes, str]]:
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield line, f"{path} line {number}"
    except OSError as error:
        raise UnreadableInput(
            str(path), f"{error.strerror or error}.", "Check the path and its permissions."
        ) from None


_score = msgspec.json.Decoder(DocumentScore)


def _scores(folder: Path) -> Iterator[DocumentScore]:
    for line, where in _lines(folder / SCORES):
        try:
            yield _score.decode(line)
        except msgspec.DecodeError as error:
            raise BrokenRecord(where, f"{error}.", "Evaluate anew.") from None


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UnreadableInput(
            str(path), f"{error.strerror or error}.", "Check the path and its permissions."
        ) from None
