"""A headless Chromium that reaches nothing but this machine."""

import os
import shutil
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, Route, sync_playwright

WIDTH, HEIGHT = 1400, 900
QUIET = ("gpu", "quic", "background-networking", "component-update", "sync")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium; without one the test is skipped, and where CI is set it fails."""
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
    """An empty page; the test fails if it ever asks another machine for something."""
    context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT})
    asked: list[str] = []
    refuse_foreign(context, asked)
    yield context.new_page()
    context.close()
    assert asked == [], "the page asked other machines"


def refuse_foreign(context: BrowserContext, asked: list[str]) -> None:
    """Let requests to this machine through, and note the others."""

    def judge(route: Route, request: Request) -> None:
        if urlsplit(request.url).hostname in (None, "127.0.0.1"):
            route.continue_()
        else:
            asked.append(request.url)
            route.abort()

    context.route("**/*", judge)
