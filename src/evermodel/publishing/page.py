"""A model card as a page of HTML that is whole in itself: it reads offline, and prints well."""

import base64
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Template
from markdown_it import MarkdownIt

TEMPLATE = Path(__file__).with_name("card.html")


def write(title: str, card: str, images: Mapping[str, bytes]) -> str:
    """The page of a card in Markdown. images: PNG files, by their names."""
    template = Template(TEMPLATE.read_text(encoding="utf-8"), autoescape=True)
    shown = {name: base64.b64encode(content).decode() for name, content in images.items()}
    body = MarkdownIt("js-default").render(card)
    return str(template.render(title=title, body=body, images=shown))
