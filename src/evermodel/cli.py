"""The `evermodel` command."""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from evermodel import experiments, lanes, workers
from evermodel.core import params
from evermodel.core.errors import EvermodelError
from evermodel.scheduling import checkout, graph

app = typer.Typer(
    help="Train, compare, promote and use the models of params.yaml.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
WIDE = 160
P = ParamSpec("P")
R = TypeVar("R")
Some = Annotated[
    list[str] | None, typer.Argument(help="Experiments of params.yaml; all if none.", show_default=False)
]
Name = Annotated[str, typer.Argument(help="An experiment of params.yaml.", show_default=False)]
Waiting = Annotated[
    int | None, typer.Option(help="The version; the newest that waits if none.", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


class Step(StrEnum):
    """What a task of a scheduled run does."""

    BEGIN = "begin"
    RESTORE = "restore"
    RUN = "run"
    PUBLISH = "publish"
    WATCH = "watch"
    REBUILD = "rebuild"
    WAITING = "waiting"
    APPROVE = "approve"
    REFUSE = "refuse"
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
    rows = experiments.overview(params.load())
    if as_json:
        print(json.dumps(rows, indent=1))
    else:
        _show_overview(rows)


@app.command()
@plain_errors
def run(
    names: Some = None,
    jobs: Annotated[int, typer.Option("-j", "--jobs", min=1, help="Lanes to run at a time.")] = 1,
    profile: Annotated[
        str | None, typer.Option(help="Set params.yaml's profile first: sample or full.")
    ] = None,
    device: Annotated[
        Device, typer.Option(envvar="EVERMODEL_DEVICE", help="What Keras computes on.")
    ] = Device.AUTO,
) -> None:
    """Run the lanes of experiments, from raw data to promotion, and show what came of it."""
    values = params.load()
    for name in names or ():
        values.experiment(name)
    if profile is not None:
        experiments.set_profile(profile)
        values = params.load()
    planned = lanes.plan(workers.pipeline(), values, names or values.experiments)
    try:
        failures = workers.run(planned, workers.changed(), jobs, device, values)
    except KeyboardInterrupt:
        print("evermodel: stopped; the same command goes on from here", file=sys.stderr)
        raise typer.Exit(130) from None
    shown = {lane.name for lane in planned}
    _show_overview([row for row in experiments.overview(values) if row["experiment"] in shown])
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
    params.load().experiment(name)
    if verify:
        print(experiments.verify(name))
        return
    rows = experiments.history(name)
    if as_json:
        print(json.dumps(rows, indent=1))
    else:
        _show(f"{name}: {len(rows)} decisions", [_decision(row) for row in rows])


@app.command()
@plain_errors
def promote(name: Name, version: Waiting = None) -> None:
    """Approve a model that won and waits for somebody's word (`approval: manual`)."""
    params.load().experiment(name)
    print(experiments.approve(name, version))


@app.command()
@plain_errors
def refuse(name: Name, version: Waiting = None) -> None:
    """Say no to a model that won and waits for somebody's word (`approval: manual`)."""
    params.load().experiment(name)
    print(experiments.refuse(name, version))


@app.command()
@plain_errors
def rollback(
    name: Name,
    to: Annotated[
        int | None, typer.Option(help="The version; the champion before if none.", show_default=False)
    ] = None,
) -> None:
    """Make an older version champion again, after it has answered for an example."""
    params.load().experiment(name)
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
        _show(f"{made.name} version {made.version} from {made.commit[:8]}", made.rows)
        print(made.sentence)
    raise typer.Exit(made.comparison.verdict == "DIVERGED")


@app.command()
@plain_errors
def predict(
    name: Name,
    files: Annotated[
        list[Path],
        typer.Argument(help="Tables (CSV, Parquet), pictures or texts; with --out folders, too."),
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="Write Parquet: a file that ends in .parquet, or a folder.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Let the champion of an experiment answer for files."""
    values = params.load()
    if out is not None:
        _predict_into(out, name, values, files, as_json)
        return
    rows = experiments.predict(name, values.experiment(name).task, files)
    if as_json:
        print(json.dumps(rows, indent=1))
    else:
        _show(f"{name} version {rows[0]['version']}", rows)


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
    values = params.load()
    for name in names or ():
        values.experiment(name)
    try:
        from evermodel.serving import server
    except ModuleNotFoundError as error:
        raise EvermodelError(
            f"{error.name} is not installed; `make serve` installs what serving needs"
        ) from None

    server.run(names or (), values, host, port, every, canary)


@app.command(name="graph")
@plain_errors
def show_graph(
    names: Some = None,
    mermaid: Annotated[bool, typer.Option("--mermaid", help="Print a Mermaid flowchart.")] = False,
) -> None:
    """Describe dvc.yaml's graph for Airflow in dags/graph.json, and show it."""
    values = params.load()
    stages = graph.resolve(values)
    if (text := graph.text(graph.describe(stages, values))) != graph.written():
        graph.FILE.write_text(text, encoding="utf-8")
        print(f"{graph.FILE} is new; commit it", file=sys.stderr)
    shown = graph.lanes_of(stages, values, names) if names else stages
    if mermaid:
        print(graph.mermaid(shown))
    else:
        _console().print(graph.tree(shown, values))


@app.command(name="step")
@plain_errors
def do_step(
    step: Annotated[Step, typer.Argument(help="What to do.", show_default=False)],
    names: Annotated[
        list[str] | None, typer.Argument(help="The stage, or the experiments to publish.", show_default=False)
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


def _predict_into(out: Path, name: str, values: params.Params, files: list[Path], as_json: bool) -> None:
    try:
        done = experiments.score(name, values, files, out)
    except KeyboardInterrupt:
        print("evermodel: stopped; the same command goes on from here", file=sys.stderr)
        raise typer.Exit(130) from None
    if as_json:
        print(json.dumps(asdict(done), indent=1))
    else:
        print(done.sentence)


def _show_overview(rows: list[dict[str, Any]]) -> None:
    shown = [
        {
            "experiment": row["experiment"],
            "data": f"{row['dataset']} ({row['profile']}{', synthetic' if row['synthetic'] else ''})",
            "model": row["model"],
            "test score": _score(row),
            "baseline": _number(row["baseline"]),
            "seconds": _number(row["seconds"]),
            "champion": row["champion"],
        }
        for row in rows
    ]
    _show("test scores with their 95 % intervals", shown)


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


def _score(row: dict[str, Any]) -> str:
    if row["value"] is None:
        return "not evaluated"
    return f"{row['metric']} {_number(row['value'])} [{_number(row['low'])}, {_number(row['high'])}]"


def _number(value: Any) -> str:
    return "–" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def _show(title: str, rows: list[dict[str, Any]]) -> None:
    if not rows:  # rich prints nothing of an empty table, not even its title
        print(title)
        return
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for number, column in enumerate(rows[0]):
        table.add_column(column, overflow="fold", no_wrap=number == 0)
    for row in rows:
        table.add_row(*(_number(value) for value in row.values()))
    _console().print(table)


def _console() -> Console:
    """A pipe has no width of its own, and what is cut there is lost."""
    return Console(width=None if sys.stdout.isatty() else WIDE)
