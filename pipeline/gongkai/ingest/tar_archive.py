"""TAR, read as a stream: one member at a time, none kept."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from typing import Self

from gongkai.errors import DamagedInput, IngestError, OversizedInput, UnsupportedInput
from gongkai.ingest.limits import MEBIBYTE, Limits
from gongkai.ingest.parts import Part, Place, is_wanted, member_name, refusal
from gongkai.ingest.streams import damaged, member_stream

_EXTENSIONS = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)
_MOST_DAMAGE = 64 * MEBIBYTE


class _Header(tarfile.TarInfo):
    """tarfile takes a broken header, or none, for the end of the archive; here both are errors."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        try:
            header = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if len(buf) == tarfile.BLOCKSIZE and not any(buf):
                raise  # the mark of the end
            if len(buf) < tarfile.BLOCKSIZE:
                raise EOFError("it ends without its end mark") from None
            raise tarfile.ReadError(str(error)) from None
        if header.type in _EXTENSIONS and header.size > MEBIBYTE:
            raise tarfile.ReadError("a header of more than 1 MiB")
        return header


def tar_parts(stream: io.BufferedReader, place: Place, limits: Limits) -> Iterator[Part | IngestError]:
    """The members that are read, and an error in the place of each that may not be.

    A broken header costs its member; reading goes on at the next sound one.
    """
    archive = _opened(stream, place)
    count = 0
    for header in _headers(archive, place):
        if isinstance(header, IngestError):
            yield header
            continue
        count += 1
        if count > limits.max_members:
            problem = f"It holds more than {limits.max_members:,} members; the rest is left unread."
            yield OversizedInput(place.where, problem, "Split it, or raise Limits.max_members.")
            return
        found = _part(archive, header, place)
        if found is not None:
            yield found


def _opened(stream: io.BufferedReader, place: Place) -> tarfile.TarFile:
    try:
        return tarfile.open(fileobj=stream, mode="r|", tarinfo=_Header)
    except IngestError:
        raise
    except Exception as error:
        raise damaged(place.where, error) from error


def _headers(archive: tarfile.TarFile, place: Place) -> Iterator[tarfile.TarInfo | IngestError]:
    sound = True
    damage = 0
    while True:
        try:
            header = archive.next()
        except tarfile.ReadError as error:
            if sound:
                yield damaged(place.where, error)
            sound = False
            damage += tarfile.BLOCKSIZE
            if damage > _MOST_DAMAGE:
                return
            archive.offset = archive.fileobj.tell()
            continue
        except IngestError as error:
            yield error
            return
        except Exception as error:
            yield damaged(place.where, error)
            return
        if header is None:
            return
        sound = True
        # A stream is not gone back in, and millions of members would pile up.
        archive.members.clear()  # type: ignore[attr-defined]
        yield header


def _part(archive: tarfile.TarFile, header: tarfile.TarInfo, place: Place) -> Part | IngestError | None:
    name = member_name(header.name.encode("utf-8", "surrogateescape"))
    inner = place.inside(name)
    if error := refusal(name, place):
        return error
    if header.isdir():
        return None
    if not header.isfile() or header.issparse():
        problem = "It is a link, a device or a sparse file, not a plain one."
        return UnsupportedInput(inner.where, problem, "Pack the file itself.")
    if not is_wanted(name):
        return None
    source = archive.extractfile(header)
    if source is None:
        return DamagedInput(inner.where, "It has no content.", "Pack the archive anew.")
    return Part(inner, name, member_stream(source, inner.where))
