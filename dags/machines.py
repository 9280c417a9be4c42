"""A training on several machines at once: an Indexed Job of Kubernetes.

What its pods are made of stands in docker/training-cpu.yaml and docker/training-gpu.yaml. Each runs the step
of a training on one machine; the first pushes and hands on its dvc.lock, the others only help it.
"""

import json
import os
import time
from pathlib import Path

from airflow.providers.cncf.kubernetes.operators.job import KubernetesJobOperator

import pods
from tasks import handed_on

TEMPLATE = str(Path(__file__).parents[1] / "docker/training-{}.yaml")
NAME = 40  # characters of the experiment's name in that of a pod, which may have 63
TICK = 10  # seconds between two looks at a job
# What a pod has to know beside what its template says: addresses and folders, no passwords.
KNOWN = ("EVERMODEL_", "GIT_CONFIG_", "MLFLOW_TRACKING_URI")
STUDIES = "EVERMODEL_STUDIES"  # has a password, and a training does not need it
COMMAND = """set -eo pipefail
printf %s "$EVERMODEL_HANDED_ON" > /tmp/locks.json
EVERMODEL_LOCKS=/tmp/locks.json evermodel step {} | tee /tmp/said
tail -n 1 /tmp/said > /airflow/xcom/return.json"""


class Machines(KubernetesJobOperator):
    """Runs a step on several machines; gives it what Stage gives, and hands on what the first pod says."""

    hands_on = True

    def __init__(self, *, experiment, machines, worker, command, env, **options):
        super().__init__(
            name=experiment.replace("_", "-")[:NAME].rstrip("-"),
            job_template_file=TEMPLATE.format(worker.queue),
            pod_template_dict=_needing(pods.asked(worker)),
            cmds=["bash", "-c"],
            arguments=[COMMAND.format(command)],
            # Checkpoints outlive the pods, so that a retry goes on; each task has a folder of its own.
            env_vars=env | {"EVERMODEL_TASK": "{{ dag.dag_id }}/{{ task.task_id }}"},
            completion_mode="Indexed",
            parallelism=machines,
            completions=machines,
            backoff_limit=0,  # one pod that is started again can't take part; Airflow tries all of them again
            wait_until_job_complete=True,
            job_poll_interval=TICK,
            do_xcom_push=True,
            unwrap_single=False,
            **options,
        )

    def execute(self, context):
        """Run the job; returns what the last line of its first pod says, in JSON."""
        known = {
            name: value for name, value in os.environ.items() if name.startswith(KNOWN) and name != STUDIES
        }
        handed = {"EVERMODEL_HANDED_ON": json.dumps(handed_on(self, context))}
        self.env_vars = known | self.env_vars | handed
        return next(filter(None, super().execute(context)))

    def get_pods(self, pod_request_obj, context, **options):
        """All pods of the job, which Kueue may let wait for room as long as the task may take."""
        name, namespace = self.job.metadata.name, self.job.metadata.namespace
        selector = f"batch.kubernetes.io/job-name={name}"
        while True:
            found = self.client.list_namespaced_pod(namespace=namespace, label_selector=selector).items
            failed = self.hook.is_job_failed(self.hook.get_job_status(name, namespace))
            if len(found) == self.parallelism or failed:
                return found
            time.sleep(TICK)


def _needing(asked):
    """What a pod has of what an experiment's worker asks for, each of them as much."""
    base = {"name": "base", "resources": asked["resources"]}
    return {
        "spec": {
            "containers": [base],
            "nodeSelector": asked["node_selector"],
            "tolerations": asked["tolerations"],
        }
    }
