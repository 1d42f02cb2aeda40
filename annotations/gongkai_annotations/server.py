"""A Label Studio server through its SDK: what the loop needs of it, in our types, with our errors.

The token is held by the SDK's client alone: no error text, repr or log line of ours holds it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from gongkai.errors import GongkaiError

TOKEN_VARIABLE = "LABEL_STUDIO_API_KEY"
_PAGE = 50
_ROUNDS = 6
"""How often a pull reads again what changed while it read."""
_TIMEOUT = 120
"""Seconds for one request; an import of some hundred dense tasks takes a few."""
_TOLD = 300
"""Characters of a server's own words that an error repeats."""


class MissingExtra(GongkaiError):
    """A command needs an optional dependency that is not installed."""


class NoToken(GongkaiError):
    """No token is given, or its file cannot be read."""


class TokenRefused(GongkaiError):
    """The server knows the token not, or no longer, or it may not do this."""


class NoServer(GongkaiError):
    """No Label Studio answers at the URL, or it stopped answering."""


class ServerRefused(GongkaiError):
    """The server answered a request with an error."""


class NoProject(GongkaiError):
    """There is no such project, or more than one."""


class ServerAnnotation(msgspec.Struct, frozen=True, kw_only=True):
    """An annotation as the server keeps it. `completed_by` is a user's id, or the user."""

    id: int
    result: list[dict[str, Any]] | None = None
    completed_by: int | dict[str, Any] | None = None
    was_cancelled: bool | None = False
    updated_at: datetime | None = None
    lead_time: float | None = None
    last_action: str | None = None
    reviews: list[dict[str, Any]] | None = None


class ServerPrediction(msgspec.Struct, frozen=True, kw_only=True):
    """A prediction as the server keeps it."""

    id: int
    model_version: str | None = None
    result: list[dict[str, Any]] | None = None
    score: float | None = None


class ServerTask(msgspec.Struct, frozen=True, kw_only=True):
    """A task as the server keeps it."""

    id: int
    data: dict[str, Any] = {}
    updated_at: datetime | None = None
    annotations: list[ServerAnnotation] | None = None
    predictions: list[ServerPrediction] | None = None
    drafts: list[Any] | None = None


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """A project. `created` tells that this run made it."""

    id: int
    title: str
    label_config: str
    created: bool = False


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """All tasks of a project as they were at one time.

    Attributes:
        rounds: How often something had to be read again, because it changed while being read.
        unsettled: Tasks that still changed when the last round ended.
    """

    tasks: tuple[ServerTask, ...]
    rounds: int = 0
    unsettled: tuple[int, ...] = ()


def read_token(file: Path | None) -> str:
    """The token, from a file, else from the environment.

    Raises:
        NoToken: There is none, or the file cannot be read.
    """
    if file is None:
        token = os.environ.get(TOKEN_VARIABLE, "").strip()
        if not token:
            raise NoToken(
                TOKEN_VARIABLE,
                "The variable is not set.",
                "Set it to your token (Label Studio: Account & Settings), or give --token-file.",
            )
        return token
    try:
        token = file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise NoToken(str(file), f"{error.strerror or error}.", "Check the path.") from None
    except UnicodeDecodeError:
        raise NoToken(str(file), "It is not text.", "Give the file that holds the token alone.") from None
    if len(token.split()) != 1 or not token.isascii():
        raise NoToken(str(file), "It does not hold one token.", "Write the token alone into it.")
    return token


def need(module: str, extra: str) -> None:
    """Raise MissingExtra unless a module of an extra can be imported."""
    from importlib.util import find_spec

    if find_spec(module) is None:
        raise MissingExtra(module, "It is not installed.", f"Run: pip install 'gongkai[{extra}]'.")


class Server:
    """A connection to a Label Studio server.

    Args:
        url: Where the server's start page is, e.g. `http://localhost:8080`.
        token: Personal access token or legacy token.

    Raises:
        MissingExtra: The SDK is not installed.
        NoServer: Nothing answers there, or something that is no Label Studio.
        TokenRefused: The token is not accepted.
    """

    def __init__(self, url: str, token: str) -> None:
        need("label_studio_sdk", "annotate")
        import label_studio_sdk

        sdk: Any = label_studio_sdk  # its types are generated, and wrong where editions differ

        self.url = url.rstrip("/")
        with self._asking("log in"):
            self._client = sdk.LabelStudio(base_url=self.url, api_key=token, timeout=_TIMEOUT)
            self.user = str(self._client.users.whoami().email)

    def __repr__(self) -> str:
        return f"Server({self.url!r})"

    def project(self, title: str) -> Project:
        """The project of a title.

        Raises:
            NoProject: There is none, or more than one.
        """
        found = self._projects(title)
        if len(found) == 1:
            return found[0]
        problem = (
            f"There {'is no such project' if not found else f'are {len(found)} projects of that title'}."
        )
        remedy = "Push to it first, or check the title." if not found else "Rename all but one."
        raise NoProject(f"project {title!r} at {self.url}", problem, remedy)

    def project_or_new(self, title: str, interface: str, description: str) -> Project:
        """The project of a title; a new one with that interface where there is none.

        Raises:
            NoProject: There are several.
        """
        if self._projects(title):
            return self.project(title)
        with self._asking(f"create project {title!r}"):
            made = self._client.projects.create(title=title, label_config=interface, description=description)
        return Project(id=int(made.id), title=title, label_config=interface, created=True)

    def set_interface(self, project: Project, interface: str) -> Project:
        """Give the project a labelling interface; the server refuses one that lacks labels in use."""
        with self._asking(f"change the interface of project {project.title!r}"):
            self._client.projects.update(id=project.id, label_config=interface)
        return msgspec.structs.replace(project, label_config=interface)

    def snapshot(self, project: Project) -> Snapshot:
        """All tasks with annotations and predictions, consistent though others work on the project.

        What changed while it was read is read again, until a whole listing shows nothing new.

        Raises:
            NoProject: The project was deleted meanwhile.
        """
        tasks = {task.id: task for task in self._pages(project, fields="all")}
        changed: set[int] = set()
        for number in range(_ROUNDS):
            listed = {task.id: task.updated_at for task in self._pages(project, include="id,updated_at")}
            expected = self._task_number(project)
            gone = tasks.keys() - listed.keys()
            changed = {i for i, at in listed.items() if i not in tasks or tasks[i].updated_at != at}
            if not changed and not gone and len(listed) == expected:
                return Snapshot(tasks=_in_order(tasks), rounds=number)
            for identifier in gone:
                del tasks[identifier]
            tasks |= {task.id: task for task in self._tasks(changed)}
        return Snapshot(tasks=_in_order(tasks), rounds=_ROUNDS, unsettled=tuple(sorted(changed)))

    def import_tasks(self, project: Project, tasks: Sequence[dict[str, Any]]) -> None:
        """Add tasks, each with its predictions and annotations; never retried, lest they be added twice."""
        request: Any = tasks
        with self._asking(f"import {len(tasks)} tasks"):
            answer = self._client.projects.import_tasks(
                project.id, request=request, request_options={"max_retries": 0}
            )
        if answer.task_count is not None and answer.task_count != len(tasks):
            raise ServerRefused(
                self.url,
                f"It imported {answer.task_count} of {len(tasks)} tasks.",
                "Push again: what is there is not sent twice.",
            )

    def add_prediction(
        self, task: int, version: str, result: list[dict[str, Any]], score: float | None
    ) -> None:
        """Add a prediction to a task."""
        with self._asking(f"add a prediction to task {task}"):
            self._client.predictions.create(
                task=task,
                model_version=version,
                result=result,
                score=score,
                request_options={"max_retries": 0},
            )

    def change_prediction(self, prediction: int, result: list[dict[str, Any]], score: float | None) -> None:
        """Replace what a prediction says."""
        with self._asking(f"change prediction {prediction}"):
            self._client.predictions.update(id=prediction, result=result, score=score)

    def add_annotation(self, task: int, result: list[dict[str, Any]]) -> None:
        """Add an annotation to a task, by the user of the token."""
        with self._asking(f"add an annotation to task {task}"):
            self._client.annotations.create(id=task, result=result, request_options={"max_retries": 0})

    def set_data(self, task: int, data: dict[str, Any]) -> None:
        """Replace the data of a task."""
        with self._asking(f"change the data of task {task}"):
            self._client.tasks.update(id=str(task), data=data)

    def emails(self) -> dict[int, str]:
        """User id → e-mail address, of the users that this one may see."""
        with self._asking("list the users"):
            return {int(user.id): str(user.email) for user in self._client.users.list()}

    def add_backend(self, project: Project, url: str, title: str) -> None:
        """Connect an ML backend to the project, unless one of that URL is."""
        with self._asking(f"connect the ML backend {url}"):
            if any(each.url == url for each in self._client.ml.list(project=project.id)):
                return
            self._client.ml.create(project=project.id, url=url, title=title, is_interactive=False)

    def _projects(self, title: str) -> list[Project]:
        with self._asking("list the projects"):
            found = [p for p in self._client.projects.list(title=title) if p.title == title]
            whole = [self._client.projects.get(each.id) for each in found]
        return [Project(id=p.id, title=title, label_config=p.label_config or "") for p in whole]

    def _task_number(self, project: Project) -> int:
        with self._asking(f"read project {project.title!r}"):
            return int(self._client.projects.get(project.id).task_number or 0)

    def _pages(
        self, project: Project, fields: str = "task_only", include: str | None = None
    ) -> Iterator[ServerTask]:
        with self._asking(f"read the tasks of project {project.title!r}"):
            pager = self._client.tasks.list(
                project=project.id, fields=fields, include=include, page_size=_PAGE
            )
            for task in pager:
                yield _task(task)

    def _tasks(self, identifiers: set[int]) -> Iterator[ServerTask]:
        """The tasks of these ids that are still there."""
        from label_studio_sdk.core.api_error import ApiError

        for identifier in sorted(identifiers):
            with self._asking(f"read task {identifier}"):
                try:
                    yield _task(self._client.tasks.get(id=str(identifier)))
                except ApiError as error:
                    if error.status_code != 404:
                        raise

    @contextmanager
    def _asking(self, purpose: str) -> Iterator[None]:
        """Turn the SDK's errors into ours; of what the server said, a line, and nothing of our request."""
        import httpx
        from label_studio_sdk.core.api_error import ApiError

        try:
            yield
        except (httpx.InvalidURL, httpx.UnsupportedProtocol):
            raise NoServer(
                self.url, "That is no URL of a server.", "Give it as http://host:port or https://host."
            ) from None
        except httpx.TimeoutException:
            raise NoServer(
                self.url, f"It gave no answer in time (to {purpose}).", "Run the command again."
            ) from None
        except (httpx.HTTPError, OSError) as error:
            raise NoServer(
                self.url,
                f"No connection (to {purpose}): {type(error).__name__}.",
                "Check the URL and that Label Studio runs, then run the command again.",
            ) from None
        except ApiError as error:
            raise self._refusal(purpose, error.status_code, error.body) from None

    def _refusal(self, purpose: str, status: int | None, body: object) -> GongkaiError:
        said = _said(body)
        if status == 401:
            return TokenRefused(
                self.url,
                f"The token is not accepted{f' ({said})' if said else ''}.",
                "Check it, and that its kind (personal, legacy) is enabled there.",
            )
        if status == 403:
            return TokenRefused(
                self.url,
                f"It does not allow to {purpose}{f' ({said})' if said else ''}.",
                "Ask the project's owner, or who runs the server.",
            )
        if status == 404:
            return NoServer(
                self.url,
                f"No such page (to {purpose}): no Label Studio there, or the project was deleted.",
                "Check the URL and the project.",
            )
        return ServerRefused(
            self.url,
            f"It refused to {purpose}: status {status}{f', {said}' if said else ''}.",
            "Mend that, then run the command again: what is done is not done twice.",
        )


def _task(task: Any) -> ServerTask:
    given = {name: value for name, value in task.model_dump().items() if value is not None}
    try:
        return msgspec.convert(given, ServerTask, strict=False)
    except msgspec.ValidationError as error:
        raise ServerRefused(
            f"task {given.get('id')}", f"It is not as expected: {error}.", "Use Label Studio 1.20 or later."
        ) from None


def _in_order(tasks: dict[int, ServerTask]) -> tuple[ServerTask, ...]:
    return tuple(tasks[identifier] for identifier in sorted(tasks))


def _said(body: object) -> str:
    """One line of what the server said: its detail, no page of HTML."""
    if not isinstance(body, dict):
        return ""
    details = body.get("validation_errors") or body.get("detail") or body
    words = details if isinstance(details, str) else msgspec.json.encode(details, enc_hook=str).decode()
    line = " ".join(words.split())
    return line if len(line) <= _TOLD else "".join(islice(line, _TOLD)) + "…"
