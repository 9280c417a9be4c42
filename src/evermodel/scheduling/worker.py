"""What a machine has to have to train an experiment: read by Airflow's DAGs alone, and checked here."""

import re
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from evermodel.core.section import Section

# https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/, but with a unit and from 1
# on: 32 would be bytes, and 32m the thousandth part of 32.
MEMORY = r"[1-9]\d*(\.\d+)?([KMGTPE]i|[kMGTPE])"
# https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/
LABEL = r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
WORDS = {"cpu": {}, "gpu": {"gpus": 1}}


class Worker(Section):
    """`cpu`, `gpu`, or how many GPUs of which kind, how much memory and how many cores there have to be.

    gpu: as nodes have it in their label nvidia.com/gpu.product. memory: a quantity of Kubernetes'. What is
    left out is not asked for; dags/pods.py says what becomes of it.
    """

    gpus: Annotated[int, Field(ge=0, strict=True)] = 0
    gpu: str | None = None
    memory: str | None = None
    cpus: Annotated[int, Field(ge=1, strict=True)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _in_a_word(cls, said: Any) -> Any:
        if isinstance(said, str) and said not in WORDS:
            raise ValueError(
                f"is {said!r}, but must be 'cpu', 'gpu' or keys with values, like {{gpus: 2, memory: 32Gi}}"
            )
        return WORDS[said] if isinstance(said, str) else said

    @model_validator(mode="after")
    def _a_kind_needs_a_number(self) -> "Worker":
        if self.gpu and not self.gpus:
            raise ValueError(f"names {self.gpu}, but no number of it; add gpus: 1")
        return self

    @field_validator("gpu")
    @classmethod
    def _a_label(cls, gpu: str | None) -> str | None:
        if gpu is not None and not re.fullmatch(LABEL, gpu):
            raise ValueError(
                f"is {gpu!r}, which no label can be; `kubectl get nodes -L nvidia.com/gpu.product` shows them"
            )
        return gpu

    @field_validator("memory")
    @classmethod
    def _a_quantity(cls, memory: str | None) -> str | None:
        if memory is not None and not re.fullmatch(MEMORY, memory):
            raise ValueError(f"is {memory!r}, but must be a number with a unit of Kubernetes': 512Mi, 32Gi")
        return memory
