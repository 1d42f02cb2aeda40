"""Files that appear whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gongkai.errors import OutputError


@contextmanager
def replacing(file: Path, *, force: bool) -> Iterator[Path]:
    """A path to write to; when the block ends well, what lies there becomes `file`.

    Raises:
        OutputError: `file` exists and `force` is not given, or it cannot be written.
    """
    if file.exists() and not force:
        raise OutputError(str(file), "The file exists already.", "Choose another, or pass --force.")
    partial = file.with_name(f".{file.name}.partial")
    try:
        yield partial
        partial.replace(file)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(str(file), f"Writing failed: {reason}.", "Choose another place.") from error
    finally:
        partial.unlink(missing_ok=True)
