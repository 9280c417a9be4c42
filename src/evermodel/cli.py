"""The `evermodel` command.

Each command imports what it alone needs: `check` is what one runs after every edit.
"""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from evermodel import experiments, repository
from evermodel.core import folders
from evermodel.core.errors import EvermodelError
from evermodel.core.section import Profile


class Commands(TyperGroup):
    """Commands that end in one sentence where something is wrong, or somebody stops them."""

    def invoke(self, ctx: Any) -> Any:
        """Run one; exits with 1 after an EvermodelError, and with 130 after Ctrl-C."""
        try:
            _require_own_environment()
            return super().invoke(ctx)
        except EvermodelError as error:
            sentence, code = str(error), 1
        except KeyboardInterrupt:
            sentence, code = "stopped; the same command goes on from here or begins anew", 130
        print(f"evermodel: {sentence}", file=sys.stderr)
        raise typer.Exit(code)


app = typer.Typer(
    cls=Commands,
    help="Train, compare, promote and use the models of experiments/.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
Some = Annotated[list[str] | None, typer.Argument(help="Experiments; all if none.")]
Name = Annotated[str, typer.Argument(help="An experiment.")]
Waiting = Annotated[int | None, typer.Option(help="The version; the newest that waits if none.")]
Step = Literal[
    "begin", "find", "run", "publish", "watch", "rebuild", "waiting", "approve", "reject", "score",
    "study", "search", "choose", "propose",
]  # fmt: skip
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


@app.command(name="list")
def list_experiments(
    as_json: AsJson = False,
    cost: Annotated[bool, typer.Option("--cost", help="Show what trainings have cost instead.")] = False,
) -> None:
    """Show every experiment with its last score, its baseline's, and its champion."""
    from evermodel import leaderboard, table

    known = repository.load().experiments
    if cost:
        spent = experiments.costs(known)
        _tell(spent, as_json, lambda: table.show("what trainings have cost, in hours", [*map(_cost, spent)]))
        return
    rows = _rows()
    _tell(rows, as_json, lambda: leaderboard.show(rows))


@app.command()
def check(
    names: Annotated[list[str] | None, typer.Argument(help="Data sets and experiments; all if none.")] = None,
) -> None:
    """Check the files params.yaml and dvc.yaml of data sets and experiments, without running anything."""
    for warning in repository.check(names or ()):
        print(f"evermodel: {warning}", file=sys.stderr)
    print("params.yaml is right everywhere" if not names else f"{', '.join(names)}: right")


@app.command()
def add(
    path: Annotated[
        str, typer.Argument(help="A file, a folder, a pattern of files in quotes, a URL, or a database.")
    ],
    target: Annotated[str | None, typer.Option(help="The column to predict.")] = None,
    task: Annotated[str | None, typer.Option(help="What to predict it as; by default as it looks.")] = None,
    name: Annotated[str | None, typer.Option(help="Of the data set; by default the file's.")] = None,
    query: Annotated[
        str | None, typer.Option(help="Of the database that PATH, or the variable of that name, is.")
    ] = None,
) -> None:
    """Look at data, and make them a data set with two experiments (docs/data.md)."""
    from evermodel.adding import adding

    added = adding.add(path, target, task, name, query)
    print(f"new: data/{added.name} and {' and '.join(f'experiments/{one}' for one in added.experiments)}")
    for title, sentences in (("assumed", added.assumed), ("look at this", added.doubts)):
        if sentences:
            print("\n".join([f"{title}:", *(f"- {sentence}" for sentence in sentences)]))
    print(f"run them: .venv/bin/evermodel run {' '.join(added.experiments)}")


@app.command()
def run(
    names: Some = None,
    jobs: Annotated[int, typer.Option("-j", "--jobs", min=1, help="Pipelines to run at a time.")] = 1,
    profile: Annotated[Profile | None, typer.Option(help="Set params.yaml's profile first.")] = None,
    device: Annotated[
        Literal["auto", "cpu", "gpu"], typer.Option(envvar="EVERMODEL_DEVICE", help="What Keras computes on.")
    ] = "auto",
    processes: Annotated[
        int,
        typer.Option(
            envvar="EVERMODEL_PROCESSES", min=1, help="Start so many here for a training of as many machines."
        ),
    ] = 1,
) -> None:
    """Run the pipelines of experiments, from raw data to promotion, and show what came of it."""
    from evermodel import leaderboard, workers

    chosen = repository.load().chosen(names)
    if profile is not None:
        from evermodel.scheduling import settings

        settings.apply(settings.Settings(profile=profile))
        print(f"params.yaml says profile: {profile}")
        chosen = repository.load().chosen(names)
    failures = workers.run(chosen, jobs, device, processes)
    leaderboard.show(_rows(*chosen))
    for failure in failures:
        print(f"evermodel: {failure}", file=sys.stderr)
    raise typer.Exit(1 if failures else 0)


@app.command()
def cv(
    name: Name,
    folds: Annotated[
        int, typer.Option(min=0, help="Parts that are judged in turn; 0 judges the validation rows.")
    ] = 5,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each.")] = 3,
    against: Annotated[
        list[str] | None, typer.Option(help="Another experiment on the same data, to compare with.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Cross-validate a recipe on training and validation rows, beside its baseline and other recipes."""
    from evermodel.runs import determinism

    determinism.begin_anew()
    from evermodel import table
    from evermodel.searching import comparison

    told = comparison.compare(repository.load(), [name, *(against or ())], folds, seeds)
    _tell(told.summary, as_json, lambda: table.show(told.title, told.rows))
    for sentence in told.sentences:
        print(sentence, file=sys.stderr if as_json else sys.stdout)


@app.command()
def search(
    name: Name,
    jobs: Annotated[int, typer.Option("-j", "--jobs", min=1, help="Trials to run at a time.")] = 1,
    apply: Annotated[
        bool, typer.Option("--apply", help="Write what is better into params.yaml, not on a branch.")
    ] = False,
) -> None:
    """Look for better values as params.yaml's section `search` says, and propose them (docs/search.md)."""
    from evermodel.runs import determinism

    determinism.begin_anew()
    from evermodel.searching import search

    print(search.search(repository.load(), name, jobs, apply))


@app.command()
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
    from evermodel import table
    from evermodel.publishing import ledger

    rows = [line.model_dump() for line in reversed(ledger.read(folders.ledger(name)))]
    _tell(rows, as_json, lambda: table.show(f"{name}: {len(rows)} decisions", [*map(_decision, rows)]))


@app.command()
def promote(name: Name, version: Waiting = None) -> None:
    """Approve a model that waits for somebody's word; one that was rejected or withdrawn has to be named."""
    repository.load().experiment(name)
    print(experiments.decide(name, "approve", version))


@app.command()
def reject(name: Name, version: Waiting = None) -> None:
    """Say no to a model that waits for somebody's word."""
    repository.load().experiment(name)
    print(experiments.decide(name, "reject", version))


@app.command()
def rollback(
    name: Name,
    to: Annotated[int | None, typer.Option(help="The version; the champion before if none.")] = None,
) -> None:
    """Make an older version champion again, after it has answered for an example."""
    repository.load().experiment(name)
    print(experiments.decide(name, "rollback", to))


@app.command()
def withdraw(
    name: Name,
    reason: Annotated[str | None, typer.Option(help="Why, for whoever reads the history.")] = None,
) -> None:
    """Take a champion back that nobody is to be answered by any more; then there is none."""
    repository.load().experiment(name)
    print(experiments.withdraw(name, reason))


@app.command()
def restore(names: Some = None) -> None:
    """Fill an emptied MLflow again: runs, versions and aliases, from what is kept (docs/mlflow.md)."""
    failures = []
    for told in experiments.restore(repository.load().chosen(names)):
        if isinstance(told, EvermodelError):
            failures.append(told)
        else:
            print(told)
    for failure in failures:
        print(f"evermodel: {failure}", file=sys.stderr)
    raise typer.Exit(1 if failures else 0)


@app.command()
def rebuild(
    version: Annotated[str, typer.Argument(metavar="NAME@VERSION", help="An alias or a number.")],
    as_json: AsJson = False,
) -> None:
    """Make a registered version again from its commit, and say whether it is the same."""
    from evermodel import table

    made = experiments.rebuild(version)
    if as_json:
        print(json.dumps(asdict(made), indent=1))
    else:
        table.show(f"{made.name} version {made.version} from {made.commit[:8]}", made.rows)
        print(made.sentence)
    raise typer.Exit(made.comparison.verdict == "DIVERGED")


@app.command()
def predict(
    name: Name,
    files: Annotated[
        list[Path], typer.Argument(help="Tables (CSV, Parquet), images or texts; with --out folders, too.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="Write Parquet: a file that ends in .parquet, or a folder.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Let the champion of an experiment answer for files."""
    from evermodel import table

    found = repository.load()
    if out is not None:
        done = experiments.score(name, found, files, out)
        _tell(asdict(done), as_json, lambda: print(done.sentence))
        return
    rows = experiments.predict(name, found.experiment(name).task, files)
    _tell(rows, as_json, lambda: table.show(f"{name} version {rows[0]['version']}", rows))


@app.command()
def judge(name: Name) -> None:
    """Lay the champion, a small classifier of images, beside its data set as the judge of what is made."""
    print(experiments.judge(name, repository.load().experiment(name).dataset))


@app.command()
def serve(
    names: Annotated[
        list[str] | None, typer.Argument(help="Experiments; all that have a champion if none.")
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
    from evermodel.runs import determinism

    determinism.begin_anew()
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
def do_step(
    step: Annotated[Step, typer.Argument(help="What to do.")],
    names: Annotated[
        list[str] | None,
        typer.Argument(help="The stage (experiments/NAME/dvc.yaml:train), or the experiments to publish."),
    ] = None,
    commit: Annotated[
        str,
        typer.Option(envvar="EVERMODEL_COMMIT", help="Commit, tag or branch; the default branch if none."),
    ] = "",
) -> None:
    """Do one task of a scheduled run in a checkout of its own (docs/airflow.md)."""
    from evermodel.scheduling import checkout

    raise typer.Exit(checkout.run(step, *names or (), commit=commit))


@app.command(name="airflow")
def start_airflow(
    port: Annotated[int, typer.Option(help="Of Airflow's pages.")] = 8080,
    mlflow_port: Annotated[int, typer.Option(help="Of MLflow's pages.")] = 5000,
    jobs: Annotated[int, typer.Option("-j", "--jobs", min=1, help="Trainings to run at a time.")] = 2,
) -> None:
    """Start Airflow with the DAGs of this repository, and MLflow, on this machine until Ctrl-C."""
    from evermodel.scheduling import local

    local.run(port, mlflow_port, jobs)


def _require_own_environment() -> None:
    """Raise EvermodelError if this command is that of the folder from which this one was copied."""
    used, own = Path(sys.prefix), Path(".venv")
    if used.name == own.name and own.exists() and not own.samefile(used):
        raise EvermodelError(
            f"this command runs the code of {used.parent}; `make .venv/pipeline` mends the environment of "
            "this folder, whose command is .venv/bin/evermodel"
        )


def _tell(found: Any, as_json: bool, show: Callable[[], None]) -> None:
    """Print what was found as JSON, or as people like to see it."""
    if as_json:
        print(json.dumps(found, indent=1))
    else:
        show()


def _rows(*names: str) -> list[dict[str, Any]]:
    """The leaderboard's, with the champions of a tracking server where MLflow has one."""
    from evermodel import leaderboard

    rows = leaderboard.rows(names)
    if "MLFLOW_TRACKING_URI" in os.environ:  # or else the ledger beside the store here is all there is
        try:
            champions = experiments.champions()
            return [row | {"champion": champions.get(row["experiment"])} for row in rows]
        except EvermodelError as error:
            print(f"evermodel: {error}", file=sys.stderr)
    return rows


def _cost(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "experiment": row["experiment"],
        "version": row["version"],
        "GPU": row["gpu_hours"],
        "CPU": row["cpu_hours"],
        "all trainings: GPU": row["total_gpu_hours"],
        "all trainings: CPU": row["total_cpu_hours"],
    }


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
