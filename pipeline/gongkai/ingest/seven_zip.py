"""7z: its members are packed together, so they are unpacked to temporary files and read from there."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from gongkai.errors import EncryptedInput, IngestError, OversizedInput, UnsupportedInput
from gongkai.ingest.limits import MEBIBYTE, Limits
from gongkai.ingest.parts import Part, Place, is_wanted, member_name, refusal
from gongkai.ingest.streams import damaged, expanding, opened


def seven_zip_parts(file: io.BufferedReader, place: Place, limits: Limits) -> Iterator[Part | IngestError]:
    """The members that are read, and an error in the place of each that may not be.

    A broken member costs those after it, too: they are packed as one.

    Raises:
        UnsupportedInput: py7zr is not installed, or does not know how the archive was packed.
        EncryptedInput: It asks for a password.
        OversizedInput: It would unpack beyond the limits.
        DamagedInput: It is truncated or broken.
    """
    try:
        import py7zr
    except ImportError:
        problem = "Reading 7z needs the package py7zr."
        raise UnsupportedInput(place.where, problem, "Install it: pip install py7zr.") from None
    with tempfile.TemporaryDirectory(prefix="gongkai-") as folder:
        files = _Files(Path(folder))
        wanted: list[Any] = []
        failed: IngestError | None = None
        try:
            with py7zr.SevenZipFile(file) as archive:
                for member in _members(archive, file, place, limits):
                    if error := _refused(member, place):
                        yield error
                    elif member.is_file and is_wanted(_name(member)):
                        wanted.append(member)
                packed = [member for member in wanted if member.uncompressed]
                archive.extract(targets=[member.filename for member in packed], factory=_factory(files))
        # py7zr lets through what a broken header made its layers raise.
        except Exception as error:
            failed = _meaning(error, place)
        files.close()
        whole = iter(files.paths if failed is None else files.paths[:-1])
        for member in wanted:
            path = next(whole, None) if member.uncompressed else Path(os.devnull)
            if path is None:
                break
            yield _part(member, path, place)
        if failed is not None:
            yield failed


def _members(archive: Any, file: io.BufferedReader, place: Place, limits: Limits) -> list[Any]:
    if archive.needs_password():
        raise _encrypted(place)
    members: list[Any] = archive.list()
    if len(members) > limits.max_members:
        problem = f"It holds more than {limits.max_members:,} members."
        raise OversizedInput(place.where, problem, "Split it, or raise Limits.max_members.")
    unpacked = sum(member.uncompressed or 0 for member in members)
    if unpacked > limits.max_spooled:
        problem = f"It unpacks to {unpacked:,} bytes."
        raise OversizedInput(place.where, problem, "Unpack it first, or raise Limits.max_spooled.")
    if unpacked > max(MEBIBYTE, limits.max_ratio * file.seek(0, io.SEEK_END)):
        raise expanding(place.where, limits)
    return members


def _meaning(error: Exception, place: Place) -> IngestError:
    import py7zr

    if isinstance(error, IngestError):
        return error
    if isinstance(error, py7zr.PasswordRequired):
        return _encrypted(place)
    if isinstance(error, py7zr.UnsupportedCompressionMethodError):
        problem = f"Its packing is not read ({error})."
        return UnsupportedInput(place.where, problem, "Pack it anew as .zip or .tar.zst.")
    return damaged(place.where, error)


def _part(member: Any, path: Path, place: Place) -> Part:
    inner = place.inside(_name(member))
    return Part(inner, _name(member), opened(path.open("rb", buffering=0), inner.where))


class _Files:
    """Temporary files, numbered in the order in which members are unpacked."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: BinaryIO | None = None
        self.paths: list[Path] = []

    def open(self) -> BinaryIO:
        self.close()
        self.paths.append(self._folder / str(len(self.paths)))
        self._file = self.paths[-1].open("wb")
        return self._file

    def close(self) -> None:
        """Close the last file, which py7zr leaves open where it fails."""
        if self._file is not None:
            self._file.close()


def _factory(files: _Files) -> Any:
    """What py7zr asks for a file to write each member to; never by the member's name."""
    from py7zr.io import Py7zIO, WriterFactory

    class Writer(Py7zIO):
        def __init__(self) -> None:
            self._file = files.open()

        def write(self, s: bytes | bytearray) -> int:
            return self._file.write(s)

        def read(self, size: int | None = None) -> bytes:
            return b""

        def seek(self, offset: int, whence: int = 0) -> int:
            return 0

        def flush(self) -> None:
            self._file.flush()

        def size(self) -> int:
            return self._file.tell()

        def close(self) -> None:
            self._file.close()

    class Factory(WriterFactory):
        def create(self, filename: str) -> Py7zIO:
            return Writer()

    return Factory()


def _refused(member: Any, place: Place) -> IngestError | None:
    name = _name(member)
    if error := refusal(name, place):
        return error
    if member.is_directory or member.is_file:
        return None
    problem = "It is a link or a device, not a file."
    return UnsupportedInput(place.inside(name).where, problem, "Pack the file itself.")


def _name(member: Any) -> str:
    return member_name(member.filename.encode("utf-8", "surrogatepass"))


def _encrypted(place: Place) -> EncryptedInput:
    return EncryptedInput(place.where, "It is encrypted.", "Pack it anew without a password.")
