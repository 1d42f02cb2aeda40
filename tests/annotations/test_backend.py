"""The ML backend: Label Studio's protocol, by requests of its shape and by the server itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gongkai import __version__
from gongkai.errors import BrokenModel
from gongkai.gold.records import GoldRecord, from_record
from gongkai.pipeline import Extractor
from gongkai_annotations import tasks
from gongkai_annotations.interface import interface_xml
from gongkai_annotations.push import Submission, push
from gongkai_annotations.server import Server
from label_studio_server import RunningServer, free_port

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")
httpx = pytest.importorskip("httpx", reason="the extra `annotate` is not installed")
uvicorn = pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")

from gongkai_annotations.backend import create_app  # noqa: E402

TEXT = "2018年，我局收到政府信息公开申请12件，\r\n其中网上𠮷申请9件。"


@pytest.fixture(scope="module")
def backend() -> Iterator[str]:
    """The backend on a port of loopback."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(create_app(), host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def client(backend: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=backend) as client:
        yield client


def request(*data: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """As Label Studio 1.23 asks for predictions."""
    return {
        "tasks": [
            {"id": number, "data": each, "annotations": [], "predictions": []}
            for number, each in enumerate(data)
        ],
        "project": "1.1500000000",
        "label_config": interface_xml(),
        "params": {"login": None, "password": None, "context": None},
    } | fields


def spans(result: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [
        (item["value"]["labels"][0], item["value"]["text"]) for item in result if item["type"] == "labels"
    ]


def test_health_and_setup(client: httpx.Client) -> None:
    assert client.get("/health").json()["status"] == "UP"
    asked = {
        "project": "1.15",
        "schema": interface_xml(),
        "hostname": "http://localhost",
        "access_token": "s3cret",
    }
    answer = client.post("/setup", json=asked | {"extra_params": None})
    assert answer.json() == {"model_version": client.get("/versions").json()["versions"][0]}
    assert "s3cret" not in answer.text


def test_predictions_are_the_pipeline_s(client: httpx.Client) -> None:
    answer = client.post("/predict", json=request({"text": TEXT})).json()
    (prediction,) = answer["results"]
    assert prediction["model_version"] == answer["model_version"]
    assert 0 < prediction["score"] <= 1
    assert ("COUNT", "12件") in spans(prediction["result"])
    assert any(item["labels"] == ["value_of"] for item in prediction["result"] if item["type"] == "relation")
    for item in prediction["result"]:
        if item["type"] == "labels":
            start, end = item["value"]["start"], item["value"]["end"]
            assert tasks.shown(TEXT)[start:end] == item["value"]["text"]


def test_the_exact_text_of_a_pushed_task_is_read(client: httpx.Client) -> None:
    (data,) = tasks.tasks(GoldRecord(id="d", text=TEXT), (0, len(TEXT)))
    assert data.text != TEXT
    pushed = client.post("/predict", json=request(msgspec.to_builtins(data))).json()
    assert pushed == client.post("/predict", json=request({"text": TEXT})).json()


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (request({"text": ""}, {}), 200),
        (request(tasks=None), 422),
        (request({"text": TEXT}, label_config="<View/>"), 422),
        (request({"text": TEXT}, label_config=""), 200),
        ([], 422),
    ],
)
def test_odd_requests(client: httpx.Client, asked: Any, status: int) -> None:
    assert client.post("/predict", json=asked).status_code == status


def test_webhook(client: httpx.Client) -> None:
    assert client.post("/webhook", json={"action": "ANNOTATION_CREATED"}).json()["status"] == "ignored"


def test_its_model_version_names_the_default_mode(client: httpx.Client) -> None:
    assert client.get("/health").json()["model_version"] == f"gongkai-{__version__}-hybrid"


def test_a_model_that_is_not_there_stops_it_before_it_answers(tmp_path: Path) -> None:
    with pytest.raises(BrokenModel, match="nowhere"):
        create_app(model=tmp_path / "nowhere")
    create_app("rules", tmp_path / "nowhere")


@pytest.mark.label_studio
def test_label_studio_asks_the_backend(label_studio: RunningServer, backend: str) -> None:
    server = Server(label_studio.url, label_studio.token)
    push(server, "live", [Submission(record=GoldRecord(id="d", text=TEXT), version=None)])
    project = server.project("live")
    for _ in range(2):
        server.add_backend(project, backend, "gongkai")
    assert [each.url for each in server._client.ml.list(project=project.id)] == [backend]
    server._client.actions.create(
        id="retrieve_tasks_predictions", project=project.id, selected_items={"all": True, "excluded": []}
    )
    (task,) = server.snapshot(project).tasks
    (prediction,) = [p for p in task.predictions or () if p.model_version != "gold"]
    record = from_record(Extractor().extract(tasks.read_text(TEXT)))
    assert prediction.result == tasks.result(record, tasks.tasks(record, (0, len(TEXT)))[0])
