"""Label Studio's own editor in headless Chromium: what an annotator sees and does.

Run as a program, it writes the picture of a pre-annotated task that the docs show:

    python tests/label_studio_editor.py docs/images/label-studio.png
"""

from __future__ import annotations

import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from label_studio_server import EMAIL, RunningServer, free_port, installed

SAMPLE = Path(__file__).resolve().parents[1] / "samples" / "01_district_2017_prose.txt"
TEXT_LINES = ".gongkai-text [class*=richtext__line]"
_WAIT = 60_000
"""Milliseconds; a first page takes some ten seconds on a busy machine."""
_RECTANGLE = """
([selector, line, from, to]) => {
  const walker = document.createTreeWalker(document.querySelectorAll(selector)[line], NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  let seen = 0, node;
  while ((node = walker.nextNode())) {
    const next = seen + node.length;
    if (from >= seen && from < next) range.setStart(node, from - seen);
    if (to > seen && to <= next) range.setEnd(node, to - seen);
    seen = next;
  }
  const box = range.getBoundingClientRect();
  return [box.left, box.right, (box.top + box.bottom) / 2];
}
"""


def chromium() -> str | None:
    """The browser, if one is installed."""
    return next(
        (
            found
            for name in ("chromium", "chromium-browser", "google-chrome")
            if (found := shutil.which(name))
        ),
        None,
    )


class Editor:
    """The editor of one task."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def open(self, url: str, project: int, task: int) -> None:
        """Show a task, and wait until its spans are drawn."""
        self.page.goto(f"{url}/projects/{project}/data?task={task}")
        self.page.wait_for_selector(TEXT_LINES, timeout=_WAIT, state="attached")
        self.page.wait_for_timeout(2000)

    def mark(self, hotkey: str, line: int, start: int, end: int) -> None:
        """Choose a label and draw over UTF-16 units of a line, as a hand with a mouse does."""
        self.page.keyboard.press(hotkey)
        left, right, height = self.page.evaluate(_RECTANGLE, [TEXT_LINES, line, start, end])
        self.page.mouse.move(left + 1, height)
        self.page.mouse.down()
        self.page.mouse.move(right - 1, height, steps=8)
        self.page.mouse.up()
        self.page.wait_for_timeout(300)

    def submit(self) -> None:
        """Submit the annotation, and wait until the server has it."""
        with self.page.expect_response(
            lambda answer: "/annotations" in answer.url and answer.ok, timeout=_WAIT
        ):
            self.page.get_by_role("button", name="Submit").click()


@contextmanager
def editor(server: RunningServer, width: int = 1500, height: int = 1050) -> Iterator[Editor]:
    """A browser, logged in as the owner."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": width, "height": height})
        page.goto(f"{server.url}/user/login/", timeout=_WAIT)
        page.fill("input[name=email]", EMAIL)
        page.fill("input[name=password]", server.password)
        page.click("button[type=submit]")
        page.wait_for_load_state("networkidle", timeout=_WAIT)
        yield Editor(page)
        browser.close()


def picture(out: Path) -> None:
    """Push a sample report to a server of our own and take a picture of its first task."""
    from gongkai.pipeline import Extractor
    from gongkai_annotations.push import push, submissions
    from gongkai_annotations.server import Server

    program = installed()
    if program is None:
        raise SystemExit("Label Studio could not be installed.")
    with tempfile.TemporaryDirectory() as folder:
        running = RunningServer(
            program, Path(folder), free_port(), secrets.token_hex(20), secrets.token_hex(12)
        )
        try:
            running.start()
            server = Server(running.url, running.token)
            push(
                server, "政府信息公开年报", submissions([SAMPLE], Extractor().extract, "hybrid"), longest=900
            )
            project = server.project("政府信息公开年报")
            tasks = server.snapshot(project).tasks
            with editor(running) as shown:
                shown.open(running.url, project.id, tasks[min(1, len(tasks) - 1)].id)
                shown.page.screenshot(path=out)
        finally:
            running.stop()


if __name__ == "__main__":
    picture(Path(sys.argv[1]))
