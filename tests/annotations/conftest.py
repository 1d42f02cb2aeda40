"""A real Label Studio server for the tests that are marked `label_studio`."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from label_studio_server import RunningServer, free_port, installed


@pytest.fixture(scope="session")
def label_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """The server, started once for all tests."""
    pytest.importorskip("label_studio_sdk", reason="the extra `annotate` is not installed")
    program = installed()
    if program is None:
        pytest.skip("Label Studio could not be installed")
    server = RunningServer(
        program=program,
        data=tmp_path_factory.mktemp("label-studio"),
        port=free_port(),
        token=secrets.token_hex(20),
        password=secrets.token_hex(12),
    )
    try:
        server.start()
        yield server
    finally:
        server.stop()
