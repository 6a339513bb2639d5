"""Headless Chromium: the system's, driven by Playwright; every page tells of its mistakes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, BrowserContext, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip

WHY_NOT = "no browser: install Chromium (Debian: apt install chromium) to run the tests of the console's pages"


def executable() -> Path | None:
    """The browser of this machine, if there is one."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return None if found is None else Path(found)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser for as long as the block lasts. Raises FileNotFoundError if there is none."""
    path = executable()
    if path is None:
        raise FileNotFoundError(WHY_NOT)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def window(
    browser: Browser, mistakes: list[str], width: int = 1440, height: int = 900, *, is_dark: bool = False
) -> Iterator[BrowserContext]:
    """A window with cookies of its own; what its pages do wrong is added to `mistakes`."""
    scheme: Literal["dark", "light"] = "dark" if is_dark else "light"
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    context.on("console", lambda said: mistakes.append(said.text) if said.type in {"error", "warning"} else None)
    context.on("weberror", lambda error: mistakes.append(str(error.error)))
    try:
        yield context
    finally:
        context.close()
