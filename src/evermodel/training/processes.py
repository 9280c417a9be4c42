"""The processes and devices that train one model together, by Keras on JAX.

Each process runs the same stage on a machine of its own and learns from its part of each batch; the weights
are the same in all of them at any time. The first alone writes anything.
"""

import atexit
import importlib.util
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from evermodel.core import catalog
from evermodel.core.data import Array
from evermodel.core.errors import EvermodelError
from evermodel.runs import determinism
from evermodel.runs.recipe import Recipe

COORDINATOR = "EVERMODEL_COORDINATOR"  # the first process, as host:port
INDEX = "JOB_COMPLETION_INDEX"  # which one this is, from 0; Kubernetes says so in each pod of an Indexed Job
PROCESSES = "EVERMODEL_PROCESSES"  # how many of them this one machine may start
# Seconds. Of pods that start together, one may pull its image for minutes.
BEGIN = 300
# Who waits for the numbers of a dead process by NCCL waits for ever; JAX ends it when heartbeats are missing.
HEARTBEAT = 60
# For which the others wait at the end, while the first writes the model.
END = 300


@dataclass(frozen=True)
class Team:
    """Which process of how many this is, and how many devices they have together.

    One device computes on TensorFlow, as the server does; several on JAX. starts: whether this process starts
    the others itself.
    """

    index: int = 0
    count: int = 1
    devices: int = 1
    address: str = ""
    starts: bool = False

    def own(self, rows: Array, size: int) -> Array:
        """Of rows in batches of `size`, those of this process: an equal part of each batch.

        Raises ValueError if the processes do not divide each batch.
        """
        whole = len(rows) // size * size
        parts = rows[:whole].reshape(-1, self.count, size // self.count)[:, self.index]
        return np.concatenate([parts.ravel(), rows[whole:].reshape(self.count, -1)[self.index]])


ALONE = Team()


def helps() -> bool:
    """Whether this process was started to help another one, which is the first of a team."""
    return bool(os.environ.get(COORDINATOR)) and os.environ.get(INDEX, "0") != "0"


def team(recipe: Recipe, where: str) -> Team:
    """Who trains: this process alone on one device, or as many as params and this machine say.

    where: the file of the experiment. Raises EvermodelError if the others are nowhere, the devices do not
    divide a batch, or JAX is not installed.
    """
    if (train := recipe.train) is None or catalog.framework(recipe.model) != "keras":
        return ALONE
    local = 1 if recipe.task == "features" else determinism.devices()
    found = _cluster(train.machines, local, where) if train.machines > 1 else Team(devices=local)
    if found.devices == 1:
        return ALONE
    if train.batch_size % found.devices:
        near = max(1, round(train.batch_size / found.devices)) * found.devices
        raise EvermodelError(
            f"{where}: train.batch_size is {train.batch_size}, which {found.devices} devices do not divide; "
            f"make it {near}"
        )
    _require_jax(found)
    return found


@contextmanager
def joined(team: Team) -> Iterator[None]:
    """The processes of a team as one; of one process on one device, nothing.

    Whoever fails, or loses another one, leaves at once, and the others with it: nobody can take part later,
    and the next try goes on from the last whole epoch. To be entered before anything imports Keras. Raises
    EvermodelError for what JAX raises while it computes.
    """
    if team.devices == 1:
        yield
        return
    kind = determinism.device()
    os.environ |= {
        "KERAS_BACKEND": "jax",
        "JAX_PLATFORMS": "cuda" if kind == "gpu" else "cpu",  # or else it would take what there is
        "JAX_CPU_COLLECTIVES_IMPLEMENTATION": "gloo",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",  # else the first process on a GPU takes most of its memory
    }
    with _others(team):
        import jax

        try:
            if team.count > 1:
                _connect(team)
            if (found := jax.device_count()) != team.devices:
                raise EvermodelError(
                    f"the {team.count} machines of this training have {found} devices, not the "
                    f"{team.devices} that this one counts; let each have as many GPUs, or set "
                    f"{determinism.DEVICE}=cpu on all"
                )
            distribution = determinism.keras().distribution
            distribution.set_distribution(distribution.DataParallel(auto_shard_dataset=False))
            yield
        except BaseException as error:
            # JAX would wait at the exit for those that are gone.
            atexit.register(_leave, error.code if isinstance(error, SystemExit) else 1)
            if not isinstance(error, jax.errors.JaxRuntimeError):
                raise
            reason = str(error).splitlines()[0][:200].rstrip(".")
            raise EvermodelError(
                f"JAX ended this training ({reason}); if another process of it was lost, the next try goes "
                "on after the last whole epoch"
            ) from None
        jax.distributed.shutdown()


def require_same(team: Team, what: Array) -> None:
    """Raise an EvermodelError unless all processes have read the same, told as whole numbers of 32 bits."""
    if team.count == 1:
        return
    from jax.experimental import multihost_utils

    if len(np.unique(multihost_utils.process_allgather(what), axis=0)) > 1:
        raise EvermodelError(
            "the machines of this training have found different checkpoints; let .evermodel be a folder that "
            "all of them share (docs/scale.md)"
        )


def _cluster(machines: int, local: int, where: str) -> Team:
    """The team that the environment tells of."""
    address, index = os.environ.get(COORDINATOR), os.environ.get(INDEX, "")
    if address:
        if not index.isdecimal() or int(index) >= machines:
            raise EvermodelError(
                f"{INDEX} is {index!r}, but has to be a number from 0 to {machines - 1}, for {where} says "
                f"train.machines: {machines}"
            )
        return Team(int(index), machines, machines * local, address)
    if os.environ.get(PROCESSES, "1") != str(machines):
        raise EvermodelError(
            f"{where}: train.machines is {machines}, but nobody has started the others; "
            f"`evermodel run --processes {machines}` starts them all on this machine, and Airflow on "
            "Kubernetes each on one of its own (docs/scale.md)"
        )
    if local > 1 or determinism.device() == "gpu":
        raise EvermodelError(
            f"{PROCESSES} is {machines}, but processes of one machine would share its GPUs; give "
            "--device cpu, or leave out train.machines: one process uses all GPUs of a machine"
        )
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return Team(0, machines, machines, f"127.0.0.1:{port}", starts=True)


def _require_jax(team: Team) -> None:
    package, target = ("jax", "jax") if determinism.device() == "cpu" else ("jax_cuda12_plugin", "jax-gpu")
    if importlib.util.find_spec(package) is None:
        raise EvermodelError(
            f"{team.devices} devices train together by JAX, which is not installed here; "
            f"`make .venv/{target}` installs it (of GPUs, CUDA_VISIBLE_DEVICES=0 lets one train by itself)"
        )


@contextmanager
def _others(team: Team) -> Iterator[None]:
    """The other processes of this machine, if this one starts them; EvermodelError if one of them fails."""
    known = os.environ | {COORDINATOR: team.address}
    command = [sys.executable, *sys.orig_argv[1:]]
    others = [
        subprocess.Popen(command, env=known | {INDEX: str(index)})
        for index in range(1, team.count if team.starts else 1)
    ]
    try:
        yield
    except BaseException:
        for other in others:
            other.kill()  # it writes nothing, and may wait for this one
        raise
    codes = [other.wait() for other in others]
    if any(codes):
        raise EvermodelError("another process of this training failed; its own last line says why")


def _connect(team: Team) -> None:
    import jax

    here = team.address if team.starts else None  # nobody else may reach it
    jax.distributed.initialize(
        team.address,
        team.count,
        team.index,
        cluster_detection_method="deactivate",  # of Slurm and others, which may know of another cluster
        initialization_timeout=BEGIN,
        heartbeat_timeout_seconds=HEARTBEAT,
        shutdown_timeout_seconds=END,
        coordinator_bind_address=here,
    )


def _leave(code: object) -> None:
    """Leave without a word to the others; what was to be said is said."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 1)
