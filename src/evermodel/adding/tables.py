"""A table as a data set: what is asked, what is learned from, and how it is split."""

import math
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pandas as pd

from evermodel.adding import doubts, questions, recipes
from evermodel.adding.entry import Entry, Values
from evermodel.adding.finding import Found
from evermodel.adding.look import COUNTED, Look
from evermodel.core import catalog
from evermodel.core.fields import TEXTS
from evermodel.expectations import leaks

UNKNOWN = {"licence": "unknown; fill in", "terms": "unknown; fill in"}
SPLIT = {"test": 0.2, "validation": 0.1, "seed": 1}
FEWER = {"test": 0.05, "validation": 0.05, "seed": 1}  # of many rows, which tell the same, sooner
STRATIFIED = 10  # rows of each class, without which a split can't have its share of them
ROOM = 0.5  # of a column's span, on either side of its range
MORE_GAPS = 0.1  # of the rows, above what was found
MOST_NAMED = 100  # classes that are written down


def entry(found: Found, look: Look, target: str, task: str) -> Entry:
    """What is written of a table and of the experiments that predict its target."""
    is_number = catalog.target(task) == "number"
    y = look.frame[target] if is_number else questions.labels(look, target)
    told = doubts.alone(look, y, "number" if is_number else "class", target)
    dropped = drop(look, target, y, told)
    grouped = [name for name in doubts.groups(look) if name not in (target, *dropped)]
    if "splits" in found.options:  # by which nothing else is to be split
        dropped, grouped = dropped | dict.fromkeys(grouped, "names what rows are about"), []
    features = [name for name in look.names if name not in (target, *dropped, *grouped)]
    new = Entry(
        {
            "source": source(found, "table", look.options),
            "target": target,
            **({"drop": list(dropped)} if dropped else {}),
            **columns(look, features),
            "gaps": "fill",
            **({} if is_number else classes(look, y)),
            "split": split(found, look, y, grouped, stratify=not is_number),
            "expect": expect(look, features, [target] if is_number else []),
        },
        recipes.of_table(task, y, mixed=any(look.kind(name) in TEXTS for name in features)),
    )
    new.assumed += assumed(look, target, task, new)
    new.doubts += [
        *_why(dropped),
        *suspects(told, features),
        *doubts.of_rows(look),
        *doubts.of_columns(look, features),
        *doubts.derived(look, features),
        *(() if is_number else doubts.of_classes(y)),
        *order(look, features),
    ]
    return new


def source(found: Found, reader: str, options: Values) -> Values:
    """Where the data lie, and by which hash they are known."""
    files = [one.model_dump(mode="json", exclude_defaults=True) for one in found.files]
    data = {"query": found.query} if found.query else {"files": files}
    edition = {"name": "own", **({"options": options} if options else {}), **data}
    return {"title": found.title, **UNKNOWN, "reader": reader, "editions": [edition]}


def drop(look: Look, target: str, y: pd.Series, told: dict[str, float]) -> dict[str, str]:
    """The columns that are no features, each with the reason; told: how far each tells the target."""
    reasons = dict.fromkeys(doubts.constant(look), "the same in every row")
    reasons |= dict.fromkeys(doubts.names(look), "names, of too many words for so few rows")
    reasons |= dict.fromkeys(doubts.identifiers(look), "each row has its own")
    reasons.pop(target, None)
    for name, score in told.items():
        if score >= leaks.LEAK:
            reasons.setdefault(name, f"tells {target} by itself")
    if y.dtype.kind == "f":
        others = [name for name in look.names if name not in (target, *reasons)]
        reasons |= dict.fromkeys(doubts.together(look, y, others), f"together they add up to {target}")
    return {name: reasons[name] for name in look.names if name in reasons}


def columns(look: Look, features: Iterable[str]) -> Values:
    """What is said of columns: how dates are written, where it is not as ISO 8601 has it."""
    dates = {name: look.seen[name].format for name in features if look.seen[name].format}
    return (
        {"columns": {name: {"kind": "time", "format": form} for name, form in dates.items()}} if dates else {}
    )


def classes(look: Look, y: pd.Series) -> Values:
    """The names of the classes, if they are no numbers and few."""
    named = sorted(y.unique())
    if look.whole and len(named) <= MOST_NAMED and not all(name.lstrip("-").isdecimal() for name in named):
        return {"classes": named}
    return {}


def split(found: Found, look: Look, y: pd.Series, grouped: list[str], *, stratify: bool) -> Values:
    """How rows are split: as files are, in groups, by hash if they are many, or by lot."""
    if "splits" in found.options:
        shares = {key: SPLIT[key] for key in ("validation", "seed")}
        return {"method": "predefined", **shares}
    if grouped:
        return {"method": "shuffle", **SPLIT, "groups": grouped}
    if look.rows >= COUNTED:
        return {"method": "hash", **FEWER}
    enough = stratify and y.value_counts().min() >= STRATIFIED
    return {"method": "shuffle", **SPLIT, **({"stratify": True} if enough else {})}


def expect(look: Look, features: list[str], targets: list[str]) -> Values:
    """The contract of the data: what was seen, with some room; if that was a part, only how many rows."""
    rules: Values = {"min_rows": max(1, look.rows // 2)}
    if not look.whole:
        return rules
    numbers = [n for n in look.names if n in (*features, *targets) and look.kind(n) in ("number", "whole")]
    two = [n for n in features if look.kind(n) == "category" and look.frame[n].nunique() == 2]
    shares = {n: look.seen[n].gaps / look.looked for n in features if look.seen[n].gaps}
    if numbers:
        rules["ranges"] = {name: span(look.frame[name]) for name in numbers}
    if two:
        rules["categories"] = {name: sorted(look.frame[name].dropna().unique()) for name in two}
    if shares:
        rules["gaps"] = {name: min(0.99, round(share + MORE_GAPS, 2)) for name, share in shares.items()}
    return rules


def span(values: pd.Series) -> list[float]:
    """Where the numbers of a column lie, with some room; what never was below zero does not get there."""
    low, high = float(values.min()), float(values.max())
    room = ROOM * (high - low) or abs(high) or 1.0
    digits = 1 - math.floor(math.log10(room))
    bottom = _rounded(math.floor, low - room, digits)
    return [max(0, bottom) if low >= 0 else bottom, _rounded(math.ceil, high + room, digits)]


def suspects(told: dict[str, float], features: list[str]) -> list[str]:
    """Features that nearly tell the target."""
    near = [f"{name} ({told[name]:.3f})" for name in features if told[name] >= leaks.DOUBT]
    if not near:
        return []
    return [f"nearly the target by itself: {doubts.listed(near)}; is it known when an answer is asked for?"]


def order(look: Look, features: list[str]) -> list[str]:
    """That the future is another question."""
    if not (times := [name for name in features if look.kind(name) == "time"]):
        return []
    return [
        f"rows have a time ({doubts.listed(times)}) but are split by lot; if later rows are to be predicted "
        f"from earlier ones, set split to {{method: time, time: {times[0]}, test: 0.2, validation: 0.1}}"
    ]


def assumed(look: Look, target: str, task: str, new: Entry) -> list[str]:
    """What was decided, for whoever knows better."""
    kinds = defaultdict(list)
    for name in look.names:
        if name not in (target, *new.dataset.get("drop", ())):
            kinds[look.kind(name)].append(name)
    seen = (
        f"{look.rows} rows"
        if look.whole
        else (f"at least {look.rows} rows, of which the first {look.looked} were looked at")
    )
    asked = f"{target} is predicted by task {task} (--task says otherwise)"
    options = ", ".join(f"{key} {value!r}" for key, value in look.options.items())
    found = [f"{kind}: {doubts.listed(names)}" for kind, names in kinds.items()]
    return [
        f"{seen}; {asked}",
        *([f"the files are read with {options}"] if options else []),
        *found,
        "an empty field is filled, or a category of its own (gaps: fill)",
        f"split: {ruled(new)}",
    ]


def ruled(new: Entry) -> str:
    """How the rows are split, in a sentence."""
    return ", ".join(f"{key} {value}" for key, value in new.dataset["split"].items())


def _why(dropped: dict[str, str]) -> list[str]:
    """Which columns are left out, by reason."""
    reasons = defaultdict(list)
    for name, reason in dropped.items():
        reasons[reason].append(name)
    return [f"dropped: {doubts.listed(names)} ({reason})" for reason, names in reasons.items()]


def _rounded(way: Any, value: float, digits: int) -> float | int:
    found = way(round(value * 10.0**digits, 6)) / 10.0**digits
    return int(found) if found.is_integer() else found
