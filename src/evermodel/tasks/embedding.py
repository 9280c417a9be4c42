"""Evaluation of embeddings by whether they know people again whom training has never seen.

Of each person's images, in the order of the test rows, the first half (the larger, of an odd number) is
the gallery of known faces, and the others are probes. A person is as similar to an image as the nearest of
the person's gallery faces, by the cosine. Ties count against the answer.
"""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.optimize import brentq
from sklearn import metrics as measures
from sklearn.preprocessing import normalize

from evermodel.core.data import Array, Predictions, Spec, Split
from evermodel.core.errors import EvermodelError
from evermodel.evaluation import figures as plots
from evermodel.evaluation.predictions import check
from evermodel.evaluation.statistics import EMBEDDING, Statistic, cosines, verification

HEADLINES: dict[str, str] = {"rank1": "higher", "verification_auc": "higher"}
ACROSS: tuple[str, ...] = ("rank1", "verification_auc")  # compare rows of several targets
PAIRS = ("pairs of two people", "pairs of one person")
ADVICE = "one vector of the same length for each; end the model in one flat layer"
SHOWN = 6
NEIGHBOURS = 5


def score(test: Split, prediction: Array, spec: Spec) -> pd.DataFrame:
    """One row per example: target (the person), role ("gallery" or "probe"), nearest (the most similar
    person), rank (of the right person, 1 is best), rank1 (0 or 1: rank is 1), margin (by how much the right
    person is more similar than any other), and the embedding itself, of unit length, as e_0, e_1 ...

    A gallery face is compared with the gallery without itself. test.y: (n,) numbers of people; prediction:
    (n, d). Raises EvermodelError if it is of another shape or not finite, or no person can be known again.
    """
    check(prediction, (len(test), prediction[0].size), ADVICE)
    people, vectors = np.asarray(test.y), np.asarray(normalize(prediction.astype(float)))
    of_each = pd.Series(people).groupby(people)
    known = (of_each.cumcount() * 2 < of_each.transform("size")).to_numpy()
    if known.all() or len(set(people)) < 2:
        raise EvermodelError(
            "can't be evaluated: the test rows need two people or more, one of them with two images; set a "
            f"larger split.test in data/{spec.dataset}/params.yaml"
        )
    scores = pd.DataFrame({"target": people, "role": np.where(known, "gallery", "probe")})
    embedding = pd.DataFrame(vectors, columns=[f"e_{place}" for place in range(vectors.shape[1])])
    return pd.concat([scores, _found(cosines(vectors), people, known), embedding], axis=1)


def metrics(scores: pd.DataFrame, spec: Spec) -> dict[str, float]:
    """rank1 and rank5 of the probes; verification_auc and equal_error_rate of the cosines of all pairs."""
    ranks = scores["rank"][scores["role"] == "probe"]
    cosine, one = verification(scores)
    return {
        "equal_error_rate": _equal_error_rate(one, cosine),
        "rank1": (ranks == 1).mean(),
        "rank5": (ranks <= 5).mean(),
        "verification_auc": measures.roc_auc_score(one, cosine),
    }


def statistics(spec: Spec) -> dict[str, Statistic]:
    """How each headline follows from the scores.

    People are drawn, and the gallery stays as it is (the subset bootstrap of Bolle, Ratha & Pankanti 2004).
    """
    return {
        "rank1": Statistic(kind="identification", columns=("rank1",)),
        "verification_auc": Statistic(kind="verification"),
    }


def worst(scores: pd.DataFrame, spec: Spec, count: int) -> pd.DataFrame:
    """The probes with the smallest margin, smallest first, as a reader wants them; the index is the row."""
    named = {"target": "person", "nearest": "nearest", "margin": "margin"}
    rows = scores[scores["role"] == "probe"].nsmallest(count, "margin")
    return rows[list(named)].rename(columns=named)


def figures(scores: pd.DataFrame, spec: Spec, predictions: Predictions) -> dict[str, Figure]:
    """roc and similarities of pairs, and neighbours, the gallery faces nearest to some probes."""
    (cosine, one), baseline = verification(scores), score(predictions.test, predictions.baseline, spec)
    of_each = {name: cosine[one == number] for number, name in enumerate(PAIRS)}
    both = {"ours": cosine, "baseline": verification(baseline)[0]}
    return {
        "neighbours": _neighbours(scores, predictions.test.x),
        "roc": plots.roc(one, both, PAIRS),
        "similarities": plots.histograms("similarities", of_each, "cosine", "share of the pairs"),
    }


def _found(cosine: Array, people: Array, known: Array) -> pd.DataFrame:
    """Columns nearest, rank, rank1 and margin, (n,) each, from cosines (n, n)."""
    others = np.where(np.eye(len(people), dtype=bool), -1, cosine)[:, known]
    nearest = pd.DataFrame(others.T).groupby(people[known]).max().T
    right = nearest.columns.to_numpy() == people[:, None]
    own = nearest.to_numpy()[right]
    rank = (nearest.to_numpy() >= own[:, None]).sum(axis=1)
    margin = own - np.where(right, -1, nearest.to_numpy()).max(axis=1)
    found = {"nearest": nearest.idxmax(axis=1), "rank": rank, "rank1": (rank == 1).astype(np.int64)}
    return pd.DataFrame(found | {"margin": margin})


def _equal_error_rate(one: Array, cosine: Array) -> float:
    """Where as many pairs of two people are taken for one as pairs of one person for two."""
    wrong, right, _ = measures.roc_curve(one, cosine)
    return float(brentq(lambda rate: 1 - rate - np.interp(rate, wrong, right), 0, 1))


def _neighbours(scores: pd.DataFrame, x: Array) -> Figure:
    """Probes from the surest to the worst, each with its nearest gallery faces, the right ones framed."""
    probes, known = (np.flatnonzero(scores["role"] == role) for role in ("probe", "gallery"))
    picked = probes[plots.spread(-scores["margin"].to_numpy()[probes], SHOWN)]
    cosine = cosines(scores.filter(regex=EMBEDDING).to_numpy())[np.ix_(picked, known)]
    nearest = known[np.argsort(-cosine, axis=1, kind="stable")[:, :NEIGHBOURS]]
    rows = np.column_stack([picked, nearest])
    people = scores["target"].to_numpy()[rows]
    captions = [f"person {person}" for person in people[:, 0]]
    columns = ["probe", *(f"nearest {place}" for place in range(1, rows.shape[1]))]
    figure = plots.gallery("nearest gallery faces", [list(x[row]) for row in rows], columns, captions)
    right = (people == people[:, :1]) & (np.arange(rows.shape[1]) > 0)
    for axes in np.array(figure.axes)[right.ravel()]:
        axes.spines[:].set(visible=True, color=plots.MODEL, linewidth=3)
    return figure
