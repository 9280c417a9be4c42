"""What all DAGs share: how they begin, how a task calls the `evermodel` command, and what tasks hand on.

A task does nothing itself; docs/airflow.md says what the worker needs that it runs on. What may take days has
a slot of a pool that is called like its worker, cpu or gpu, so that all else never waits behind it.
"""

import json
from datetime import UTC, datetime, timedelta
from tempfile import NamedTemporaryFile

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, BaseOperator, Param
from airflow.sdk.exceptions import AirflowFailException

from failures import explain

RUN = "{{ dag.dag_id }}/{{ run_id }}"
# In the environment and not in the command, where a shell would read it.
FORM = "{{ params | tojson }}"
KNOWN = {
    "EVERMODEL_RUN": RUN,
    "EVERMODEL_COMMIT": "{{ ti.xcom_pull(task_ids='begin') or '' }}",
    "EVERMODEL_SETTINGS": FORM,
}
BEGIN = KNOWN | {"EVERMODEL_COMMIT": "{{ params.commit or '' }}"}
WHAT = {  # what may be left empty may be null: a form asks for all else
    "commit": Param(
        None,
        type=["null", "string"],
        pattern=r"^([A-Za-z0-9][\w./-]*)?$",
        title="Commit",
        description="A full commit hash, a tag or a branch; the default branch if empty.",
    ),
    "profile": Param("as committed", enum=["as committed", "sample", "full"], title="Profile"),
}


def handed_on(task, context):
    """The dvc.lock files that the stages before a task have made, by the tasks that made them."""
    before = task.get_flat_relative_ids(upstream=True)
    stages = [one for one in task.dag.topological_sort() if getattr(one, "hands_on", False)]
    names = [one.task_id for one in stages if one.task_id in before]
    made = zip(names, context["ti"].xcom_pull(task_ids=names), strict=True)
    return {name: locks or {} for name, locks in made}


class Stage(BashOperator):
    """Gives its command the dvc.lock files that the stages before it have made, and hands on its own.

    In a file whose path is in the environment, for a variable holds no more than 128 KiB.
    """

    hands_on = True

    def execute(self, context):
        """Run the command; returns what its last line says, in JSON."""
        with NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
            json.dump(handed_on(self, context), file)
            file.flush()
            self.env = {**self.env, "EVERMODEL_LOCKS": file.name}
            return super().execute(context)


class Refuse(BaseOperator):
    """Stands where a task can't be run on this Airflow, and says why."""

    def __init__(self, *, reason, **options):
        super().__init__(**options)
        self.reason = reason

    def execute(self, context):
        """Fail, once."""
        raise AirflowFailException(self.reason)


class Report(BaseOperator):
    """Red if the task before it found faults; a task of its own, because a red task has no events."""

    def execute(self, context):
        """Name each thing, what is wrong with it, and what to do."""
        (before,) = self.upstream_task_ids
        faults = context["ti"].xcom_pull(task_ids=before)["faults"]
        if faults:
            raise AirflowFailException(". ".join(f"{name}: {fault}" for name, fault in faults.items()))


def dag(dag_id, advice, **options):
    """A DAG without runs that are made up for the past; advice: what to do where one of its tasks fails."""
    return DAG(
        dag_id,
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        default_args={"owner": "evermodel", "on_failure_callback": explain(advice)},
        **options,
    )


def step(task_id, command, kind=BashOperator, before="", retries=2, hours=24, **options):
    """A task that runs `evermodel step`, whose last line is JSON where something is to be handed on."""
    bash_command = f"{before}evermodel step {command}"
    return kind(
        task_id=task_id, bash_command=bash_command, append_env=True, **patience(retries, hours), **options
    )


def patience(retries, hours):
    """How often a task is tried, when, and how long it may take."""
    return {
        "retries": retries,
        "retry_delay": timedelta(minutes=1),
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": timedelta(minutes=30),
        "execution_timeout": timedelta(hours=hours),
    }
