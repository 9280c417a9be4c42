"""One experiment's part of the page: what is asked of its champion, the answer, and its card."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

import gradio
from gradio.components import Component

from evermodel.core.errors import EvermodelError
from evermodel.publishing import tracking
from evermodel.serving import question
from evermodel.serving.champion import Champion
from evermodel.serving.protocol import Plane
from evermodel.serving.question import Question, Request
from evermodel.serving.view import View, view

PAGES = "http://127.0.0.1:5000"  # where `make ui` shows MLflow's
Ask = Callable[[str, Request], Awaitable[dict[str, Any]]]


def panel(champion: Champion, plane: Plane, ask: Ask, visible: bool) -> gradio.Column:
    """Fields filled with the champion's example, and places for the answer, where it is called."""
    made: gradio.Column = gradio.Column(visible=visible)
    with made:
        with gradio.Row():
            with gradio.Column():
                asked = _forms(champion)
            with gradio.Column():
                shown = [*_empty(), gradio.Markdown()]
        with gradio.Accordion(_heading(champion), open=False) as accordion:
            shown += [accordion, gradio.Markdown(champion.card)]
    for each, button in asked:
        button.click(
            answering(champion.name, plane, ask, each.request),
            list(each.fields),
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
        return [*_shown(seen), source(said), *_card(champion)]

    return answer


def source(said: dict[str, Any]) -> str:
    """Which version gave an answer, with a link to its run on MLflow's pages, as Markdown."""
    uri = tracking.uri()
    pages = os.environ.get("EVERMODEL_MLFLOW_PAGES") or (uri if uri.startswith("http") else PAGES)
    link = f"[run {said['run_id'][:8]}]({pages}/#/runs/{said['run_id']})"
    return f"Answered by **{said['model']} version {said['version']}**, {link} in MLflow."


def _forms(champion: Champion) -> list[tuple[Question, gradio.Button]]:
    forms, made = question.forms(champion), []
    for title, form in forms.items():
        with gradio.Tab(title) if len(forms) > 1 else gradio.Column():
            made.append((form(champion), gradio.Button("Ask", variant="primary")))
    return made


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
        gradio.Gallery(seen.images, visible=bool(seen.images)),
    ]


def _card(champion: Champion) -> list[Any]:
    return [gradio.Accordion(_heading(champion)), gradio.Markdown(champion.card)]


def _heading(champion: Champion) -> str:
    return f"Model card of {champion.name} version {champion.version}"
