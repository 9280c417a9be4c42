"""The page to try the champions, in a real browser that reaches this machine only.

`EVERMODEL_PICTURES=docs/images pytest tests/serving/test_browser.py` renews the pictures of docs/serving.md.
"""

import io
import json
import socket
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser import opened, picture
from tests.project import Project
from tests.serving.servers import Server

pytestmark = [pytest.mark.browser, pytest.mark.pipeline, pytest.mark.timeout(5000)]
TOKEN = "not-a-secret"
MILLISECONDS = 15_000  # that anything may take on a busy machine
SEVEN = ((80, 70), (195, 65), (130, 215))  # its corners on the sheet, in pixels
TABS = {
    "boston_dnn": "Regression",
    "imdb_linear": "Binary",
    "lenet": "Classification",
    "fashion_cnn": "Classification",
    "unet": "Segmentation",
}


@pytest.fixture(scope="module")
def server(project: Project) -> Iterator[Server]:
    """Some champions behind a token, whose way to other machines is a proxy that nobody knocks at."""
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        proxy.setblocking(False)
        url = f"http://127.0.0.1:{proxy.getsockname()[1]}"
        running = Server(project, *TABS, EVERMODEL_TOKEN=TOKEN, http_proxy=url, https_proxy=url)
        try:
            yield running
        finally:
            ended = running.stop()
        assert ended == 0
        with pytest.raises(BlockingIOError):
            proxy.accept()


@pytest.fixture(scope="module")
def page(browser: Browser, server: Server) -> Iterator[Page]:
    """The page as somebody has it who gave the token as the password."""
    with opened(browser, ("anybody", TOKEN)) as page:
        page.set_default_timeout(MILLISECONDS)
        expect.set_options(timeout=MILLISECONDS)
        page.goto(server.url)
        yield page


def choose(page: Page, experiment: str) -> None:
    """Open the tab of an experiment and choose it there; what an earlier test said is gone."""
    page.reload()
    page.get_by_role("tab", name=TABS[experiment], exact=True).click()
    page.get_by_label("Experiment").locator("visible=true").click()
    page.get_by_role("option", name=experiment, exact=True).click()


def ask(page: Page) -> None:
    page.get_by_role("button", name="Ask", exact=True).locator("visible=true").click()


def answered(page: Page, experiment: str) -> None:
    expect(page.get_by_text(f"Answered by {experiment} version").locator("visible=true")).to_be_visible()


def last_line(project: Project) -> dict:
    log = project.folder / ".evermodel/serving/requests.jsonl"
    return json.loads(log.read_text().splitlines()[-1])


def draw(page: Page, corners: tuple[tuple[int, int], ...]) -> None:
    box = page.locator("canvas").locator("visible=true").bounding_box()
    for number, (x, y) in enumerate(corners):
        page.mouse.move(box["x"] + x, box["y"] + y, steps=8)
        if number == 0:
            page.mouse.down()
    page.mouse.up()


def upload(page: Page, content: bytes) -> None:
    page.get_by_label("Clear").or_(page.get_by_label("Remove")).locator("visible=true").first.click()
    file = {"name": "mine.png", "mimeType": "image/png", "buffer": content}
    page.locator("input[type=file]").first.set_input_files(file)


def test_who_has_no_token_sees_nothing(browser, server):
    with opened(browser) as stranger:
        assert stranger.goto(f"{server.url}/try/").status == 401


def test_a_house_has_a_price_which_is_that_of_the_log(project, page):
    choose(page, "boston_dnn")
    for poor, value in (("30", 1), ("3", 2)):
        page.get_by_label("LSTAT").locator("visible=true").fill(poor)
        ask(page)
        answered(page, "boston_dnn")
    price = last_line(project)["answer"][0]["MEDV"]
    expect(page.get_by_text(f"MEDV {price:.4g}").first).to_be_visible()
    picture(page, "serving-house")


def test_probe(page):
    choose(page, "unet")
    page.wait_for_timeout(1500)
    print(page.locator("button").locator("visible=true").evaluate_all("es => es.map(e => [e.innerText, e.ariaLabel, e.title])"))
    print(page.locator("input[type=file]").evaluate_all("es => es.map(e => [e.outerHTML.slice(0,300), !!e.offsetParent])"))
    page.screenshot(path="/tmp/w-page-try/probe.png")
