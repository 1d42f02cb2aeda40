"""An ML backend for Label Studio: live pre-annotations over its ML protocol.

Label Studio asks `GET /health`, `POST /setup` when a project is connected, `POST /predict` with tasks, and
`POST /webhook` on events. It sends its own token with `/setup`, which is neither kept nor logged.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec
from fastapi import Body, FastAPI, HTTPException

from gongkai import __version__
from gongkai.gold.records import from_record
from gongkai.ingest import read_text
from gongkai.pipeline import Extractor

from . import interface, tasks
from .tasks import TaskData


class Predictor:
    """Predicts tasks with one pipeline, one at a time."""

    def __init__(self, mode: str, model: Path | None = None) -> None:
        self.model_version = f"gongkai-{__version__}-{mode}"
        self._extractor = Extractor(mode, model)
        self._lock = Lock()

    def predict(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """The prediction for a task's data: one that push made, or any with a `text`."""
        text = _exact(data)
        if not text.strip():
            return {"model_version": self.model_version, "score": 0.0, "result": []}
        with self._lock:
            record = from_record(self._extractor.extract(read_text(text)))
        whole = tasks.tasks(record, (0, len(text)))[0]
        return {
            "model_version": self.model_version,
            "score": tasks.score(record, whole) or 0.0,
            "result": tasks.result(record, whole),
        }


def create_app(mode: str = "hybrid", model: Path | None = None) -> FastAPI:
    """The web application; the pipeline is loaded before it answers."""
    app = FastAPI(title="gongkai", version=__version__, docs_url=None, redoc_url=None)
    predictor = Predictor(mode, model)

    @app.get("/")
    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "UP", "model_class": "gongkai", "model_version": predictor.model_version}

    @app.post("/setup")
    def setup(request: dict[str, Any] = Body(default={})) -> dict[str, str]:  # noqa: B008
        _check(request.get("schema"))
        return {"model_version": predictor.model_version}

    @app.post("/predict")
    def predict(request: dict[str, Any] = Body()) -> dict[str, Any]:  # noqa: B008
        _check(request.get("label_config"))
        asked = request.get("tasks")
        if not isinstance(asked, list):
            raise HTTPException(422, "The request has no list of tasks.")
        results = [predictor.predict(task.get("data") or {}) for task in asked]
        return {"results": results, "model_version": predictor.model_version}

    @app.get("/versions")
    def versions() -> dict[str, list[str]]:
        return {"versions": [predictor.model_version]}

    @app.post("/webhook")
    def webhook(request: dict[str, Any] = Body(default={})) -> dict[str, str]:  # noqa: B008
        """Events of the project: nothing is trained here, gold is pulled and trained on elsewhere."""
        return {"status": "ignored", "action": str(request.get("action", ""))}

    return app


def _check(label_config: object) -> None:
    """Refuse a project whose interface cannot hold our labels."""
    if not isinstance(label_config, str) or not label_config.strip():
        return
    lacks = interface.missing(label_config)
    if lacks:
        raise HTTPException(422, f"The project's labelling interface lacks: {', '.join(lacks)}.")


def _exact(data: Mapping[str, Any]) -> str:
    try:
        return msgspec.convert(data, TaskData).exact
    except msgspec.ValidationError:
        return str(data.get(interface.TEXT) or "")
