"""Evaluation of the probabilities of several classes, one of which is right."""

from evermodel.evaluation import classification, probabilities

HEADLINES: dict[str, str] = {"accuracy": "higher", "log_loss": "lower"}

score = probabilities.score
worst = probabilities.worst
metrics = classification.metrics
statistics = classification.statistics
figures = classification.figures
