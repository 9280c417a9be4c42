"""rescore NAME MODEL TO: the scores of another model of an experiment on its test rows; no stage, but part of
promote.
"""

import sys
from pathlib import Path

from evermodel.core import data, folders, project
from evermodel.core.errors import EvermodelError
from evermodel.evaluation import evaluation
from evermodel.runs import determinism, recipe, saved


def main(name: str, model: Path, to: Path) -> None:
    """Write scores.parquet of a model file whose sha256 the caller has checked, without a baseline's columns.

    Raises EvermodelError if the model can't answer for these test rows.
    """
    shared = project.load()
    chosen = recipe.load(name, shared.profile)
    target = saved.metadata(folders.model(name)).target
    prepared = data.load(folders.prepared(chosen.dataset), target, "train", "test")
    spec, test = prepared.spec, prepared.splits["test"]
    determinism.fix(shared.runtime)
    task = evaluation.task_module(chosen.task)
    shown = evaluation.inputs(task, test.x, chosen.options, shared.runtime.seed)
    told = evaluation.told(task, chosen.options, prepared)
    try:
        answered = evaluation.answer(task, saved.predictor(model), shown, told)
    except ValueError as error:  # Keras and scikit-learn alike, where the inputs are of another shape
        raise EvermodelError(" ".join(str(error).split())[:200]) from None
    judged = evaluation.evaluate(task, "the champion", answered, test, spec, told)
    asked = evaluation.asked(spec, test, shown, told)
    to.write_bytes(evaluation.scores_parquet(judged.scores, None, asked, task.statistics(spec)))


if __name__ == "__main__":
    try:
        main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
    except EvermodelError as error:
        sys.exit(str(error))
