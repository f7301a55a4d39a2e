"""A browser for the tests: Chromium, as the system's package installs it.

``python -m tests.browser`` installs it with apt (as root), unless there is one.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, sync_playwright

from .apt import install

NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str | None:
    """Return the path of a Chromium, if there is one."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def opened(file: str) -> Iterator[tuple[Page, list[str], list[str]]]:
    """Open a file in a headless Chromium.

    Yields:
        the page, and two lists that grow: errors on its console, and what it asked the network for.
    """
    path = chromium()
    if path is None:
        missing = "there is no Chromium here; install it with: apt-get install chromium"
        # Set by .ci/run, where nothing may be skipped.
        pytest.fail(missing) if os.environ.get("REQUIRE_CHROMIUM") else pytest.skip(missing)
    errors: list[str] = []
    asked: list[str] = []
    with sync_playwright() as playwright:
        # The sandbox needs rights that containers do not give; the page is our own.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1600, "height": 1000})
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda line: line.type == "error" and errors.append(line.text))
        page.on(
            "request",
            lambda request: (
                request.url.startswith(("file:", "data:", "blob:")) or asked.append(request.url)
            ),
        )
        page.goto(f"file://{file}")
        yield page, errors, asked
        browser.close()


if __name__ == "__main__":
    if chromium() is None:
        sys.exit(install(["chromium"], "The test of the report"))
