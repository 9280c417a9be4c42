"""A headless Chromium that reaches nothing but this machine."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, Request, Route, sync_playwright

WIDTH, HEIGHT = 1400, 900
QUIET = ("gpu", "quic", "background-networking", "component-update", "sync")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium; without one the test is skipped, and where CI is set it fails.

    It goes with its module: as long as it is there, no other test can run an event loop in this thread.
    """
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            "no chromium: bash tests/debian.sh installs one"
        )
    options = [f"--disable-{part}" for part in QUIET] + ["--no-first-run"]
    sandbox = os.getuid() != 0  # Chromium refuses to run as root in its sandbox
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=options, chromium_sandbox=sandbox)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page for one test."""
    with opened(browser) as empty:
        yield empty


@contextmanager
def opened(browser: Browser, login: tuple[str, str] | None = None) -> Iterator[Page]:
    """An empty page; in the end it fails if the page ever asked another machine for something.

    login: name and password, given when the browser asks for them.
    """
    known = {"username": login[0], "password": login[1]} if login else None
    context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, http_credentials=known)
    asked: list[str] = []
    refuse_foreign(context, asked)
    yield context.new_page()
    context.close()
    assert asked == [], "the page asked other machines"


def picture(page: Page, name: str) -> None:
    """Save what a page shows now into the folder that EVERMODEL_PICTURES names, if it does."""
    if folder := os.environ.get("EVERMODEL_PICTURES"):
        page.wait_for_timeout(1000)  # what unfolds by script
        shown = Image.open(BytesIO(page.screenshot(animations="disabled")))
        shown.quantize(128).save(Path(folder, f"{name}.png"), optimize=True)


def refuse_foreign(context: BrowserContext, asked: list[str]) -> None:
    """Let requests to this machine through, and note the others."""

    def judge(route: Route, request: Request) -> None:
        if urlsplit(request.url).hostname in (None, "127.0.0.1"):
            route.continue_()
        else:
            asked.append(request.url)
            route.abort()

    context.route("**/*", judge)
