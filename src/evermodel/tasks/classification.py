"""Judging the probabilities of several classes, one of which is right."""

from typing import Literal

from evermodel.judging import classifying, probabilities

HEADLINES: dict[str, Literal["lower", "higher"]] = {"accuracy": "higher", "log_loss": "lower"}

score = probabilities.score
worst = probabilities.worst
metrics = classifying.metrics
statistics = classifying.statistics
figures = classifying.figures
