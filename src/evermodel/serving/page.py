"""The page on which a person tries the champions: a tab per kind of task, by Gradio, on the same server."""

import asyncio
import logging
import os
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import gradio
import httpx
from fastapi import FastAPI
from fastapi.responses import RedirectResponse
from gradio.components import Component

from evermodel.core.errors import EvermodelError
from evermodel.publishing import tracking
from evermodel.serving import question
from evermodel.serving.champion import Champion
from evermodel.serving.limits import Limits
from evermodel.serving.protocol import Plane
from evermodel.serving.question import Question, Request
from evermodel.serving.view import View, view

PATH = "/try"
PAGES = "http://127.0.0.1:5000"  # where `make ui` shows MLflow's
KEPT = 3600  # seconds that an upload is kept
HEARTBEAT = "2"  # seconds by which an open page may delay the end of the server
STYLE = ".picture img {width: 100%; height: 100%; object-fit: contain; image-rendering: pixelated}"
Ask = Callable[[str, Request], Awaitable[dict[str, Any]]]


@contextmanager
def mounted(app: FastAPI, plane: Plane, limits: Limits, token: str | None) -> Iterator[None]:
    """Show the page of a server's application, with a folder of its own for uploads, as long as it runs."""
    with tempfile.TemporaryDirectory(prefix="evermodel-") as folder:
        os.environ |= {"GRADIO_TEMP_DIR": folder, "GRADIO_HEARTBEAT_INTERVAL": HEARTBEAT}
        logging.getLogger("httpx").setLevel(logging.WARNING)
        gradio.mount_gradio_app(
            app,
            blocks(plane, partial(ask, app, token)).queue(limits.at_once, default_concurrency_limit=None),
            PATH,
            max_file_size=limits.body,
            theme=gradio.themes.Default(font="system-ui", font_mono="ui-monospace"),
            css=STYLE,
            footer_links=[],
            run_history=False,
            ssr_mode=False,
            mcp_server=False,
        )
        app.add_api_route("/", lambda: RedirectResponse(f"{PATH}/"), include_in_schema=False)
        yield


async def ask(app: FastAPI, token: str | None, name: str, request: Request) -> dict[str, Any]:
    """Ask a server's own HTTP interface, so that the page gets what everybody gets, limits and log included.

    Raises EvermodelError with the sentence of a refusal.
    """
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with httpx.AsyncClient(transport=transport, base_url="http://page", headers=headers) as client:
        said: dict[str, Any] = (await client.post(f"/predict/{name}", **request)).json()
    if "error" in said:
        raise EvermodelError(said["error"])
    return said


def blocks(plane: Plane, ask: Ask) -> gradio.Blocks:
    """The page; who is champion is looked up whenever it is loaded."""
    made: gradio.Blocks = gradio.Blocks(title="Evermodel", analytics_enabled=False, delete_cache=(60, KEPT))
    with made:
        gradio.Markdown("# Evermodel: try the champions")
        gradio.render()(partial(_tabs, plane, ask))
    return made


def _tabs(plane: Plane, ask: Ask) -> None:
    served = [model.champion for model in plane.model_registry.get_models().values()]
    for task in dict.fromkeys(champion.task for champion in served):
        with gradio.Tab(task.replace("_", " ").capitalize()):
            _tab([champion for champion in served if champion.task == task], plane, ask)


def _tab(champions: Sequence[Champion], plane: Plane, ask: Ask) -> None:
    names = [champion.name for champion in champions]
    choice = gradio.Dropdown(names, label="Experiment", interactive=True)
    panels = [_panel(champion, plane, ask, champion.name == names[0]) for champion in champions]
    choice.change(
        lambda chosen: [gradio.Column(visible=name == chosen) for name in names],
        choice,
        panels,
        api_visibility="private",
    )


def _panel(champion: Champion, plane: Plane, ask: Ask, visible: bool) -> gradio.Column:
    asked: list[tuple[Question, gradio.Button]] = []
    panel: gradio.Column = gradio.Column(visible=visible)
    with panel:
        with gradio.Row():
            with gradio.Column():
                forms = question.forms(champion)
                for title, form in forms.items():
                    with gradio.Tab(title) if len(forms) > 1 else gradio.Column():
                        asked.append((form(champion), gradio.Button("Ask", variant="primary")))
            with gradio.Column():
                shown = [*_empty(), gradio.Markdown()]
        with gradio.Accordion(f"Model card of version {champion.version}", open=False) as accordion:
            card = gradio.Markdown(champion.card)
    for each, button in asked:
        button.click(
            answering(champion.name, plane, ask, each.request),
            list(each.fields),
            [*shown, accordion, card],
            js=each.read,
            preprocess=False,
            api_visibility="private",
        )
    return panel


def answering(name: str, plane: Plane, ask: Ask, request: Callable[..., Request]) -> Any:
    """What a click on "Ask" does: from the values of the fields to what is shown, `gradio.Error` included."""

    async def answer(*values: Any) -> list[Any]:
        try:
            asked = request(*values)
            said = await ask(name, asked)
        except EvermodelError as error:
            raise gradio.Error(str(error), print_exception=False) from None
        champion = plane.get_model_from_registry(name).champion
        seen = await asyncio.to_thread(view, champion, asked, said["answers"])
        return [*_shown(seen), source(said), *_card(champion)]

    return answer


def _empty() -> list[Component]:
    hidden = {"visible": False, "show_label": False}
    return [
        gradio.Label(**hidden),
        gradio.Label(num_top_classes=5, **hidden),
        gradio.Gallery(
            columns=2, object_fit="contain", format="png", buttons=["fullscreen"], interactive=False, **hidden
        ),
    ]


def _shown(seen: View) -> list[Any]:
    return [
        gradio.Label(seen.numbers, visible=bool(seen.numbers)),
        gradio.Label(seen.classes, visible=bool(seen.classes)),
        gradio.Gallery(seen.pictures, visible=bool(seen.pictures)),
    ]


def source(said: dict[str, Any]) -> str:
    """Which version gave an answer, with a link to its run on MLflow's pages, as Markdown."""
    uri = tracking.uri()
    pages = uri if uri.startswith("http") else PAGES
    link = f"[run {said['run_id'][:8]}]({pages}/#/runs/{said['run_id']})"
    return f"Answered by **{said['model']} version {said['version']}**, {link} in MLflow."


def _card(champion: Champion) -> list[Any]:
    return [gradio.Accordion(f"Model card of version {champion.version}"), gradio.Markdown(champion.card)]
