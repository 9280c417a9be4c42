"""Evaluation of examples that were made of noise."""

from evermodel.evaluation import generation

HEADLINES: dict[str, str] = {"frechet": "lower"}
ACROSS: tuple[str, ...] = ("frechet",)  # compares what was made with rows of every kind
LEAST: dict[str, str] = {"recall": "it has collapsed, most of what is real is like nothing that it makes"}

told = generation.told
answer = generation.answer
score = generation.score
metrics = generation.metrics
statistics = generation.statistics
worst = generation.worst
examples = generation.examples
figures = generation.figures
