"""The `evermodel` command."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar

import typer

from evermodel import experiments, leaderboard, repository, table, workers
from evermodel.core.errors import EvermodelError
from evermodel.repository import Repository
from evermodel.scheduling import checkout

app = typer.Typer(
    help="Train, compare, promote and use the models of experiments/.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
P = ParamSpec("P")
R = TypeVar("R")
Some = Annotated[list[str] | None, typer.Argument(help="Experiments; all if none.", show_default=False)]
Name = Annotated[str, typer.Argument(help="An experiment.", show_default=False)]
Waiting = Annotated[
    int | None, typer.Option(help="The version; the newest that waits if none.", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


class Step(StrEnum):
    """What a task of a scheduled run does."""

    BEGIN = "begin"
    FIND = "find"
    RUN = "run"
    PUBLISH = "publish"
    WATCH = "watch"
    REBUILD = "rebuild"
    WAITING = "waiting"
    APPROVE = "approve"
    REJECT = "reject"
    SCORE = "score"


class Device(StrEnum):
    """What Keras may compute on."""

    AUTO = "auto"
    CPU = "cpu"
    GPU = "gpu"


def plain_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Print an EvermodelError as one sentence and exit with 1."""

    @wraps(command)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except EvermodelError as error:
            print(f"evermodel: {error}", file=sys.stderr)
            raise typer.Exit(1) from None

    return guarded


@app.command(name="list")
@plain_errors
def list_experiments(as_json: AsJson = False) -> None:
    """Show every experiment with its last score, its baseline's, and its champion."""
    repository.load()
    rows = _rows()
    if as_json:
        print(json.dumps(rows, indent=1))
    else:
        leaderboard.show(rows)


@app.command()
@plain_errors
def check(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Data sets and experiments; all if none.", show_default=False),
    ] = None,
) -> None:
    """Check the files params.yaml and dvc.yaml of data sets and experiments, without running anything."""
    for warning in repository.check(names or ()):
        print(f"evermodel: {warning}", file=sys.stderr)
    print("params.yaml is right everywhere" if not names else f"{', '.join(names)}: right")


@app.command()
@plain_errors
def run(
    names: Some = None,
    jobs: Annotated[int, typer.Option("-j", "--jobs", min=1, help="Pipelines to run at a time.")] = 1,
    profile: Annotated[
        str | None, typer.Option(help="Set params.yaml's profile first: sample or full.")
    ] = None,
    device: Annotated[
        Device, typer.Option(envvar="EVERMODEL_DEVICE", help="What Keras computes on.")
    ] = Device.AUTO,
) -> None:
    """Run the pipelines of experiments, from raw data to promotion, and show what came of it."""
    chosen = repository.load().chosen(names)
    if profile is not None:
        experiments.set_profile(profile)
        chosen = repository.load().chosen(names)
    try:
        failures = workers.run(chosen, jobs, device)
    except KeyboardInterrupt:
        print("evermodel: stopped; the same command goes on from here", file=sys.stderr)
        raise typer.Exit(130) from None
    leaderboard.show(_rows(*chosen))
    for failure in failures:
        print(f"evermodel: {failure}", file=sys.stderr)
    raise typer.Exit(1 if failures else 0)


@app.command()
@plain_errors
def history(
    name: Name,
    as_json: AsJson = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Check that nothing was edited or left out.")
    ] = False,
) -> None:
    """Show what was decided about an experiment's models, by whom and why, newest first."""
    repository.load().experiment(name)
    if verify:
        print(experiments.verify(name))
        return
    rows = experiments.history(name)
    if as_json:
        print(json.dumps(rows, indent=1))
    else:
        table.show(f"{name}: {len(rows)} decisions", [_decision(row) for row in rows])


@app.command()
@plain_errors
def promote(name: Name, version: Waiting = None) -> None:
    """Approve a model that won and waits for somebody's word (`approval: manual`)."""
    repository.load().experiment(name)
    print(experiments.approve(name, version))


@app.command()
@plain_errors
def reject(name: Name, version: Waiting = None) -> None:
    """Say no to a model that won and waits for somebody's word (`approval: manual`)."""
    repository.load().experiment(name)
    print(experiments.reject(name, version))


@app.command()
@plain_errors
def rollback(
    name: Name,
    to: Annotated[
        int | None, typer.Option(help="The version; the champion before if none.", show_default=False)
    ] = None,
) -> None:
    """Make an older version champion again, after it has answered for an example."""
    repository.load().experiment(name)
    print(experiments.rollback(name, to))


@app.command()
@plain_errors
def rebuild(
    version: Annotated[
        str, typer.Argument(metavar="NAME@VERSION", help="An alias or a number.", show_default=False)
    ],
    as_json: AsJson = False,
) -> None:
    """Make a registered version again from its commit, and say whether it is the same."""
    try:
        made = experiments.rebuild(version)
    except KeyboardInterrupt:
        print("evermodel: stopped; nothing is left of the rebuild", file=sys.stderr)
        raise typer.Exit(130) from None
    if as_json:
        print(json.dumps(asdict(made), indent=1))
    else:
        table.show(f"{made.name} version {made.version} from {made.commit[:8]}", made.rows)
        print(made.sentence)
    raise typer.Exit(made.comparison.verdict == "DIVERGED")


@app.command()
@plain_errors
def predict(
    name: Name,
    files: Annotated[
        list[Path],
        typer.Argument(help="Tables (CSV, Parquet), images or texts; with --out folders, too."),
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="Write Parquet: a file that ends in .parquet, or a folder.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Let the champion of an experiment answer for files."""
    found = repository.load()
    if out is not None:
        _predict_into(out, name, found, files, as_json)
        return
    rows = experiments.predict(name, found.experiment(name).task, files)
    if as_json:
        print(json.dumps(rows, indent=1))
    else:
        table.show(f"{name} version {rows[0]['version']}", rows)


@app.command()
@plain_errors
def serve(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Experiments; all that have a champion if none.", show_default=False),
    ] = None,
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 for any.")] = 8000,
    every: Annotated[
        float, typer.Option(min=0.1, max=60, help="Seconds between two looks at the registry.")
    ] = 1.5,
    canary: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the requests that challengers answer.")
    ] = 0,
) -> None:
    """Let the champions answer over HTTP until Ctrl-C, and follow the registry (docs/serving.md)."""
    found = repository.load()
    found.chosen(names)
    try:
        from evermodel.serving import server
    except ModuleNotFoundError as error:
        raise EvermodelError(
            f"{error.name} is not installed; `make serve` installs what serving needs"
        ) from None

    server.run(names or (), found, host, port, every, canary)


@app.command(name="step")
@plain_errors
def do_step(
    step: Annotated[Step, typer.Argument(help="What to do.", show_default=False)],
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="The stage (experiments/NAME/dvc.yaml:train), or the experiments to publish.",
            show_default=False,
        ),
    ] = None,
    commit: Annotated[
        str,
        typer.Option(envvar="EVERMODEL_COMMIT", help="Commit, tag or branch; the default branch if none."),
    ] = "",
) -> None:
    """Do one task of a scheduled run in a checkout of its own (docs/airflow.md)."""
    raise typer.Exit(checkout.run(step, *names or (), commit=commit))


@app.command(name="airflow")
@plain_errors
def start_airflow(
    port: Annotated[int, typer.Option(help="Of Airflow's pages.")] = 8080,
    mlflow_port: Annotated[int, typer.Option(help="Of MLflow's pages.")] = 5000,
    jobs: Annotated[int, typer.Option("-j", "--jobs", min=1, help="Tasks to run at a time.")] = 2,
) -> None:
    """Start Airflow with the DAGs of this repository, and MLflow, on this machine until Ctrl-C."""
    from evermodel.scheduling import local

    local.run(port, mlflow_port, jobs)


def _predict_into(out: Path, name: str, found: Repository, files: list[Path], as_json: bool) -> None:
    try:
        done = experiments.score(name, found, files, out)
    except KeyboardInterrupt:
        print("evermodel: stopped; the same command goes on from here", file=sys.stderr)
        raise typer.Exit(130) from None
    if as_json:
        print(json.dumps(asdict(done), indent=1))
    else:
        print(done.sentence)


def _rows(*names: str) -> list[dict[str, Any]]:
    """The leaderboard's, with the champions of a tracking server where MLflow has one."""
    rows = leaderboard.rows(names)
    if "MLFLOW_TRACKING_URI" not in os.environ:  # then the ledger beside the store here is all there is
        return rows
    try:
        champions = experiments.champions()
    except EvermodelError as error:
        print(f"evermodel: {error}", file=sys.stderr)
        return rows
    return [row | {"champion": champions.get(row["experiment"])} for row in rows]


def _decision(row: dict[str, Any]) -> dict[str, Any]:
    moved = row["before"] != row["after"]
    return {
        "when": row["time"],
        "who": row["who"],
        "what": row["action"],
        "version": row["version"],
        "champion": f"{row['before'] or '–'} → {row['after'] or '–'}" if moved else row["after"],
        "why": row["reason"],
    }
