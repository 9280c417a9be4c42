"""rescore NAME MODEL TO: the scores of another model of an experiment on its test rows; no stage, but part of
promote.
"""

import sys
from pathlib import Path

from evermodel.core import data, params
from evermodel.core.errors import EvermodelError
from evermodel.judging import evaluation
from evermodel.runs import determinism, saved


def main(name: str, model: Path, to: Path) -> None:
    """Write scores.parquet of a model file whose sha256 the caller has checked, without a baseline's columns.

    Raises EvermodelError if the model can't answer for these test rows.
    """
    values = params.load()
    experiment = values.experiment(name)
    spec = data.load_spec(data.PREPARED / experiment.dataset)
    test = data.load_split(data.PREPARED / experiment.dataset, "test")
    determinism.fix(values.runtime)
    task = evaluation.task_module(experiment.task)
    shown = evaluation.inputs(task, test.x, values.runtime.seed)
    try:
        answered = saved.predictor(model)(shown)
    except ValueError as error:  # Keras and scikit-learn alike, where the inputs are of another shape
        raise EvermodelError(" ".join(str(error).split())[:200]) from None
    judged = evaluation.judge(task, "the champion", answered, test, spec)
    to.write_bytes(evaluation.scores_parquet(judged.scores, None, spec, task.statistics(spec)))


if __name__ == "__main__":
    try:
        main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
    except EvermodelError as error:
        sys.exit(str(error))
