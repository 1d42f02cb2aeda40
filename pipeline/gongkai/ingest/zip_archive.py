"""ZIP: members in the order of the archive's directory, never written anywhere."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import IO, cast

from gongkai.errors import DamagedInput, EncryptedInput, IngestError, OversizedInput, UnsupportedInput
from gongkai.ingest.limits import MEBIBYTE, Limits
from gongkai.ingest.parts import Part, Place, is_wanted, member_name, refusal
from gongkai.ingest.streams import damaged, expanding, member_stream

_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ENCRYPTED, _UTF8 = 0x1, 0x800
_UNIX = 3
_LOCAL_HEADER = 30
_ENTRY = 128
"""Bytes of the directory that one member takes on the average, long names included."""
_OFFICE = frozenset({"[Content_Types].xml", "word/document.xml", "OFD.xml"})


class _Bounded:
    """A file that refuses to read a directory that is too large; zipfile would read any in one go."""

    def __init__(self, file: io.BufferedReader, most: int, refused: IngestError) -> None:
        self.seek, self.tell, self.seekable, self._read = file.seek, file.tell, file.seekable, file.read
        self._most = most
        self._refused = refused

    def read(self, size: int = -1) -> bytes:
        if size > self._most:
            raise self._refused
        return self._read(size)


def open_zip(file: io.BufferedReader, place: Place, limits: Limits) -> zipfile.ZipFile:
    """The archive, its directory read.

    Raises:
        DamagedInput: It is truncated, or no archive.
        OversizedInput: It has more than `limits.max_members`.
    """
    crowded = OversizedInput(
        place.where,
        f"It holds more than {limits.max_members:,} members.",
        "Split it, or raise Limits.max_members.",
    )
    bounded = _Bounded(file, max(limits.max_members * _ENTRY, MEBIBYTE), crowded)
    try:
        archive = zipfile.ZipFile(cast(IO[bytes], bounded))
    except IngestError:
        raise
    # zipfile lets through what struct, codecs and the file raise on a broken directory.
    except Exception as error:
        raise damaged(place.where, error) from error
    if len(archive.infolist()) > limits.max_members:
        raise crowded
    return archive


def is_office(archive: zipfile.ZipFile) -> bool:
    """Whether the archive is one document: DOCX, another office format, OFD."""
    return not _OFFICE.isdisjoint(archive.namelist())


def zip_parts(archive: zipfile.ZipFile, place: Place, limits: Limits) -> Iterator[Part | IngestError]:
    """The members that are read, and an error in the place of each that may not be."""
    infos = archive.infolist()
    overlapping = _overlapping(infos)
    for info in infos:
        if info.is_dir():
            continue
        name = _name(info)
        error = refusal(name, place) or _link(info, name, place)
        if error is not None:
            yield error
        elif is_wanted(name):
            yield _part(archive, info, name, place, limits, overlapping)


def _part(
    archive: zipfile.ZipFile,
    info: zipfile.ZipInfo,
    name: str,
    place: Place,
    limits: Limits,
    overlapping: frozenset[int],
) -> Part | IngestError:
    inner = place.inside(name)
    where = inner.where
    if info.flag_bits & _ENCRYPTED:
        return EncryptedInput(where, "It is encrypted.", "Pack the archive anew, without a password.")
    if info.compress_type not in _METHODS:
        problem = f"It is packed with method {info.compress_type}, which is not read."
        return UnsupportedInput(where, problem, "Pack the archive anew with deflate.")
    if info.header_offset in overlapping:
        return DamagedInput(where, "It overlaps another member, as in a bomb.", "Leave the archive out.")
    if info.file_size > max(MEBIBYTE, limits.max_ratio * info.compress_size):
        return expanding(where, limits)
    try:
        source = archive.open(info)
    except Exception as error:
        return damaged(where, error)
    return Part(inner, name, member_stream(source, where))


def _name(info: zipfile.ZipInfo) -> str:
    """zipfile takes a name that is not marked as UTF-8 for code page 437; it is mostly GBK."""
    if info.flag_bits & _UTF8:
        return member_name(info.filename.encode("utf-8", "surrogatepass"))
    return member_name(info.orig_filename.encode("cp437", "replace"))


def _link(info: zipfile.ZipInfo, name: str, place: Place) -> IngestError | None:
    mode = info.external_attr >> 16
    if info.create_system != _UNIX or stat.S_IFMT(mode) in (0, stat.S_IFREG):
        return None
    problem = "It is a link or a device, not a file."
    return UnsupportedInput(place.inside(name).where, problem, "Pack the file itself.")


def _overlapping(infos: Sequence[zipfile.ZipInfo]) -> frozenset[int]:
    """Offsets of members that reach into the next one (D. Fifield, A better zip bomb, WOOT 2019)."""
    ordered = sorted(infos, key=lambda info: info.header_offset)
    found: set[int] = set()
    for info, following in pairwise(ordered):
        if info.header_offset + _LOCAL_HEADER + info.compress_size > following.header_offset:
            found.add(info.header_offset)
    return frozenset(found)
