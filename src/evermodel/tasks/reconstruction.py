"""Judging a picture that was squeezed through few numbers and drawn again."""

from typing import Literal

import pandas as pd
from matplotlib.figure import Figure

from evermodel.core.data import Answers, Spec
from evermodel.judging import restorations

HEADLINES: dict[str, Literal["lower", "higher"]] = {"mse": "lower", "psnr": "higher", "ssim": "higher"}

score = restorations.score
statistics = restorations.statistics
worst = restorations.worst


def metrics(scores: pd.DataFrame, spec: Spec) -> dict[str, float]:
    """The means of mse, psnr and ssim."""
    return restorations.means(scores)


def figures(scores: pd.DataFrame, spec: Spec, answers: Answers) -> dict[str, Figure]:
    """pictures (input, baseline and ours, side by side) and errors."""
    columns = {"input": answers.test.x, "baseline": answers.baseline, "ours": answers.model}
    baseline = restorations.squared_errors(answers.test.x, answers.baseline)
    return {
        "errors": restorations.errors({"ours": scores["mse"].to_numpy(), "baseline": baseline}),
        "pictures": restorations.rows(scores, columns),
    }
