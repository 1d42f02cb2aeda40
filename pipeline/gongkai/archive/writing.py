"""Files that appear whole or not at all, alone or together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gongkai.batch.durable import sync_file, sync_folder
from gongkai.errors import OutputError


@contextmanager
def replacing(*files: Path, force: bool) -> Iterator[list[Path]]:
    """Paths to write to; when the block ends well, what lies there becomes `files`, all of one folder.

    Of several files, older ones go first, the last before all others, and new ones come in their order: whatever
    stops this, if the last one is there, all are, and belong together.

    Raises:
        OutputError: One exists and `force` is not given, or one cannot be written.
    """
    for file in files:
        if file.exists() and not force:
            raise OutputError(str(file), "The file exists already.", "Choose another, or pass --force.")
    partials = [file.with_name(f".{file.name}.partial") for file in files]
    try:
        yield partials
        _place(partials, files)
    except OSError as error:
        where, reason = ", ".join(map(str, files)), error.strerror or str(error)
        raise OutputError(where, f"Writing failed: {reason}.", "Choose another place.") from error
    finally:
        for partial in partials:
            partial.unlink(missing_ok=True)


def _place(partials: Sequence[Path], files: Sequence[Path]) -> None:
    for partial in partials:
        sync_file(partial)
    if len(files) > 1:
        for file in reversed(files):
            file.unlink(missing_ok=True)
            sync_folder(file.parent)
    for partial, file in zip(partials, files, strict=True):
        partial.replace(file)
        sync_folder(file.parent)
