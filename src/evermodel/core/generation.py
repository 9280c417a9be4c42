"""What all agree on of models that make examples: what they are asked, and what they are judged by."""

from typing import TYPE_CHECKING

from evermodel.core.columns import Column

if TYPE_CHECKING:
    import pandas as pd

SEED = Column(name="seed", kind="whole")  # a whole number of which noise is made
JUDGE = "judge"  # the classifier among the weights that come with a data set


def seeds(count: int) -> "pd.DataFrame":
    """Rows with the seeds 0, 1, 2 …, typed."""
    import pandas as pd

    return pd.DataFrame({SEED.name: range(count)}, dtype=float)


def no_judge(dataset: str) -> str:
    """That a data set has no judge, and how it gets one."""
    return (
        f"data set {dataset} has no judge, the classifier by which what a model makes is judged; train one, "
        f"and `evermodel judge EXPERIMENT` tells what data/{dataset}/params.yaml has to say (docs/data.md)"
    )
