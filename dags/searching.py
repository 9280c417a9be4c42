"""Searches: a DAG for each experiment whose params.yaml has a section `search`.

`create` makes the study, workers run its trials, as many as the form says, `choose` compares the best of them
with today's values, and `propose` pushes what is better by more than luck to the branch search/NAME, to be
merged. A worker that is killed loses no trial, and a retry goes on; none of them has test rows.
"""

import json

from airflow.sdk import Param

import pods
import repository
from tasks import BEGIN, KNOWN, WHAT, Stage, dag, patience, step

ADVICE = "Mend what its last lines name, then clear the task: the trials that have ended are kept."
ASKED = WHAT | {
    "workers": Param(2, type="integer", minimum=1, title="Workers", description="That run trials at a time.")
}


class Searching(Stage):
    """Takes over what those before it have made, and hands on nothing."""

    hands_on = False


class Worker(Searching):
    """One of several, which have a number each."""

    def __init__(self, *, number, **options):
        super().__init__(**options)
        self.number = number

    def execute(self, context):
        """Run trials until none is left."""
        self.bash_command = f"{self.bash_command} {self.number}"
        return super().execute(context)


def add(name, experiment):
    """The DAG of the searches of an experiment."""
    rules = experiment.schedule
    kept = {"retries": rules.retries, "hours": rules.timeout, "owner": rules.owner, "env": KNOWN}
    queue = experiment.worker.queue
    place = {"queue": queue, "pool": queue, "executor_config": {"worker": pods.asked(experiment.worker)}}
    with dag(
        f"search.{name}",
        ADVICE,
        schedule=None,
        params=ASKED,
        tags=["searches", *experiment.tags],
        description=f"better values for {name}",
        doc_md=__doc__,
    ):
        begin = step("begin", "begin", **kept | {"env": BEGIN})
        address = f"data/{experiment.dataset}/dvc.yaml"
        data = step(
            f"{experiment.dataset}.data", f"run {address}", Stage, output_processor=json.loads, **kept
        )
        create = step("create", f"study {name}", Searching, output_processor=json.loads, **kept)
        workers = Worker.partial(
            task_id="search",
            bash_command=f"evermodel step search {name}",
            append_env=True,
            env=KNOWN,
            owner=rules.owner,
            do_xcom_push=False,
            **place,
            **patience(rules.retries, rules.timeout),
        ).expand(number=create.output)
        choose = step("choose", f"choose {name}", Searching, do_xcom_push=False, **place, **kept)
        propose = step("propose", f"propose {name}", Searching, do_xcom_push=False, **kept)
        begin >> data >> create >> workers >> choose >> propose


for name, experiment in repository.experiments().items():
    if experiment.is_searched:
        add(name, experiment)
