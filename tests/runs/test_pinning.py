"""What a model's numbers depend on beside its inputs, and is pinned before what computes them is imported.

pipelines/stage.sh does it for stages, determinism.begin_anew for the commands by which models answer.
"""

import json
import os
import platform
import re
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
# Fits in one process, asks in another.
FIT = """
import json, os, subprocess, sys
from pathlib import Path

import numpy

from evermodel.runs import saved

if len(sys.argv) == 1:
    from sklearn.linear_model import LinearRegression
    saved.save_sklearn(LinearRegression().fit(numpy.ones((3, 1)), numpy.ones(3)), Path())
    sys.exit(subprocess.call([sys.executable, "fit.py", "ask"]))
saved.predictor(Path("model.skops"))
import scipy.linalg
import threadpoolctl

print(json.dumps({
    "threads": [p["num_threads"] for p in threadpoolctl.threadpool_info() if p["user_api"] == "blas"],
    "tensorflow": [os.environ[name] for name in ("TF_NUM_INTRAOP_THREADS", "TF_ENABLE_ONEDNN_OPTS")],
}))
"""
HOME = {"backend": "jax", "floatx": "float64", "image_data_format": "channels_first", "epsilon": 1e-3}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A repository in which a stage may run, and whose home folder asks for another Keras."""
    made = tmp_path_factory.mktemp("repository")
    (made / "pipelines").mkdir()
    (made / "experiments/mine").mkdir(parents=True)
    (made / "src").symlink_to(ROOT / "src")
    shutil.copy(ROOT / "pipelines/stage.sh", made / "pipelines")
    (made / "pipelines/probe.py").write_text(PROBE)
    (made / "home/.keras").mkdir(parents=True)
    (made / "home/.keras/keras.json").write_text(json.dumps(HOME))
    return made


def ran(root, folder, *command):
    """What a program finds on a machine whose home folder and environment ask for something else."""
    asked = {"HOME": str(root / "home"), "KERAS_BACKEND": "jax", "OPENBLAS_CORETYPE": "Nehalem"}
    path = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONPATH": str(root / "src")}
    told = subprocess.check_output(command, cwd=root / folder, env=os.environ | asked | path, text=True)
    return json.loads(told.splitlines()[-1])


@pytest.fixture(scope="module")
def chosen(root):
    return ran(root, "experiments/mine", "sh", "../../pipelines/stage.sh", "probe", "mine")


def test_a_stage_is_told_its_name(chosen):
    assert chosen["name"] == "mine"


def test_what_the_home_folder_says_of_keras_changes_nothing(chosen):
    values = {name: chosen[name] for name in ("backend", "floatx", "format")}
    assert values == {"backend": "tensorflow", "floatx": "float32", "format": "channels_last"}


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="pinned on x86 alone")
def test_numpy_and_both_openblas_compute_as_on_every_x86_processor_with_avx2(chosen):
    assert chosen["dispatch"] == ["X86_V3"]
    assert chosen["kernels"] == ["Haswell", "Haswell"]


def test_a_command_by_which_models_answer_begins_anew_with_what_stages_have(root, chosen):
    begin = "import numpy; from evermodel.runs import determinism; determinism.begin_anew()\n"
    assert ran(root, ".", sys.executable, "-c", begin + PROBE, "mine") == chosen


def test_whoever_asks_a_model_computes_by_what_params_yaml_fixes(root):
    """Also where SciPy's OpenBLAS is loaded after that."""
    params = (ROOT / "params.yaml").read_text()
    (root / "params.yaml").write_text(re.sub(r"threads: \d+", "threads: 3", params))
    (root / "fit.py").write_text(FIT)
    assert ran(root, ".", sys.executable, "fit.py") == {"threads": [1, 1], "tensorflow": ["3", "1"]}
