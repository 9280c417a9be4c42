"""The model card: what a person has to know before using a registered model, as Markdown."""

from collections.abc import Mapping

import pandas as pd

from evermodel.core.data import Spec
from evermodel.core.errors import EvermodelError
from evermodel.evaluation import statistics
from evermodel.publishing import promotion
from evermodel.publishing.candidate import Candidate

REST = "\n\nThe rest is in `card.html` on the run of this version.\n"


def write(model: Candidate, version: int, decision: str, report: str) -> str:
    """The card of a version; decision: in a sentence, and report: the whole of it."""
    name, recipe, spec = model.name, model.recipe, model.spec
    source, metadata = model.source, model.metadata
    warning = f"\n\n**Synthetic data:** {source.note}. The numbers say nothing about the real data."
    synthetic = warning if spec.synthetic else ""
    options = ", ".join(f"{key} = {value}" for key, value in recipe.options.items()) or "none"
    return f"""# {name}, version {version}

{recipe.task.capitalize()} on {source.title}.{synthetic}

| | |
|---|---|
| Data | `{recipe.dataset}`, edition {spec.edition}, profile {model.profile}: {_rows(spec)} |
| Licence | {source.licence} |
| Terms | {source.terms} |
| Architecture | `{recipe.model}` ({options}), {metadata.parameters:,} parameters, {model.megabytes:.3g} MB |
| Training | {_recipe(model)}; {metadata.epochs} epoch(s){_start(model)} |
| Decision | {decision} |

## On the test rows, never seen in training

| metric | this model | 95 % interval | baseline `{recipe.baseline}` |
|---|---|---|---|
{_table(model.figures)}
{_slices(model)}
## Why it is champion, or not

{report}
It had to meet: {_policy(model)}.

## Limits

{_limits(model)}

## How to use it

`mlflow.pyfunc.load_model("models:/{name}@champion").predict(x)` takes {_input(spec)} as they come: scaling \
and encoding are inside the model.{_classes(spec)}

`evermodel predict {name} FILE` does the same from the command line, `evermodel serve {name}` over HTTP.

## How to make it again

`evermodel rebuild {name}@{version}` trains it anew from its commit and compares the two to the last bit.

| | sha256 |
|---|---|
| model file | `{metadata.sha256}` |
| test rows | `{spec.test_hash}` |
{_files(source.files)}
| training key | `{metadata.key}` |
"""


def shortened(card: str, most: int) -> str:
    """A card of so many characters at most, cut after a line."""
    if len(card) <= most:
        return card
    return card[: card.rindex("\n", 0, most - len(REST))] + REST


def _rows(spec: Spec) -> str:
    return ", ".join(f"{count:,} {split}" for split, count in spec.rows.items())


def _recipe(model: Candidate) -> str:
    train = model.recipe.train
    beside = set() if model.spec.kind == "text" else {"text"}
    chosen = train.model_dump(exclude_none=True, exclude=beside) if train else {}
    return ", ".join(f"{key} = {value}" for key, value in chosen.items()) or "fitted by scikit-learn"


def _start(model: Candidate) -> str:
    """Which weights it began with, where the architecture can have pretrained ones."""
    if model.metadata.pretrained:
        return ", from weights trained on ImageNet"
    if model.recipe.options.get("base"):
        return ", from random weights (no pretrained ones came with the data)"
    return ""


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


def _slices(model: Candidate) -> str:
    """The metric that counts in each group of the policy's slices; "" if it names none."""
    groups = [group for name, column in model.slices.items() for group in promotion.groups(name, column)]
    if not groups:
        return ""
    lines = [_slice(model, group, model.scores.table[rows]) for group, rows in groups]
    head = [
        "\n### In each slice\n",
        f"| slice | test rows | {model.policy.metric} | 95 % interval |",
        "|---|---|---|---|",
    ]
    return "\n".join([*head, *lines, ""])


def _slice(model: Candidate, group: str, rows: pd.DataFrame) -> str:
    how = model.scores.statistics[model.policy.metric]
    try:
        low, high = statistics.intervals({"": how}, rows, promotion.SEED)[""]
    except EvermodelError:  # too few rows, or all of one class
        return f"| {group} | {len(rows):,} | – | – |"
    return f"| {group} | {len(rows):,} | {statistics.value(how, rows):.4g} | {low:.4g} … {high:.4g} |"


def _policy(model: Candidate) -> str:
    """What its experiment asks of a champion."""
    policy = model.policy
    limit = f"at least {policy.floor:g}" if policy.floor is not None else f"at most {policy.ceiling:g}"
    asked = [f"{policy.metric} {limit}", "better than the baseline"]
    asked += [f"no more than {policy.max_megabytes:g} MB"] if policy.max_megabytes is not None else []
    more = f" by more than {policy.margin:g}" if policy.margin else ""
    asked += [f"better than the champion{more} at {100 * policy.confidence:g} % confidence"]
    asked += [f"no worse than it by {most:g} in any group of {name}" for name, most in policy.slices.items()]
    return "; ".join(asked)


def _limits(model: Candidate) -> str:
    """What the numbers don't say and the model can't do, as a list."""
    spec = model.spec
    told = [
        f"Its numbers are of {spec.rows['test']:,} test rows of the same source. The intervals tell the luck "
        "of these rows, not how it does on data from elsewhere."
    ]
    if spec.classes:
        told += [f"It answers one of its {len(spec.classes)} classes, whatever it is given."]
    told += {
        "table": ["Numbers far from those of the training rows get an answer all the same."],
        "series": ["It forecasts from the steps that it is given, and knows of nothing else."],
        "images": ["Images of another size are resized; what is small in them may be lost."],
        "text": ["Words that the training rows lack count nothing."],
    }[spec.kind]
    return "\n".join(f"- {one}" for one in told)


def _files(files: Mapping[str, str]) -> str:
    return "\n".join(f"| {name} | `{digest}` |" for name, digest in files.items())


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
