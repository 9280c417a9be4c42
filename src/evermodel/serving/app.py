"""The server's application: KServe's endpoints and a plain form of our own, behind one middleware."""

import time
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from kserve import InferRequest
from kserve.errors import InvalidInput, ModelNotFound, ModelNotReady, ServerNotReady
from kserve.protocol.rest.server import metrics_handler
from kserve.protocol.rest.v2_datamodels import (
    InferenceRequest,
    InferenceResponse,
    ListModelsResponse,
    ModelMetadataResponse,
    ModelReadyResponse,
    ServerLiveResponse,
    ServerMetadataResponse,
    ServerReadyResponse,
)
from kserve.protocol.rest.v2_endpoints import V2Endpoints
from prometheus_client import Counter, Histogram
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException as StarletteHTTPException

from evermodel.core.data import Array
from evermodel.core.errors import EvermodelError
from evermodel.serving import form, protocol
from evermodel.serving.challengers import Challengers
from evermodel.serving.champion import Champion
from evermodel.serving.limits import Limits
from evermodel.serving.middleware import AccessMiddleware
from evermodel.serving.protocol import Plane, Served
from evermodel.serving.request_log import RequestLog

SECONDS = Histogram("evermodel_answer_seconds", "Time to an answer.", ["model", "version", "form"])
REFUSED = Counter("evermodel_refusals", "Requests that were refused or failed.", ["status"])
STATUS = {InvalidInput: 422, EvermodelError: 422, ModelNotFound: 404, ModelNotReady: 503, ServerNotReady: 503}
REFUSALS: tuple[int | str, ...] = (400, 401, 404, 408, 413, 415, 422, 429, 500, 503)
UPLOAD = {
    "type": "object",
    "properties": {"file": {"type": "string", "format": "binary"}},
    "required": ["file"],
}
BODY = {
    "required": True,
    "content": {
        "application/json": {"schema": form.Asked.model_json_schema()},
        "multipart/form-data": {"schema": UPLOAD},
    },
}


class Refusal(BaseModel):
    """Why there is no answer, in a sentence."""

    error: str


def create(
    plane: Plane, challengers: Challengers, request_log: RequestLog, limits: Limits, token: str | None
) -> FastAPI:
    """The application for the champions of a data plane, and their challengers."""
    app = FastAPI(
        title="Evermodel",
        docs_url=None,  # FastAPI's own pages need the network
        redoc_url=None,
        responses={status: {"model": Refusal} for status in REFUSALS},
    )
    app.add_middleware(AccessMiddleware, limits=limits, token=token)
    app.add_api_route("/metrics", metrics_handler, methods=["GET"], response_class=PlainTextResponse)
    _protocol(app, plane, challengers, request_log)
    _plain(app, plane, challengers, request_log)
    for error in (*STATUS, StarletteHTTPException, RequestValidationError, ValidationError, Exception):
        app.add_exception_handler(error, _refuse)
    return app


def _protocol(app: FastAPI, plane: Plane, challengers: Challengers, request_log: RequestLog) -> None:
    """The Open Inference Protocol's endpoints, without those by which KServe's models are unloaded."""
    v2 = V2Endpoints(plane)

    @app.post("/v2/models/{model_name}/infer", response_model=InferenceResponse)
    async def infer(model_name: str, body: InferenceRequest, request: Request) -> Any:
        began, served = time.perf_counter(), _served(plane, model_name)
        asked = InferRequest.from_inference_request(body, model_name)

        def show(version: Champion, answer: Array) -> dict[str, Any]:
            content: dict[str, Any] = protocol.response(asked, answer, version).to_rest()[0]
            return content | {"id": body.id or ""}

        x, raw = protocol.examples(asked, served.champion.spec, served.pool.limits), await request.body()
        version, content = await challengers.answer(served, x, raw, show)
        request_log.note(version, "v2", _timed(version, "v2", began), raw, content["outputs"])
        return JSONResponse(content)

    app.add_api_route("/v2", v2.metadata, response_model=ServerMetadataResponse)
    app.add_api_route("/v2/health/live", v2.live, response_model=ServerLiveResponse)
    app.add_api_route("/v2/health/ready", v2.ready, response_model=ServerReadyResponse)
    app.add_api_route("/v2/models", v2.models, response_model=ListModelsResponse)

    @app.get("/v2/models/{model_name}", response_model=ModelMetadataResponse)
    async def metadata(model_name: str) -> Any:
        return await v2.model_metadata(model_name)

    @app.get("/v2/models/{model_name}/ready", response_model=ModelReadyResponse)
    async def ready(model_name: str) -> Any:
        return await v2.model_ready(model_name)


def _plain(app: FastAPI, plane: Plane, challengers: Challengers, request_log: RequestLog) -> None:
    @app.post(
        "/predict/{name}",
        response_model=form.Answered,
        responses={200: {"content": {"image/png": {}}}},
        openapi_extra={"requestBody": BODY},
    )
    async def predict(name: str, request: Request) -> Any:
        began, served = time.perf_counter(), _served(plane, name)
        names, x = await form.examples(request, served.champion.spec, served.pool)

        def show(version: Champion, answer: Array) -> list[dict[str, Any]]:
            return form.answers(version, names, x, answer)

        raw = await request.body()
        version, rows = await challengers.answer(served, x, raw, show)
        request_log.note(version, "plain", _timed(version, "plain", began), raw, rows)
        return form.response(version, rows, request.headers.get("accept", ""))

    @app.get("/champions")
    async def champions() -> dict[str, Any]:
        served = [model.champion for model in plane.model_registry.get_models().values()]
        return {
            "champions": {one.name: {"version": one.version, "run_id": one.run_id} for one in served},
            "challengers": challengers.state(),
            "problems": {name or "MLflow": reason for name, reason in challengers.problems.items()},
        }


def _served(plane: Plane, name: str) -> Served:
    model: Served = plane.get_model_from_registry(name)
    return model


def _timed(version: Champion, how: str, began: float) -> float:
    seconds = time.perf_counter() - began
    SECONDS.labels(version.name, version.version, how).observe(seconds)
    return seconds


async def _refuse(_: Request, error: Exception) -> JSONResponse:
    """Say in a sentence why there is no answer; of a failure of our own, the log says it."""
    status, sentence, headers = 500, "the server failed; its log says why", None
    if isinstance(error, StarletteHTTPException):
        status, sentence, headers = error.status_code, str(error.detail), error.headers
    elif isinstance(error, RequestValidationError | ValidationError):
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        status, sentence = 422, f"{where or 'the body'}: {first['msg']}"
    elif known := [status for kind, status in STATUS.items() if isinstance(error, kind)]:
        status, sentence = known[0], str(error)
    REFUSED.labels(status).inc()
    return JSONResponse({"error": sentence}, status, headers)
