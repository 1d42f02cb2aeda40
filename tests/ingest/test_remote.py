"""URLs: the same files wherever fsspec finds them, S3 on a real server of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from gongkai.errors import IngestError, UnreadableInput
from gongkai.ingest import discover, read
from packing import gz, parquet_of, response, seven_zip_of, tar_of, warc_gz, zip_of

FILES = {
    "2018/a.txt": "概述".encode(),
    "2018/b.zip": zip_of({"x.txt": b"zipped"}),
    "2019/c.tar.gz": gz(tar_of({"x.txt": b"packed"})),
    "2019/d.parquet": parquet_of({"text": ["row"]}),
    "2019/deep/e.warc.gz": warc_gz(response(b"<p>page</p>")),
    "2019/f.jsonl": b'{"text": "line"}',
    "2020.7z": seven_zip_of({"x.txt": b"seven"}),
    ".hidden.txt": b"x",
    "style.css": b"x",
}
TEXTS = {
    "2018/a.txt": "概述",
    "2018/b.zip": "zipped",
    "2019/c.tar.gz": "packed",
    "2019/d.parquet": "row",
    "2019/deep/e.warc.gz": "page",
    "2019/f.jsonl": "line",
    "2020.7z": "seven",
}
KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """URL of a bucket on an S3 server on loopback."""
    pytest.importorskip("s3fs")
    server_of = pytest.importorskip("moto.server")
    import boto3

    server = server_of.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    before = dict(os.environ)
    os.environ.update(KEYS, AWS_ENDPOINT_URL_S3=endpoint)
    client = boto3.client("s3", endpoint_url=endpoint)
    client.create_bucket(Bucket="archive")
    client.put_object(Bucket="archive", Key="reports/2018/", Body=b"")  # as consoles make folders
    for name, data in FILES.items():
        client.put_object(Bucket="archive", Key=f"reports/{name}", Body=data)
    yield "s3://archive/reports"
    os.environ.clear()
    os.environ.update(before)
    server.stop()


@pytest.fixture
def memory() -> Iterator[str]:
    files = fsspec.filesystem("memory")
    for name, data in FILES.items():
        files.pipe_file(f"/reports/{name}", data)
    yield "memory://reports"
    files.rm("/reports", recursive=True)


@pytest.fixture
def local(tmp_path: Path) -> str:
    for name, data in FILES.items():
        path = tmp_path / "reports" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return f"file://{tmp_path}/reports"


@pytest.mark.parametrize("store", ["memory", "local", "s3"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_a_folder(store: str, slash: str, request: pytest.FixtureRequest) -> None:
    root = request.getfixturevalue(store)
    found = [str(location) for location in discover([root + slash])]
    prefix = root.removeprefix("file://").removesuffix("reports")
    names = [location.split("/reports/")[1] for location in found]
    assert names == list(TEXTS)
    texts = {}
    for location in found:
        (doc,) = read(location)
        assert not isinstance(doc, IngestError), doc
        assert doc.source.path == location
        assert location.startswith(prefix)
        texts[location.split("/reports/")[1]] = doc.text
    assert texts == TEXTS


@pytest.mark.parametrize("store", ["memory", "s3"])
def test_what_is_not_there(store: str, request: pytest.FixtureRequest) -> None:
    root = request.getfixturevalue(store)
    url = f"{root}/missing.txt"
    assert list(discover([url])) == [url]
    (error,) = read(url)
    assert isinstance(error, UnreadableInput)
    assert str(error).startswith(url)


def test_the_same_bytes_have_the_same_id(memory: str, local: str) -> None:
    (remote,) = read(f"{memory}/2018/a.txt")
    (here,) = read(f"{local}/2018/a.txt")
    assert not isinstance(remote, IngestError)
    assert not isinstance(here, IngestError)
    assert remote.id == here.id


def test_a_page_on_the_web_is_no_folder() -> None:
    url = "https://www.example.invalid/a.html"
    assert list(discover([url])) == [url]


def test_a_store_that_nobody_knows() -> None:
    (error,) = read("nowhere://bucket/a.txt")
    assert isinstance(error, UnreadableInput)
    assert "nowhere" in error.problem


def test_an_object_that_vanishes_while_it_is_read(s3: str) -> None:
    import boto3

    client = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL_S3"])
    lines = b"".join(b'{"text": "%06d %s"}\n' % (number, b"x" * 1000) for number in range(60_000))
    client.put_object(Bucket="archive", Key="vanishing.jsonl", Body=lines)
    items = read("s3://archive/vanishing.jsonl")
    assert not isinstance(next(items), IngestError)
    client.delete_object(Bucket="archive", Key="vanishing.jsonl")
    last = list(items)[-1]
    assert isinstance(last, UnreadableInput)
    assert "vanishing.jsonl" in last.where


def test_a_store_that_does_not_answer(monkeypatch: pytest.MonkeyPatch, s3: str) -> None:
    (error,) = read("s3://no-such-bucket/a.txt")
    assert isinstance(error, UnreadableInput)
