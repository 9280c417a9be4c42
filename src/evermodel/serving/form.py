"""The plain form of a request: JSON for rows and texts, an upload for files; answers as people read them."""

import asyncio
import base64
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from fastapi import HTTPException, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import Headers, UploadFile
from starlette.types import Message

from evermodel import prediction
from evermodel.core.data import Array, Spec
from evermodel.core.errors import EvermodelError, UnusableError
from evermodel.formats import image_files, steps
from evermodel.serving.asked import Asked, Shown
from evermodel.serving.champion import Champion
from evermodel.serving.limits import Limits

Cell = float | str | bool | None
ROWS = '{"rows": [{column: value, …}, …]} or a CSV file as multipart/form-data'
TAKEN = {
    "table": ROWS,
    "series": ROWS,
    "text": '{"text": …} or a text file as multipart/form-data',
    "images": "an image as multipart/form-data",
}


class Json(BaseModel):
    """A request in JSON: rows of a table or steps of a series, by column; or a text, or several."""

    model_config = ConfigDict(extra="forbid")

    rows: list[dict[str, Cell]] | None = Field(None, min_length=1)
    text: str | list[str] | None = Field(None, min_length=1)


class Answered(BaseModel):
    """An answer: one row per example, from one version."""

    model: str
    version: int
    run_id: str
    answers: list[dict[str, Any]]


def read(body: bytes, headers: Headers, spec: Spec, limits: Limits) -> Asked:
    """What a request asks, by the headers that it came with.

    Raises EvermodelError or ValidationError that says what is wrong, and HTTPException 415 for another
    content type.
    """
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        files = asyncio.run(_files(body, headers, limits))
        if spec.kind == "images":
            _require_few_pixels(files, limits)
        names, x = prediction.examples(files, spec)
    elif kind == "application/json":
        names, x = _examples(Json.model_validate_json(body), spec)
    else:
        raise HTTPException(415, "send application/json, or files as multipart/form-data")
    if len(names) > (most := limits.examples(spec)):
        raise EvermodelError(f"the request has {len(names):,} examples; the limit is {most:,}")
    accept = headers.get("accept", "")

    def show(champion: Champion, answer: Array) -> Shown:
        rows = answers(champion, names, x, answer)
        return Shown(response(champion, rows, accept), [_unnamed(row) for row in rows])

    return Asked(x, show)


def answers(champion: Champion, names: list[str], x: Any, predictions: Array) -> list[dict[str, Any]]:
    """One answer per example; all probabilities beside the class, and an image as the bytes of a PNG."""
    spec = champion.spec
    rows = prediction.answers(names, x, predictions, spec, champion.task)
    for row in rows:
        if "image" in row:
            row["image"] = prediction.png(row["image"])
    if rows and "probability" in rows[0]:
        values = prediction.probabilities(np.asarray(predictions, dtype=float).reshape(len(names), -1), spec)
        for row, each in zip(rows, values.tolist(), strict=True):
            row["probabilities"] = dict(zip(spec.classes, each, strict=True))
    return rows


def response(champion: Champion, rows: list[dict[str, Any]], accept: str) -> Response:
    """The answers in JSON, an image in base64; or the one image itself, if the client accepts PNG first.

    Either names the version and the run that it comes from.
    """
    if accept.startswith("image/png") and len(rows) == 1 and "image" in rows[0]:
        source = {"X-Evermodel-Version": str(champion.version), "X-Evermodel-Run": champion.run_id}
        return Response(rows[0]["image"], media_type="image/png", headers=source)
    named = {"model": champion.name, "version": champion.version, "run_id": champion.run_id}
    shown = [{key: _text(value) for key, value in row.items()} for row in rows]
    return JSONResponse(named | {"answers": shown})


def _text(value: Any) -> Any:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _unnamed(row: dict[str, Any]) -> dict[str, Any]:
    """An answer without the name of what was asked, which may be that of a file."""
    return {key: value for key, value in row.items() if key != "input"}


async def _files(body: bytes, headers: Headers, limits: Limits) -> list[tuple[str, bytes]]:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    # With "app", what is wrong with the form is an HTTPException.
    request = Request({"type": "http", "app": None, "headers": headers.raw}, receive)
    async with request.form(max_files=limits.images, max_fields=limits.images) as form:
        uploads = [part for _, part in form.multi_items() if isinstance(part, UploadFile)]
        if not uploads:
            raise EvermodelError("the request has no file; upload at least one")
        return [(upload.filename or "file", await upload.read()) for upload in uploads]


def _require_few_pixels(files: Sequence[tuple[str, bytes]], limits: Limits) -> None:
    """Raise EvermodelError, before anything is decoded, if the headers of all images tell too many pixels."""
    total = 0
    for name, content in files:
        try:
            total += image_files.pixels(io.BytesIO(content))
        except UnusableError as reason:
            raise EvermodelError(f"{name} {reason}") from None
    if total > limits.pixels:
        raise EvermodelError(
            f"the images have {total:,} pixels together; the limit of a request is {limits.pixels:,}"
        )


def _examples(asked: Json, spec: Spec) -> tuple[list[str], Any]:
    if spec.kind == "text" and asked.text is not None and asked.rows is None:
        texts = [asked.text] if isinstance(asked.text, str) else asked.text
        return [f"text:{number + 1}" for number in range(len(texts))], np.array(texts, dtype=object)
    if spec.kind in ("table", "series") and asked.rows is not None and asked.text is None:
        table = prediction.typed("the request", pd.DataFrame(asked.rows), spec, spec.layout)
        if spec.kind == "series":
            keys, x = steps.windows("the request", table, spec)
            return [f"rows:{key}" if key else "rows" for key in keys], x
        return [f"row:{row + 1}" for row in range(len(table))], table
    raise EvermodelError(f"this model takes {TAKEN[spec.kind]}")
