"""The model card: what a person has to know before using a registered model, as Markdown."""

from collections.abc import Mapping

from evermodel.core.data import Spec
from evermodel.publishing.candidate import Candidate


def write(model: Candidate, decision: str, report: str) -> str:
    """The card of a model; decision: in a sentence, and report: the whole of it."""
    name, experiment, spec = model.name, model.experiment, model.spec
    source, facts, figures = model.source, model.facts, model.figures
    made = (
        f"\n\n**Made data:** {source.note}. The numbers say nothing about the real data." if spec.made else ""
    )
    options = ", ".join(f"{key} = {value}" for key, value in experiment.options.items()) or "none"
    beside = set() if spec.kind == "text" else {"text"}
    trained = experiment.train.model_dump(exclude_none=True, exclude=beside) if experiment.train else {}
    recipe = ", ".join(f"{key} = {value}" for key, value in trained.items()) or "fitted by scikit-learn"
    started = ", from weights trained on ImageNet" if facts.pretrained else ""
    if experiment.options.get("base") and not facts.pretrained:
        started = ", from random weights (no pretrained ones came with the data)"
    return f"""# {name}

{experiment.task.capitalize()} on {source.title}.{made}

| | |
|---|---|
| Data | `{spec.dataset}`, edition {spec.edition}: {_rows(spec)} |
| Licence | {source.licence} |
| Terms | {source.terms} |
| Architecture | `{experiment.model}` ({options}), {facts.parameters:,} parameters |
| Training | {recipe}; {facts.epochs} epoch(s){started} |
| Decision | {decision} |

## On the test rows, never seen in training

| metric | this model | 95 % interval | baseline `{experiment.baseline}` |
|---|---|---|---|
{_table(figures)}

## Why it is champion, or not

{report}
## How to use it

`mlflow.pyfunc.load_model("models:/{name}@champion").predict(x)` takes {_input(spec)} as they come: scaling \
and encoding are inside the model.{_classes(spec)}

`evermodel predict {name} FILE` does the same from the command line.

## How it is known

Model file sha256 `{facts.sha256}`, training key `{facts.key}`, test rows sha256 `{spec.test_hash}`.
"""


def _rows(spec: Spec) -> str:
    return ", ".join(f"{count:,} {split}" for split, count in spec.rows.items())


def _table(figures: Mapping[str, float]) -> str:
    names = [name.removeprefix("baseline_") for name in figures if name.startswith("baseline_")]
    return "\n".join(
        f"| {name} | {figures[name]:.4g} | {_interval(figures, name)} | {figures['baseline_' + name]:.4g} |"
        for name in names
        if name in figures
    )


def _interval(figures: Mapping[str, float], name: str) -> str:
    if f"{name}_low" not in figures:
        return "–"
    return f"{figures[name + '_low']:.4g} … {figures[name + '_high']:.4g}"


def _input(spec: Spec) -> str:
    match spec.kind:
        case "table":
            return f"rows of the columns {', '.join(spec.columns)}"
        case "series":
            return f"windows {spec.input_shape} of {', '.join(spec.columns)}"
        case "images":
            return f"images {spec.input_shape} of {spec.input_dtype}"
        case _:
            return "texts"


def _classes(spec: Spec) -> str:
    return f" Classes: {', '.join(spec.classes)}." if spec.classes else ""
