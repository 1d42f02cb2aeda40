"""Streams of bytes that fail with named errors and never unpack without bound."""

from __future__ import annotations

import errno
import gzip
import io
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

from gongkai.errors import DamagedInput, IngestError, OversizedInput, UnreadableInput
from gongkai.ingest.limits import MEBIBYTE, Limits

Packing = Literal["gzip", "zstd"]
BUFFER = 64 * 1024
_PIECE = 16 * 1024
_IN_MEMORY = 8 * MEBIBYTE
_FREE = MEBIBYTE

Fail = Callable[[Exception], IngestError]
"""What an exception of the layer below means."""


class _Guarded(io.RawIOBase):
    """Reads from any file-like object; whatever that raises comes out as the ingest error it means.

    What was read before a failure is handed out first. `count` is the number of bytes handed out.
    """

    def __init__(
        self, source: Any, fail: Fail, *, seeks: bool = False, check: Callable[[int], None] | None = None
    ) -> None:
        self._source = source
        self._fail = fail
        self._seeks = seeks
        self._check = check
        self._failed: IngestError | None = None
        self._take: Callable[[int], bytes] = getattr(source, "read1", source.read)
        self.count = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._seeks and bool(self._source.seekable())

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        try:
            return int(self._source.seek(offset, whence))
        except Exception as error:
            if isinstance(error, OSError) and error.errno == errno.EINVAL:
                raise  # the place is none, as a reader finds of a file that is cut off
            raise self._fail(error) from error

    def tell(self) -> int:
        return int(self._source.tell())

    def readinto(self, buffer: Any) -> int:
        if self._failed is not None:
            raise self._failed
        filled = 0
        while filled < len(buffer):
            try:
                data = self._next(min(len(buffer) - filled, _PIECE))
            except IngestError as error:
                if not filled:
                    raise
                self._failed = error
                break
            if not data:
                break
            buffer[filled : filled + len(data)] = data
            filled += len(data)
        return filled

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._source.close()

    def _next(self, size: int) -> bytes:
        try:
            data = self._take(size)
        except IngestError:
            raise
        # Whatever a decompressor or a remote store raises, this is the border of what it was handed.
        except Exception as error:
            raise self._fail(error) from error
        self.count += len(data)
        if self._check is not None:
            self._check(self.count)
        return data


def opened(source: Any, where: str) -> io.BufferedReader:
    """The stream of an open file or remote object; its failures are `UnreadableInput`."""
    return io.BufferedReader(_Guarded(source, lambda error: unreadable(where, error), seeks=True), BUFFER)


def member_stream(source: Any, where: str) -> io.BufferedReader:
    """The stream of an archive's member; its failures are `DamagedInput`. It cannot seek."""
    return io.BufferedReader(_Guarded(source, lambda error: damaged(where, error)), BUFFER)


def unpacked(stream: io.BufferedReader, packing: Packing, where: str, limits: Limits) -> io.BufferedReader:
    """What a compressed stream unpacks to; several frames in a row are one stream.

    The returned stream raises OversizedInput where it grows beyond `limits.max_ratio`, DamagedInput where the
    packed bytes are truncated or broken.
    """
    raw = stream.raw
    assert isinstance(raw, _Guarded)

    def check(count: int) -> None:
        if count > _FREE and count > limits.max_ratio * raw.count:
            raise expanding(where, limits)

    source = gzip.GzipFile(fileobj=stream) if packing == "gzip" else _zstd(stream)
    return io.BufferedReader(_Guarded(source, lambda error: damaged(where, error), check=check), BUFFER)


@contextmanager
def seekable(stream: io.BufferedReader, where: str, limits: Limits) -> Iterator[io.BufferedReader]:
    """The stream itself if it can seek, else a copy of it in memory or, if large, in a temporary file.

    Raises:
        OversizedInput: The copy would exceed `limits.max_spooled`.
    """
    if stream.seekable():
        yield stream
        return
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as copy:
        size = 0
        while piece := stream.read(BUFFER):
            size += len(piece)
            if size > limits.max_spooled:
                problem = f"It is larger than {limits.max_spooled:,} bytes."
                raise OversizedInput(where, problem, "Unpack it first, or raise Limits.max_spooled.")
            copy.write(piece)
        copy.seek(0)
        yield opened(copy, where)


def read_whole(stream: io.BufferedReader, where: str, limits: Limits) -> bytes:
    """All bytes of one document.

    Raises:
        OversizedInput: There are more than `limits.max_bytes`.
    """
    pieces: list[bytes] = []
    size = 0
    while piece := stream.read(min(MEBIBYTE, limits.max_bytes + 1 - size)):
        pieces.append(piece)
        size += len(piece)
        if size > limits.max_bytes:
            problem = f"It is larger than {limits.max_bytes:,} bytes."
            raise OversizedInput(where, problem, "Split it, or raise Limits.max_bytes.")
    return b"".join(pieces)


def unreadable(where: str, error: Exception) -> UnreadableInput:
    """What the operating system or a remote store said."""
    problem = (error.strerror if isinstance(error, OSError) else None) or f"{error}" or type(error).__name__
    return UnreadableInput(where, f"{problem.rstrip('.')}.", "Check the path and its permissions.")


def damaged(where: str, error: Exception) -> DamagedInput:
    """What a decompressor or an archive's reader said."""
    problem = f"It is truncated or broken ({str(error) or type(error).__name__})."
    return DamagedInput(where, problem, "Fetch it again, or pack it anew.")


def expanding(where: str, limits: Limits) -> OversizedInput:
    """A bomb, or what looks like one."""
    problem = f"It unpacks to more than {limits.max_ratio} times its size."
    return OversizedInput(where, problem, "Leave it out; if it is sound, raise Limits.max_ratio.")


def _zstd(stream: io.BufferedReader) -> Any:
    import pyarrow as pa  # takes a while, and most inputs do without

    return pa.CompressedInputStream(pa.PythonFile(stream, mode="r"), "zstd")
