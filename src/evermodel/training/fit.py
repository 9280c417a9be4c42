"""Whether a task, a data set and what is declared of both go together; asked before anything is trained."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from evermodel.core import catalog, generation
from evermodel.core.errors import EvermodelError

if TYPE_CHECKING:
    from evermodel.core.data import Prepared, Spec
    from evermodel.datasets.dataset import Dataset
    from evermodel.runs.recipe import Train

# Options of `train`, by the kind of data that they are for: with others they would have no effect.
KINDS = {"image_size": "images", "random_flip": "images", "text": "text"}
SMALLEST = 2  # test rows of each of two classes, without which their ranking has no interval


def require(task: str, spec: "Spec", options: Mapping[str, Any]) -> None:
    """Raise an EvermodelError unless prepared data are what a task can be learned from.

    spec: as it was loaded for the task's target; options: of the experiment. Every class needs training rows
    and test rows, unless rows are grouped by class: then it is new in the test rows, such as an unknown
    person.
    """
    where = f"data/{spec.dataset}/params.yaml"
    if spec.kind not in (kinds := catalog.inputs(task)):
        raise EvermodelError(
            f"data set {spec.dataset} holds {spec.kind}, but the task {task} learns from "
            f"{' or '.join(kinds)}; choose another task or data set in the params.yaml of the experiment"
        )
    if spec.groups and spec.groups["test"] < SMALLEST:
        raise EvermodelError(
            f"all test rows of data set {spec.dataset} are of one group, so that no interval can be told; "
            f"enlarge split.test in {where}"
        )
    if spec.rows["test"] < SMALLEST:
        raise EvermodelError(f"data set {spec.dataset} has one test row; enlarge split.test in {where}")
    from evermodel.training.objective import objective_of  # NumPy, of no use to those who only check

    objective_of(task, spec, options)  # which knows how many classes there may be, also for an estimator
    if spec.class_rows:
        _require_rows(spec, where)


def require_judge(task: str, prepared: "Prepared") -> None:
    """Raise an EvermodelError if a task makes examples, and the data bring no judge of them."""
    if catalog.target(task) in generation.JUDGED and generation.JUDGE not in prepared.weights:
        raise EvermodelError(generation.no_judge(prepared.spec.dataset))


def require_declared(where: str, task: str, dataset: "Dataset") -> None:
    """Raise an EvermodelError if a data set is declared to have what the task does not predict.

    where: the file of the experiment.
    """
    target, file = catalog.target(task), f"data/{dataset.name}/params.yaml"
    if target == "class" and dataset.is_number:
        wrong = (
            f"needs classes, but expect.ranges in {file} makes {dataset.target} a number; remove its range"
        )
    elif target == "number" and dataset.classes:
        wrong = f"predicts a number, but {file} names classes; remove classes there"
    elif target in ("class", "number") and dataset.targets:
        wrong = f"predicts one target, but {file} has several targets; remove targets there"
    elif target in ("labels", "numbers") and not dataset.targets:
        wrong = f"predicts several {target}, but {file} has no targets; add them there"
    elif target in generation.JUDGED and not all(
        generation.JUDGE in one.weights for one in dataset.source.editions
    ):
        raise EvermodelError(f"{where}: {generation.no_judge(dataset.name)}, or choose another task")
    elif target == "labels" and (other := [n for n, ends in dataset.targets.items() if ends != (0, 1)]):
        wrong = f"predicts labels, but the range of {other[0]} in {file} is not [0, 1]; make it so"
    else:
        return
    raise EvermodelError(f"{where}: task {task} {wrong}, or choose another task")


def require_used(where: str, train: "Train | None", kind: str) -> None:
    """Raise an EvermodelError if an experiment is told what is for another kind of data than it has.

    where: the file of the experiment.
    """
    for option, of in KINDS.items():
        if train and of != kind and getattr(train, option) != type(train).model_fields[option].default:
            raise EvermodelError(
                f"{where}: train.{option} is for {of}, but the data set holds {kind}; remove it"
            )


def _require_rows(spec: "Spec", where: str) -> None:
    """Of each class one row in train, and in test as many as an interval needs."""
    fewest = {"train": 1, "test": SMALLEST if len(spec.classes) == SMALLEST else 1}
    for split, needed in fewest.items():
        found: Mapping[str, int] = dict(zip(spec.classes, spec.class_rows[split], strict=True))
        exempt = spec.novel if split == "train" else ()
        rare = [label for label, rows in found.items() if rows < needed and label not in exempt]
        if rare:
            unit = f"groups of {split} rows" if spec.groups else f"{split} rows"
            advice = "change split.seed or the shares" if spec.groups else "set `split.stratify: true`"
            more = f" and {len(rare) - 1} more" if rare[1:] else ""
            raise EvermodelError(
                f"class {rare[0]!r}{more} of data set {spec.dataset} has {found[rare[0]]} {unit}, but "
                f"needs {needed}; {advice} in {where}, or leave out rare classes; if {spec.target} is a "
                "number, choose a task that predicts numbers"
            )
