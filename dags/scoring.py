"""Scoring: a champion answers for all examples in a file or a folder, and its answers go into Parquet.

`evermodel step score` does what `evermodel predict --out` does; a retry goes on where the try before stopped.
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, Param

from failures import explain

GRAPH = json.loads(Path(__file__).with_name("graph.json").read_text(encoding="utf-8"))
ABOUT = (
    "The champion answers for a table (CSV, Parquet), a picture, a text, or a folder of them. Each answer "
    "names model, version and run. Paths are those of the worker of the queue `default`."
)
ADVICE = "Mend what it names, then clear the task: it goes on where it stopped."
ABSOLUTE = r"^/.+$"
FORM = {
    "experiment": Param(type="string", enum=list(GRAPH["experiments"]), title="Experiment"),
    "inputs": Param(
        type="string", pattern=ABSOLUTE, title="Inputs", description="A file or a folder, from / on."
    ),
    "out": Param(
        type="string",
        pattern=ABSOLUTE,
        title="Result",
        description="A file that ends in .parquet, or a folder for its parts.",
    ),
}

with DAG(
    "score",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    params=FORM,
    default_args={"owner": "evermodel", "on_failure_callback": explain(ADVICE)},
    tags=["champions"],
    description="files and folders into Parquet",
    doc_md=ABOUT,
):
    BashOperator(
        task_id="score",
        bash_command="evermodel step score",
        env={"EVERMODEL_SETTINGS": "{{ params | tojson }}"},
        append_env=True,
        do_xcom_push=False,
        queue="default",
        retries=2,
        retry_delay=timedelta(minutes=1),
        retry_exponential_backoff=2.0,
        execution_timeout=timedelta(hours=24),
    )
