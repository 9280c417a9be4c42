import pytest

from evermodel.core.columns import VOCABULARY
from evermodel.runs import recipe
from evermodel.runs.recipe import Recipe, Train
from tests.settings import MISSING, refusal, write

WRONG_VALUES = [
    ("options", None, "keys with values"),
    ("train.epochs", "many", "whole number"),
    ("train.epochs", 0, "greater than or equal to 1"),
    ("train.batch_size", 0, "greater than or equal to 1"),
    ("train.learning_rate", 0, "greater than 0"),
    ("train.learning_rate", float("inf"), "finite"),
    ("train.optimizer", "lion", "'adam'"),
    ("train.early_stopping", {"monitor": "accuracy", "patience": 1}, "'val_loss'"),
    ("train.text", {"max_tokens": 2}, "greater than or equal to 3"),
    ("train.text", {"max_tokens": VOCABULARY + 1}, "less than or equal to 20000"),
    ("train.machines", 0, "greater than or equal to 1"),
    ("train.machines", "all", "whole number"),
    ("train.image_size", 4, "greater than or equal to 8"),
    ("train.image_size", [64, 64], "whole number"),
    ("train.random_flip", "left", "true or false"),
    ("train.class_weight", "even", "'balanced'"),
    ("train.precision", "float16", "'mixed_float16'"),
    ("train.fine_tune", {"layers": 0, "epochs": 1}, "greater than or equal to 1"),
    ("train.fine_tune", {"layers": 1, "epochs": 1, "factor": 2}, "less than or equal to 1"),
    ("train.epochs", {"full": 9}, "whole number"),
]
# The misspelled key, and the one that it should have been.
UNKNOWN_KEYS = [
    ("train.epoch", "epochs"),
    ("train.text.word", "max_tokens"),
    ("train.early_stopping.wait", "patience"),
    ("train.fine_tune.layer", "layers"),
]


@pytest.fixture
def changed(tmp_path, monkeypatch):
    """A function that loads an experiment with other values, by their paths."""
    monkeypatch.chdir(tmp_path)

    def change(profile="sample", **values):
        write(**values)
        return recipe.load("mine", profile)

    return change


def refused(changed, **values):
    """The sentence about an experiment with those values."""
    sentence = refusal(lambda: changed(**values))
    assert sentence.startswith("experiments/mine/params.yaml: ")
    return sentence.removeprefix("experiments/mine/params.yaml: ")


@pytest.mark.parametrize(("profile", "epochs"), [("sample", 2), ("full", 9)])
def test_values_come_typed_and_as_the_profile_has_them(changed, profile, epochs):
    found = changed(profile)
    assert (found.dataset, found.train.epochs, found.train.learning_rate) == ("houses", epochs, 0.003)


@pytest.mark.parametrize(("path", "value", "expected"), WRONG_VALUES)
def test_a_wrong_value_is_refused_with_its_full_path(changed, path, value, expected):
    sentence = refused(changed, **{path: value})
    assert sentence.startswith(path)
    assert expected in sentence


@pytest.mark.parametrize("path", ["dataset", "baseline", "train", "train.epochs"])
def test_a_missing_key_is_named_with_its_full_path(changed, path):
    assert refused(changed, **{path: MISSING}).startswith(f"{path} is missing")


@pytest.mark.parametrize(("path", "known"), UNKNOWN_KEYS)
def test_an_unknown_key_is_named_with_its_full_path_and_the_choices(changed, path, known):
    before, choices = refused(changed, **{path: 1}).split("; the choices are ")
    assert before == f"{path} is not a known key"
    assert known in choices.split(", ")


@pytest.mark.parametrize(
    ("key", "choice"),
    [("dataset", "houses"), ("task", "regression"), ("model", "mlp"), ("baseline", "linear")],
)
def test_a_name_that_does_not_exist_is_refused_with_the_choices(changed, key, choice):
    before, choices = refused(changed, **{key: "nowhere"}).split("; the choices are ")
    assert before.startswith(f"{key} is 'nowhere'")
    assert choice in choices.split(", ")


def test_an_experiment_that_does_not_exist_is_told_with_those_that_do(changed):
    changed()
    assert refusal(recipe.load, "nowhere", "sample").endswith("the experiments are mine")


@pytest.mark.parametrize("option", ["unit", "weights"])
def test_an_option_that_the_model_does_not_have_is_refused_with_the_choices(changed, option):
    sentence = refused(changed, **{f"options.{option}": 1})
    assert sentence.startswith(f"options.{option} is not an option of model mlp")
    assert sentence.endswith("the choices are batch_norm, dropout, units")


def test_an_option_that_the_model_needs_is_missed(changed):
    assert refused(changed, **{"options.units": MISSING}).startswith("options.units is missing")


def test_what_only_the_task_is_asked_by_is_an_option_too_and_not_the_model_s(changed):
    asked = {"task": "quantile", "options.quantile": 0.9}
    assert changed(**asked).options["quantile"] == 0.9
    assert "quantile" not in changed(**asked).of_model
    both = changed(**asked, model="boosting", train={}, options={"quantile": 0.9})
    assert both.of_model == {"quantile": 0.9}
    missing = refused(changed, task="quantile")
    assert missing.startswith("options.quantile is missing; task quantile needs it")
    wrong = refused(changed, **asked | {"options.quantile": "high"})
    assert wrong.startswith("options.quantile is 'high'")


def test_pretrained_weights_go_by_the_base_or_by_the_model_that_has_but_one():
    asked = {"dataset": "flowers17_imagenet", "task": "classification", "baseline": "constant"}
    one = {"model": "efficientnet_lite0", "options": {"image_size": 32}}
    several = {"model": "transfer", "options": {"image_size": 32, "base": "VGG16"}}
    none = {"model": "mlp", "options": {"units": 4}}
    train = Train(optimizer="adam", learning_rate=0.001, batch_size=32, epochs=1)
    names = [Recipe(**asked, **each, train=train).weights for each in (one, several, none)]
    assert names == ["efficientnet_lite0", "VGG16", None]


@pytest.mark.parametrize(
    ("option", "value", "path"),
    [
        ("batch_norm", "no", "options.batch_norm"),  # as YAML reads `no`: text, which were true
        ("batch_norm", [True, False], "options.batch_norm"),
        ("batch_norm", 1, "options.batch_norm"),
        ("units", 64, "options.units"),
        ("units", "64", "options.units"),
        ("units", [64, "many"], "options.units.1"),
        ("units", [64, 32.5], "options.units.1"),
        ("units", [64, True], "options.units.1"),
        ("units", None, "options.units"),
    ],
)
def test_an_option_of_another_type_is_refused(changed, option, value, path):
    assert refused(changed, **{f"options.{option}": value}).startswith(f"{path} is ")


def test_a_whole_number_may_stand_for_any_number(changed):
    assert changed(train={}, model="tfidf_linear", options={"c": 1}).options == {"c": 1}


def test_a_keras_model_is_told_how_to_train_and_another_one_is_not(changed):
    assert refused(changed, train={}).startswith("train is empty")
    assert changed(train={}, model="linear", options={}).train is None
    assert refused(changed, model="linear", options={}).startswith("train must be {}")
    assert refused(changed, model="linear", options={}, train={"machines": 2}).startswith("train must be {}")


def test_what_makes_examples_is_a_keras_model(changed):
    told = refused(changed, task="generation", model="pca_gaussian", options={}, train={})
    assert told.startswith("model is 'pca_gaussian', but the task generation needs a Keras model")


WRITING = {
    "task": "language_modelling",
    "model": "character_lstm",
    "options": {},
    "baseline": "ngram",
    "train.text": {"output": "characters", "sequence_length": 9},
}


def test_what_writes_is_a_keras_model_that_learns_from_characters_and_nothing_else_does(changed):
    assert changed(**WRITING).train.text.sequence_length == 9
    assert "needs a Keras model" in refused(changed, **WRITING | {"model": "ngram", "train": {}})
    words = refused(changed, **WRITING | {"train.text": {"output": "int"}})
    assert words.startswith(
        "train.text.output is int, but the task language_modelling learns from characters"
    )
    others = refused(changed, **{"train.text": WRITING["train.text"]})
    assert others.startswith("train.text.output is characters, but the task regression learns from words")


@pytest.mark.parametrize(("text", "wrong"), [({"max_tokens": 9}, "max_tokens"), ({}, "sequence_length")])
def test_characters_are_of_one_alphabet_and_so_many_of_a_text_are_learned_from(changed, text, wrong):
    known = {"output": "characters"} | ({"sequence_length": 9} if text else {})
    assert wrong in refused(changed, **WRITING | {"train.text": known | text})


def test_a_keras_model_can_not_be_a_baseline(changed):
    assert refused(changed, baseline="mlp").startswith("baseline is 'mlp', but must be a scikit-learn model")


@pytest.mark.parametrize("value", [{"train.random_flip": True}, {"train.image_size": 64}])
def test_what_is_drawn_anew_can_not_be_flipped_or_resized(changed, value):
    assert "train can't flip or resize" in refused(changed, task="denoising", **value)


def test_machines_divide_a_batch(changed):
    assert changed(**{"train.batch_size": 48, "train.machines": 3}).train.machines == 3
    sentence = refused(changed, **{"train.batch_size": 50, "train.machines": 4})
    assert sentence.startswith("train has batch_size 50, which 4 machines do not divide")


def test_texts_that_machines_share_have_one_length(changed):
    several = {"train.batch_size": 32, "train.machines": 2, "train.text": {"output": "int"}}
    assert "train.text.sequence_length is missing" in refused(
        changed, **several, **{"train.text.output": "int"}
    )
    several["train.text"]["sequence_length"] = 9
    assert changed(**several).train.machines == 2


def test_classes_are_balanced_only_where_there_are_some(changed):
    balanced = {"train.class_weight": "balanced"}
    assert "train.class_weight is balanced" in refused(changed, task="regression", **balanced)


def test_averaged_weights_and_the_best_epoch_exclude_each_other(changed):
    assert "train can't keep the best" in refused(
        changed, **{"train.ema_momentum": 0.99, "train.keep": "best"}
    )


@pytest.mark.parametrize(
    "beside",
    [{"early_stopping": {"monitor": "loss", "patience": 1}}, {"keep": "best"}, {"ema_momentum": 0.9}],
    ids=["early stopping", "best", "average"],
)
def test_two_phases_can_not_be_stopped_early_averaged_or_chosen_from(changed, beside):
    values = {f"train.{key}": value for key, value in beside.items()}
    assert "two phases" in refused(changed, **values, **{"train.fine_tune": {"layers": 1, "epochs": 1}})


def test_all_epochs_are_those_of_both_phases(changed):
    assert changed("full", **{"train.fine_tune": {"layers": 1, "epochs": 3}}).train.total_epochs == 12
    assert changed("full").train.total_epochs == 9


def test_a_model_of_tokens_knows_as_many_as_its_texts_are_made_of(changed):
    values = {
        "model": "recurrent",
        "options": {"cell": "lstm", "units": [4], "max_tokens": 50},
        "train.text": {"max_tokens": 60, "output": "int", "sequence_length": 5},
    }
    sentence = refused(changed, **values)
    assert sentence.startswith("options.max_tokens is 50, but train.text.max_tokens is 60")
    assert changed(**values | {"options.max_tokens": 60}).options["max_tokens"] == 60


def test_what_training_does_not_read_is_the_business_of_others(changed):
    assert changed(promotion=3, schedule="daily", workers="tpu") == changed()
