"""Whether one model is better than another on the same test rows, by an exact test.

If neither is, it is luck which of the two got which score of a row, and all swaps between them are as likely
as what was seen (Fisher 1935; Pitman 1937). Every headline is made so that the difference of two models is a
sum of gains, one of each row (of f1 and average precision but for its third order), and a swap turns the sign
of a gain. Of the verification of faces and the Fréchet distance, gains are the jackknife's. Rows that belong
together, neighbours in time and images of one person are swapped together. Nothing is drawn: the swaps are
counted.
"""

import numpy as np
import pandas as pd
from scipy import stats

from evermodel.core.data import Array
from evermodel.evaluation import detection, frechet, statistics
from evermodel.evaluation.statistics import Statistic

MOST = 500  # units that are swapped; more are put at random into so many blocks
CELLS = 2**19  # of the lattice on which swaps are counted
RATES = 64  # of disagreement that are tried
SPARED = 10  # the part of the level that is spent on what the rate may be
RARE = 1e-12  # what is rarer counts as never


def chance(
    statistic: Statistic, ours: pd.DataFrame, theirs: pd.DataFrame, sign: int, needed: float, level: float
) -> float:
    """How likely ours is ahead as far as it is by luck, if it is better by no more than `needed`.

    The p-value of the one-sided test: of right and wrong answers McNemar's (1947), or an unconditional one
    where something is needed; otherwise a paired permutation test. sign: 1 where more of the statistic is
    better, -1 where less is; needed: counted so that more is better. level: what the p-value will be held
    against, which the unconditional test has to know.
    """
    gains, shares = _units(statistic, ours, theirs)
    if needed and _right_or_wrong(statistic, ours, theirs):
        wins, losses = (int((way * sign * gains > 0).sum()) for way in (1, -1))
        return _unconditional(wins, losses, len(gains), needed, level)
    return _of_swaps(sign * gains - needed * shares)


def least(statistic: Statistic, scores: pd.DataFrame) -> float:
    """The smallest chance that the test of swaps can tell of these rows: one of all swaps."""
    return float(0.5 ** len(np.unique(_unit_of_each(statistic, _asked(statistic, scores)))))


def _units(statistic: Statistic, ours: pd.DataFrame, theirs: pd.DataFrame) -> tuple[Array, Array]:
    """Of all that is swapped as a whole, (n,) each: the gains, which sum to the difference of the statistic,
    and the shares of the rows, or of a ratio those of what is below the line.
    """
    if statistic.kind == "verification":
        gains = _without_each(statistic, ours, theirs)
        return gains, np.full(len(gains), 1 / len(gains))
    ours, theirs = (_asked(statistic, scores) for scores in (ours, theirs))
    unit = _unit_of_each(statistic, ours)
    weight = ours[statistic.columns[1]].to_numpy(float) if statistic.kind == "ratio" else np.ones(len(unit))
    return np.bincount(unit, _gains(statistic, ours, theirs)), np.bincount(unit, weight) / weight.sum()


def _asked(statistic: Statistic, scores: pd.DataFrame) -> pd.DataFrame:
    """The rows that the statistic is of."""
    return scores[scores["role"] == "probe"] if statistic.kind == "identification" else scores


def _unit_of_each(statistic: Statistic, scores: pd.DataFrame) -> Array:
    """The number of the unit that each row belongs to."""
    if statistic.kind in ("identification", "verification"):
        return np.unique(scores["target"], return_inverse=True)[1]
    if statistic.in_time:
        return np.arange(len(scores)) // statistics.neighbours_in_time(len(scores))
    group = statistics.groups(statistic, scores)
    return np.arange(len(scores)) if group is None else group


def _gains(statistic: Statistic, ours: pd.DataFrame, theirs: pd.DataFrame) -> Array:
    """Each row's part in the difference of the statistic, (n,)."""
    if statistic.kind == "roc_auc":
        target, score = statistic.columns
        return _area(ours[target].to_numpy() == 1, ours[score].to_numpy(), theirs[score].to_numpy())
    if statistic.kind in ("recall", "f1", "average_precision", "macro"):
        return _found(statistic, ours, theirs)
    if statistic.kind == "frechet":
        return _nearer(ours, theirs)
    our, their = (scores[statistic.columns[0]].to_numpy(float) for scores in (ours, theirs))
    gains = np.asarray((our - their) / len(our))
    match statistic.kind:
        case "root_mean":  # √a - √b is (a - b) / (√a + √b), and no swap changes which of the two is larger
            roots = np.sqrt(our.mean()) + np.sqrt(their.mean())
            return gains / roots if roots else gains
        case "ratio":  # below the line both have the same
            return gains / ours[statistic.columns[1]].mean()
        case "skill":
            return -gains / ours[statistic.columns[1]].mean()
        case "r2":
            return -gains / ours[statistic.columns[1]].var(ddof=0)
        case _:
            return gains


def _area(positive: Array, ours: Array, theirs: Array) -> Array:
    """Each row's part in the difference of two areas under the ROC curve.

    Scores of two models are of two scales, so that their ranks are swapped (Venkatraman & Begg 1996). A swap
    of a row then changes the difference by how much further its rank of ours is up among the ranks of the
    other class, of both models, than its rank of theirs: whatever else is swapped.
    """
    ranks = [np.rint(2 * stats.rankdata(scores)).astype(int) for scores in (ours, theirs)]
    gains = np.empty(len(positive))
    for rows, others, sign in ((positive, ~positive, 1), (~positive, positive, -1)):
        count = np.bincount(np.concatenate([rank[others] for rank in ranks]), minlength=2 * len(rows) + 1)
        below = np.cumsum(count) - count / 2
        gains[rows] = sign * (below[ranks[0][rows]] - below[ranks[1][rows]])
    return np.asarray(gains / (2 * positive.sum() * (~positive).sum()))


def _found(statistic: Statistic, ours: pd.DataFrame, theirs: pd.DataFrame) -> Array:
    """Each row's part in the difference of how well classes are found.

    The slopes are those at the mean of the two models, which no swap changes: the test stays exact. They tell
    the difference but for its third order, by which gains are stretched to sum to it. Scores of two models
    are of two scales, so that ranks take their places.
    """
    gains, half = np.zeros(len(ours)), np.full(2 * len(ours), 0.5)
    asked = [statistics.detections(statistic, scores) for scores in (ours, theirs)]
    for (measure, positive, our), (_, _, their) in zip(*asked, strict=True):
        both = [stats.rankdata(each) if measure == "average_precision" else each for each in (our, their)]
        slopes = detection.slopes(measure, np.tile(positive, 2), np.concatenate(both), half)
        gains += (slopes[: len(ours)] - slopes[len(ours) :]) / len(asked[0])
    told = statistics.value(statistic, ours) - statistics.value(statistic, theirs)
    return gains * told / gains.sum() if told * gains.sum() > 0 else gains


def _nearer(ours: pd.DataFrame, theirs: pd.DataFrame) -> Array:
    """Each row's part in the difference of two Fréchet distances.

    A swap changes what was made and never the test rows, but it is luck, too, which of these there are: two
    models that are off by as much in two directions would seem to differ. So it is the jackknife's
    pseudo-values whose signs are turned, in the limit of many rows (the infinitesimal jackknife, Efron 1982).
    """
    our, their = (statistics.clouds(scores) for scores in (ours, theirs))
    told = frechet.distance(*our) - frechet.distance(*their)
    return np.asarray((told + frechet.slopes(*our) - frechet.slopes(*their)) / len(ours))


def _without_each(statistic: Statistic, ours: pd.DataFrame, theirs: pd.DataFrame) -> Array:
    """Each person's part in the difference of two areas over pairs of people.

    The pairs of two people belong to both, and there is no similarity between faces as one model and as the
    other sees them: instead of a swap, what the difference loses without the person (the jackknife's
    pseudo-values, Tukey 1958), moved so that they sum to the difference.
    """
    drawn = [statistics.draws(statistic, scores, None, 1) for scores in (ours, theirs)]
    people = drawn[0].units[0]

    def difference(of: Array) -> float:
        return float(drawn[0].value(of) - drawn[1].value(of))

    without = np.array([difference(np.delete(people, place)) for place in people])
    return np.asarray((difference(people) + (len(people) - 1) * (without.mean() - without)) / len(people))


def _right_or_wrong(statistic: Statistic, ours: pd.DataFrame, theirs: pd.DataFrame) -> bool:
    """Whether each row stands for itself and is 1 or 0."""
    if statistic.kind != "mean" or statistic.in_time or statistics.GROUP in ours:
        return False
    return all(scores[statistic.columns[0]].isin((0, 1)).all() for scores in (ours, theirs))


def _of_swaps(gains: Array) -> float:
    """The share of all swaps after which gains (n,) sum to as much or more.

    These are the swaps whose gains sum to 0 or less. They are counted on a lattice (Pagano & Tritchler 1983),
    onto which gains are rounded down: the share is never too small, and what ties, ties.
    """
    gains = gains[gains != 0]
    if len(gains) == 0:
        return 1.0
    if np.ptp(np.abs(gains)) == 0:
        return float(stats.binomtest(int((gains > 0).sum()), len(gains), alternative="greater").pvalue)
    if len(gains) > MOST:
        shuffled = np.random.default_rng(0).permutation(gains)
        gains = np.add.reduceat(shuffled, np.arange(0, len(gains), -(-len(gains) // MOST)))
    steps = np.floor(gains * (CELLS / np.abs(gains).sum())).astype(int)
    # The shares of the swaps by where their gains sum to, from all the losses up to 0: losses first, so that
    # what has risen above 0 does not come back.
    last = -steps[steps < 0].sum()
    shares = np.ones(1)
    for step in np.sort(steps):
        wider = np.zeros(min(len(shares) + abs(step), last + 1))
        wider[: len(shares)] = shares
        wider[abs(step) :] += shares[: max(len(wider) - abs(step), 0)]
        shares = wider / 2
    return float(shares.sum())


def _unconditional(wins: int, losses: int, rows: int, needed: float, level: float) -> float:
    """The p-value of so many wins and losses among rows, if the truth is `needed` of a row each or less.

    Turning signs would be wrong here: that no loss was seen among 50 rows does not say that there are less
    than 2 % of them. What is as far ahead, by Tango's score (1998), is counted at the worst rate of rows on
    which the two disagree, of those in an interval that holds the true one with all but a part of the level
    (Berger & Boos 1994; for this score Sidik 2003, Statistics in Medicine 22).
    """
    spent = level / SPARED
    low, high = stats.binomtest(wins + losses, rows).proportion_ci(1 - spent)
    if high < -needed:
        return spent
    rate = np.linspace(max(low, -needed), high, RATES)[:, None]
    win = (rate + np.minimum(needed, rate)) / 2
    won = np.arange(stats.binom.ppf(RARE, rows, win.min()), stats.binom.isf(RARE, rows, win.max()) + 1)
    lost = _most_losses(won, _score(wins, losses, rows, needed), rows, needed)
    of_the_rest = (rate - win) / np.maximum(1 - win, RARE)
    as_far = stats.binom.pmf(won, rows, win) * stats.binom.cdf(lost, rows - won, of_the_rest)
    return float(min(1, spent + as_far.sum(axis=1).max()))


def _most_losses(won: Array, score: Array, rows: int, needed: float) -> Array:
    """With how many losses so many wins, (n,), still score as much; -1 where it is too much for any."""
    low, high = np.full(len(won), -1.0), rows - won
    while (low < high).any():
        middle = np.ceil((low + high) / 2)
        enough = _score(won, middle, rows, needed) >= score - 1e-9
        low, high = np.where(enough, middle, low), np.where(enough, high, middle - 1)
    return low


def _score(wins: Array | int, losses: Array | int, rows: int, needed: float) -> Array:
    """By how many of its standard errors, as they are if the truth is `needed`, the difference is above that.

    loss: the likeliest rate of losses if so (Tango 1998, Statistics in Medicine 17, equation 10).
    """
    b = (2 * rows - wins + losses) * needed - wins - losses
    loss = (np.sqrt(np.maximum(b * b + 8 * rows * losses * needed * (1 - needed), 0)) - b) / (4 * rows)
    variance = rows * (2 * loss + needed * (1 - needed))
    return np.asarray((wins - losses - rows * needed) / np.sqrt(np.maximum(variance, RARE)))
