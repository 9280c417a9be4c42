"""The server's application: KServe's endpoints and a plain form of our own, behind one middleware."""

from functools import partial
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from kserve.errors import InvalidInput, ModelNotReady, ServerNotReady
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
from prometheus_client import Counter
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException as StarletteHTTPException

from evermodel.core.errors import EvermodelError
from evermodel.serving import form, protocol
from evermodel.serving.challengers import Challengers
from evermodel.serving.desk import Desk
from evermodel.serving.limits import Limits
from evermodel.serving.middleware import AccessMiddleware
from evermodel.serving.protocol import Plane, Served
from evermodel.serving.request_log import RequestLog

REFUSED = Counter("evermodel_refusals", "Requests that were refused or failed.", ["status"])
STATUS = {InvalidInput: 422, EvermodelError: 422, ModelNotReady: 503, ServerNotReady: 503}
REFUSALS: tuple[int | str, ...] = (400, 401, 404, 408, 413, 415, 422, 429, 500, 503)
UPLOAD = {
    "type": "object",
    "properties": {"file": {"type": "string", "format": "binary"}},
    "required": ["file"],
}
BODY = {
    "required": True,
    "content": {
        "application/json": {"schema": form.Json.model_json_schema()},
        "multipart/form-data": {"schema": UPLOAD},
    },
}
INFER = "/v2/models/{model_name}/infer"
# Where the types within a tensor's stand in the server's description, as a JSON pointer.
WITHIN = (
    "#/paths/~1v2~1models~1%7Bmodel_name%7D~1infer/post/requestBody/content/application~1json/schema/$defs/"
)
TENSOR = {
    "required": True,
    "content": {
        "application/json": {"schema": InferenceRequest.model_json_schema(ref_template=WITHIN + "{model}")}
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
    desk = Desk(plane, challengers, request_log, limits)
    _protocol(app, desk, limits)
    _plain(app, desk, limits)
    for error in (*STATUS, StarletteHTTPException, RequestValidationError, ValidationError, Exception):
        app.add_exception_handler(error, _refuse)
    return app


def _protocol(app: FastAPI, desk: Desk, limits: Limits) -> None:
    """The Open Inference Protocol's endpoints, without those by which KServe's models are unloaded."""
    v2 = V2Endpoints(desk.plane)

    @app.post(INFER, response_model=InferenceResponse, openapi_extra={"requestBody": TENSOR})
    async def infer(model_name: str, request: Request) -> Any:
        body = await request.body()
        read = partial(protocol.read, body, model_name, limits=limits)
        return await desk.answer(model_name, "v2", body, read)

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


def _plain(app: FastAPI, desk: Desk, limits: Limits) -> None:
    @app.post(
        "/predict/{name}",
        response_model=form.Answered,
        responses={200: {"content": {"image/png": {}}}},
        openapi_extra={"requestBody": BODY},
    )
    async def predict(name: str, request: Request) -> Any:
        body = await request.body()
        read = partial(form.read, body, request.headers, limits=limits)
        return await desk.answer(name, "plain", body, read)

    @app.get("/champions")
    async def champions() -> dict[str, Any]:
        challengers = desk.challengers
        return {
            "champions": {one.name: _state(one) for one in desk.plane.served},
            "challengers": challengers.state(),
            "problems": {name or "MLflow": reason for name, reason in challengers.problems.items()},
        }


def _state(served: Served) -> dict[str, Any]:
    champion, ready = served.champion, not served.pool.hangs
    return {"version": champion.version, "run_id": champion.run_id, "ready": ready}


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
