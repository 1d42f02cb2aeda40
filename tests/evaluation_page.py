"""The page of an evaluation in headless Chromium.

Run as a program, it takes the pictures that the docs show:

    python tests/evaluation_page.py FOLDER
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gongkai.evaluate.report.html import page
from gongkai.evaluate.result import Evaluation
from label_studio_editor import chromium


@contextmanager
def browser() -> Iterator[Any]:
    """A browser of its own."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield launched
        launched.close()


class Shown:
    """A page, open; what it asked for and complained of is kept."""

    def __init__(self, browser: Any, file: Path, **options: Any) -> None:
        self.page = browser.new_page(**options)
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        self.page.goto(file.as_uri())

    def choose(self, field: str, value: str) -> None:
        """Choose in one of the browser's lists."""
        self.page.select_option(f"#filters [name={field}]", value)

    def type(self, field: str, value: str) -> None:
        """Write into a field, and wait until the list follows."""
        self.page.fill(f"#filters [name={field}]", value)
        self.page.wait_for_timeout(250)

    def errors(self) -> list[tuple[str, str]]:
        """Label and kind of the errors listed."""
        return [
            (item.query_selector(".label").inner_text(), item.query_selector(".kind").inner_text())
            for item in self.page.query_selector_all("#list .error")
        ]

    def count(self) -> str:
        """What the list says of its length."""
        return str(self.page.inner_text("#shown"))


def pictures(evaluation: Evaluation, folder: Path) -> None:
    """Pictures of the page: light and dark, on a desk and on a phone."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, browser() as chrome:
        file = Path(place) / "evaluation.html"
        file.write_text(page(evaluation), encoding="utf-8")
        for name, options in {
            "light": {"viewport": {"width": 1280, "height": 900}},
            "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
            "phone": {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True},
        }.items():
            shown = Shown(chrome, file, **options)
            shown.page.screenshot(path=folder / f"evaluation-{name}.png", full_page=True)
            shown.page.evaluate("document.querySelector('#errors').scrollIntoView()")
            shown.page.screenshot(path=folder / f"errors-{name}.png")


if __name__ == "__main__":
    from handmade_evaluation import evaluation

    pictures(evaluation(), Path(sys.argv[1]))
