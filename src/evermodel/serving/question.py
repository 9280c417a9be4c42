"""What a person fills in to ask a champion, and the request that comes of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import gradio
import numpy as np
import pandas as pd
from gradio.components import Component

from evermodel.core import generation
from evermodel.core.columns import Column
from evermodel.core.errors import EvermodelError
from evermodel.evaluation import evaluation
from evermodel.serving import sketch
from evermodel.serving.champion import Champion

# Of the noise on the example of a model that takes noise away: its package does not tell how much it learned.
SEED, OPTIONS = 42, {"noise": 0.1}
ANOTHER = "(seed, ...others) => [Math.floor(Math.random() * 2 ** 32), ...others]"
Request = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """Fields, and how their raw values become the arguments of an HTTP client's `post`.

    read: JavaScript that reads the fields, where Gradio can't. another: JavaScript that gives other values of
    the fields, where there are always more to ask for.
    """

    fields: Sequence[Component]
    request: Callable[..., Request]
    read: str | None = None
    another: str | None = None


Form = Callable[[Champion], Question]


def forms(champion: Champion) -> Mapping[str, Form]:
    """The ways to ask a champion, by their titles; each puts its fields where it is called."""
    spec = champion.spec
    if generation.SEED in spec.columns:
        return {"Seed": _seed}
    if spec.kind != "images":
        return {"table": {"Row": _row}, "series": {"Steps": _steps}, "text": {"Text": _text}}[spec.kind]
    if champion.task == "embedding":
        return {"Two images": partial(_images, labels=("One image", "Another"))}
    drawable = bool(spec.classes) and not spec.masks and spec.input_shape[-1] == 1
    upload: dict[str, Form] = {"Upload": partial(_images, labels=("Image",))}
    return {"Draw": _drawing, **upload} if drawable else upload


def _seed(champion: Champion) -> Question:
    field = gradio.Number(
        0, precision=0, label="Seed, a whole number: the same one makes the same", interactive=True
    )
    others = [_beside(column) for column in champion.spec.columns if column != generation.SEED]
    names = [generation.SEED.name, *(name for name in champion.spec.names if name != generation.SEED.name)]

    def request(*values: Any) -> Request:
        return {"json": {"rows": [dict(zip(names, values, strict=True))]}}

    return Question([field, *others], request, another=ANOTHER)


def _beside(column: Column) -> Component:
    """What is asked beside a seed: one of what is known, or of the same words, or any text."""
    label = column.name.capitalize()
    if known := list(column.categories):
        words = f"{label}, or another of these words"
        return gradio.Dropdown(known, value=known[0], label=words, allow_custom_value=True, interactive=True)
    return gradio.Textbox("", label=f"{label}, which may be empty", lines=3, interactive=True)


def _row(champion: Champion) -> Question:
    names, first = champion.spec.names, champion.example.astype(object).iloc[0]
    with gradio.Row():
        row = [_field(column, first[column.name]) for column in champion.spec.columns]
    return Question(row, lambda *values: {"json": {"rows": [dict(zip(names, values, strict=True))]}})


def _field(column: Column, value: Any) -> Component:
    """A field of a row, with a value; where that may be missing, an empty one means that it is."""
    shown = None if pd.isna(value) else value
    empty = [] if column.gaps == "refuse" else [""]
    match column.kind:
        case "number" | "whole":
            return gradio.Number(shown, label=column.name, min_width=110, interactive=True)
        case "boolean" | "category":
            is_category = column.kind == "category"
            written = "" if shown is None else str(shown) if is_category else str(bool(shown)).lower()
            return gradio.Dropdown(
                [*empty, *(column.categories if is_category else ("true", "false"))],
                value=written,
                label=column.name,
                allow_custom_value=is_category,
                min_width=130,
                interactive=True,
            )
    return gradio.Textbox(str(shown or ""), label=column.name, min_width=160, interactive=True)


def _steps(champion: Champion) -> Question:
    names = list(champion.spec.names)
    shown = champion.example[0].tolist()
    table = gradio.Dataframe(shown, headers=names, label="The last steps", max_height=400, interactive=True)

    def request(frame: dict[str, Any]) -> Request:
        return {"json": {"rows": [dict(zip(names, row, strict=False)) for row in frame["data"]]}}

    return Question([table], request)


def _text(champion: Champion) -> Question:
    field = gradio.Textbox(str(champion.example[0]), label=champion.spec.dataset, lines=8, interactive=True)
    return Question([field], lambda text: {"json": {"text": text}})


def _images(champion: Champion, labels: Sequence[str]) -> Question:
    with gradio.Row():
        return Question([_upload(champion, n, label) for n, label in enumerate(labels)], uploaded)


def _drawing(champion: Champion) -> Question:
    field, read = sketch.sheet(champion.name)
    return Question([field], lambda drawing: {"files": [("file", ("drawing", sketch.png(drawing)))]}, read)


def _upload(champion: Champion, number: int, label: str) -> gradio.Image:
    shown = evaluation.inputs(evaluation.task_module(champion.task), champion.example, OPTIONS, SEED)
    image = np.squeeze(shown[number])
    # As a file, so that Gradio decodes nothing: that is left to the server's limits.
    return gradio.Image(
        image,
        type="filepath",
        image_mode=None,
        format="png",
        label=label,
        height=320,
        interactive=True,
        buttons=["fullscreen"],
        elem_classes="pixelated",
    )


def uploaded(*files: dict[str, Any] | None) -> Request:
    """A request with the uploaded files, which Gradio lets lie in its own folder only.

    Raises EvermodelError if one was not given, or is not there any more.
    """
    paths = [Path(file["path"]) for file in files if file and file.get("path")]
    if len(paths) < len(files) or not all(path.is_file() for path in paths):
        raise EvermodelError("an image is missing; choose one")
    return {"files": [("file", (f"image {n}", path.read_bytes())) for n, path in enumerate(paths, 1)]}
