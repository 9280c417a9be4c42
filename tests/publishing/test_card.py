import numpy as np
import pandas as pd
import pytest

from evermodel.evaluation import statistics
from evermodel.publishing import card
from evermodel.publishing.candidate import Candidate
from evermodel.publishing.choice import Choice
from evermodel.publishing.policy import Promotion
from evermodel.publishing.scores import Scores
from evermodel.runs.recipe import Recipe
from evermodel.runs.saved import Metadata
from tests.specs import make_source, make_spec

RECIPE = Recipe.model_validate(
    {
        "dataset": "fashion_mnist",
        "task": "classification",
        "model": "cnn",
        "options": {"filters": [32, 64, 128], "dropout": 0.25},
        "baseline": "linear",
        "train": {"optimizer": "adam", "learning_rate": 0.001, "batch_size": 32, "epochs": 10},
    }
)
POLICY = Promotion(metric="accuracy", floor=0.8)
FIGURES = {
    "accuracy": 0.91234,
    "log_loss": 0.25,
    "accuracy_low": 0.9,
    "accuracy_high": 0.92,
    "baseline_accuracy": 0.8,
    "baseline_log_loss": 0.6,
    "test_rows": 3594,
}
METADATA = Metadata(
    key="cafe",
    file="model.keras",
    sha256="beef",
    parameters=241546,
    epochs=10,
    test_hash="f00d",
    target="class",
)
SOURCE = make_source(
    title="Fashion images",
    note="silhouettes drawn from parameters",
    licence="MIT (somebody)",
    terms="free for all",
    reader="idx",
    files={"images.gz": "c0ffee", "labels.gz": "f00"},
)
SCORES = pd.DataFrame({"target": [0, 0, 0, 0, 1, 1, 1, 1, 2], "correct": [1, 1, 1, 0, 1, 1, 1, 1, 0]})


def write(
    kind="images",
    synthetic=True,
    slices=(),
    promotion=None,
    importance=None,
    cost=None,
    searched=None,
    **changes,
):
    metadata = {"dataset": "fashion_mnist", "synthetic": synthetic, "input_shape": (28, 28, 1)}
    metadata |= {"classes": ("Shirt", "Bag"), "rows": {"train": 14000, "validation": 406, "test": 3594}}
    spec = make_spec(kind, **metadata | {"test_hash": "f00d"} | changes)
    model = Candidate(
        name="fashion_cnn",
        profile="sample",
        recipe=RECIPE,
        policy=POLICY.model_copy(update=promotion or {}),
        spec=spec,
        source=SOURCE,
        metadata=METADATA,
        megabytes=1.0,
        figures=FIGURES,
        scores=Scores(SCORES, "f00d", {"accuracy": statistics.mean("correct")}),
        slices={name: SCORES[name] for name in slices},
        importance=importance,
        cost=cost or {},
        searched=searched,
    )
    return card.write(model, 4, "promote: it is better", "Better by 0.01 than champion 3.\n")


def test_it_says_by_which_study_values_were_chosen_if_by_one():
    facts = {
        "study": "fashion_cnn@cafe",
        "profile": "sample",
        "metric": "accuracy",
        "trials": 20,
        "given_up": 3,
    }
    values = {"train.learning_rate": 0.001}
    chosen = Choice(
        **facts, hours=1.5, folds=5, before={"train.learning_rate": 0.1}, found=values, values=values
    )
    assert "| Values chosen by | study `fashion_cnn@cafe`, 20 trials by accuracy |" in write(searched=chosen)
    other = chosen.model_copy(update={"values": {"train.learning_rate": 0.002}})
    for told in (write(searched=other), write()):
        assert "| Values chosen by | hand, not searched |" in told


def test_what_the_training_has_cost_is_told_where_it_is_known():
    told = write(cost={"gpu_hours": 0.0, "cpu_hours": 1.25})
    assert "| Cost of training | 0 GPU hours, 1.25 CPU hours |\n| Decision |" in told
    assert "Cost" not in write()


def test_synthetic_data_are_called_synthetic():
    assert "**Synthetic data:** silhouettes drawn from parameters." in write(synthetic=True)
    assert "synthetic" not in write(synthetic=False).lower()


@pytest.mark.parametrize(
    "fact",
    [
        "# fashion_cnn, version 4",
        "Fashion images",
        "14,000 train, 406 validation, 3,594 test",
        "MIT (somebody)",
        "free for all",
        "`cnn`",
        "filters = [32, 64, 128], dropout = 0.25",
        "241,546 parameters",
        "optimizer = adam, learning_rate = 0.001",
        "10 epoch(s)",
        "promote: it is better",
        "Better by 0.01 than champion 3.",
        "baseline `linear`",
        "| accuracy | 0.9123 | 0.9 … 0.92 | 0.8 |",
        "| log_loss | 0.25 | – | 0.6 |",
        "edition sample, profile sample",
        "| model file | `beef` |",
        "| test rows | `f00d` |",
        "| images.gz | `c0ffee` |\n| labels.gz | `f00` |",
        "`cafe`",
        "241,546 parameters, 1 MB",
        "accuracy at least 0.8; better than the baseline; better than the champion at 95 % confidence.",
        "3,594 test rows of the same source",
        "one of its 2 classes, whatever it is given",
        "`evermodel rebuild fashion_cnn@4`",
        "images (28, 28, 1) of uint8",
        "Classes: Shirt, Bag.",
        "models:/fashion_cnn@champion",
    ],
)
def test_a_card_tells(fact):
    assert fact in write()


def test_a_card_says_what_a_model_of_another_kind_of_data_takes():
    assert "rows of the columns a, b" in write(kind="table", columns=({"name": "a"}, {"name": "b"}))
    assert "takes texts as they come" in write(kind="text")
    assert "windows (60, 2) of Open, Volume" in write(
        kind="series", input_shape=(60, 2), columns=({"name": "Open"}, {"name": "Volume"})
    )


def test_a_card_counts_test_rows_that_were_there_in_training():
    assert "stand among the training" not in write()
    assert "- 1,203 of the test rows stand among the training" in write(duplicates=1203)


def test_a_card_tells_how_many_groups_the_test_rows_are_of():
    assert "belong together" not in write()
    assert "are of 7 groups of rows that belong" in write(groups={"train": 90, "validation": 8, "test": 7})


def test_a_card_of_a_quantity_lists_no_classes():
    assert "Classes" not in write(classes=())


def test_a_card_tells_the_metric_of_each_slice_of_the_policy_and_where_there_are_too_few_rows():
    told = write(slices=["target"])
    assert "| slice | test rows | accuracy | 95 % interval |\n|---|---|---|---|\n" in told
    assert "| target = 0 | 4 | 0.75 | 0.25 … 1 |\n| target = 1 | 4 | 1 | 1 … 1 |" in told
    assert "| target = 2 | 1 | – | – |" in told
    assert "slice" not in write()


def test_a_card_tells_all_that_the_policy_asks():
    asked = {"floor": None, "ceiling": 2.5, "margin": 0.1, "confidence": 0.99, "max_megabytes": 20.0}
    told = write(promotion=asked | {"slices": {"target": 0.03}, "least": {"recall": 0.3}})
    assert "accuracy at most 2.5; better than the baseline; recall at least 0.3; no more than 20 MB; " in told
    assert "better than the champion by more than 0.1 at 99 % confidence; " in told
    assert "no worse than it by 0.03 in any group of target." in told


def test_a_card_is_cut_after_a_line_where_mlflow_has_no_room_for_all_of_it():
    whole = write()
    assert card.shortened(whole, len(whole)) == whole
    for most in range(300, len(whole), 50):
        cut = card.shortened(whole, most)
        assert len(cut) <= most
        kept, rest = cut.removesuffix(card.REST), cut[-len(card.REST) :]
        assert rest == card.REST
        assert whole.startswith(f"{kept}\n")


def test_the_columns_that_are_worth_most_are_told_of_a_table_alone():
    worth = pd.DataFrame(
        {"column": [f"c{n}" for n in range(20)], "accuracy": 0.5 / 2.0 ** np.arange(20), "sd": 0.01}
    )
    text = write(kind="table", importance=worth)
    assert "| column | accuracy worse by | ± |\n|---|---|---|\n| c0 | 0.5 | 0.01 |\n| c1 | 0.25 |" in text
    assert "| c14 |" in text
    assert "| c15 |" not in text
    assert "columns are worth" not in write()
