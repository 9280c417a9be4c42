"""Spark, of this process or of the cluster that EVERMODEL_SPARK names, and our code on its workers."""

import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from evermodel.core.errors import EvermodelError, told

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

MASTER = "EVERMODEL_SPARK"
PACKAGE = Path(__file__).parents[1]
WAVE = 4  # calls for each core whose results are held at a time
# What stage.sh tells NumPy of the processor, so that the last digits are the same on every worker.
HANDED_ON = ("OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES")
SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.driver.maxResultSize": "0",  # results come in waves
}

T = TypeVar("T")


@dataclass(frozen=True)
class Cluster:
    """A session of Spark, which carries out functions of ours."""

    session: "SparkSession"

    def map(self, work: Callable[..., T], *arguments: Iterable[Any]) -> Iterator[T]:
        """As the built-in map, but the calls are made side by side by workers, in their order.

        Raises the first EvermodelError that one of them raises, or one if a worker can't reach a file, or
        Spark gives up.
        """
        calls, context = list(zip(*arguments, strict=True)), self.session.sparkContext
        wave = WAVE * context.defaultParallelism
        for start in range(0, len(calls), wave):
            some = calls[start : start + wave]
            with told(f"Spark at {context.master}"):
                done = context.parallelize(some, len(some)).map(_told(work)).collect()
            for found in done:
                if isinstance(found, EvermodelError):
                    raise found
                yield found


@contextmanager
def started(name: str) -> Iterator[Cluster]:
    """Spark for the data set of that name, stopped at the end.

    Raises EvermodelError if PySpark or Java is not here, or the cluster does not answer.
    """
    master = os.environ.get(MASTER, "local[*]")
    _require(name)
    from pyspark.errors import PySparkRuntimeError
    from pyspark.sql import SparkSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    building = SparkSession.builder.master(master).appName(f"evermodel {name}").config(map=_settings(master))
    try:
        session = building.getOrCreate()
    except PySparkRuntimeError:
        raise _no_java(name, "is too old or does not start") from None
    except Exception as error:  # of Java's, whatever went wrong there
        reason = " ".join(str(error).split())[-300:]
        raise EvermodelError(f"Spark at {master} can't be had ({reason}); correct {MASTER}") from None
    session.sparkContext.setLogLevel("ERROR")
    with tempfile.TemporaryDirectory() as folder:
        try:
            if not _is_local(master):
                session.sparkContext.addPyFile(str(_packed(Path(folder) / "evermodel.zip")))
            yield Cluster(session)
        finally:
            session.stop()


def _require(name: str) -> None:
    if find_spec("pyspark") is None:
        raise EvermodelError(
            f"data/{name}/params.yaml: engine is spark, but PySpark is not installed; `make .venv/spark` "
            "does it"
        )
    home = os.environ.get("JAVA_HOME")
    if not shutil.which("java", path=f"{home}/bin" if home else None):
        raise _no_java(name, "is not here")


def _no_java(name: str, wrong: str) -> EvermodelError:
    return EvermodelError(
        f"data/{name}/params.yaml: engine is spark, but Java {wrong}; install Java 17, such as Debian's "
        "openjdk-17-jre-headless, or remove engine"
    )


def _settings(master: str) -> dict[str, str]:
    told = {f"spark.executorEnv.{name}": os.environ[name] for name in HANDED_ON if name in os.environ}
    here = {"spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}
    return SETTINGS | told | (here if _is_local(master) else {})


def _is_local(master: str) -> bool:
    return master.startswith("local")


def _packed(file: Path) -> Path:
    """Our package for workers, who may have another one or none."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(PACKAGE.rglob("*.py")):
            archive.write(path, path.relative_to(PACKAGE.parent))
    return file


def _told(work: Callable[..., T]) -> Callable[[tuple[Any, ...]], T | EvermodelError]:
    """The work, with what it raises as its result: Spark would make a text of Java's and Python's of it."""

    def call(arguments: tuple[Any, ...]) -> T | EvermodelError:
        try:
            return work(*arguments)
        except EvermodelError as error:
            return error
        except OSError as error:
            return EvermodelError(
                f"a worker of Spark can't read or write ({error}); give every worker this repository at the "
                "same path, in a folder that they share"
            )

    return call
