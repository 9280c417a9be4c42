"""The page on which a person tries the champions: a tab per kind of task, by Gradio, on the same server."""

import asyncio
import logging
import os
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
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
from evermodel.serving.middleware import QuotaMiddleware
from evermodel.serving.protocol import Plane
from evermodel.serving.question import Question, Request
from evermodel.serving.view import View, view

PATH = "/try"
MLFLOW = "http://127.0.0.1:5000"  # where `make ui` shows MLflow's pages
KEPT = 3600  # seconds that an upload is kept
HEARTBEAT = "2"  # seconds by which an open page may delay the end of the server
STYLE = ".pixelated img {width: 100%; height: 100%; object-fit: contain; image-rendering: pixelated}"
Ask = Callable[[str, Request], Awaitable[dict[str, Any]]]


class Page(gradio.Blocks):  # type: ignore[misc]
    """A page of Gradio's that fetches nothing, though a request may name any address as its image."""

    async def preprocess_data(self, block_fn: Any, inputs: list[Any], *state: Any, **call: Any) -> Any:
        """What Gradio does with the values of the fields; raises gradio.Error if one is elsewhere."""
        if elsewhere(inputs):
            raise gradio.Error("the image is an address; upload it", print_exception=False)
        return await super().preprocess_data(block_fn, inputs, *state, **call)


@contextmanager
def mounted(app: FastAPI, plane: Plane, limits: Limits, token: str | None) -> Iterator[None]:
    """Show the page of a server's application, with a folder of its own for uploads, as long as it runs."""
    with tempfile.TemporaryDirectory(prefix="evermodel-") as folder:
        # Gradio takes these two from nowhere else.
        os.environ |= {"GRADIO_TEMP_DIR": folder, "GRADIO_HEARTBEAT_INTERVAL": HEARTBEAT}
        logging.getLogger("httpx").setLevel(logging.WARNING)
        app.add_middleware(QuotaMiddleware, path=f"{PATH}/", folder=Path(folder), most=limits.uploads)
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


def elsewhere(value: Any) -> bool:
    """Whether a file among the raw values of fields is to be had from another machine."""
    if isinstance(value, dict):
        return str(value.get("path")).startswith(("http:", "https:")) or elsewhere(list(value.values()))
    return isinstance(value, list) and any(elsewhere(one) for one in value)


def blocks(plane: Plane, ask: Ask) -> gradio.Blocks:
    """The page; who is champion is looked up whenever it is loaded."""
    made = Page(title="Evermodel", analytics_enabled=False, delete_cache=(60, KEPT))
    with made:
        gradio.Markdown("# Evermodel: try the champions")
        gradio.render()(partial(_tabs, plane, ask))
    return made


def _tabs(plane: Plane, ask: Ask) -> None:
    served = [model.champion for model in plane.served]
    for task in dict.fromkeys(champion.task for champion in served):
        with gradio.Tab(task.replace("_", " ").capitalize()):
            _tab([champion for champion in served if champion.task == task], plane, ask)


def _tab(champions: Sequence[Champion], plane: Plane, ask: Ask) -> None:
    names = [champion.name for champion in champions]
    choice = gradio.Dropdown(names, label="Experiment", interactive=True)
    panels = [panel(champion, plane, ask, champion.name == names[0]) for champion in champions]

    def show(chosen: str) -> list[gradio.Column]:
        return [gradio.Column(visible=name == chosen) for name in names]

    choice.change(show, choice, panels, api_visibility="private")


def panel(champion: Champion, plane: Plane, ask: Ask, visible: bool) -> gradio.Column:
    """One experiment's part of the page: what is asked of its champion, the answer, and its card."""
    made: gradio.Column = gradio.Column(visible=visible)
    with made:
        with gradio.Row():
            with gradio.Column():
                asked = _forms(champion)
            with gradio.Column():
                shown = [*_shown(View()), gradio.Markdown()]
        with gradio.Accordion(_heading(champion), open=False) as accordion:
            shown += [accordion, gradio.Markdown(champion.card)]
    for each, button, other in asked:
        fields = list(each.fields)
        clicks = [button.click]
        if other:
            clicks.append(other.click(None, fields, fields, js=each.another, api_visibility="private").then)
        for click in clicks:
            click(
                answering(champion.name, plane, ask, each.request),
                fields,
                shown,
                js=each.read,
                preprocess=False,
                api_visibility="private",
            )
    return made


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
        card = [gradio.Accordion(_heading(champion)), gradio.Markdown(champion.card)]
        return [*_shown(seen), source(said), *card]

    return answer


def source(said: dict[str, Any]) -> str:
    """Which version gave an answer, with a link to its run on MLflow's pages, as Markdown."""
    uri = tracking.uri()
    pages = os.environ.get("EVERMODEL_MLFLOW_PAGES") or (uri if uri.startswith("http") else MLFLOW)
    link = f"[run {said['run_id'][:8]}]({pages}/#/runs/{said['run_id']})"
    return f"Answered by **{said['model']} version {said['version']}**, {link} in MLflow."


def _forms(champion: Champion) -> list[tuple[Question, gradio.Button, gradio.Button | None]]:
    """Each form with its button, and that which asks for another answer, if there is always one."""
    forms, made = question.forms(champion), []
    for title, form in forms.items():
        with gradio.Tab(title) if len(forms) > 1 else gradio.Column():
            asked, button = form(champion), gradio.Button("Ask", variant="primary")
            made.append((asked, button, gradio.Button("Another") if asked.another else None))
    return made


def _shown(seen: View) -> list[Component]:
    """Places for an answer; those for which it has nothing are hidden."""
    form = {"columns": 2, "object_fit": "contain", "format": "png", "buttons": ["fullscreen"]}
    return [
        gradio.Label(seen.numbers, visible=bool(seen.numbers), show_label=False),
        gradio.Textbox(seen.text, visible=bool(seen.text), label="Written", lines=6, max_lines=20),
        gradio.Label(seen.classes, visible=bool(seen.classes), show_label=False, num_top_classes=5),
        gradio.Gallery(seen.images, visible=bool(seen.images), show_label=False, interactive=False, **form),
    ]


def _heading(champion: Champion) -> str:
    return f"Model card of {champion.name} version {champion.version}"
