"""The page on which a person tries the champions: a tab per kind of task, by Gradio, on the same server."""

import logging
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import gradio
import httpx
from fastapi import FastAPI
from fastapi.responses import RedirectResponse

from evermodel.core.errors import EvermodelError
from evermodel.serving.champion import Champion
from evermodel.serving.limits import Limits
from evermodel.serving.middleware import QuotaMiddleware
from evermodel.serving.panel import Ask, panel
from evermodel.serving.protocol import Plane
from evermodel.serving.question import Request

PATH = "/try"
KEPT = 3600  # seconds that an upload is kept
HEARTBEAT = "2"  # seconds by which an open page may delay the end of the server
STYLE = ".pixelated img {width: 100%; height: 100%; object-fit: contain; image-rendering: pixelated}"


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
    served = [model.champion for model in plane.model_registry.get_models().values()]
    for task in dict.fromkeys(champion.task for champion in served):
        with gradio.Tab(task.replace("_", " ").capitalize()):
            _tab([champion for champion in served if champion.task == task], plane, ask)


def _tab(champions: Sequence[Champion], plane: Plane, ask: Ask) -> None:
    names = [champion.name for champion in champions]
    choice = gradio.Dropdown(names, label="Experiment", interactive=True)
    panels = [panel(champion, plane, ask, champion.name == names[0]) for champion in champions]
    choice.change(
        lambda chosen: [gradio.Column(visible=name == chosen) for name in names],
        choice,
        panels,
        api_visibility="private",
    )
