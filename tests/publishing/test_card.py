import pytest

from evermodel.core.params import Experiment
from evermodel.publishing import card
from evermodel.publishing.candidate import Candidate
from evermodel.runs.saved import Facts
from evermodel.sources import Provenance
from tests.specs import make_spec

EXPERIMENT = Experiment.model_validate(
    {
        "dataset": "fashion_mnist",
        "task": "classification",
        "model": "conv_stack",
        "options": {"filters": [32, 64, 128], "dropout": 0.25},
        "baseline": "linear",
        "train": {"optimizer": "adam", "learning_rate": 0.001, "batch_size": 32, "epochs": 10},
        "promotion": {"metric": "accuracy", "floor": 0.8},
    }
)
FIGURES = {
    "accuracy": 0.91234,
    "log_loss": 0.25,
    "accuracy_low": 0.9,
    "accuracy_high": 0.92,
    "baseline_accuracy": 0.8,
    "baseline_log_loss": 0.6,
    "test_rows": 3594,
}
FACTS = Facts(key="cafe", file="model.keras", sha256="beef", parameters=241546, epochs=10, test_hash="f00d")
SOURCE = Provenance(
    title="Fashion pictures",
    edition="sample",
    made=True,
    note="silhouettes drawn from parameters",
    licence="MIT (somebody)",
    terms="free for all",
    reader="idx",
    options={},
    files={},
)


def write(kind="images", made=True, **changes):
    facts = {"dataset": "fashion_mnist", "made": made, "input_shape": (28, 28, 1)}
    facts |= {"classes": ("Shirt", "Bag"), "rows": {"train": 14000, "validation": 406, "test": 3594}}
    spec = make_spec(kind, **facts | {"test_hash": "f00d"} | changes)
    model = Candidate(
        name="fashion_cnn",
        profile="sample",
        experiment=EXPERIMENT,
        spec=spec,
        source=SOURCE,
        facts=FACTS,
        megabytes=1.0,
        figures=FIGURES,
        scores=None,
        slices={},
    )
    return card.write(model, "promote: it is better", "Better by 0.01 than champion 3.\n")


def test_made_data_are_called_made():
    assert "**Made data:** silhouettes drawn from parameters." in write(made=True)
    assert "made" not in write(made=False).lower()


@pytest.mark.parametrize(
    "fact",
    [
        "# fashion_cnn",
        "Fashion pictures",
        "14,000 train, 406 validation, 3,594 test",
        "MIT (somebody)",
        "free for all",
        "`conv_stack`",
        "filters = [32, 64, 128], dropout = 0.25",
        "241,546 parameters",
        "optimizer = adam, learning_rate = 0.001",
        "10 epoch(s)",
        "promote: it is better",
        "Better by 0.01 than champion 3.",
        "baseline `linear`",
        "| accuracy | 0.9123 | 0.9 … 0.92 | 0.8 |",
        "| log_loss | 0.25 | – | 0.6 |",
        "sha256 `beef`",
        "training key `cafe`",
        "test rows sha256 `f00d`",
        "images (28, 28, 1) of uint8",
        "Classes: Shirt, Bag.",
        "models:/fashion_cnn@champion",
    ],
)
def test_a_card_tells(fact):
    assert fact in write()


def test_a_card_says_what_a_model_of_another_kind_of_data_takes():
    assert "rows of the columns a, b" in write(kind="table", columns=("a", "b"))
    assert "takes texts as they come" in write(kind="text")
    assert "windows (60, 2) of Open, Volume" in write(
        kind="series", input_shape=(60, 2), columns=("Open", "Volume")
    )


def test_a_card_of_a_quantity_lists_no_classes():
    assert "Classes" not in write(classes=())


def test_the_same_facts_give_the_same_card():
    assert write() == write()
