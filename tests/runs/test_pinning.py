"""What a stage's numbers depend on beside its inputs, and pipelines/stage.sh pins before Python starts."""

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Stands in for a stage: what NumPy, both OpenBLAS (NumPy's and SciPy's) and Keras chose.
PROBE = """
import json, sys, warnings

warnings.simplefilter("error", ImportWarning)  # by which NumPy tells of a name that it does not know
import numpy
import scipy.linalg
import threadpoolctl
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

warnings.resetwarnings()
from evermodel.runs import determinism

keras = determinism.keras()
print(json.dumps({
    "name": sys.argv[1],
    "dispatch": [name for name in __cpu_dispatch__ if __cpu_features__[name]],
    "kernels": [p["architecture"] for p in threadpoolctl.threadpool_info() if "blas" in p["user_api"]],
    "backend": keras.backend.backend(),
    "floatx": keras.config.floatx(),
    "format": keras.config.image_data_format(),
}))
"""
HOME = {"backend": "jax", "floatx": "float64", "image_data_format": "channels_first", "epsilon": 1e-3}


@pytest.fixture(scope="module")
def chosen(tmp_path_factory):
    """What a stage finds on a machine whose home folder and environment ask for something else."""
    root = tmp_path_factory.mktemp("repository")
    (root / "pipelines").mkdir()
    (root / "experiments/mine").mkdir(parents=True)
    (root / "src").symlink_to(ROOT / "src")
    shutil.copy(ROOT / "pipelines/stage.sh", root / "pipelines")
    (root / "pipelines/probe.py").write_text(PROBE)
    (root / "home/.keras").mkdir(parents=True)
    (root / "home/.keras/keras.json").write_text(json.dumps(HOME))
    asked = {"HOME": str(root / "home"), "KERAS_BACKEND": "jax", "OPENBLAS_CORETYPE": "Nehalem"}
    path = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    told = subprocess.check_output(
        ["sh", "../../pipelines/stage.sh", "probe", "mine"],
        cwd=root / "experiments/mine",
        env=os.environ | asked | path,
        text=True,
    )
    return json.loads(told.splitlines()[-1])


def test_a_stage_is_told_its_name(chosen):
    assert chosen["name"] == "mine"


def test_what_the_home_folder_says_of_keras_changes_nothing(chosen):
    values = {name: chosen[name] for name in ("backend", "floatx", "format")}
    assert values == {"backend": "tensorflow", "floatx": "float32", "format": "channels_last"}


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="pinned on x86 alone")
def test_numpy_and_both_openblas_compute_as_on_every_x86_processor_with_avx2(chosen):
    assert chosen["dispatch"] == ["X86_V3"]
    assert chosen["kernels"] == ["Haswell", "Haswell"]
