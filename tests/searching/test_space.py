import copy

import optuna
import pytest
from optuna.trial import FixedTrial

from evermodel import repository
from evermodel.core.errors import EvermodelError
from evermodel.core.section import checked
from evermodel.searching import space
from evermodel.searching.space import Search, Values

DNN = "experiments/boston_dnn/params.yaml"
VALUES = {
    "options": {"units": [8], "dropout": 0.1},
    "train": {"optimizer": "adam", "learning_rate": 0.01, "batch_size": 32, "text": {"max_tokens": 50}},
}


def search(**of):
    values = {path.replace("__", "."): one for path, one in of.items()}
    return checked(Search, {"metric": "mae", "trials": 3, "space": values}, "params.yaml", "search")


@pytest.fixture
def boston(workspace):
    """A function that gives boston_dnn a section search, and reads all experiments."""

    def write(section):
        file = workspace / DNN
        file.write_text(f"{file.read_text().partition('search:')[0]}search: {section}\n")
        return repository.load().experiment("boston_dnn").search

    return write


def test_a_section_is_read_for_the_profile(boston):
    found = boston(
        "{metric: mae, trials: {full: 60, sample: 5}, hours: 2, limits: {megabytes: 1}, "
        "space: {train.learning_rate: {log: [0.001, 0.1]}, train.batch_size: [8, 64]}}"
    )
    assert (found.trials, found.folds, found.hours, found.limits.megabytes) == (5, 5, 2, 1)
    assert found.space["train.batch_size"].range == (8, 64)


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ("{metric: mae, trials: 3}", "search.space is missing"),
        ("{metric: mae, trials: 3, space: {}}", "search.space"),
        ("{metric: mae, trials: 0, space: {train.epochs: [1, 9]}}", "search.trials is 0"),
        ("{metric: accuracy, trials: 3, space: {train.epochs: [1, 99]}}", "search.metric is 'accuracy'"),
        ("{metric: test_mae, trials: 3, space: {train.epochs: [1, 99]}}", "no row of folds or validation"),
        ("{metric: mae, trials: 3, seeds: 2, space: {train.epochs: [1, 99]}}", "seeds is not a known key"),
        ("{metric: mae, trials: 3, folds: 1, space: {train.epochs: [1, 99]}}", "search.folds is 1"),
        ("{metric: mae, trials: 3, space: {promotion.ceiling: [1, 9]}}", "only values below train and opt"),
        ("{metric: mae, trials: 3, space: {train.epoch: [1, 9]}}", "train.epoch, which has no value today"),
        ("{metric: mae, trials: 3, space: {train: [1, 9]}}", "train, which has keys of its own"),
        ("{metric: mae, trials: 3, space: {train.epochs: [9, 1]}}", "the lower end comes first"),
        ("{metric: mae, trials: 3, space: {train.epochs: [a, 1]}}", "must be two numbers"),
        ("{metric: mae, trials: 3, space: {train.epochs: 7}}", "train.epochs"),
        ("{metric: mae, trials: 3, space: {train.epochs: {of: [50]}}}", "train.epochs.of"),
        ("{metric: mae, trials: 3, space: {train.epochs: {of: [50, 100], log: [1, 9]}}}", "one of range, lo"),
        ("{metric: mae, trials: 3, space: {train.learning_rate: {log: [0, 9]}}}", "numbers above 0"),
        ("{metric: mae, trials: 3, space: {train.epochs: [1, 9]}}", "does not hold what it is today, 100"),
        ("{metric: mae, trials: 3, space: {train.epochs: [0, 200]}}", "holds 0: .*train.epochs is 0"),
        (
            "{metric: mae, trials: 3, space: {train.epochs: [1.5, 200]}}",
            "holds 1.5: .*a whole number",
        ),
        ("{metric: mae, trials: 3, space: {train.optimizer: {of: [adam, lion]}}}", "holds 'lion'"),
        (
            "{metric: mae, trials: 3, space: {train.epochs: {of: [50, 100], when: {train.batch_size: 32}}, "
            "train.batch_size: {of: [16, 32]}}}",
            "train.batch_size, which has to stand above it",
        ),
        ("{metric: mae, trials: 3, limits: {seconds: 1}, space: {train.epochs: [1, 99]}}", "limits.seconds"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_key(boston, section, told):
    with pytest.raises(EvermodelError, match=f"{DNN}: .*{told}"):
        boston(section)


def test_values_are_suggested_by_their_kind():
    asked = search(
        train__learning_rate={"log": [0.001, 0.1]},
        train__batch_size=[16, 64],
        options__units={"of": [[8], [16, 16]]},
        options__dropout=[0.0, 0.5],
    )
    trial = FixedTrial(
        {
            "train.learning_rate": 0.0123456,
            "train.batch_size": 17,
            "options.units": "[16, 16]",
            "options.dropout": 0.0004999,
        }
    )
    found = space.suggested(trial, asked, VALUES)
    assert found == {
        "train.learning_rate": 0.0123,  # three digits, so that a person reads them
        "train.batch_size": 17,
        "options.units": [16, 16],
        "options.dropout": 0.0005,
    }
    assert trial.distributions["train.learning_rate"].log
    assert isinstance(trial.distributions["train.batch_size"], optuna.distributions.IntDistribution)


def test_rounding_never_leaves_a_range_and_leaves_todays_value_alone():
    asked = search(options__dropout=[0.10001, 0.19999], train__learning_rate=[0.001, 0.1])
    today = copy.deepcopy(VALUES)
    today["train"]["learning_rate"] = 0.0123456
    trial = FixedTrial({"options.dropout": 0.199985, "train.learning_rate": 0.0123456})
    assert space.suggested(trial, asked, today) == {
        "options.dropout": 0.19999,
        "train.learning_rate": 0.0123456,
    }


def test_a_condition_leaves_a_value_as_it_is():
    asked = search(
        train__optimizer={"of": ["adam", "sgd"]},
        train__learning_rate={"log": [0.01, 0.1], "when": {"train.optimizer": "sgd"}},
        options__dropout={"range": [0.0, 0.5], "when": {"train.batch_size": 32}},
    )
    given = {"train.learning_rate": 0.05, "options.dropout": 0.2}
    adam = space.suggested(FixedTrial(given | {"train.optimizer": '"adam"'}), asked, VALUES)
    assert adam == {"train.optimizer": "adam", "options.dropout": 0.2}
    sgd = space.suggested(FixedTrial(given | {"train.optimizer": '"sgd"'}), asked, VALUES)
    assert sgd == {"train.optimizer": "sgd", "train.learning_rate": 0.05, "options.dropout": 0.2}
    assert space.today(asked, VALUES) == {"train.optimizer": "adam", "options.dropout": 0.1}


def test_other_values_leave_those_of_params_alone():
    before = copy.deepcopy(VALUES)
    changed = space.with_values(VALUES, {"train.text.max_tokens": 9, "options.units": [1]})
    assert before == VALUES
    assert (changed["train"]["text"], changed["options"]) == (
        {"max_tokens": 9},
        {"units": [1], "dropout": 0.1},
    )


@pytest.mark.parametrize(
    ("said", "value", "held"),
    [
        ({"range": [1, 5]}, 5, True),
        ({"range": [1, 5]}, 2.5, False),
        ({"range": [0.0, 1]}, 1, True),
        ({"range": [0, 1]}, True, False),
        ({"of": [[1], [2]]}, [2], True),
        ({"of": ["a", "b"]}, "c", False),
        ({"log": [0.1, 1.0]}, "0.5", False),
    ],
)
def test_what_a_space_holds(said, value, held):
    assert Values.model_validate(said).holds(value) is held
