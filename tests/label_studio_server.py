"""A Label Studio server of our own for tests and pictures.

It comes from PyPI into a virtual environment of its own, which later runs find again (in the folder
`GONGKAI_LABEL_STUDIO`, else the user's cache), and runs on loopback with SQLite in a temporary folder.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import venv
from dataclasses import dataclass, field
from pathlib import Path

VERSION = "1.23.2"
EMAIL = "owner@example.org"
_START = 300
"""Seconds for the first start, which creates the database: one minute on a free machine."""


@dataclass
class RunningServer:
    """A Label Studio server that can be stopped and started again on the same port and data."""

    program: Path
    data: Path
    port: int
    token: str = field(repr=False)
    password: str = field(repr=False)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.data / "server.log"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        environment = {
            "PATH": f"{self.program.parent}:{os.environ['PATH']}",
            "HOME": str(self.data),
            "LABEL_STUDIO_BASE_DATA_DIR": str(self.data),
            "LABEL_STUDIO_USERNAME": EMAIL,
            "LABEL_STUDIO_PASSWORD": self.password,
            "LABEL_STUDIO_USER_TOKEN": self.token,
            "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
            "LATEST_VERSION_CHECK": "false",
            "COLLECT_ANALYTICS": "false",
            "SENTRY_DSN": "",
            "FRONTEND_SENTRY_DSN": "",
            # The tests' ML backend answers on loopback, which Label Studio does not call unless told to.
            "ML_BLOCK_LOCAL_IP": "false",
            "SSRF_PROTECTION_ENABLED": "false",
        }
        command = [self.program, "start", "--no-browser", "--internal-host", "127.0.0.1"]
        command += ["--port", str(self.port)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, env=environment, cwd=self.data, stdout=log, stderr=subprocess.STDOUT
            )
        self._wait()

    def stop(self) -> None:
        """Stop it as a crash would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _wait(self) -> None:
        assert self.process is not None
        deadline = time.monotonic() + _START
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.url}/health", timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.5)
        log = self.log.read_text(errors="replace")[-3000:]
        raise RuntimeError(f"Label Studio did not start:\n{log}")


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def installed() -> Path | None:
    """The program of Label Studio, installed first if need be; None where it cannot be installed."""
    default = Path.home() / ".cache" / "gongkai-label-studio"
    folder = Path(os.environ.get("GONGKAI_LABEL_STUDIO", default)) / f"venv-{VERSION}"
    program = folder / "bin" / "label-studio"
    done = folder / "complete"
    if not done.exists():
        venv.create(folder, with_pip=True, clear=True)
        asked = [folder / "bin" / "pip", "install", "--quiet", f"label-studio=={VERSION}"]
        if subprocess.run(asked, check=False, stdout=sys.stderr).returncode != 0:
            return None
        done.touch()
    return program
