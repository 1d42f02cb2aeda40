"""What a study is: a base, variants of it, seeds; and the runs that these come to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec

from gongkai.errors import ConfigError

from ..config import Settings, TrainSettings
from ..settings import read_settings

Name = Annotated[str, msgspec.Meta(pattern=r"^\w[\w.-]*$")]
Seed = Annotated[int, msgspec.Meta(ge=0)]


class Variant(Settings, frozen=True, kw_only=True):
    """One row of the table.

    Attributes:
        name: Its runs are the folders NAME-SEED.
        what: What is other in it, in a line.
        change: To the training settings of the study (see `merged`).
        x: Its place on the curve, if the study draws one.
    """

    name: Name
    what: str
    change: dict[str, Any] = msgspec.field(default_factory=dict)
    x: float | None = None


class Study(Settings, frozen=True, kw_only=True):
    """A file such as `configs/training/study_student.yaml`.

    Attributes:
        base: Training settings; its path counts from the working folder.
        change: To the base, for all variants (see `merged`).
        variants: The others are compared with the first.
        seeds: Each variant is run with each, whatever seed the base has.
        x_label: What the variants' x is.
    """

    base: str
    change: dict[str, Any] = msgspec.field(default_factory=dict)
    variants: Annotated[tuple[Variant, ...], msgspec.Meta(min_length=1)]
    seeds: Annotated[tuple[Seed, ...], msgspec.Meta(min_length=1)] = (1,)
    x_label: str = "x"


class Run(NamedTuple):
    """A variant with a seed: an ordinary training run."""

    variant: str
    settings: TrainSettings
    folder: Path


def merged(base: Any, change: Any) -> Any:
    """Settings with changes: mappings key by key, anything else in place of what was there.

    A mapping of another `type` shares no keys with the one before it, and stands in its place too.

    >>> merged({"encoder": {"type": "convolution", "width": 128}, "seed": 1}, {"encoder": {"width": 96}})
    {'encoder': {'type': 'convolution', 'width': 96}, 'seed': 1}
    >>> merged({"encoder": {"type": "convolution", "width": 128}}, {"encoder": {"type": "pretrained"}})
    {'encoder': {'type': 'pretrained'}}
    """
    if not isinstance(base, dict) or not isinstance(change, dict):
        return change
    if change.get("type", base.get("type")) != base.get("type"):
        return change
    return base | {key: merged(base.get(key), value) for key, value in change.items()}


def runs_of(study: Study, out: Path) -> tuple[Run, ...]:
    """The runs in their order: all variants with the first seed, then with the next.

    Raises:
        ConfigError: A name or a seed is there twice, a change breaks the schema of training settings, or a variant is
            measured on other documents.
    """
    for kind, values in (("variant", [v.name for v in study.variants]), ("seed", [*study.seeds])):
        twice = [value for number, value in enumerate(values) if value in values[:number]]
        if twice:
            raise ConfigError("study", f"The {kind} {twice[0]} is there twice.", "Leave it in once.")
    base = merged(read_settings(Path(study.base), dict[str, Any]), study.change)
    settings = {variant.name: _settings(base, variant) for variant in study.variants}
    first = study.variants[0].name
    for name, own in settings.items():
        if (own.data.dev, own.data.texts) != (settings[first].data.dev, settings[first].data.texts):
            raise ConfigError(
                f"variant {name}",
                f"It is measured on other documents than {first}.",
                "Leave data.dev and data.texts as they are.",
            )
    return tuple(
        Run(name, msgspec.structs.replace(own, seed=seed), out / f"{name}-{seed}")
        for seed in study.seeds
        for name, own in settings.items()
    )


def _settings(base: Any, variant: Variant) -> TrainSettings:
    try:
        return msgspec.convert(merged(base, variant.change), TrainSettings)
    except msgspec.ValidationError as error:
        raise ConfigError(f"variant {variant.name}", f"{error}.", "Correct that key.") from None
