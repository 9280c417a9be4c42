"""The page to try the champions, in a real browser that reaches this machine only.

`EVERMODEL_PICTURES=docs/images pytest tests/serving/test_browser.py` renews the pictures of docs/serving.md.
"""

import io
import json
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.browser import WIDTH, opened, picture
from tests.mlflow.servers import wait_for
from tests.project import Project
from tests.serving.servers import Server

pytestmark = [pytest.mark.all, pytest.mark.timeout(5000)]
TOKEN = "not-a-secret"
LOW = 740  # pixels
MILLISECONDS = 60_000  # that anything may take on a busy machine
FOUR = (((150, 50), (80, 160), (200, 160)), ((160, 110), (160, 230)))  # strokes on the sheet, in pixels
TABS = {
    "boston_dnn": "Regression",
    "imdb_linear": "Binary",
    "mnist_mlp": "Classification",
    "fashion_cnn": "Classification",
    "unet": "Segmentation",
    "gan": "Generation",
    "char_rnn": "Language modelling",
    "text_to_image": "Text to image",
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
        page.set_viewport_size({"width": WIDTH, "height": LOW})
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
    expect(card(page, experiment)).to_be_visible()  # the fields of the one before are gone


def card(page: Page, experiment: str) -> Locator:
    return page.get_by_text(f"Model card of {experiment} version").locator("visible=true")


def ask(page: Page) -> None:
    page.get_by_role("button", name="Ask", exact=True).locator("visible=true").click()


def answered(page: Page, experiment: str) -> None:
    expect(page.get_by_text(f"Answered by {experiment} version").locator("visible=true")).to_be_visible()


def last_line(project: Project) -> dict:
    logs = (project.folder / ".evermodel/serving/requests").glob("*.jsonl")
    lines = [json.loads(line) for log in logs for line in log.read_text().splitlines()]
    return max(lines, key=lambda line: line["time"])


def draw(page: Page, strokes: tuple[tuple[tuple[int, int], ...], ...]) -> None:
    box = page.locator("canvas").locator("visible=true").bounding_box()
    for first, *rest in strokes:
        page.mouse.move(box["x"] + first[0], box["y"] + first[1])
        page.mouse.down()
        for x, y in rest:
            page.mouse.move(box["x"] + x, box["y"] + y, steps=8)
        page.mouse.up()


def upload(page: Page, content: bytes) -> None:
    page.get_by_label("Remove Image").locator("visible=true").click()
    with page.expect_file_chooser() as asked:
        page.get_by_text("Click to Upload").locator("visible=true").click()
    asked.value.set_files({"name": "mine.png", "mimeType": "image/png", "buffer": content})


def stripes() -> bytes:
    """A PNG that is no example of ours."""
    written = io.BytesIO()
    Image.fromarray(np.tile(np.uint8([40, 200]), (90, 60))).save(written, "PNG")
    return written.getvalue()


@contextmanager
def forged(page: Page, path: str) -> Iterator[None]:
    """Whatever is asked meanwhile names that path instead of an upload's."""

    def forge(route: Route) -> None:
        asked = route.request.post_data_json
        asked["data"][0]["path"] = path
        route.continue_(post_data=json.dumps(asked))

    page.route("**/queue/join*", forge)
    yield
    page.unroute("**/queue/join*")


def refused(page: Page, sentence: str) -> None:
    expect(page.get_by_test_id("toast-body").get_by_text(sentence)).to_be_visible()
    expect(page.get_by_text("Answered by")).to_have_count(0)


def test_a_house_has_the_price_that_the_log_says(project, page):
    choose(page, "boston_dnn")
    page.get_by_label("LSTAT").locator("visible=true").fill("3")
    ask(page)
    answered(page, "boston_dnn")
    noted = last_line(project)
    expect(page.get_by_text(f"Answered by {noted['model']} version {noted['version']},")).to_be_visible()
    expect(page.get_by_test_id("label-output-value")).to_have_text(f"MEDV {noted['answer'][0]['MEDV']:.4g}")
    picture(page, "serving-house")


def test_a_review_is_read(page):
    choose(page, "imdb_linear")
    field = page.get_by_test_id("textbox").locator("visible=true")
    for review, verdict in (
        ("A wonderful film, brilliant and moving.", "positive"),
        ("A terrible bore.", "negative"),
    ):
        field.fill(review)
        ask(page)
        expect(page.get_by_test_id("label-output-value")).to_have_text(verdict)


def test_a_digit_is_drawn_and_wiped_off_again(page):
    choose(page, "mnist_mlp")
    draw(page, FOUR)
    ask(page)
    answered(page, "mnist_mlp")
    expect(page.get_by_test_id("label-output-value")).to_have_text("4")
    picture(page, "serving-digit")
    choose(page, "mnist_mlp")
    draw(page, FOUR)
    page.get_by_role("button", name="Clear").locator("visible=true").click()
    ask(page)
    refused(page, "the sheet is empty; draw something on it")


def test_a_mask_is_shown_beside_the_image_that_it_covers(project, page):
    choose(page, "unet")
    ask(page)
    answered(page, "unet")
    shown = page.get_by_role("button").locator("img[src*='gradio_api/file']")
    expect(shown).to_have_count(2)
    picture(page, "serving-mask")
    first = last_line(project)
    upload(page, stripes())
    ask(page)
    wait_for(lambda: last_line(project)["input_hmac"] != first["input_hmac"], "another answer")


def another(page: Page) -> str:
    """The seed that a click on "Another" has taken."""
    page.get_by_role("button", name="Another", exact=True).locator("visible=true").click()
    seed = page.get_by_label("Seed").locator("visible=true")
    expect(seed).not_to_have_value("0")
    return seed.input_value()


def test_a_digit_is_made_of_a_seed_and_another_one_of_another(page):
    choose(page, "gan")
    ask(page)
    expect(page.get_by_text("seed 0", exact=True).locator("visible=true")).to_be_visible()
    seed = another(page)
    expect(page.get_by_text(f"seed {seed}").locator("visible=true")).to_be_visible()
    answered(page, "gan")
    picture(page, "serving-made")


def test_a_text_goes_on_from_a_prompt_otherwise_by_another_seed(page):
    choose(page, "char_rnn")
    prompt, written = "this film was ", page.get_by_label("Written").locator("visible=true")
    page.get_by_label("Prompt").locator("visible=true").fill(prompt)
    ask(page)
    expect(written).to_have_value(re.compile(f"^{prompt}.{{20}}"))
    first = written.input_value()
    another(page)
    expect(written).not_to_have_value(first)
    expect(written).to_have_value(re.compile(f"^{prompt}.{{20}}"))
    picture(page, "serving-text")


def test_a_caption_is_drawn_and_each_of_its_words_is_shown_with_what_looked_at_it(page):
    choose(page, "text_to_image")
    caption = page.get_by_label("Caption").locator("visible=true")
    caption.fill("two and seven side by side")
    caption.press("Enter")
    ask(page)
    answered(page, "text_to_image")
    expect(page.get_by_text("two and seven side by side", exact=True).locator("visible=true")).to_be_visible()
    for word in ("two", "and", "seven", "by"):
        expect(page.get_by_text(word, exact=True).locator("visible=true").first).to_be_visible()
    picture(page, "serving-caption")
    another(page)
    caption.fill("two and ten side by side")
    caption.press("Enter")
    ask(page)
    expect(page.get_by_test_id("toast-body").get_by_text("has the word 'ten'")).to_be_visible()


def test_what_is_no_image_is_refused_in_a_sentence(page):
    choose(page, "unet")
    upload(page, b"no image")
    ask(page)
    refused(page, "can be decoded")


def test_no_file_but_an_upload_is_read_and_no_address_is_asked(page):
    """As somebody would try it who speaks to the server without the page."""
    for path in ("/etc/passwd", "http://127.0.0.1/stripes.png", "https://example.org/stripes.png"):
        choose(page, "unet")
        with forged(page, path):
            ask(page)
            expect(page.get_by_text("Error", exact=True).first).to_be_visible()
        expect(page.get_by_text("Answered by")).to_have_count(0)


def test_the_card_of_the_version_is_there(page):
    choose(page, "fashion_cnn")
    card(page, "fashion_cnn").click()
    expect(page.get_by_text("never seen in training").locator("visible=true")).to_be_visible()
    page.get_by_role("tab", name="Upload", exact=True).locator("visible=true").click()
    ask(page)
    answered(page, "fashion_cnn")
    link = page.get_by_role("link", name="run ").locator("visible=true")
    assert re.fullmatch(r"http://127\.0\.0\.1:5000/#/runs/[0-9a-f]{32}", link.get_attribute("href"))
