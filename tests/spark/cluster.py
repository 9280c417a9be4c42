"""A stand-alone cluster of Spark on this machine: a master and two workers, on loopback."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path

WORKERS = 2
STARTED = "Starting Spark master at "
REGISTERED = "Successfully registered with master"
PATIENCE = 240  # seconds


def missing() -> str:
    """What Spark needs and this machine has not, with what installs it."""
    if find_spec("pyspark") is None:
        return "no PySpark: make .venv/spark installs it"
    return "" if shutil.which("java") else "no Java: bash tests/debian.sh installs it"


@contextmanager
def started(folder: Path) -> Iterator[str]:
    """The address of its master; the cluster is gone at the end. folder: for logs and what workers keep."""
    deploy = "org.apache.spark.deploy"
    with ExitStack() as stack:
        log = stack.enter_context(_running(folder, "master", f"{deploy}.master.Master", "--port", "0"))
        master = _waited(log, STARTED).split(STARTED)[1].split()[0]
        wanted = ("--cores", "1", "--memory", "2g", "--work-dir", str(folder / "work"), master)
        for number in range(WORKERS):
            log = stack.enter_context(_running(folder, f"worker{number}", f"{deploy}.worker.Worker", *wanted))
            _waited(log, REGISTERED)
        yield master


@contextmanager
def _running(folder: Path, name: str, *command: str) -> Iterator[Path]:
    """The log of one of Spark's own programs."""
    import pyspark

    home, log = Path(pyspark.__file__).parent, folder / f"{name}.log"
    environment = os.environ | {"SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1"}
    of_all = ("--host", "127.0.0.1", "--webui-port", "0")
    with log.open("w") as stream:
        process = subprocess.Popen(
            [home / "bin/spark-class", command[0], *of_all, *command[1:]],
            env=environment,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    try:
        yield log
    finally:
        process.terminate()
        process.wait()


def _waited(log: Path, words: str) -> str:
    """The line of a log that has these words."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := [line for line in log.read_text().splitlines() if words in line]:
            return found[0]
        time.sleep(0.1)
    raise TimeoutError(f"{log}: {log.read_text()[-2000:]}")
