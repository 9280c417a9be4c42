"""Evaluation of the probabilities of several classes, one of which is right."""

from evermodel.evaluation import classification, probabilities

HEADLINES: dict[str, str] = {
    "accuracy": "higher",
    "average_precision": "higher",
    "balanced_accuracy": "higher",
    "f1": "higher",
    "log_loss": "lower",
}
ACROSS: tuple[str, ...] = ("average_precision",)  # compares rows of several targets
COUNTED: tuple[str, ...] = ("balanced_accuracy", "f1")  # of answers that are right or wrong, unevenly weighed

score = probabilities.score
worst = probabilities.worst
metrics = classification.metrics
statistics = classification.statistics
figures = classification.figures
