"""The params.yaml of the repository: what all data sets and experiments share."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from evermodel.core import params, section
from evermodel.core.params import FILE
from evermodel.core.section import Profile, Section


class Runtime(Section):
    """What has to be fixed so that the same inputs give the same bytes."""

    seed: Annotated[int, Field(ge=0, lt=2**32)]
    threads: Annotated[int, Field(ge=1, le=64)]
    instruction_set: Literal["SSE41", "AVX", "AVX2", "AVX512_CORE"]


class Project(Section):
    """The one switch between small embedded data and the real ones, and the runtime.

    parquet_above: rows of a table, above which `prepare` writes them in Parquet, not as mapped arrays.
    """

    profile: Profile
    parquet_above: Annotated[int, Field(ge=0)]
    runtime: Runtime


def load(file: Path = FILE) -> Project:
    """Read and check params.yaml; EvermodelError that names the wrong key."""
    return section.checked(Project, params.read(file), str(file))
