"""How much of one input is read at most."""

from __future__ import annotations

import msgspec

MEBIBYTE = 1024 * 1024


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds on one document and on one archive, so that one file cannot take a run's memory, disk or hours.

    Attributes:
        max_bytes: Largest document: a file, a member of an archive, a line of a JSONL file, a value of a
            Parquet column (what holds many documents may be of any size: it is read as a stream). The
            default, 64 MiB, is some 20 million Chinese characters. The unpacked parts of a DOCX may be eight
            times as large.
        max_ratio: How many times its packed size something may unpack to. Pages reach 10 to 50; deflate ends
            at 1,032, which only bombs come near. The first MiB is free.
        max_members: Members of one archive that are looked at.
        max_nesting: Levels of archives within an archive; a compressed archive such as .tar.gz is one level.
        max_spooled: Largest member that is copied to a temporary file because its format needs seeking: a
            .zip, .7z or .parquet within an archive, all that a .7z unpacks to.
    """

    max_bytes: int = 64 * MEBIBYTE
    max_ratio: int = 200
    max_members: int = 1_000_000
    max_nesting: int = 1
    max_spooled: int = 4096 * MEBIBYTE
