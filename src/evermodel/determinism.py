"""What has to be fixed before a number is computed, so that the same inputs give the same bytes."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from evermodel.params import Runtime


def fix(runtime: Runtime) -> None:
    """Fix thread counts and instruction set; call it before anything imports TensorFlow.

    Sums are taken in another order by another number of threads, and oneDNN picks other kernels on
    another processor. OpenBLAS gets one thread, because only that is the same on every machine.
    """
    os.environ |= {
        "TF_NUM_INTRAOP_THREADS": str(runtime.threads),
        "TF_NUM_INTEROP_THREADS": "1",
        "ONEDNN_MAX_CPU_ISA": runtime.instruction_set,
        "TF_CPP_MIN_LOG_LEVEL": "2",
    }
    threadpool_limits(1)


def keras() -> Any:
    """Import Keras without the greetings of its back end."""
    with _native_messages_hidden():
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
