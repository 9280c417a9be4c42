"""What has to be fixed before a number is computed, so that the same inputs give the same bytes."""

import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from evermodel.core import imports
from evermodel.core.errors import EvermodelError
from evermodel.core.folders import STATE
from evermodel.core.project import Runtime

DEVICE = "EVERMODEL_DEVICE"  # auto, cpu or gpu
GPUS = Path("/proc/driver/nvidia/gpus")
CPUS = Path("/proc/cpuinfo")
HALF = {"amx_fp16", "avx512_fp16", "avx_ne_convert"}  # what processors call instructions for 16-bit floats
# What NumPy, OpenBLAS and Keras choose by the processor or the home folder when they are imported, for every
# process that computes answers; pipelines/stage.sh has it for stages, and a test holds the two together.
PINS = {"KERAS_BACKEND": "tensorflow", "KERAS_HOME": str(STATE / "keras")}
if platform.machine().lower() in ("x86_64", "amd64"):
    PINS |= {"OPENBLAS_CORETYPE": "Haswell", "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR"}
UNSET = ("NPY_ENABLE_CPU_FEATURES", "KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH")
# What Keras imports for others, where it is installed: a quarter of the whole import.
OPTIONAL = ("matplotlib", "pandas", "sklearn")


def begin_anew() -> None:
    """Begin this program anew in the environment that stages have, unless it is in it.

    For a command that lets a model answer: what it has imported so far has chosen already.
    """
    fixed = {name: value for name, value in os.environ.items() if name not in UNSET} | PINS
    if fixed != dict(os.environ):
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], fixed)


def fix(runtime: Runtime) -> None:
    """Fix thread counts, kernels and instruction set; call it before anything imports TensorFlow.

    Sums are taken in another order by another number of threads, by oneDNN and by what TensorFlow takes
    instead on older processors, and by the kernels that oneDNN picks for each processor. OpenBLAS gets one
    thread, because only that is the same on every machine. Raises EvermodelError if $EVERMODEL_DEVICE asks
    for a GPU where there is none.
    """
    os.environ |= {
        "TF_NUM_INTRAOP_THREADS": str(runtime.threads),
        "TF_NUM_INTEROP_THREADS": "1",
        "TF_ENABLE_ONEDNN_OPTS": "1",
        "ONEDNN_MAX_CPU_ISA": runtime.instruction_set,
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "OPENBLAS_NUM_THREADS": "1",  # of one that is loaded later
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",  # else the first process on a GPU takes all of its memory
    }
    if device() == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    threadpool_limits(1)


def device() -> str:
    """What Keras computes on, "cpu" or "gpu": $EVERMODEL_DEVICE, or a GPU if this machine has one.

    Raises EvermodelError if it can't be had. Importing the back end would tell too, but takes seconds.
    """
    wanted, there = os.environ.get(DEVICE, "auto"), GPUS.is_dir() and any(GPUS.iterdir())
    if wanted not in ("auto", "cpu", "gpu"):
        raise EvermodelError(f"{DEVICE} is {wanted!r}; the choices are auto, cpu, gpu")
    if wanted == "gpu" and not there:
        raise EvermodelError(f"{DEVICE} is gpu, but this machine has no NVIDIA GPU; set it to auto or cpu")
    return "gpu" if there and wanted != "cpu" else "cpu"


def gpus() -> int:
    """The number of GPUs that Keras computes on, of all machines."""
    return sum(name.startswith("gpu") for name in keras().distribution.list_devices())


def computes(precision: str) -> bool:
    """Whether the device computes in a dtype policy of Keras.

    Not every CPU has bfloat16. One that has instructions for float16 is no better: TensorFlow then leaves its
    products to oneDNN, which is held to an instruction set without them, and ends the process.
    """
    if precision == "float32" or device() == "gpu":
        return True
    flags = CPUS.read_text(encoding="utf-8").split() if CPUS.exists() else ()
    return precision == "mixed_float16" and HALF.isdisjoint(flags)


@cache
def keras() -> Any:
    """Import Keras without the greetings of its back end.

    Once only: what is garbage at a second time would be kept for good (see imports.py).
    """
    with _native_messages_hidden(), imports.lean(*OPTIONAL):
        import keras

        if keras.backend.backend() == "tensorflow":
            import tensorflow

            tensorflow.config.list_physical_devices()  # looks for a GPU now, and says there is none
    return keras


def seed_keras(seed: int) -> None:
    """Seed Python, NumPy and Keras, and keep the back end from choosing faster, unordered sums."""
    imported = keras()
    imported.utils.set_random_seed(seed)
    if imported.backend.backend() == "tensorflow":
        import tensorflow

        tensorflow.config.experimental.enable_op_determinism()


@contextmanager
def _native_messages_hidden() -> Iterator[None]:
    """TensorFlow's libraries greet on the file descriptor, before any log level of theirs holds."""
    sys.stderr.flush()
    kept = os.dup(2)
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
