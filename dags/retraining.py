"""Retraining as Airflow runs it: a DAG per experiment, and one for all, from the graph of dvc.yaml.

`evermodel graph` writes graph.json. A task calls the `evermodel` command of the worker that it runs on
and does nothing itself; docs/airflow.md says what a worker needs.
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import (
    DAG,
    Asset,
    AssetAlias,
    AssetOrTimeSchedule,
    BaseOperator,
    CronTriggerTimetable,
    Param,
    SkipMixin,
    TaskGroup,
)

from failures import explain

GRAPH = json.loads(Path(__file__).with_name("graph.json").read_text(encoding="utf-8"))
EXPERIMENTS, STAGES = GRAPH["experiments"], GRAPH["stages"]
SCARCE = "gpu"  # a queue that nobody enters for what the cache has
COMMON = ("begin", "choose", "publish", "end")  # the tasks that belong to no lane
MODELS = AssetAlias("models")
ALL = {"retries": 2, "timeout": 24, "owner": "evermodel"}
RUN = {
    "EVERMODEL_RUN": "{{ dag.dag_id }}/{{ run_id }}",
    "EVERMODEL_COMMIT": "{{ ti.xcom_pull(task_ids='begin') or '' }}",
    # In the environment and not in the command, where a shell would read it.
    "EVERMODEL_SETTINGS": "{{ params | tojson }}",
}
ABOUT = (
    "The stages are those of dvc.yaml. What the cache has is not run again; the results are on a branch "
    "of the repository that is named after the run."
)
ADVICE = "Mend what its last lines name, then clear the task: the run goes on with all that the cache has."
SETTINGS = {  # what may be left empty may be null: the form asks for all else
    "commit": Param(
        None,
        type=["null", "string"],
        pattern=r"^([A-Za-z0-9][\w./-]*)?$",
        title="Commit",
        description="A full commit hash, a tag or a branch; the default branch if empty.",
    ),
    "profile": Param("as committed", enum=["as committed", "sample", "full"], title="Profile"),
    "force": Param(False, type="boolean", title="Force", description="Run stages that the cache has, too."),
    "overrides": Param(
        None,
        type=["null", "array"],
        items={"type": "string", "pattern": r"^(experiments|datasets|runtime)(\.\w+)+=.+$"},
        title="Overrides",
        description="Other values for params.yaml, one a line: experiments.fashion_cnn.train.epochs=3",
    ),
}
CHOICE = Param(
    None,
    type=["null", "array"],
    items={"type": "string", "enum": list(EXPERIMENTS)},
    examples=list(EXPERIMENTS),
    title="Experiments",
    description="All if none is chosen.",
)


class Choose(BaseOperator, SkipMixin):
    """Skips what the experiments do not need that the form names.

    A branch would not do: it never skips what comes after a task that it takes.
    """

    def execute(self, context):
        """Skip the tasks of all other lanes."""
        chosen = lanes(context["params"]["experiments"] or EXPERIMENTS)
        others = [task for task in self.dag.tasks if task.task_id.partition(".")[0] not in {*chosen, *COMMON}]
        self.skip(context["ti"], others)


def announce(context, told):
    """Emit the assets of the models that publishing told of in its last line."""
    for name, model in json.loads(told).items():
        context["outlet_events"][MODELS].add(Asset(name), extra=model)


def step(task_id, command, rules, before="", **options):
    """A task that runs `evermodel step`."""
    return BashOperator(
        task_id=task_id,
        bash_command=f"{before}evermodel step {command}",
        **{"env": RUN, "append_env": True, "do_xcom_push": False, "owner": rules["owner"], **options},
        retries=rules["retries"],
        retry_delay=timedelta(minutes=1),
        retry_exponential_backoff=2.0,
        max_retry_delay=timedelta(minutes=30),
        execution_timeout=timedelta(hours=rules["timeout"]),
        on_failure_callback=explain(ADVICE),
    )


def lanes(names):
    """The stages of experiments and of their data sets, lane by lane; promoting is the publisher's."""
    return {
        lane: [name for name, stage in STAGES.items() if stage["lane"] == lane and stage["kind"] != "promote"]
        for name in names
        for lane in (EXPERIMENTS[name]["dataset"], name)
    }


def add_stages(names, rules):
    """The tasks of stages, by the stages' names; a task before a scarce one looks whether it is needed."""
    tasks, looks = {}, {}
    for lane, stages in lanes(names).items():
        own = EXPERIMENTS.get(lane, rules)
        with TaskGroup(lane):
            for name in stages:
                kind, queue = STAGES[name]["kind"], STAGES[name]["queue"]
                tasks[name] = step(kind, f"run {name}", own, queue=queue)
                if queue == SCARCE:
                    looks[name] = step(f"find_{kind}", f"restore {name}", own)
                    looks[name] >> tasks[name]
    for name in tasks:
        for before in STAGES[name]["after"]:
            tasks[before] >> looks.get(name, tasks[name])
            if before in looks:  # it is skipped where its result was found
                tasks[name].trigger_rule = "none_failed"
    return tasks


def retraining(dag_id, names, rules, to_publish="", choosing=False, **options):
    """A DAG: check, run the stages, publish, and an end that is red if anything else is."""
    with DAG(
        dag_id,
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        **options,
    ) as dag:
        begin = step(
            "begin",
            "begin",
            rules,
            env=RUN | {"EVERMODEL_COMMIT": "{{ params.commit or '' }}"},
            do_xcom_push=True,
        )
        tasks = add_stages(names, rules)
        publish = step(
            "publish",
            f"publish {to_publish}".strip(),
            rules,
            before='test -n "$EVERMODEL_COMMIT" || exit 99; ',  # skipped where even `begin` failed
            trigger_rule="all_done",  # a lane that fails holds no other one up
            do_xcom_push=True,
            outlets=[MODELS],
            post_execute=announce,
        )
        before = {stage for name in tasks for stage in STAGES[name]["after"]}
        results = [tasks[name] for name in tasks if name not in before]
        opened = begin >> Choose(task_id="choose") if choosing else begin
        opened >> [tasks[name] for name in tasks if not STAGES[name]["after"]]
        results >> publish
        [*results, publish] >> EmptyOperator(task_id="end", trigger_rule="none_failed")
    return dag


def schedule(experiment):
    """New data of its data set, and the times that params.yaml names."""
    data = [Asset(f"raw.{experiment['dataset']}")]
    if experiment["cron"] is None:
        return data
    return AssetOrTimeSchedule(
        timetable=CronTriggerTimetable(experiment["cron"], timezone="UTC"), assets=data
    )


for name, experiment in EXPERIMENTS.items():
    retraining(
        f"retrain.{name}",
        [name],
        experiment,
        to_publish=name,
        schedule=schedule(experiment),
        params=SETTINGS,
        tags=experiment["tags"],
        description=experiment["description"],
        doc_md=f"**{name}**: {experiment['description']}. Data: {experiment['dataset']}. {ABOUT}",
    )

retraining(
    "retrain_all",
    list(EXPERIMENTS),
    ALL,
    choosing=True,
    schedule=None,
    params={"experiments": CHOICE, **SETTINGS},
    tags=["all"],
    description="every experiment, or some",
    doc_md=f"Retrains all experiments, or those that the form names. {ABOUT}",
)
