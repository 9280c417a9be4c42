"""The plain form of a request: JSON for rows and texts, an upload for files; answers as people read them."""

import base64
from typing import Any

import numpy as np
import pandas as pd
from fastapi import HTTPException, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import UploadFile

from evermodel import prediction
from evermodel.core.data import Array, Spec
from evermodel.core.errors import EvermodelError
from evermodel.serving.champion import Champion
from evermodel.serving.limits import Limits, WorkerPool

Cell = float | str | bool | None
ROWS = '{"rows": [{column: number, …}, …]} or a CSV file as multipart/form-data'
TAKEN = {
    "table": ROWS,
    "series": ROWS,
    "text": '{"text": …} or a text file as multipart/form-data',
    "images": "an image as multipart/form-data",
}


class Asked(BaseModel):
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


async def examples(request: Request, spec: Spec, pool: WorkerPool) -> tuple[list[str], Array]:
    """Names of the examples in a request, and the raw examples as an array.

    Raises EvermodelError or ValidationError that says what is wrong, and HTTPException 415 for another
    content type.
    """
    body = await request.body()  # kept, so that the form and the request log can read it after
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        files = await _files(request, pool.limits)
        # Large images take seconds to decode, in which nobody else should have to wait.
        names, x = await pool.do(lambda: prediction.examples(files, spec))
    elif kind == "application/json":
        names, x = _examples(Asked.model_validate_json(body), spec)
    else:
        raise HTTPException(415, "send application/json, or files as multipart/form-data")
    most = pool.limits.images if spec.kind == "images" else pool.limits.rows
    if len(names) > most:
        raise EvermodelError(f"the request has {len(names):,} examples; the limit is {most:,}")
    return names, np.asarray(x)


def answers(champion: Champion, names: list[str], x: Array, predictions: Array) -> list[dict[str, Any]]:
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


async def _files(request: Request, limits: Limits) -> list[tuple[str, bytes]]:
    async with request.form(max_files=limits.images, max_fields=limits.images) as form:
        uploads = [part for _, part in form.multi_items() if isinstance(part, UploadFile)]
        if not uploads:
            raise EvermodelError("the request has no file; upload at least one")
        return [(upload.filename or "file", await upload.read()) for upload in uploads]


def _examples(asked: Asked, spec: Spec) -> tuple[list[str], Any]:
    if spec.kind == "text" and asked.text is not None:
        texts = [asked.text] if isinstance(asked.text, str) else asked.text
        return [f"text:{number + 1}" for number in range(len(texts))], np.array(texts, dtype=object)
    if spec.kind in ("table", "series") and asked.rows is not None:
        table = prediction.numbers("the request", pd.DataFrame(asked.rows), spec)
        if spec.kind == "series":
            return ["rows"], prediction.window("the request", table, spec)[None]
        return [f"row:{row + 1}" for row in range(len(table))], table
    raise EvermodelError(f"this model takes {TAKEN[spec.kind]}")
