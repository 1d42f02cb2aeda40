"""Archives of generated documents, written as they are made: in volumes, so that memory does not grow with them."""

from __future__ import annotations

import io
import tarfile
import uuid
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from gongkai.errors import OutputError
from gongkai.generate.generator import Generated, Generator
from gongkai.generate.settings import Kind

VOLUME = 10_000
"""Documents of one archive file: what a zip holds of each member in memory stays small."""

_ROWS = 256
_DATE = "2024-01-01T00:00:00Z"
_DOS_EPOCH = (1980, 1, 1, 0, 0, 0)


Add = Callable[[Generated], None]


def write_archive(
    generator: Generator,
    out: Path,
    count: int,
    *,
    kind: Kind = Kind.FOLDER,
    on_document: Callable[[Generated], None] | None = None,
) -> None:
    """Write documents 0 to `count` - 1 under `out`/archive, and what is known of them to `out`/truth.jsonl.

    Raises:
        OutputError: `out` holds something already, or cannot be written.
    """
    try:
        if out.exists() and any(out.iterdir()):
            raise OutputError(str(out), "The folder is not empty.", "Choose another, or empty it.")
        archive = out / "archive"
        archive.mkdir(parents=True)
        encoder = msgspec.json.Encoder()
        documents = generator.documents(0, count)
        with (out / "truth.jsonl").open("wb") as truth:
            for volume in range(-(-count // VOLUME)):
                with _OPEN[kind](archive, volume) as add:
                    for document in islice(documents, VOLUME):
                        add(document)
                        truth.write(encoder.encode(document.truth) + b"\n")
                        if on_document is not None:
                            on_document(document)
    except OSError as error:
        raise OutputError(
            str(out), f"{error.strerror or error}.", "Check the folder, its permissions and the disk."
        ) from None


def _volume(archive: Path, volume: int, kind: Kind) -> Path:
    return archive / f"part-{volume:05}.{kind}"


@contextmanager
def _folder(archive: Path, volume: int) -> Iterator[Add]:
    known: set[str] = set()

    def add(document: Generated) -> None:
        folder, _, _ = document.name.partition("/")
        if folder not in known:
            (archive / folder).mkdir(exist_ok=True)
            known.add(folder)
        with open(f"{archive}/{document.name}", "wb", buffering=0) as file:
            file.write(document.content)

    yield add


@contextmanager
def _zip(archive: Path, volume: int) -> Iterator[Add]:
    with zipfile.ZipFile(_volume(archive, volume, Kind.ZIP), "w", zipfile.ZIP_DEFLATED) as file:

        def add(document: Generated) -> None:
            member = zipfile.ZipInfo(document.name, _DOS_EPOCH)
            file.writestr(member, document.content, zipfile.ZIP_DEFLATED, compresslevel=1)

        yield add


@contextmanager
def _tar(archive: Path, volume: int) -> Iterator[Add]:
    with (
        pa.CompressedOutputStream(str(_volume(archive, volume, Kind.TAR)), "zstd") as stream,
        tarfile.open(fileobj=stream, mode="w|", format=tarfile.GNU_FORMAT) as file,
    ):

        def add(document: Generated) -> None:
            member = tarfile.TarInfo(document.name)
            member.size = len(document.content)
            file.addfile(member, io.BytesIO(document.content))
            # It keeps what it added, to no use in a stream.
            file.members.clear()  # type: ignore[attr-defined]

        yield add


@contextmanager
def _warc(archive: Path, volume: int) -> Iterator[Add]:
    with _volume(archive, volume, Kind.WARC).open("wb") as stream:
        writer = WARCWriter(stream, gzip=True)

        def add(document: Generated) -> None:
            url = f"http://www.example.gov.cn/{document.name}"
            media_type = "text/html" if document.is_page else "text/plain"
            declared = f"{media_type}; charset={document.truth.encoding}"
            answer = StatusAndHeaders("200 OK", [("Content-Type", declared)], protocol="HTTP/1.1")
            record = writer.create_warc_record(
                url,
                "response",
                payload=io.BytesIO(document.content),
                length=len(document.content),
                http_headers=answer,
                warc_headers_dict={
                    "WARC-Date": _DATE,
                    "WARC-Record-ID": f"<urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, url)}>",
                },
            )
            writer.write_record(record)

        yield add


@contextmanager
def _jsonl(archive: Path, volume: int) -> Iterator[Add]:
    with pa.CompressedOutputStream(str(_volume(archive, volume, Kind.JSONL)), "zstd") as stream:
        encoder = msgspec.json.Encoder()

        def add(document: Generated) -> None:
            stream.write(encoder.encode(_row(document)) + b"\n")

        yield add


@contextmanager
def _parquet(archive: Path, volume: int) -> Iterator[Add]:
    schema = pa.schema([("id", pa.string()), ("text", pa.string()), ("html", pa.string())])
    rows: list[dict[str, str]] = []
    path = _volume(archive, volume, Kind.PARQUET)
    with pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=False) as file:

        def flush() -> None:
            if rows:
                file.write_table(pa.Table.from_pylist(rows, schema))
                rows.clear()

        def add(document: Generated) -> None:
            rows.append(_row(document))
            if len(rows) == _ROWS:
                flush()

        yield add
        flush()


def _row(document: Generated) -> dict[str, str]:
    return {"id": document.name, "html" if document.is_page else "text": document.text}


_OPEN: dict[Kind, Callable[[Path, int], AbstractContextManager[Add]]] = {
    Kind.FOLDER: _folder,
    Kind.ZIP: _zip,
    Kind.TAR: _tar,
    Kind.WARC: _warc,
    Kind.JSONL: _jsonl,
    Kind.PARQUET: _parquet,
}
