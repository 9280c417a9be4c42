"""The champion answers for a table (CSV, Parquet), an image, a text, or a folder of them, into Parquet.

Each answer names model, version and run. Paths are those of the worker of the queue `default`. It does what
`evermodel predict --out` does; a retry goes on where the try before stopped.
"""

from airflow.sdk import Param

import repository
from tasks import FORM, dag, step

ADVICE = "Mend what it names, then clear the task: it goes on where it stopped."
ABSOLUTE = r"^/.+$"
ASKED = {
    "experiment": Param(type="string", enum=list(repository.experiments()), title="Experiment"),
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

with dag(
    "score",
    ADVICE,
    schedule=None,
    params=ASKED,
    tags=["champions"],
    description="files and folders into Parquet",
    doc_md=__doc__,
):
    step("score", "score", env={"EVERMODEL_SETTINGS": FORM}, do_xcom_push=False, pool="cpu")
