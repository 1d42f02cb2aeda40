"""Where shipped data lies: `configs/` and `models/`, the same from a checkout, an editable install, a wheel."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import TypeVar

import msgspec

from gongkai.errors import ConfigError

T = TypeVar("T")

_PACKAGE = Path(__file__).resolve().parent


@cache
def data_root() -> Path:
    """Folder that holds `configs/` and `models/`: inside the wheel if installed, else the checkout."""
    packaged = _PACKAGE / "data"
    return packaged if packaged.is_dir() else _PACKAGE.parents[1]


def config_path(name: str) -> Path:
    """Path of a shipped config file, e.g. `config_path("units.yaml")`."""
    return data_root() / "configs" / name


def fingerprint(folder: Path | None = None) -> str:
    """SHA-256 over the names and bytes of all files of a folder; of the shipped configs and models if None."""
    folders = [folder] if folder else [data_root() / "configs", data_root() / "models"]
    digest = hashlib.sha256()
    for path in sorted(path for each in folders for path in each.rglob("*") if path.is_file()):
        digest.update(f"{path.name}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def load_yaml(name: str, kind: type[T]) -> T:
    """Read a shipped YAML file as `kind`; unknown keys are refused where the type forbids them.

    Raises:
        ConfigError: The file is missing, is no YAML, or breaks its schema; the text names file and key.
    """
    path = config_path(name)
    try:
        return msgspec.yaml.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        raise ConfigError(str(path), "The file is missing.", "Reinstall gongkai.") from None
    except msgspec.DecodeError as error:
        raise ConfigError(str(path), f"{error}.", "Correct that key.") from None
