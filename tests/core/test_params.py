from pathlib import Path

import pytest
import yaml
from dvc_data.hashfile.meta import Meta
from pydantic import ValidationError

from evermodel.core import params
from evermodel.core.errors import EvermodelError

ROOT = Path(__file__).parents[2]
MISSING = object()
# Those that are changed below; to check all of them a hundred times would take longer than all else here.
EXPERIMENTS = ("boston_linear", "boston_dnn", "fashion_cnn", "imdb_dnn", "imdb_lstm", "vgg16_transfer")

# What is wrong: the key, its value (or its absence), and what the sentence must hold beside the key.
WRONG_VALUES = [
    ("profile", "tiny", "'sample' or 'full'"),
    ("runtime.seed", -1, "greater than or equal to 0"),
    ("runtime.threads", "all", "integer"),
    ("runtime.instruction_set", "MMX", "'AVX2'"),
    ("datasets.imdb", None, "dictionary"),
    ("datasets.imdb.source", "../imdb", "small letters"),
    ("datasets.imdb.classes", [1, 2], "string"),
    ("datasets.imdb.duplicates", 1.0, "less than 1"),
    ("datasets.imdb.split.method", "random", "'shuffle'"),
    ("datasets.imdb.split.test", 0, "greater than 0"),
    ("datasets.imdb.split.validation", 0, "greater than 0"),
    ("datasets.imdb.expect.min_rows", 0, "greater than or equal to 1"),
    ("datasets.mnist.expect.shape", [28], "missing"),
    ("experiments.fashion_cnn", 3, "dictionary"),
    ("experiments.fashion_cnn.options", None, "dictionary"),
    ("experiments.fashion_cnn.train.epochs", "many", "integer"),
    ("experiments.fashion_cnn.train.epochs", 0, "greater than or equal to 1"),
    ("experiments.fashion_cnn.train.batch_size", 0, "greater than or equal to 1"),
    ("experiments.fashion_cnn.train.learning_rate", 0, "greater than 0"),
    ("experiments.fashion_cnn.train.learning_rate", float("inf"), "finite"),
    ("experiments.fashion_cnn.train.optimizer", "lion", "'adam'"),
    ("experiments.fashion_cnn.train.early_stopping", {"monitor": "accuracy", "patience": 1}, "'val_loss'"),
    ("experiments.imdb_dnn.train.text", {"words": 2}, "greater than or equal to 3"),
    ("experiments.fashion_cnn.promotion.floor", float("nan"), "finite"),
    ("experiments.fashion_cnn.promotion.approval", "maybe", "'report-only'"),
    ("experiments.fashion_cnn.worker", "tpu", "'gpu'"),
    ("experiments.fashion_cnn.train.side", 4, "greater than or equal to 8"),
    ("experiments.fashion_cnn.train.side", [64, 64], "integer"),
    ("experiments.fashion_cnn.train.flip", "left", "boolean"),
    ("experiments.fashion_cnn.train.precision", "float16", "'mixed_float16'"),
    ("experiments.fashion_cnn.train.fine_tune", {"layers": 0, "epochs": 1}, "greater than or equal to 1"),
    ("experiments.vgg16_transfer.train.fine_tune.factor", 2, "less than or equal to 1"),
    ("experiments.fashion_cnn.schedule", "daily", "dictionary"),
    ("experiments.fashion_cnn.schedule.cron", "daily", "'30 4 * * 1'"),
    ("experiments.fashion_cnn.schedule.cron", "0 24 * * *", "'30 4 * * 1'"),
    ("experiments.fashion_cnn.schedule.cron", "*/0 * * * *", "'30 4 * * 1'"),
    ("experiments.fashion_cnn.schedule.retries", -1, "greater than or equal to 0"),
    ("experiments.fashion_cnn.schedule.timeout", 0, "greater than 0"),
    ("experiments.fashion_cnn.schedule.owner", "", "at least 1"),
    ("datasets.mnist.expect.rejected", 1.0, "less than 1"),
    ("datasets.google_stock.window", 1, "greater than or equal to 2"),
    ("datasets.utkface.targets.age", [0], "missing"),
    ("datasets.orl_faces.split.by", "label", "tuple"),
]
MISSING_KEYS = [
    "profile",
    "runtime.seed",
    "datasets.mnist.expect",
    "datasets.mnist.split.validation",
    "experiments.fashion_cnn.baseline",
    "experiments.fashion_cnn.train.epochs",
    "experiments.fashion_cnn.promotion.metric",
    "experiments.fashion_cnn.options.filters",
    "experiments.vgg16_transfer.train.fine_tune.layers",
]
# The misspelled key, the one that it should have been, and another choice.
UNKNOWN_KEYS = [
    ("profil", "profile", "datasets"),
    ("runtime.thread", "threads", "seed"),
    ("datasets.mnist.expects", "expect", "split"),
    ("datasets.mnist.split.vals", "validation", "method"),
    ("datasets.mnist.expect.rows", "min_rows", "ranges"),
    ("experiments.fashion_cnn.trains", "train", "promotion"),
    ("experiments.fashion_cnn.train.epoch", "epochs", "batch_size"),
    ("experiments.fashion_cnn.train.text.word", "words", "output"),
    ("experiments.fashion_cnn.train.early_stopping.wait", "patience", "monitor"),
    ("experiments.fashion_cnn.promotion.flor", "floor", "ceiling"),
    ("experiments.vgg16_transfer.train.fine_tune.layer", "layers", "factor"),
    ("datasets.google_stock.windows", "window", "targets"),
    ("experiments.fashion_cnn.schedule.crom", "cron", "retries"),
]
# A name that is nowhere, and one of the choices.
UNKNOWN_NAMES = [
    ("experiments.fashion_cnn.dataset", "fashion_mnist"),
    ("experiments.fashion_cnn.task", "classification"),
    ("experiments.fashion_cnn.model", "conv_stack"),
    ("experiments.fashion_cnn.baseline", "linear"),
    ("experiments.fashion_cnn.promotion.metric", "accuracy"),
]


@pytest.fixture
def changed(workspace):
    """A function that changes keys of params.yaml, which has a few experiments left, and loads it."""

    def change(**keys):
        values = yaml.safe_load(params.FILE.read_text())
        values["experiments"] = {name: values["experiments"][name] for name in EXPERIMENTS}
        for path, value in keys.items():
            *sections, key = path.split(".")
            section = values
            for name in sections:
                section = section.setdefault(name, {})
            if value is MISSING:
                del section[key]
            else:
                section[key] = value
        params.FILE.write_text(yaml.safe_dump(values, sort_keys=False))
        return params.load()

    return change


def refusal(function, **keys):
    """The sentence in which params.yaml is refused; it must be one."""
    with pytest.raises(EvermodelError) as error:
        function(**keys)
    sentence = str(error.value)
    assert sentence.startswith("params.yaml")
    assert "\n" not in sentence
    return sentence


def test_the_params_of_this_repository_are_right():
    values = params.load(ROOT / "params.yaml")
    assert values.experiments
    for experiment in values.experiments.values():
        assert values.dataset(experiment.dataset)


def test_values_come_typed_and_in_the_order_of_the_file(workspace):
    values, plain = params.load(), yaml.safe_load(params.FILE.read_text())
    assert list(values.experiments) == list(plain["experiments"])
    rate = plain["experiments"]["fashion_cnn"]["train"]["learning_rate"]
    assert values.experiment("fashion_cnn").train.learning_rate == rate
    assert values.dataset("mnist").expect.shape == (28, 28)
    assert values.experiment("boston_linear").train is None


@pytest.mark.parametrize(("path", "value", "expected"), WRONG_VALUES)
def test_a_wrong_value_is_refused_with_its_full_path(changed, path, value, expected):
    sentence = refusal(changed, **{path: value})
    assert f"params.yaml: {path}" in sentence
    assert expected in sentence


@pytest.mark.parametrize("path", MISSING_KEYS)
def test_a_missing_key_is_named_with_its_full_path(changed, path):
    assert f"params.yaml: {path} is missing; " in refusal(changed, **{path: MISSING})


@pytest.mark.parametrize(("path", "known", "other"), UNKNOWN_KEYS)
def test_an_unknown_key_is_named_with_its_full_path_and_the_choices(changed, path, known, other):
    before, choices = refusal(changed, **{path: 1}).split("; the choices are ")
    assert before == f"params.yaml: {path} is not a known key"
    assert {known, other} <= set(choices.split(", "))


def test_a_misspelled_key_is_called_unknown_rather_than_missing(changed):
    train = {"optimizer": "adam", "learning_rate": 0.001, "batch_size": 32, "epoch": 10}
    sentence = refusal(changed, **{"experiments.fashion_cnn.train": train})
    assert "experiments.fashion_cnn.train.epoch is not a known key" in sentence


@pytest.mark.parametrize(("path", "choice"), UNKNOWN_NAMES)
def test_a_name_that_does_not_exist_is_refused_with_the_choices(changed, path, choice):
    before, choices = refusal(changed, **{path: "nowhere"}).split("; the choices are ")
    assert before == f"params.yaml: {path} is 'nowhere', which does not exist"
    assert choice in choices.split(", ")


def test_an_option_that_the_model_does_not_have_is_refused_with_the_choices(changed):
    sentence = refusal(changed, **{"experiments.fashion_cnn.options.filter": [32]})
    assert "experiments.fashion_cnn.options.filter is not an option of model conv_stack" in sentence
    assert "the choices are dense, dropout, filters" in sentence


@pytest.mark.parametrize("name", ["../x", "a/b", "Fashion", "1st", "with space", "", "a" * 64])
def test_an_experiment_whose_name_can_not_be_a_file_name_is_refused(workspace, name):
    values = yaml.safe_load(params.FILE.read_text())
    values["experiments"] = {name: values["experiments"]["fashion_cnn"]}
    params.FILE.write_text(yaml.safe_dump(values))
    sentence = refusal(params.load)
    assert f"experiments.{name} must be a name of small letters" in sentence


@pytest.mark.parametrize(
    ("experiment", "promotion", "expected"),
    [
        ("fashion_cnn", {"metric": "accuracy", "ceiling": 0.8}, "must have a floor"),
        ("boston_dnn", {"metric": "mae", "floor": 4.0}, "must have a ceiling"),
        ("fashion_cnn", {"metric": "accuracy"}, "needs one limit"),
        ("fashion_cnn", {"metric": "accuracy", "floor": 0.8, "ceiling": 0.9}, "needs one limit"),
    ],
)
def test_a_policy_has_the_one_limit_that_its_metric_needs(changed, experiment, promotion, expected):
    sentence = refusal(changed, **{f"experiments.{experiment}.promotion": promotion})
    assert f"experiments.{experiment}.promotion {expected}" in sentence


@pytest.mark.parametrize(
    ("dataset", "share"),
    [("mnist", 0.2), ("google_stock", 0.2), ("imdb", MISSING), ("letter_recognition", MISSING)],
)
def test_a_share_of_test_rows_is_given_only_where_the_source_declares_none(changed, dataset, share):
    sentence = refusal(changed, **{f"datasets.{dataset}.split.test": share})
    assert f"datasets.{dataset}.split needs 'test'" in sentence


def test_a_keras_model_needs_to_be_told_how_to_train(changed):
    sentence = refusal(changed, **{"experiments.fashion_cnn.train": {}})
    assert "experiments.fashion_cnn.train is empty; conv_stack is a Keras model" in sentence


def test_a_scikit_learn_model_is_told_nothing_of_training(changed):
    train = {"optimizer": "adam", "learning_rate": 0.001, "batch_size": 32, "epochs": 1}
    sentence = refusal(changed, **{"experiments.boston_linear.train": train})
    assert "experiments.boston_linear.train must be {}; linear is fitted by scikit-learn" in sentence


def test_a_keras_model_can_not_be_a_baseline(changed):
    sentence = refusal(changed, **{"experiments.fashion_cnn.baseline": "mlp"})
    assert "experiments.fashion_cnn.baseline is 'mlp', but must be a scikit-learn model" in sentence


def test_averaged_weights_and_the_best_epoch_exclude_each_other(changed):
    train = "experiments.fashion_cnn.train"
    sentence = refusal(changed, **{f"{train}.average": 0.99, f"{train}.keep": "best"})
    assert f"{train} can't keep the best epoch of averaged weights" in sentence


def test_a_file_that_is_not_there_says_where_to_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert refusal(params.load) == ("params.yaml is not here; run this command in the root of the repository")


@pytest.mark.parametrize("content", [b"profile: [", b"a: b: c", b"\xff\xfe", b"profile: \x00"])
def test_a_file_that_is_not_yaml_is_refused(workspace, content):
    params.FILE.write_bytes(content)
    assert "params.yaml is not valid YAML: " in refusal(params.load)


@pytest.mark.parametrize("content", ["", "- profile", "profile"])
def test_a_file_that_is_not_a_mapping_is_refused(workspace, content):
    params.FILE.write_text(content)
    assert "the top level is" in refusal(params.load)


@pytest.mark.parametrize(("pick", "what"), [("experiment", "experiment"), ("dataset", "data set")])
def test_asking_for_a_name_that_is_not_there_lists_the_choices(workspace, pick, what):
    values = params.load()
    with pytest.raises(EvermodelError, match=f"has no {what} 'nowhere'; the choices are .*boston"):
        getattr(values, pick)("nowhere")


def test_values_can_not_be_changed(workspace):
    values = params.load()
    for section, key in [(values, "profile"), (values.experiment("fashion_cnn").train, "epochs")]:
        with pytest.raises(ValidationError, match="frozen"):
            setattr(section, key, getattr(section, key))


def test_every_model_and_task_on_offer_can_be_asked_for_its_options_and_metrics():
    assert all(isinstance(params.options(model), dict) for model in params.modules("models"))
    assert all(
        set(params.headlines(task).values()) <= {"higher", "lower"} for task in params.modules("tasks")
    )


def test_what_a_model_is_written_in_is_read_from_its_imports():
    assert params.framework("mlp") == "keras"
    assert params.framework("linear") == "sklearn"


def test_options_say_which_of_them_must_be_given():
    assert params.options("mlp") == {"units": True, "dropout": False, "batch_norm": False}


def test_where_pretrained_weights_lie_is_no_option(changed):
    assert "base" in params.options("transfer")
    assert "weights" not in params.options("transfer")
    sentence = refusal(changed, **{"experiments.vgg16_transfer.options.weights": "some.h5"})
    assert "options.weights is not an option of model transfer" in sentence


@pytest.mark.parametrize(
    ("profile", "merged"),
    [
        ("full", {"a": 1, "b": {"c": 2, "d": [3]}, "e": {}}),
        ("sample", {"a": 1, "b": {"c": 20, "d": [3], "f": 4}, "e": {"g": {"h": 5}}}),
    ],
)
def test_what_a_section_says_of_the_sample_holds_there_alone(profile, merged):
    values = {"a": 1, "b": {"c": 2, "d": [3], "sample": {"c": 20, "f": 4}}, "e": {"sample": {"g": {"h": 5}}}}
    assert params.for_profile(values, profile) == merged


@pytest.mark.parametrize("profile", ["sample", "full"])
def test_the_values_that_are_loaded_are_those_of_the_profile(changed, profile):
    train = "experiments.fashion_cnn.train"
    values = changed(**{"profile": profile, f"{train}.epochs": 20, f"{train}.sample": {"epochs": 7}})
    assert values.profile == profile
    assert values.experiment("fashion_cnn").train.epochs == {"sample": 7, "full": 20}[profile]


@pytest.mark.parametrize("profile", ["sample", "full"])
def test_a_wrong_value_of_the_other_profile_is_refused_too(changed, profile):
    train = "experiments.fashion_cnn.train"
    sentence = refusal(changed, **{"profile": profile, f"{train}.sample": {"epochs": 0}})
    assert f"{train}.epochs is 0" in sentence


@pytest.mark.parametrize("profile", ["sample", "full"])
def test_a_value_that_only_the_sample_has_is_missing_in_the_full_profile(changed, profile):
    train = "experiments.fashion_cnn.train"
    sentence = refusal(
        changed, **{"profile": profile, f"{train}.epochs": MISSING, f"{train}.sample": {"epochs": 7}}
    )
    assert f"{train}.epochs is missing" in sentence


def test_a_sample_section_that_is_none_is_an_unknown_key(changed):
    sentence = refusal(changed, **{"experiments.fashion_cnn.train.sample": 3})
    assert "experiments.fashion_cnn.train.sample is not a known key" in sentence


@pytest.mark.parametrize("method", ["official", "time"])
def test_rows_can_not_be_grouped_where_the_source_declares_the_split(changed, method):
    split = {"method": method, "validation": 0.1, "by": ["label"]}
    sentence = refusal(changed, **{"datasets.mnist.split": split})
    assert "datasets.mnist.split can't have 'by' with a split that the source declares" in sentence


def test_targets_keep_the_order_of_the_file_and_their_ranges(workspace):
    targets = params.load().dataset("utkface").targets
    assert list(targets.items()) == [("age", (0, 100)), ("gender", (0, 1))]


def test_a_data_set_says_no_more_than_it_must(workspace):
    plain = params.load().dataset("mnist")
    assert (plain.targets, plain.window, plain.split.by, plain.expect.rejected) == ({}, None, (), 0)


def test_an_experiment_says_no_more_than_it_must(workspace):
    plain = params.load().experiment("boston_dnn")
    assert (plain.worker, plain.promotion.approval) == ("cpu", "auto")
    train = plain.train
    assert (train.side, train.flip, train.precision, train.fine_tune) == (None, False, "float32", None)


def test_all_epochs_are_those_of_both_phases(changed):
    train = "experiments.vgg16_transfer.train"
    values = changed(
        **{f"{train}.epochs": 5, f"{train}.fine_tune": {"layers": 1, "epochs": 3}, f"{train}.sample": {}}
    )
    assert values.experiment("vgg16_transfer").train.total_epochs == 8
    assert values.experiment("boston_dnn").train.total_epochs == values.experiment("boston_dnn").train.epochs


@pytest.mark.parametrize(
    "beside",
    [{"early_stopping": {"monitor": "loss", "patience": 1}}, {"keep": "best"}, {"average": 0.9}],
    ids=["early stopping", "best", "average"],
)
def test_two_phases_can_not_be_stopped_early_averaged_or_chosen_from(changed, beside):
    train = "experiments.vgg16_transfer.train"
    sentence = refusal(changed, **{f"{train}.{key}": value for key, value in beside.items()})
    assert f"{train} can't stop early, average or keep the best epoch of two phases" in sentence


def test_a_model_of_words_knows_as_many_as_its_texts_are_made_of(changed):
    sentence = refusal(changed, **{"experiments.imdb_lstm.options.words": 5000})
    assert "experiments.imdb_lstm.options.words is 5000, but train.text.words is 20000" in sentence
    assert sentence.endswith("make them equal")


@pytest.mark.parametrize("cron", ["30 4 * * 1", "*/15 * * * *", "0 6-18/2 1,15 * 1-5", "0 0 31 12 7"])
def test_a_cron_of_five_fields_is_a_schedule(changed, cron):
    values = changed(**{"experiments.fashion_cnn.schedule": {"cron": cron}})
    assert values.experiment("fashion_cnn").schedule.cron == cron


def test_an_experiment_without_schedule_waits_to_be_asked(workspace):
    assert params.load().experiment("boston_linear").schedule == params.Schedule()


def test_nothing_is_named_like_what_dvc_does_not_look_at():
    """Its run cache takes these for metadata about files wherever they stand: an edit would retrain nothing."""
    blind = {Meta.PARAM_SIZE, Meta.PARAM_NFILES}
    for file in ("params.yaml", "data/sources.yaml"):
        assert not blind & set(keys(yaml.safe_load((ROOT / file).read_text()))), file
    for section in params.Section.__subclasses__():
        assert not blind & set(section.model_fields), section
    for model in params.modules("models"):
        assert not blind & set(params.options(model)), model


def keys(values):
    """All keys, however deep."""
    if isinstance(values, dict):
        yield from values
    for value in values.values() if isinstance(values, dict) else values if isinstance(values, list) else ():
        yield from keys(value)
