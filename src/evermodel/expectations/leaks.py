"""Columns that tell the target, alone or together: they would be the answer among the questions."""

from typing import Literal

import numpy as np
import pandas as pd

from evermodel.core import data
from evermodel.core.data import Array

LEAK = 0.99  # a column tells the target, and nothing is left to learn
DOUBT = 0.97  # it may do so, such as a sum in which the target is the largest part
EACH = 5  # rows for each column, below which a sum fits by luck
ONE = 0.2  # how far from 1 the factor of a part of a sum may be
REST = 0.02  # of the target's variance, which a sum may leave unexplained, as fees do that no column has

Target = Literal["number", "class"]


def determination(feature: pd.Series, target: pd.Series, kind: Target) -> float:
    """How far one feature alone tells the target, from 0 to 1; rows without a target are left out.

    feature: typed (see core/fields.py). Where the target is a class, a gap is a value too: it may tell. Of a
    number the absolute rank correlation (Spearman 1904); with categories, the correlation ratio of the ranks,
    less what it would be by chance (Kelley 1935). Of k classes the balanced accuracy of a decision tree with
    k leaves: enough for a copy of the label in any order of its values, too few to learn the rows by heart;
    with categories, that of the class which is the most frequent among the others of a row's category.
    """
    known = target.notna() if kind == "class" else target.notna() & feature.notna()
    feature, target = feature[known], target[known]
    if feature.nunique(dropna=kind == "number") < 2 or target.nunique() < 2:
        return 0.0
    if kind == "number":
        if feature.dtype.kind == "f":
            return float(abs(feature.corr(target, method="spearman")))
        return _correlation_ratio(feature, target.rank())
    if target.nunique() > data.MOST_CLASSES:
        return 0.0
    hits = _tree(feature, target) if feature.dtype.kind == "f" else _majority(feature, target)
    return float(pd.Series(hits, target.index).groupby(target).mean().mean())


def told_together(numbers: pd.DataFrame, target: pd.Series) -> tuple[str, ...]:
    """The columns of numbers whose sum or difference is the target but for little; none if there are not two.

    By least squares over all columns: parts of a sum have the factors 1 and -1, as nothing else has that also
    leaves almost nothing over.
    """
    whole = numbers.loc[:, numbers.nunique() > 1]
    rows = np.isfinite(whole).all(axis=1) & np.isfinite(target)
    x, y = whole[rows], target[rows]
    if len(y) <= EACH * (x.shape[1] + 1) or y.nunique() < 2:
        return ()
    factors = np.linalg.lstsq(np.column_stack([x, np.ones(len(x))]), y, rcond=None)[0][:-1]
    signs = np.where(np.abs(np.abs(factors) - 1) <= ONE, np.sign(factors), 0)
    while np.count_nonzero(signs) > 1:
        rest = (y - x @ signs).var()
        without = {place: (y - x @ _without(signs, place)).var() for place in np.flatnonzero(signs).tolist()}
        least = min(without, key=lambda place: without[place])
        if without[least] > rest:  # each of them is needed
            return tuple(x.columns[signs != 0]) if rest <= REST * y.var() else ()
        signs = _without(signs, least)
    return ()


def _without(signs: Array, place: int) -> Array:
    return np.where(np.arange(len(signs)) == place, 0, signs)


def _correlation_ratio(categories: pd.Series, ranks: pd.Series) -> float:
    rows, groups = len(ranks), categories.nunique()
    if groups == rows:
        return 0.0
    within = ranks - ranks.groupby(categories).transform("mean")
    share = (within**2).sum() / (rows - groups) / ranks.var()
    return float(np.sqrt(max(0.0, 1 - share)))


def _tree(numbers: pd.Series, labels: pd.Series) -> Array:
    from sklearn.tree import DecisionTreeClassifier

    x, y = numbers.to_numpy(np.float64)[:, None], pd.factorize(labels)[0]  # also numbers are names here
    tree = DecisionTreeClassifier(max_leaf_nodes=y.max() + 1, class_weight="balanced", random_state=0)
    return np.asarray(tree.fit(x, y).predict(x) == y)


def _majority(categories: pd.Series, labels: pd.Series) -> Array:
    """Whether a row's class, weighted by its rareness, is the first among the others of its category."""
    category, label = pd.factorize(categories, use_na_sentinel=False)[0], pd.factorize(labels)[0]
    pairs = pd.Series(1, [category, label]).groupby(level=[0, 1]).sum()
    weight = 1 / np.bincount(label)[pairs.index.get_level_values(1)]
    votes = (pairs * weight).groupby(level=0)
    first = votes.rank(method="first", ascending=False)
    second = (pairs * weight)[first == 2].droplevel(1).reindex(pairs.index.get_level_values(0), fill_value=0)
    told = (first == 1).to_numpy() & (((pairs - 1) * weight).to_numpy() > second.to_numpy())
    return np.asarray(pd.Series(told, pairs.index).reindex(pd.MultiIndex.from_arrays([category, label])))
