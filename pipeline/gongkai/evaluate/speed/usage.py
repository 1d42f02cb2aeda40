"""What a process has used of the machine."""

from __future__ import annotations

from pathlib import Path
from time import process_time
from typing import NamedTuple


class Usage(NamedTuple):
    """Since the process began.

    Attributes:
        cpu_seconds: Over all its threads.
        peak_bytes: Of resident memory.
    """

    cpu_seconds: float
    peak_bytes: int


def usage() -> Usage:
    """Of this process."""
    return Usage(process_time(), _peak_bytes())


def _peak_bytes() -> int:
    try:
        # Not `ru_maxrss`: on Linux a child starts with its parent's.
        status = Path("/proc/self/status").read_text(encoding="utf-8")
    except FileNotFoundError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS
    kilobytes = status.partition("VmHWM:")[2].split(maxsplit=1)[0]
    return int(kilobytes) * 1024
