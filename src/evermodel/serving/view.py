"""An answer as a person wants to see it: numbers in words, classes as bars, images side by side."""

import base64
import io
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from evermodel import number, prediction
from evermodel.core import generation
from evermodel.core.data import Array
from evermodel.evaluation import attention, figures, reconstruction
from evermodel.evaluation.statistics import cosines
from evermodel.formats import steps
from evermodel.serving.champion import Champion
from evermodel.serving.question import Request
from evermodel.tasks import colorization
from evermodel.tasks.age_gender import GENDERS

SMALL = 300  # pixels: an image below this is shown enlarged


@dataclass(frozen=True)
class View:
    """What is shown: a line of numbers or "", the probability of each class, images with their titles, a text
    or "".
    """

    numbers: str = ""
    classes: dict[str, float] = field(default_factory=dict)
    images: list[tuple[Image.Image, str]] = field(default_factory=list)
    text: str = ""


def view(champion: Champion, request: Request, answers: list[dict[str, Any]]) -> View:
    """The answers to the request of one question, as `POST /predict/NAME` gives them in JSON."""
    spec, first = champion.spec, answers[0]
    if champion.task == "embedding":
        cosine = cosines(np.array([answer["embedding"] for answer in answers]))[0, 1]
        return View(f"cosine similarity {cosine:.3f}")
    if "image" in first:
        image = Image.open(io.BytesIO(base64.b64decode(first["image"])))
        if champion.task == "generation":
            return _pair((np.asarray(image), f"seed {request['json']['rows'][0]['seed']:.0f}"))
        if champion.task == "text_to_image":
            return _told_by_words(champion, request["json"]["rows"], np.asarray(image))
        _, x = prediction.examples([file for _, file in request["files"]], spec)
        return _restored(champion.task, x[0], np.asarray(image))
    if "text" in first:
        return View(text=(request["json"]["rows"][0]["prompt"] or "") + first["text"])
    if "probabilities" in first:
        return View(classes=first["probabilities"])
    if champion.task == "age_gender":
        chances = zip(GENDERS, (1 - first["gender"], first["gender"]), strict=True)
        return View(f"{first['age']:.0f} years", {name.replace("_", " "): p for name, p in chances})
    numbers = ", ".join(f"{name} {_told(value)}" for name, value in first.items() if name != "input")
    if spec.kind == "series":
        return View(
            numbers, images=[(_chart(champion, request["json"]["rows"], first), "last steps and next")]
        )
    return View(numbers)


def _told_by_words(champion: Champion, rows: list[dict[str, Any]], image: Array) -> View:
    """What was drawn, and how much its patches attended to each word."""
    asked = prediction.typed("the request", pd.DataFrame(rows), champion.spec, champion.spec.layout)
    caption = asked[generation.CAPTION.name].iloc[0]
    looks = champion.predict.looks(asked)[0]  # type: ignore[attr-defined]  # a Drawer is no function alone
    return _pair((image, caption), *attention.over(image, looks, caption))


def _told(value: float | list[float]) -> str:
    return " → ".join(map(number.text, value if isinstance(value, list) else [value]))


def _restored(task: str, x: Array, answer: Array) -> View:
    match task:
        case "segmentation":
            return _pair((answer, "answer"), (_painted(x, answer), "answer over image"))
        case "colorization":
            gray = colorization.reassembled(x, np.zeros((*x.shape[:2], 2)))
            return _pair((reconstruction.eight_bit(gray), "image without colours"), (answer, "answer"))
        case "anomaly":
            error = reconstruction.squared_errors(x[None], answer.reshape(1, *x.shape) / 255)[0]
            both = _pair((x, "image"), (answer, "what is usual in it"))
            return replace(both, numbers=f"error {error:.3g}; the larger, the odder")
    return _pair((x, "image"), (answer, "answer"))


def _pair(*images: tuple[Array, str]) -> View:
    return View(images=[(_enlarged(Image.fromarray(np.squeeze(pixels))), title) for pixels, title in images])


def _enlarged(image: Image.Image) -> Image.Image:
    times = -(-SMALL // max(image.size))
    return image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST)


def _painted(x: Array, mask: Array) -> Array:
    image = np.broadcast_to(x, (*x.shape[:2], 3))
    if mask.ndim == 3:  # of several classes, each in its colour
        return np.asarray(((image + mask.astype(float)) / 2).astype(np.uint8))
    share = mask[..., None] / 255 / 2
    return np.asarray((image * (1 - share) + attention.PAINT * share).astype(np.uint8))


def _chart(champion: Champion, rows: list[dict[str, Any]], answer: dict[str, Any]) -> Image.Image:
    spec, target = champion.spec, champion.spec.target
    table = prediction.typed("the request", pd.DataFrame(rows), spec, spec.layout)
    known, forecast = steps.windows("the request", table, spec)[1][0], np.ravel(answer[target])
    with figures.look():
        figure = figures.page(f"the last {len(known)} steps and the next", 5, 4.4)
        axes = figure.subplots()
        if target in spec.names:
            axes.plot(range(-len(known), 0), known[:, spec.names.index(target)], color=figures.QUIET)
        axes.plot(range(len(forecast)), forecast, "o", color=figures.MODEL)
        axes.set(xlabel="step", ylabel=target)
        return Image.open(io.BytesIO(figures.png(figure, champion.name, spec)))
