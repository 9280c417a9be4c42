"""The Open Inference Protocol v2, by KServe: champions as its models, arrays as its tensors."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from fastapi import HTTPException
from fastapi.responses import JSONResponse
from kserve import InferInput, InferOutput, InferRequest, InferResponse, Model, ModelRepository
from kserve.errors import InvalidInput
from kserve.protocol.dataplane import DataPlane
from kserve.protocol.rest.v2_datamodels import InferenceRequest

from evermodel import prediction
from evermodel.core import generation
from evermodel.core.data import Array, Spec
from evermodel.core.errors import EvermodelError
from evermodel.serving.asked import Asked, Shown
from evermodel.serving.champion import Champion
from evermodel.serving.limits import Limits, WorkerPool

DATATYPES = {"text": "BYTES", "images": "UINT8", "table": "FP64", "series": "FP64"}
KINDS = {"number": "FP64", "whole": "INT64", "boolean": "BOOL"}  # of columns; all others are BYTES


class Served(Model):  # type: ignore[misc]
    """A champion as KServe's model; another version is another object, so that no answer is of two."""

    def __init__(self, champion: Champion, limits: Limits) -> None:
        super().__init__(champion.name)
        # Threads of its own: where this version hangs, the others do not wait for it, nor does the next one.
        self.champion = champion
        self.pool = WorkerPool(limits, f"{champion.name} version {champion.version}")

    async def healthy(self) -> bool:
        """Whether it answers, as far as its last answers tell."""
        return not self.pool.hangs

    async def predict(
        self, payload: Asked, headers: Any = None, response_headers: Any = None
    ) -> tuple[Array, Shown]:
        """The answer to what is asked, and how it is shown. Raises InvalidInput if it is not finite."""

        def answer() -> tuple[Array, Shown]:
            found = np.asarray(self.champion.predict(payload.x))
            if found.dtype != object and not np.isfinite(found).all():
                raise InvalidInput(
                    "the model has no finite answer for these examples; their values are too large"
                )
            return found, payload.show(self.champion, found)

        return await self.pool.do(answer)

    def get_input_types(self) -> list[dict[str, Any]]:
        """The one tensor that the model takes, or that of each column of a table of more than numbers."""
        spec = self.champion.spec
        if _is_mixed(spec):
            return [
                {"name": column.name, "datatype": KINDS.get(column.kind, "BYTES"), "shape": [-1]}
                for column in spec.columns
            ]
        return [{"name": "examples", "datatype": DATATYPES[spec.kind], "shape": [-1, *spec.input_shape]}]

    def get_output_types(self) -> list[dict[str, Any]]:
        """The one tensor that it answers with; a text, or numbers or probabilities per example."""
        if generation.PROMPT in self.champion.spec.columns:
            return [{"name": "answers", "datatype": "BYTES", "shape": [-1]}]
        return [{"name": "answers", "datatype": "FP64", "shape": [-1, -1]}]


class Plane(DataPlane):  # type: ignore[misc]
    """KServe's data plane. names: the experiments without which it is not ready."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(ModelRepository())
        self.names = names

    @property
    def served(self) -> list[Served]:
        """The champions that there are now."""
        return list(self.model_registry.get_models().values())

    def get_model_from_registry(self, name: str) -> Served:
        """The champion of an experiment. Raises HTTPException 404 if none answers for it."""
        model: Served | None = self.model_registry.get_model(name)
        if model is None:
            raise HTTPException(
                404, f"no champion answers for {name!r}; GET /champions tells for what, and why"
            )
        return model

    async def ready(self) -> bool:
        """Whether the champion of every experiment that was named answers, and one at all."""
        answering = {model.name for model in self.served if not model.pool.hangs}
        return bool(answering) and answering.issuperset(self.names)

    async def model_ready(self, model_name: str, disable_predictor_health_check: bool = False) -> bool:
        """Whether a champion answers. Raises HTTPException 404 if there is none."""
        return await self.get_model_from_registry(model_name).healthy()

    async def model_metadata(self, model_name: str) -> dict[str, Any]:
        """KServe's metadata, with the version that answers now. Raises HTTPException 404."""
        version = self.get_model_from_registry(model_name).champion.version
        metadata: dict[str, Any] = await super().model_metadata(model_name)
        return metadata | {"versions": [str(version)], "platform": "evermodel"}


def read(body: bytes, name: str, spec: Spec, limits: Limits) -> Asked:
    """What a request asks. Raises ValidationError or InvalidInput that says what is wrong."""
    asked = InferenceRequest.model_validate_json(body)
    request = InferRequest.from_inference_request(asked, name)

    def show(champion: Champion, answer: Array) -> Shown:
        content: dict[str, Any] = response(request, answer, champion).to_rest()[0]
        return Shown(JSONResponse(content | {"id": asked.id or ""}), content["outputs"])

    return Asked(examples(request, spec, limits), show)


def examples(request: InferRequest, spec: Spec, limits: Limits) -> Any:
    """The examples in the tensors of a request. Raises InvalidInput that says what is wrong."""
    tensors: list[InferInput] = request.inputs
    if spec.kind == "table" and (_is_mixed(spec) or len(tensors) > 1):
        return _typed(_columns(tensors, spec, limits), spec)
    if len(tensors) != 1:
        raise InvalidInput(f"the request has {len(tensors)} inputs; give one, which holds the examples")
    (tensor,) = tensors
    shape = tuple(tensor.shape)
    most = limits.examples(spec)
    if shape[1:] != spec.input_shape or not shape or not 1 <= shape[0] <= most:
        needed = ", ".join(map(str, ("N", *spec.input_shape)))
        raise InvalidInput(f"the shape is {list(shape)}; give [{needed}] with N from 1 to {most:,}")
    if (tensor.datatype == "BYTES") != (spec.kind == "text"):
        raise InvalidInput(f"the datatype is {tensor.datatype!r}; give {DATATYPES[spec.kind]}")
    if spec.kind == "text":
        return _texts(tensor.data, shape)
    x = _numbers(tensor.data, shape, spec)
    return _typed(pd.DataFrame(x, columns=list(spec.names)), spec) if spec.kind == "table" else x


def response(request: InferRequest, answer: Array, champion: Champion) -> InferResponse:
    """The answer as a tensor, with the version and the run that it comes from."""
    values, datatype = (answer, "BYTES") if answer.dtype == object else (answer.astype(np.float64), "FP64")
    return InferResponse(
        response_id=request.id,
        model_name=champion.name,
        model_version=str(champion.version),
        infer_outputs=[InferOutput("answers", list(values.shape), datatype, values.ravel().tolist())],
        parameters={"run_id": champion.run_id},
    )


def _is_mixed(spec: Spec) -> bool:
    return not all(column.kind in KINDS for column in spec.columns)


def _columns(tensors: Sequence[InferInput], spec: Spec, limits: Limits) -> pd.DataFrame:
    """A table of the tensors that are named as the columns, with their values as they came."""
    found = {tensor.name: tensor for tensor in tensors}
    if missing := [name for name in spec.names if name not in found]:
        raise InvalidInput(f"no input is named {missing[0]!r}; give one of each of {', '.join(spec.names)}")
    rows, most = found[spec.names[0]].shape[:1], limits.examples(spec)
    if rows == [] or not 1 <= rows[0] <= most:
        raise InvalidInput(f"the shape is {rows}; give [N] with N from 1 to {most:,}")
    return pd.DataFrame({name: _column(found[name], rows[0]) for name in spec.names})


def _column(tensor: InferInput, rows: int) -> pd.Series:
    values = np.array(tensor.data, dtype=object).ravel().tolist()
    if tensor.shape not in ([rows], [rows, 1]) or len(values) != rows:
        raise InvalidInput(f"the shape of {tensor.name} is {tensor.shape}; give [{rows}], as of the others")
    if not all(value is None or isinstance(value, str | bool | int | float) for value in values):
        raise InvalidInput(f"the data of {tensor.name} are not {rows} values; give one of each example")
    return pd.Series(values)


def _typed(table: pd.DataFrame, spec: Spec) -> pd.DataFrame:
    try:
        return prediction.typed("the request", table, spec, spec.layout)
    except EvermodelError as reason:
        raise InvalidInput(str(reason)) from None


def _texts(values: list[Any], shape: tuple[int, ...]) -> Array:
    if len(values) != shape[0] or not all(isinstance(value, str) for value in values):
        raise InvalidInput(f"the data are not {shape[0]} texts; give one string per example")
    try:
        "".join(values).encode()
    except UnicodeEncodeError:
        raise InvalidInput("the data hold half a character (a lone surrogate); mend it") from None
    return np.array(values, dtype=object)


def _numbers(values: list[Any], shape: tuple[int, ...], spec: Spec) -> Array:
    try:
        x = np.array(values, dtype=np.float64).reshape(shape)
    except (ValueError, TypeError, OverflowError):
        raise InvalidInput(f"the data are not numbers of the shape {list(shape)}") from None
    # Of a table, the columns tell whether they may have gaps.
    if np.isinf(x).any() or (spec.kind != "table" and np.isnan(x).any()):
        raise InvalidInput("the data hold what is no finite number; mend it")
    if spec.kind == "images" and (x != np.clip(np.round(x), 0, 255)).any():
        raise InvalidInput("the data are not all whole numbers from 0 to 255, as pixels are")
    return x.astype(spec.input_dtype)
