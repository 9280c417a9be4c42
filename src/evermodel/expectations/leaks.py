"""Columns that tell the target, alone or together: they would be the answer among the questions."""

from typing import Literal

import numpy as np
import pandas as pd
from sklearn.tree import DecisionTreeClassifier

from evermodel.core import data

Target = Literal["number", "class"]

LEAK = 0.99  # of 1, from which on a column tells the target
DOUBT = 0.95  # from which on somebody should ask when the column is known
EACH = 5  # rows of a category, on average, below which it is learned by heart
ONE = 0.2  # how far from 1 the factor of a part of a sum may be
REST = 0.02  # of the target's variance, which a sum may leave unexplained, as fees do that no column has


def determination(feature: pd.Series, target: pd.Series, kind: Target) -> float:
    """How far one feature alone tells the target, from 0 to 1.

    feature: float64, NaN for a gap, or objects, of which None is a category of its own. target: numbers, or
    labels as text. Rows without a target, or without a number, are left out.

    Numbers tell a number by their absolute rank correlation (Spearman 1904), and k classes by the balanced
    accuracy of a decision tree with k leaves: enough for a copy of the label in any order of its values, too
    few to learn the rows by heart. Categories tell a number by the correlation ratio of its ranks, adjusted
    for their count (Ezekiel 1930), and classes by the balanced accuracy of each category's own class.
    """
    is_text = feature.dtype.kind != "f"
    rows = target.notna() if is_text else np.isfinite(feature) & target.notna()
    feature, target = feature[rows], target[rows]
    if is_text:
        feature = feature.fillna("")
    if feature.nunique() < 2 or target.nunique() < 2:
        return 0.0
    if is_text and feature.nunique() > len(feature) / EACH:
        return 0.0
    if kind == "number":
        return _of_ranks(feature, target) if is_text else float(abs(feature.corr(target, method="spearman")))
    if target.nunique() > data.MOST_CLASSES:
        return 0.0
    labels = pd.Series(pd.factorize(target)[0], target.index)  # also numbers are names here
    guess = _by_category(feature, labels) if is_text else _by_tree(feature, labels)
    return float((guess == labels).groupby(labels).mean().mean())


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


def _without(signs: data.Array, place: int) -> data.Array:
    return np.where(np.arange(len(signs)) == place, 0, signs)


def _of_ranks(feature: pd.Series, target: pd.Series) -> float:
    ranks = target.rank()
    rest = (ranks - ranks.groupby(feature).transform("mean")) ** 2
    free = (len(ranks) - 1) / (len(ranks) - feature.nunique())
    explained = 1 - free * rest.sum() / ((ranks - ranks.mean()) ** 2).sum()
    return float(np.sqrt(max(explained, 0.0)))


def _by_category(feature: pd.Series, labels: pd.Series) -> pd.Series:
    """Of each category the class that is most frequent there, if all classes were as frequent."""
    shares = pd.crosstab(feature, labels, normalize="columns")
    return feature.map(shares.idxmax(axis=1))


def _by_tree(feature: pd.Series, labels: pd.Series) -> data.Array:
    tree = DecisionTreeClassifier(max_leaf_nodes=labels.nunique(), class_weight="balanced", random_state=0)
    x = feature.to_frame()
    return np.asarray(tree.fit(x, labels).predict(x))
