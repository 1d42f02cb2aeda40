"""Training settings: typed, one YAML file a command, every unknown key refused."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from gongkai.errors import ConfigError

T = TypeVar("T")


def read_settings(path: Path, kind: type[T]) -> T:
    """A settings file as `kind`.

    Raises:
        ConfigError: The file is missing, is no YAML, or breaks its schema; the text names file and key.
    """
    try:
        return msgspec.yaml.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise ConfigError(
            str(path), f"{error.strerror or error}.", "Name a file as in configs/training/."
        ) from None
    except msgspec.DecodeError as error:
        raise ConfigError(str(path), f"{error}.", "Correct that key.") from None
