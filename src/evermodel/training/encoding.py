"""How a table's columns become the numbers that a scikit-learn model takes, as a part of what is saved."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, SplineTransformer
from sklearn.utils import get_tags

from evermodel.core.columns import Column
from evermodel.core.fields import TEXTS

DAY = 86_400.0  # seconds
PERIODS = {"day": DAY, "week": 7 * DAY, "year": 365.2425 * DAY}
KNOTS = 9  # of a spline around a period: every 3 hours of a day
TOPICS = 16  # numbers that stand for a text where a model should not get one for each word


def encoded(model: Any, columns: Sequence[Column]) -> Any:
    """The model behind what makes numbers of a table, unless it takes the columns as they are.

    A model that takes gaps, such as one of trees, gets them, and a category as its number; any other gets a
    gap as the median and a 1 beside it, and a category as a row of 0 and one 1.
    """
    if all(one.kind not in (*TEXTS, "time") and one.gaps == "refuse" for one in columns):
        return model
    if get_tags(model).no_validation:  # it does not look at what it is shown
        return model
    inner = getattr(model, "estimator", None)  # of one that fits a copy of it for each of several targets
    takes_gaps = get_tags(model if inner is None else inner).input_tags.allow_nan
    known = [one for one in columns if one.kind == "category" and _categories(one)]
    if takes_gaps and known:
        named = (name for name in model.get_params(deep=True) if name.endswith("categorical_features"))
        model.set_params(**{key: list(range(len(known))) for key in named})
    parts = [*_of_categories(known, codes=takes_gaps), *_of_numbers(columns, gaps=takes_gaps)]
    parts += _of_texts(columns, topics=takes_gaps)
    steps = model.steps if isinstance(model, Pipeline) else [("model", model)]
    return Pipeline([("columns", ColumnTransformer(parts, sparse_threshold=0)), *steps])


def width(columns: Sequence[Column]) -> int:
    """About how many numbers a row becomes."""
    of_texts = sum(len(one.categories) + len(one.vocabulary) for one in columns)
    times = sum(one.kind == "time" for one in columns)
    return len(columns) + sum(one.missing > 0 for one in columns) + times * len(PERIODS) * KNOTS + of_texts


def _of_categories(columns: Sequence[Column], *, codes: bool) -> list[tuple[str, Any, list[str]]]:
    """Categories as the training rows have them; one that is not known is none."""
    if not columns:
        return []
    known = [_categories(one) for one in columns]
    encoder = (
        OrdinalEncoder(categories=known, handle_unknown="use_encoded_value", unknown_value=np.nan)
        if codes
        else OneHotEncoder(categories=known, handle_unknown="ignore", sparse_output=False)
    )
    return [("categories", encoder, [one.name for one in columns])]


def _of_numbers(columns: Sequence[Column], *, gaps: bool) -> list[tuple[str, Any, list[str]]]:
    """Numbers and the seconds of times; of these also the places in periods, and the spans between them."""
    plain = [one.name for one in columns if one.kind not in TEXTS]
    times = [one.name for one in columns if one.kind == "time"]
    filled = SimpleImputer(strategy="median", keep_empty_features=True)
    marked = SimpleImputer(strategy="median", keep_empty_features=True, add_indicator=True)
    parts = [("numbers", "passthrough" if gaps else marked, plain)] if plain else []
    for name, period in PERIODS.items() if times else ():
        knots = np.repeat(np.linspace(0, period, KNOTS)[:, None], len(times), axis=1)
        spline = SplineTransformer(knots=knots, extrapolation="periodic", include_bias=False)
        parts.append((name, make_pipeline(filled, spline), times))
    if times[1:]:
        spans = FunctionTransformer(np.diff)
        parts.append(("spans", spans if gaps else make_pipeline(spans, filled), times))
    return parts


def _of_texts(columns: Sequence[Column], *, topics: bool) -> list[tuple[str, Any, list[str]]]:
    """Of each text the weights of its words (TF-IDF), or what they have in common with those of others."""
    parts = []
    for place, one in enumerate(columns):
        if one.kind == "text" and one.vocabulary:
            steps = [
                SimpleImputer(missing_values=None, strategy="constant", fill_value=""),
                FunctionTransformer(np.ravel),
                TfidfVectorizer(vocabulary=list(one.vocabulary), token_pattern=r"(?u)\b\w+\b"),
            ]
            if topics:
                steps.append(TruncatedSVD(min(TOPICS, len(one.vocabulary))))
            parts.append((f"text{place}", make_pipeline(*steps), [one.name]))
    return parts


def _categories(column: Column) -> list[str | None]:
    """Those of the training rows; a gap is one where they had some."""
    return [*column.categories, *([None] if column.missing else [])]
