"""The model card: what a person has to know before using a registered model, as Markdown and as a page."""

import base64
from collections.abc import Iterator, Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markdown_it import MarkdownIt

from evermodel import number
from evermodel.core.errors import EvermodelError
from evermodel.evaluation import statistics
from evermodel.publishing import cost, promotion
from evermodel.publishing.candidate import Candidate

MOST_COLUMNS = 15  # whose importance is told
REST = "\n\nThe rest is in `card.html` on the run of this version.\n"
TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    keep_trailing_newline=True,
)


def write(model: Candidate, version: int, decision: str, report: str) -> str:
    """The card of a version; decision: in a sentence, and report: the whole of it."""
    spec, train = model.spec, model.recipe.train
    beside = set() if spec.kind == "text" else {"text"}
    return TEMPLATES.get_template("card.md").render(
        model=model,
        version=version,
        rows={split: f"{count:,}" for split, count in spec.rows.items()},
        columns=", ".join(spec.names),
        options=_listed(model.recipe.options),
        size=f"{model.metadata.parameters:,} parameters, {model.megabytes:.3g} MB",
        training=_listed(train.model_dump(exclude_none=True, exclude=beside) if train else {}),
        searched=_searched(model),
        cost=cost.told(model.cost),
        metrics=[*_metrics(model.figures)],
        slices=[*_slices(model)],
        importance=[*_importance(model)],
        asked=[*_asked(model)],
        decision=decision,
        report=report,
    )


def shortened(card: str, most: int) -> str:
    """A card of so many characters at most, cut after a line."""
    if len(card) <= most:
        return card
    return card[: card.rindex("\n", 0, most - len(REST))] + REST


def page(title: str, card: str, images: Mapping[str, bytes]) -> str:
    """A card as HTML that is whole in itself: it reads offline, and prints well. images: PNGs, by name."""
    shown = {name: base64.b64encode(content).decode() for name, content in images.items()}
    body = MarkdownIt("js-default").render(card)
    return TEMPLATES.get_template("card.html").render(title=title, body=body, images=shown)


def _searched(model: Candidate) -> str:
    """By which study its values were chosen, if by one."""
    searched = model.searched
    if searched is None or not searched.made(model.profile, model.recipe):
        return "hand, not searched"
    return searched.sentence


def _listed(values: Mapping[str, object]) -> str:
    return ", ".join(f"{key} = {value}" for key, value in values.items())


def _metrics(figures: Mapping[str, float]) -> Iterator[tuple[str, ...]]:
    """Each metric that model and baseline have: its name, the model's value and interval, the baseline's."""
    for name, value in figures.items():
        if (baseline := figures.get(f"baseline_{name}")) is not None:
            low, high = figures.get(f"{name}_low"), figures.get(f"{name}_high")
            interval = "–" if low is None or high is None else _interval(low, high)
            yield name, number.text(value), interval, number.text(baseline)


def _interval(low: float, high: float) -> str:
    return f"{number.text(low)} … {number.text(high)}"


def _slices(model: Candidate) -> Iterator[tuple[str, ...]]:
    """Each group of the policy's slices: its name, rows, the metric that counts, and its interval."""
    for name, column in model.slices.items():
        how = model.scores.statistics[model.policy.metric]
        for group, chosen in promotion.groups(name, column):
            rows = model.scores.table[chosen]
            try:
                low, high = statistics.intervals({"": how}, rows, promotion.SEED)[""]
                told = number.text(statistics.value(how, rows)), _interval(low, high)
            except EvermodelError:  # too few rows, or all of one class
                told = "–", "–"
            yield group, f"{len(rows):,}", *told


def _importance(model: Candidate) -> Iterator[tuple[str, str, str]]:
    """The columns that are worth most: the name, how much worse the metric is without, and its deviation."""
    if model.importance is not None:
        for column, lost, sd in model.importance[:MOST_COLUMNS].itertuples(index=False):
            yield str(column), number.text(lost), number.text(sd)


def _asked(model: Candidate) -> Iterator[str]:
    """What its experiment asks of a champion."""
    policy = model.policy
    side = "least" if policy.floor is not None else "most"
    yield f"{policy.metric} at {side} {number.text(policy.limit)}"
    yield "better than the baseline"
    for name, least in policy.least.items():
        yield f"{name} at least {number.text(least)}"
    if policy.max_megabytes is not None:
        yield f"no more than {policy.max_megabytes:g} MB"
    more = f" by more than {number.text(policy.margin)}" if policy.margin else ""
    yield f"better than the champion{more} at {100 * policy.confidence:g} % confidence"
    for name, most in policy.slices.items():
        yield f"no worse than it by {number.text(most)} in any group of {name}"
