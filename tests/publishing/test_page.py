import base64
import re
from html.parser import HTMLParser

import pytest

from evermodel.publishing import card
from tests.browser import browser, opened  # noqa: F401  (fixture)

CARD = """# houses, version 3

| | |
|---|---|
| Terms | <script>alert(1)</script> & more |

## Limits

- one
"""
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
MADE = card.page("houses <3>", CARD, {"worst": PIXEL})


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []
        self.feed(MADE)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


def test_the_page_is_the_card_with_its_title_tables_and_lists():
    for part in ("<h1>houses, version 3</h1>", "<td>Terms</td>", "<h2>Limits</h2>", "<li>one</li>"):
        assert part in MADE
    assert "<title>houses &lt;3&gt;</title>" in MADE


def test_what_a_card_says_is_text_and_never_markup():
    assert "script" not in {tag for tag, _ in Tags().found}
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in MADE


def test_images_are_in_the_page_and_nothing_is_asked_from_elsewhere():
    (image,) = (attributes for tag, attributes in Tags().found if tag == "img")
    assert image["alt"] == "worst"
    assert base64.b64decode(image["src"].removeprefix("data:image/png;base64,")) == PIXEL
    assert not re.findall(r"(?:src|href)=\"(?!data:)", MADE)
    assert "url(" not in MADE


def test_a_card_without_images_has_no_place_for_them():
    assert "Images" not in card.page("houses", CARD, {})


@pytest.mark.all
def test_a_browser_shows_the_page_and_its_image_without_a_network(browser, tmp_path):  # noqa: F811
    (tmp_path / "card.html").write_text(MADE)
    with opened(browser) as shown:
        faults = []
        shown.on("console", lambda message: faults.append(message.text))
        shown.goto(f"file://{tmp_path / 'card.html'}")
        assert shown.locator("h1").inner_text() == "houses, version 3"
        assert shown.locator("img").evaluate("image => image.naturalWidth") == 1
        assert not shown.locator("thead").is_visible(), "a table of metadata has no head"
        assert faults == []
