"""Judging the probabilities of several classes, one of which is right."""

from typing import Literal

from evermodel.judging import classifying, probabilities

HEADLINES: dict[str, Literal["lower", "higher"]] = {"accuracy": "higher", "log_loss": "lower"}
MEANS = classifying.MEANS

score = probabilities.score
worst = probabilities.worst
metrics = classifying.metrics
intervals = classifying.intervals
figures = classifying.figures
