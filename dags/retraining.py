"""Retraining as Airflow runs it: a DAG per experiment, and one for all, from the folders of experiments/.

A data set's stages are one task, those of an experiment one each, but for its promotion: the publisher's.
"""

import json

from airflow.configuration import conf
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import (
    Asset,
    AssetAlias,
    AssetOrTimeSchedule,
    BaseOperator,
    CronTriggerTimetable,
    Param,
    SkipMixin,
    TaskGroup,
)

import pods
import repository
import tasks
from failures import explain
from repository import Schedule
from tasks import BEGIN, KNOWN, WHAT, Refuse, Report, Stage, dag, patience

EXPERIMENTS = repository.experiments()
TRAIN = "train"  # the stage that goes to the experiment's kind of worker
SCARCE = "gpu"  # a queue that nobody enters for what is there already
COMMON = ("begin", "choose", "publish", "report", "end")  # those of no data set and no experiment
MODELS = AssetAlias("models")
ABOUT = (
    "What is there already is not run again; the results are on a branch of the repository that is named "
    "after the run, to be merged."
)
MISSING = "All else is published; where the fault is mended, clear the tasks that it names."
ADVICE = "Mend what its last lines name, then clear the task: the run goes on with all that is there."
SETTINGS = WHAT | {
    "force": Param(
        False, type="boolean", title="Force", description="Run stages whose results are there, too."
    ),
    "overrides": Param(
        None,
        type=["null", "array"],
        items={"type": "string", "pattern": r"^((experiments|data)\.\w+|runtime)(\.\w+)+=.+$"},
        title="Overrides",
        description="Other values for a params.yaml, one a line: experiments.fashion_cnn.train.epochs=3",
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
        """Skip the tasks of all other experiments, and of the data sets that only they use."""
        chosen = context["params"]["experiments"] or EXPERIMENTS
        wanted = {*COMMON, *chosen, *(EXPERIMENTS[name].dataset for name in chosen)}
        others = [task for task in self.dag.tasks if task.task_id.partition(".")[0] not in wanted]
        self.skip(context["ti"], others)


def announce(context, told):
    """Emit the assets of the models that publishing told of in its last line."""
    for name, model in told["assets"].items():
        context["outlet_events"][MODELS].add(Asset(name), extra=model)


def step(task_id, command, rules, env=KNOWN, **options):
    """A task by the rules of a schedule."""
    rules = {"owner": rules.owner, "retries": rules.retries, "hours": rules.timeout}
    return tasks.step(task_id, command, env=env, **rules, **options)


def stage(task_id, command, rules, **options):
    """A task that makes something, or looks for it, and takes over what those before it have made."""
    return step(task_id, command, rules, kind=Stage, output_processor=json.loads, **options)


def training(name, rules, **options):
    """A stage `train` on several machines, or the word that this Airflow has none that begin together."""
    experiment, options = EXPERIMENTS[name], {"task_id": TRAIN, "owner": rules.owner, **options}
    if "KubernetesExecutor" not in conf.get("core", "executor"):
        reason = (
            f"{name} trains on {experiment.machines} machines at once (train.machines), which takes Airflow "
            "on Kubernetes (docs/scale.md); or let its params.yaml say 1"
        )
        return Refuse(reason=reason, retries=0, **options)
    from machines import Machines  # whose imports take a second

    return Machines(
        experiment=name,
        machines=experiment.machines,
        worker=experiment.worker,
        command=f"run experiments/{name}/dvc.yaml:{TRAIN}",
        env=KNOWN,
        pool=experiment.worker.queue,
        **patience(rules.retries, rules.timeout),
        **options,
    )


def add_experiment(name, before):
    """The tasks of an experiment, one after the other, for they share a dvc.lock; returns the last.

    before: that of its data set. A task before a scarce one looks whether it is needed.
    """
    worker, rules, rule = EXPERIMENTS[name].worker, EXPERIMENTS[name].schedule, "all_success"
    asked = {"worker": pods.asked(worker)}  # of which the policy in docker/helm-values.yaml makes a pod
    with TaskGroup(name):
        for kind in repository.stages(name):
            address = f"experiments/{name}/dvc.yaml:{kind}"
            queue = worker.queue if kind == TRAIN else "default"
            place = {"queue": queue, "pool": queue, "executor_config": asked} if kind == TRAIN else {}
            if queue == SCARCE:
                look = stage(f"find_{kind}", f"find {address}", rules, trigger_rule=rule)
                before >> look
                before = look
            if kind == TRAIN and EXPERIMENTS[name].machines > 1:
                task = training(name, rules, trigger_rule=rule)
            else:
                task = stage(kind, f"run {address}", rules, trigger_rule=rule, **place)
            before >> task
            # What was found need not run, and is skipped.
            before, rule = task, "none_failed" if queue == SCARCE else "all_success"
    return before


def retraining(dag_id, names, rules, choosing=False, **options):
    """A DAG: check, run the stages, publish, report what could not be, and an end that is red if any is."""
    with dag(dag_id, ADVICE, **options):
        begin = step("begin", "begin", rules, env=BEGIN)
        datasets = {
            name: stage(f"{name}.data", f"run data/{name}/dvc.yaml", rules)
            for name in dict.fromkeys(EXPERIMENTS[name].dataset for name in names)
        }
        results = [add_experiment(name, datasets[EXPERIMENTS[name].dataset]) for name in names]
        publish = stage(
            "publish",
            "publish" if choosing else f"publish {' '.join(names)}",
            rules,
            before='test -n "$EVERMODEL_COMMIT" || exit 99; ',  # skipped where even `begin` failed
            trigger_rule="all_done",  # an experiment that fails holds no other one up
            outlets=[MODELS],
            post_execute=announce,
        )
        opened = begin >> Choose(task_id="choose") if choosing else begin
        opened >> list(datasets.values())
        results >> publish
        report = Report(task_id="report", owner=rules.owner, on_failure_callback=explain(MISSING))
        publish >> report
        [*results, publish, report] >> EmptyOperator(task_id="end", trigger_rule="none_failed")


def schedule(name, experiment):
    """New data for it, and the times that its params.yaml names."""
    data = [Asset(f"data.{name}")]
    if experiment.schedule.cron is None:
        return data
    return AssetOrTimeSchedule(
        timetable=CronTriggerTimetable(experiment.schedule.cron, timezone="UTC"), assets=data
    )


for name, experiment in EXPERIMENTS.items():
    retraining(
        f"retrain.{name}",
        [name],
        experiment.schedule,
        schedule=schedule(name, experiment),
        params=SETTINGS,
        tags=experiment.tags,
        description=experiment.description,
        doc_md=f"**{name}**: {experiment.description}. Data: {experiment.dataset}. {ABOUT}",
    )

retraining(
    "retrain_all",
    list(EXPERIMENTS),
    Schedule(),
    choosing=True,
    schedule=None,
    params={"experiments": CHOICE, **SETTINGS},
    tags=["all"],
    description="every experiment, or some",
    doc_md=f"Retrains all experiments, or those that the form names. {ABOUT}",
)
