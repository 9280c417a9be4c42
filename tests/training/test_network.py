import importlib
import math
from functools import cache
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from evermodel.core.columns import Column
from evermodel.core.data import Prepared, Split
from evermodel.core.errors import EvermodelError
from evermodel.core.rows import Rows, of
from evermodel.evaluation import generation
from evermodel.evaluation.judge import Judge
from evermodel.publishing.candidate import Candidate
from evermodel.publishing.policy import Promotion
from evermodel.publishing.promotion import decide
from evermodel.publishing.scores import Scores
from evermodel.runs import determinism, saved
from evermodel.runs.recipe import Recipe, Train
from evermodel.training import checkpoints, order
from tests.specs import make_spec
from tests.stored import stored
from tests.weights import numbers

IN_16_BITS = pytest.mark.skipif(not determinism.computes("mixed_float16"), reason="this CPU has no 16 bits")
AS_STORED = lambda x, y: y  # noqa: E731
TRAIN = {"optimizer": "adam", "learning_rate": 0.01, "batch_size": 16, "epochs": 5}
# What a resumed training must not forget, each with a way of training that would show it.
RECIPES = {
    "adam": {},
    "averaged rmsprop by a schedule": {
        "optimizer": "rmsprop",
        "learning_rate_schedule": "cosine",
        "ema_momentum": 0.9,
    },
    "best epoch": {
        "early_stopping": {"monitor": "val_loss", "patience": 2},
        "keep": "best",
        "learning_rate": 0.3,
        "epochs": 20,
    },
}
# A recipe of two phases; the second has another optimizer, with other variables.
SECOND = {"layers": 2, "epochs": 2, "factor": 0.5}
TWO_PHASES = {"epochs": 2, "learning_rate_schedule": "cosine", "fine_tune": SECOND}


STORED = {"train": 90, "validation": 30}


class Killed(Exception):  # noqa: N818
    """Stands for whatever ends a training between two epochs."""


def table(rows):
    random = np.random.RandomState(rows)
    x = random.normal(size=(rows, 3))
    return Split(x, x @ [1.0, -2.0, 0.5] + random.normal(size=rows))


SPLITS = {"train": table(48), "validation": table(16)}
SPEC = make_spec(
    input_shape=(3,),
    columns=tuple(Column(name=name, variance=1) for name in "abc"),
    target_mean=(0.5,),
    target_sd=(2.0,),
)
IMAGES = SPEC.model_copy(
    update={"kind": "images", "input_shape": (8, 8, 1), "input_dtype": "uint8", "columns": ()}
)
FACES = SPEC.model_copy(
    update={"targets": ("age", "gender"), "target_mean": (40.0, 0.5), "target_sd": (20.0, 0.5)}
)


def faces(rows):
    x = np.random.RandomState(rows).normal(size=(rows, 3))
    return Split(x, np.stack([40 + 20 * x[:, 0], (x[:, 1] > 0).astype(float)], axis=1))


def images(rows):
    """Half of them bright on the left, half on the right."""
    x = np.random.RandomState(rows).randint(0, 100, (rows, 8, 8, 1)).astype(np.uint8)
    y = np.arange(rows) % 2
    x[y == 0, :, :4] += 155
    x[y == 1, :, 4:] += 155
    return Split(x, y.astype(float))


FLIPPED = {
    "spec": IMAGES.model_copy(update={"classes": ("left", "right")}),
    "splits": {"train": images(64), "validation": images(16)},
    "task": "binary",
    "random_flip": True,
    "learning_rate": 0.03,
    "epochs": 8,
}


def texts():
    x = np.array(["a good film", "a bad film"] * 20, dtype=object)
    return Split(x, np.array([1, 0] * 20))


TEXTS = {
    "spec": make_spec("text", vocabulary=("a", "film", "bad", "good"), classes=("no", "yes")),
    "splits": {"train": texts(), "validation": texts()},
    "task": "binary",
    "text": {"max_tokens": 10},
    "learning_rate": 0.1,
}


def recipe(task="regression", options=None, **train):
    return Recipe(
        dataset="made",
        task=task,
        model="mlp",
        options={"units": [8], "dropout": 0.25} if options is None else options,
        baseline="linear",
        train=Train.model_validate(TRAIN | train),
    )


def keras_layers():
    return importlib.import_module("keras").layers


def network_of(input_shape, outputs):
    inputs = keras_layers().Input(input_shape)
    return importlib.import_module("keras").Model(inputs, keras_layers().Dense(outputs)(inputs))


@pytest.fixture(scope="module")
def network(keras):
    return importlib.import_module("evermodel.training.network")


@pytest.fixture(scope="module")
def learn(keras, network, tmp_path_factory):
    """A function that trains as a fresh process would, and returns the weights, the history and the model."""
    mlp = importlib.import_module("evermodel.models.mlp").build

    def learned(
        folder=None, seed=1, killed_after=None, spec=SPEC, splits=SPLITS, build=mlp, options=None, **how
    ):
        def report(figures):
            if figures["epoch"] == killed_after:
                raise Killed

        # Its counters become names of layers; it would look for garbage among all that TensorFlow has.
        keras.backend.clear_session(free_memory=False)
        keras.utils.set_random_seed(seed)
        state = folder or tmp_path_factory.mktemp("state")
        options = {} if options is None and build is not mlp else options
        asked = recipe(options=options, **how)
        model, history = network.fit(build, Prepared(spec, splits, {}), asked, seed, state, report)
        return model.get_weights(), history, model

    yield learned
    keras.config.set_dtype_policy("float32")


@pytest.fixture(scope="module")
def on_a_base(keras):
    """The build function of a small network with a frozen base of three layers and two weights each."""

    def build(input_shape, outputs, activation):
        layers = keras.layers
        base = keras.Sequential(
            [keras.Input(input_shape), *(layers.Dense(width, "relu") for width in (8, 7, 6))], name="base"
        )
        base.trainable = False
        inputs = keras.Input(input_shape)
        x = layers.Dropout(0.25)(base(inputs))
        return keras.Model(inputs, layers.Dense(outputs, activation)(x), name="tiny")

    return build


@pytest.fixture(scope="module")
def first_epoch(learn, on_a_base):
    """The weights after an epoch on a frozen base."""
    return learn(build=on_a_base, epochs=1)[0]


@pytest.fixture(scope="module")
def undisturbed_phases(learn, on_a_base, tmp_path_factory):
    """The history and the model file of two phases that nothing interrupted."""
    _, history, model = learn(build=on_a_base, **TWO_PHASES)
    return history, saved.save_keras(model, tmp_path_factory.mktemp("undisturbed")).read_bytes()


@pytest.fixture(scope="module")
def two_heads(keras):
    """How to train a network with a head for each name."""

    def build(input_shape, outputs, activation):
        inputs = keras.Input(input_shape)
        x = keras.layers.Dense(16, "relu")(inputs)
        heads = {n: keras.layers.Dense(units, activation[n], name=n)(x) for n, units in outputs.items()}
        return keras.Model(inputs, heads, name="tiny")

    splits = {"train": faces(200), "validation": faces(40)}
    train = {"learning_rate": 0.03, "epochs": 20}
    return {"spec": FACES, "splits": splits, "task": "age_gender", "build": build, **train}


@pytest.fixture(scope="module")
def undisturbed_heads(learn, two_heads):
    """What a training of two heads gives."""
    return learn(**two_heads)


@pytest.fixture(scope="module")
def undisturbed_images(learn):
    """What a training on images that are mirrored gives."""
    return learn(**FLIPPED)


@pytest.fixture(scope="module")
def undisturbed(learn):
    """A function from a recipe to what one training by it, from its start to its end, gives."""
    return cache(lambda name: learn(**RECIPES[name]))


def same(some, others):
    return all(np.array_equal(one, other) for one, other in zip(some, others, strict=True))


def test_a_model_learns_and_tells_of_every_epoch(learn):
    _, history, model = learn(epochs=8, learning_rate=0.05)
    assert [figures["epoch"] for figures in history] == list(range(1, 9))
    assert history[0].keys() == {"epoch", "loss", "mae", "val_loss", "val_mae"}
    assert history[-1]["loss"] < history[0]["loss"] / 2
    assert model.predict(SPLITS["validation"].x, verbose=0).shape == (16, 1)


def test_the_same_seed_gives_the_same_model_and_another_seed_another(learn, undisturbed):
    weights, history, _ = undisturbed("adam")
    again, its_history, _ = learn()
    assert its_history == history
    assert same(again, weights)
    assert not same(learn(seed=2)[0], weights)


@pytest.mark.parametrize("name", RECIPES)
def test_a_training_that_was_killed_goes_on_to_the_same_weights_and_history(
    learn, undisturbed, tmp_path, name
):
    weights, history, _ = undisturbed(name)
    for epoch in (2, len(history)):
        with pytest.raises(Killed):
            learn(tmp_path, killed_after=epoch, **RECIPES[name])
    resumed, its_history, _ = learn(tmp_path, **RECIPES[name])
    assert its_history == history
    assert same(resumed, weights)


def in_blocks(folder):
    """Rows of numbers with gaps and categories, in Parquet; of the training rows a block has a part."""
    return {name: stored(folder / name, COLUMNS, towns(rows)[1]) for name, rows in STORED.items()}


def test_a_training_on_stored_rows_goes_on_after_a_kill_to_the_same_weights(learn, tmp_path, monkeypatch):
    """Batches span blocks, and parts that are encoded at a time span row groups."""
    splits, state = in_blocks(tmp_path), tmp_path / "state"
    monkeypatch.setattr(order, "BLOCK", 3 * splits["train"].parts.bytes)
    how = {"spec": TOWNS, "task": "classification", "splits": splits}
    weights, history, _ = learn(**how)
    with pytest.raises(Killed):
        learn(state, killed_after=2, **how)
    resumed, its_history, _ = learn(state, **how | {"splits": in_blocks(tmp_path / "again")})
    assert its_history == history
    assert same(resumed, weights)
    assert not same(learn(seed=2, **how)[0], weights)


def test_stored_rows_are_validated_as_those_in_memory(learn, tmp_path):
    splits = in_blocks(tmp_path)
    how = {"spec": TOWNS, "task": "classification", "epochs": 20, "learning_rate": 0.05}
    _, history, model = learn(splits=splits, **how)
    assert history[-1]["val_accuracy"] == 1
    predict = saved.predictor(saved.save_keras(model, tmp_path))
    watched = splits["validation"]
    assert np.array_equal(predict(watched.x), predict(towns(STORED["validation"])[1].x))
    _, again, _ = learn(splits=splits | {"validation": watched[:]}, **how)
    assert again == history


def test_a_training_goes_on_from_the_checkpoint_before_a_damaged_one(learn, undisturbed, tmp_path, capsys):
    weights, history, _ = undisturbed("adam")
    with pytest.raises(Killed):
        learn(tmp_path, killed_after=3)
    newest = max(tmp_path.glob("*.npz"))
    newest.write_bytes(newest.read_bytes()[:-1])
    resumed, its_history, _ = learn(tmp_path)
    assert its_history == history
    assert same(resumed, weights)
    printed = capsys.readouterr().out
    assert "is damaged" in printed
    assert "going on after epoch 2 of 5" in printed


def test_early_stopping_ends_the_training_when_validation_no_longer_improves(undisturbed):
    _, history, _ = undisturbed("best epoch")
    losses = [figures["val_loss"] for figures in history]
    assert len(losses) < RECIPES["best epoch"]["epochs"]
    assert len(losses) - 1 - int(np.argmin(losses)) == 2


def test_the_best_epoch_is_the_one_of_the_lowest_validation_loss(undisturbed):
    _, history, model = undisturbed("best epoch")
    losses = [figures["val_loss"] for figures in history]
    x, y = SPLITS["validation"].x, SPLITS["validation"].y
    loss = np.mean((model.predict(x, verbose=0)[:, 0] - y) ** 2)
    assert min(losses) < losses[-1], "the last epoch must not be the best, or this shows nothing"
    assert loss == pytest.approx(min(losses), rel=1e-5)


def test_what_params_say_of_training_makes_a_difference(learn, undisturbed):
    changes = [
        {"optimizer": "adamw"},
        {"optimizer": "adamw", "weight_decay": 0.5},
        {"learning_rate_schedule": "cosine"},
        {"ema_momentum": 0.9},
    ]
    models = [undisturbed("adam")[0], *(learn(**change)[0] for change in changes)]
    pairs = [(one, other) for number, one in enumerate(models) for other in models[:number]]
    assert not any(same(*pair) for pair in pairs)


@pytest.mark.filterwarnings("ignore:.*encountered in.*:RuntimeWarning")
def test_a_loss_that_is_no_number_ends_the_training_and_is_not_kept(learn, tmp_path):
    with pytest.raises(EvermodelError, match=r"in epoch \d; .*train\.learning_rate"):
        learn(tmp_path, optimizer="sgd", learning_rate=1e20)
    kept = checkpoints.newest(tmp_path)
    assert kept is None or all(np.isfinite(v).all() for v in kept.values() if v.dtype.kind == "f")


@pytest.mark.parametrize(
    "build",
    [
        lambda shape, outputs, activation: keras_layers().Dense("many"),
        lambda shape, outputs, activation: keras_layers().nothing,
        lambda shape, outputs, activation: outputs.units,
        lambda shape, outputs: None,
        lambda shape, outputs, activation: 1 / 0,
        lambda shape, outputs, activation: None,
        lambda shape, outputs, activation: network_of(shape, outputs + 2),
        lambda shape, outputs, activation: network_of((7,), outputs),
    ],
    ids=["value", "name", "attribute", "arguments", "anything", "nothing", "outputs", "inputs"],
)
def test_a_model_whose_file_is_wrong_is_told_with_its_file(learn, tmp_path, build):
    with pytest.raises(EvermodelError, match=r"src/evermodel/models/mlp\.py"):
        learn(tmp_path, build=build)
    assert checkpoints.newest(tmp_path) is None


def test_texts_go_into_the_finished_model_as_they_are(learn):
    _, history, model = learn(**TEXTS)
    assert history[-1]["val_accuracy"] == 1
    x = TEXTS["splits"]["train"].x
    assert (model.predict(x[:2], verbose=0)[:, 0] > 0.5).tolist() == [True, False]


def test_a_number_is_learned_from_texts_in_its_own_unit(learn):
    split = Split(TEXTS["splits"]["train"].x, np.array([130.0, 110.0] * 20))
    spec = TEXTS["spec"].model_copy(update={"target_mean": (120.0,), "target_sd": (10.0,)})
    how = {"spec": spec, "splits": {"train": split, "validation": split}, "task": "regression"}
    _, history, model = learn(**TEXTS | how | {"learning_rate": 0.05, "epochs": 20})
    error = np.abs(model.predict(split.x, verbose=0)[:, 0] - split.y).mean()
    assert error == pytest.approx(history[-1]["val_mae"], rel=1e-4)
    assert error < 3


def test_batches_cover_each_row_once_in_every_epoch(network):
    split = Split(np.arange(10).reshape(10, 1), np.arange(10))
    batches = network.Batches(split, 4, None, AS_STORED)
    for epoch in range(3):
        batches.shuffle(1, epoch)
        x, y = zip(*(batches[number] for number in range(len(batches))), strict=True)
        assert [len(part) for part in y] == [4, 4, 2]
        assert sorted(np.concatenate(y)) == list(range(10))
        assert np.array_equal(np.concatenate(x)[:, 0], np.concatenate(y))


def test_the_order_of_the_batches_depends_on_seed_and_epoch_alone(network):
    def order(seed, epoch, before=()):
        batches = network.Batches(Split(np.arange(50), np.arange(50)), 4, None, AS_STORED)
        for earlier in before:
            batches.shuffle(seed, earlier)
        batches.shuffle(seed, epoch)
        return tuple(np.concatenate([batches[number][1] for number in range(len(batches))]))

    assert order(1, 2) == order(1, 2, before=(0, 1))
    assert len({order(1, 2), order(1, 3), order(2, 2)}) == 3


COLUMNS = (
    Column(name="size", gaps="fill", missing=0.1, variance=1, median=0.0),
    Column(name="town", kind="category", categories=("Bonn", "Köln")),
)


def towns(count):
    """Rows of a number with gaps and a category; the category decides."""
    random = np.random.RandomState(count)
    names = random.choice(["Bonn", "Köln"], count)
    sizes = np.where(np.arange(count) % 10, random.normal(size=count), np.nan)
    table = pd.DataFrame({"size": sizes, "town": pd.Series(names, dtype=object)})
    return table, Split(of(table, COLUMNS), (names == "Köln").astype(np.int64))


TOWNS = make_spec(columns=COLUMNS, input_shape=(2,), input_dtype="object", classes=("no", "yes"))


def test_a_table_of_several_kinds_is_learned_and_the_saved_model_takes_it_as_it_is(learn, tmp_path):
    splits = {"train": towns(90)[1], "validation": towns(30)[1]}
    _, history, model = learn(spec=TOWNS, splits=splits, task="classification", epochs=20, learning_rate=0.05)
    assert history[-1]["val_accuracy"] == 1
    predict = saved.predictor(saved.save_keras(model, tmp_path))
    table, split = towns(40)
    answers = predict(table)
    assert np.array_equal(answers.argmax(axis=1), split.y)
    assert np.array_equal(predict(split.x), answers), "on disk, too"
    odd = pd.DataFrame({"size": [np.nan], "town": pd.Series(["Ulm"], dtype=object)})
    assert np.isfinite(predict(odd)).all()


@pytest.mark.parametrize("ahead", [1, 2, 7])
def test_a_table_that_is_read_ahead_comes_in_the_same_batches(network, ahead):
    table, split = towns(23)
    split = Split(split.x, np.arange(23))
    sizes = lambda table: table["size"].to_numpy()[:, None]  # noqa: E731
    batches = network.Batches(split, 4, sizes, AS_STORED, ahead=ahead)
    for epoch in range(2):
        batches.shuffle(1, epoch)
        rows = np.random.default_rng([1, epoch]).permutation(23)
        for number in (*range(len(batches)), 0):
            x, y = batches[number]
            assert np.array_equal(y, rows[4 * number : 4 * number + 4])
            assert np.array_equal(x[:, 0], table["size"].to_numpy()[y], equal_nan=True)


def test_a_table_of_numbers_is_read_without_an_encoder(network):
    split = Split(Rows(("a", "b"), np.arange(12.0).reshape(6, 2), {}), np.arange(6))
    batches = network.Batches(split, 2, None, AS_STORED, ahead=2)
    assert batches[2][0].tolist() == [[8, 9], [10, 11]]


def test_rows_count_by_their_weight_and_their_class(network):
    split = Split(np.arange(4), np.array([0, 1, 1, 0]), weight=np.array([1.0, 2, 3, 4]))
    assert network.Batches(split, 2, None, AS_STORED)[1][2].tolist() == [3, 4]
    counts = np.array([10.0, 100.0])
    assert network.Batches(split, 2, None, AS_STORED, counts=counts)[0][2].tolist() == [10, 200]
    without = Split(split.x, split.y)
    assert network.Batches(without, 2, None, AS_STORED, counts=counts)[0][2].tolist() == [10, 100]
    assert len(network.Batches(without, 2, None, AS_STORED)[0]) == 2


def test_balanced_classes_weigh_alike_and_a_row_1_on_average(network):
    y = np.array([0] * 30 + [1] * 10)
    weights = network.class_weights(y, TOWNS)
    assert weights * np.bincount(y) == pytest.approx([20, 20])
    assert weights[y].mean() == pytest.approx(1)


def test_rows_of_no_weight_teach_a_network_nothing(learn):
    spoilt = SPLITS["train"].y.copy()
    spoilt[:24] = 1000
    weight = (np.arange(48) >= 24).astype(float)
    half = Split(SPLITS["train"].x[24:], SPLITS["train"].y[24:])
    how = {"options": {"units": []}, "learning_rate": 0.1, "epochs": 60, "batch_size": 48}
    weighted = SPLITS | {"train": Split(SPLITS["train"].x, spoilt, weight=weight)}
    _, history, _ = learn(splits=weighted, **how)
    _, plain, _ = learn(splits=SPLITS | {"train": half}, **how)
    assert history[-1]["val_loss"] == pytest.approx(plain[-1]["val_loss"], rel=0.05)


def test_averaged_weights_are_what_validation_sees_in_every_epoch(learn):
    """And what a training by fewer epochs ends with."""
    averaging = {"ema_momentum": 0.9, "optimizer": "sgd"}
    _, history, _ = learn(**averaging, epochs=3)
    x, y = SPLITS["validation"].x, SPLITS["validation"].y
    for epochs in (1, 2, 3):
        _, its_history, model = learn(**averaging, epochs=epochs)
        assert its_history == history[:epochs]
        loss = np.mean((model.predict(x, verbose=0)[:, 0] - y) ** 2)
        assert loss == pytest.approx(history[epochs - 1]["val_loss"], rel=1e-4)
    _, plain, _ = learn(optimizer="sgd", epochs=3)
    assert history[0]["loss"] == plain[0]["loss"], "what is averaged learns as ever"
    assert history[0]["val_loss"] > 1.01 * plain[0]["val_loss"], "the average lags behind"


@pytest.mark.parametrize("precision", ["float32", pytest.param("mixed_float16", marks=IN_16_BITS)])
def test_digits_of_time_stamps_and_far_targets_reach_the_network_and_its_answer(learn, tmp_path, precision):
    """32 bits hold multiples of 128 of such a time stamp, and of 65,536 of such a number."""

    def far(split):
        time, constant = 1.7e9 + 100 * split.x[:, 0], np.full(len(split), 7.0)
        return Split(np.stack([time, constant, split.x[:, 1]], axis=1), 1e12 + 50 * split.y)

    splits = {name: far(split) for name, split in SPLITS.items()}
    x, y = splits["train"].x, splits["train"].y
    moments = zip("abc", x.mean(axis=0), x.var(axis=0) * [1, 0, 1], strict=True)
    columns = tuple(Column(name=name, mean=mean, variance=variance) for name, mean, variance in moments)
    targets = {"target_mean": (float(y.mean()),), "target_sd": (float(y.std()),)}
    far_spec = SPEC.model_copy(update={"columns": columns} | targets)
    linear = {"options": {"units": []}, "epochs": 30, "learning_rate": 0.1, "precision": precision}
    _, history, model = learn(spec=far_spec, splits=splits, **linear)
    x, y = splits["validation"].x, splits["validation"].y
    answer = saved.predictor(saved.save_keras(model, tmp_path))(x)
    assert answer.dtype == np.float64
    error = np.abs(answer[:, 0] - y)
    assert error.mean() == pytest.approx(history[-1]["val_mae"], rel=1e-3), "in the target's unit"
    assert error.mean() < 0.6 * np.abs(y - y.mean()).mean()
    odd = saved.predictor(tmp_path / "model.keras")(x + np.array([0, 1e9, 0]))
    assert np.array_equal(odd, answer), "what never varied tells nothing"


def test_batches_are_encoded_as_they_leave(network):
    batches = network.Batches(Split(np.arange(4), np.zeros(4)), 2, lambda x: 10 * x, AS_STORED)
    assert batches[1][0].tolist() == [20, 30]


def test_a_batch_may_show_something_else_than_what_it_is_learned_from(network):
    split = Split(np.arange(4), np.zeros(4))
    batches = network.Batches(split, 2, None, lambda x, y: 10 * x, split.x + 100)
    assert [part.tolist() for part in batches[1]] == [[102, 103], [20, 30]]


def test_denoising_is_validated_on_images_with_noise(keras, learn):
    """A network that draws what it is shown errs by the noise, and while training by nothing."""

    def build(input_shape, outputs, activation):
        inputs = keras.Input(input_shape)
        layer = keras.layers.Conv2D(outputs, 1, kernel_initializer="ones")
        return keras.Model(inputs, layer(inputs), name="copy")

    gray = Split(np.full((32, 8, 8, 1), 128, np.uint8), np.zeros(32))
    splits, how = {"train": gray, "validation": gray}, {"learning_rate": 1e-9, "epochs": 1}
    _, history, _ = learn(
        spec=IMAGES, splits=splits, task="denoising", build=build, options={"noise": 0.1}, **how
    )
    assert history[0]["loss"] == pytest.approx(0, abs=1e-9)
    assert history[0]["val_loss"] == pytest.approx(0.01, rel=0.1)


def test_what_is_learned_from_a_batch_is_made_of_its_own_x_and_y(network):
    split = Split(np.arange(6), 10 * np.arange(6))
    batches = network.Batches(split, 2, None, lambda x, y: x + y)
    batches.shuffle(1, 1)
    for number in range(3):
        x, y = batches[number]
        assert np.array_equal(y, 11 * x)


def test_a_first_phase_leaves_the_base_as_it_was(learn, on_a_base, first_epoch):
    longer, _, _ = learn(build=on_a_base, epochs=3)
    assert same(first_epoch[:6], longer[:6])
    assert not same(first_epoch[6:], longer[6:])


def test_a_second_phase_trains_the_last_layers_of_the_base_at_the_lower_rate(
    network, learn, on_a_base, first_epoch, monkeypatch
):
    rates, make = [], network._optimizer
    monkeypatch.setattr(
        network,
        "_optimizer",
        lambda train, phase, steps: rates.append(phase.rate) or make(train, phase, steps),
    )
    after, _, _ = learn(build=on_a_base, epochs=1, fine_tune={"layers": 2, "epochs": 1, "factor": 0.5})
    assert same(first_epoch[:2], after[:2])
    assert not any(np.array_equal(*pair) for pair in zip(first_epoch[2:8:2], after[2:8:2], strict=True))
    assert rates == pytest.approx([TRAIN["learning_rate"], 0.5 * TRAIN["learning_rate"]])


def test_a_model_file_holds_the_numbers_of_the_model_and_nothing_that_only_training_needs(
    learn, on_a_base, undisturbed, undisturbed_heads, undisturbed_images, tmp_path
):
    _, _, reader = learn(**TEXTS)
    _, _, tuned = learn(build=on_a_base, **TWO_PHASES)
    averaged, best = undisturbed("averaged rmsprop by a schedule"), undisturbed("best epoch")
    models = [undisturbed("adam"), averaged, best, undisturbed_heads, undisturbed_images]
    for model in (*(model for _, _, model in models), reader, tuned):
        assert numbers(saved.save_keras(model, tmp_path)) == model.count_params()


def test_the_history_of_two_phases_tells_them_apart(undisturbed_phases):
    history, _ = undisturbed_phases
    assert [(figures["epoch"], figures["phase"]) for figures in history] == [(1, 1), (2, 1), (3, 2), (4, 2)]


@pytest.mark.parametrize("epochs", [(1,), (2, 3, 4)], ids=["in the first phase", "wherever it resumes"])
def test_a_training_killed_in_or_between_its_phases_goes_on_to_the_same_file(
    learn, on_a_base, undisturbed_phases, tmp_path, epochs
):
    for epoch in epochs:
        with pytest.raises(Killed):
            learn(tmp_path, killed_after=epoch, build=on_a_base, **TWO_PHASES)
    _, history, model = learn(tmp_path, build=on_a_base, **TWO_PHASES)
    assert (history, saved.save_keras(model, tmp_path).read_bytes()) == undisturbed_phases


def test_a_second_phase_without_a_base_is_rejected_before_the_first(learn, tmp_path):
    with pytest.raises(EvermodelError, match=r"mlp .*'base'.*train\.fine_tune"):
        learn(tmp_path, fine_tune={"layers": 1, "epochs": 1})
    assert checkpoints.newest(tmp_path) is None


def test_batch_normalisation_of_a_base_keeps_its_statistics_in_the_second_phase(keras, learn):
    def build(input_shape, outputs, activation):
        norm = keras.layers.BatchNormalization()
        base = keras.Sequential([keras.Input(input_shape), keras.layers.Dense(4), norm], name="base")
        base.trainable = False
        inputs = keras.Input(input_shape)
        return keras.Model(inputs, keras.layers.Dense(outputs, activation)(base(inputs)))

    _, _, model = learn(build=build, epochs=1, fine_tune={"layers": 2, "epochs": 1})
    norm = next(layer for layer in model._flatten_layers() if layer.name.startswith("batch_norm"))
    assert not norm.moving_mean.numpy().any()
    assert (norm.moving_variance.numpy() == 1).all()


def test_two_heads_learn_together_and_answer_side_by_side(two_heads, undisturbed_heads):
    _, history, model = undisturbed_heads
    assert {"age_mae", "val_age_mae", "gender_accuracy", "val_gender_accuracy"} <= history[0].keys()
    x, y = two_heads["splits"]["validation"].x, two_heads["splits"]["validation"].y
    predictions = model.predict(x, verbose=0)
    assert np.abs(predictions[:, 0] - y[:, 0]).mean() < 5, "years, as they are stored"
    assert np.mean((predictions[:, 1] > 0.5) == y[:, 1]) > 0.9


@IN_16_BITS
def test_mixed_precision_learns_in_16_bits_and_answers_in_32(
    learn, two_heads, undisturbed, undisturbed_heads, undisturbed_images
):
    cases = [
        ({"splits": SPLITS}, undisturbed("adam")),
        (two_heads, undisturbed_heads),
        (FLIPPED, undisturbed_images),
    ]
    for how, (_, in_32_bits, _) in cases:
        weights, history, model = learn(**how | {"precision": "mixed_float16", "epochs": 1})
        assert {layer.compute_dtype for layer in model.layers} <= {"float32", "float64", "uint8"}
        assert np.isfinite(model.predict(how["splits"]["train"].x, verbose=0)).all()
        assert {weight.dtype.name for weight in weights} <= {"float32", "uint32", "int64"}
        assert history[0]["loss"] != in_32_bits[0]["loss"]


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_a_precision_that_the_cpu_does_not_compute_is_refused(learn, tmp_path, monkeypatch, precision):
    monkeypatch.setattr(determinism, "computes", lambda asked: asked != precision)
    with pytest.raises(EvermodelError, match=rf"train\.precision is {precision}"):
        learn(tmp_path, precision=precision)


def test_a_training_has_no_precision_from_the_one_before(keras, learn, undisturbed):
    keras.config.set_dtype_policy("mixed_float16")  # as a training in it leaves it
    assert same(learn()[0], undisturbed("adam")[0])


def test_images_are_mirrored_in_training_only_and_also_after_a_resume(learn, undisturbed_images, tmp_path):
    weights, history, model = undisturbed_images
    x = FLIPPED["splits"]["validation"].x
    assert np.array_equal(model.predict(x, verbose=0), model.predict(x, verbose=0))
    with pytest.raises(Killed):
        learn(tmp_path, killed_after=1, **FLIPPED)
    resumed, its_history, _ = learn(tmp_path, **FLIPPED)
    assert its_history == history
    assert same(resumed, weights)
    # Left and right can be told apart, but not where either may be the other.
    assert learn(**FLIPPED | {"random_flip": False})[1][-1]["accuracy"] > 0.9
    assert history[-1]["accuracy"] < 0.8


GENERATION = RECIPES["averaged rmsprop by a schedule"] | {
    "spec": IMAGES,
    "splits": FLIPPED["splits"],
    "task": "generation",
    "epochs": 8,
}


SMALL = {"vae": {"latent": 2, "units": [8]}, "gan": {"latent": 2, "filters": [4, 8]}}


@pytest.fixture(scope="module", params=SMALL)
def maker(request):
    """The build function of a small network that makes examples."""
    build = importlib.import_module(f"evermodel.models.{request.param}").build
    return lambda *arguments: build(*arguments, **SMALL[request.param])


@pytest.fixture(scope="module")
def made(learn, maker):
    """What a training of it gives."""
    return learn(build=maker, **GENERATION)


def test_what_learns_from_images_to_make_some_is_saved_as_it_makes_them(made, tmp_path):
    *_, model = made
    ask = saved.predictor(saved.save_keras(model, tmp_path))
    drawn = ask(pd.DataFrame({"seed": [1, 2, 3]}))
    assert (drawn.shape, drawn.dtype) == ((3, 8, 8, 1), np.float32)
    assert 0 <= drawn.min() < drawn.max() <= 1
    if len(model.inputs) == 1:  # it has no encoder
        with pytest.raises(ValueError, match="takes examples of shape"):
            ask(FLIPPED["splits"]["train"].x)
    else:
        codes = ask(FLIPPED["splits"]["train"].x)
        assert codes.shape == (64, 2)
        assert ask(codes).shape == (64, 8, 8, 1)


def test_a_training_of_what_makes_examples_that_was_killed_goes_on_to_the_same_weights(
    learn, maker, made, tmp_path
):
    with pytest.raises(Killed):
        learn(tmp_path, killed_after=2, build=maker, **GENERATION)
    weights, history, _ = learn(tmp_path, build=maker, **GENERATION)
    assert same(weights, made[0])
    assert history == made[1]


def test_what_has_collapsed_is_told_and_not_promoted(keras, learn, monkeypatch, tmp_path):
    """Its decoder takes no notice of noise: that shows in training, in its scores, and in what is decided."""
    gan = importlib.import_module("evermodel.models.gan")
    own = gan._decoder

    def deaf(latent, *rest):
        noise = keras.Input((latent,))
        return keras.Model(noise, own(latent, *rest)(0 * noise), name="decoder")

    monkeypatch.setattr(gan, "_decoder", deaf)
    _, history, model = learn(build=lambda *arguments: gan.build(*arguments, **SMALL["gan"]), **GENERATION)
    assert max(one["val_spread_mean"] for one in history) < 0.001
    test, known = images(60), images(64)
    judge = Judge("", corners, corners, corners(known.x), corners(test.x))
    ask = saved.predictor(saved.save_keras(model, tmp_path))
    scores = generation.score(test, generation.answer(ask, test.x), IMAGES, judge=judge)
    figures = generation.metrics(scores, IMAGES)
    policy = Promotion(metric="frechet", ceiling=figures["frechet"] + 1, least={"recall": 0.3})
    asked = recipe(task="generation", options={})
    figures |= {"baseline_frechet": 1e9}
    rows = Scores(scores, "rows", generation.statistics(IMAGES))
    decision = decide(
        Candidate("it", "full", asked, policy, IMAGES, None, None, 0.1, figures, rows, {}), None
    )
    assert figures["recall"] == 0
    assert not decision.promoted
    assert decision.reason.startswith("recall 0 is less than 0.3: it has collapsed")


def corners(x):
    """What stands for the features of a judge: four pixels."""
    return x[:, ::4, ::4, 0].reshape(len(x), -1) / 255


def heads(keras, *names):
    """The build function of a network that makes examples and gives the mean of what came in as heads."""

    def build(input_shape, outputs, activation):
        noise, inputs = keras.Input((2,)), keras.Input(input_shape)
        image = keras.layers.Reshape(input_shape)(keras.layers.Dense(math.prod(input_shape))(noise))
        decoder = keras.Model(noise, image, name="decoder")
        bright = keras.ops.mean(inputs, axis=(1, 2))
        apart = keras.ops.mean(decoder(keras.ops.concatenate([bright, bright], axis=1)), axis=(1, 2))
        return keras.Model(inputs, dict.fromkeys(names, (bright - apart) ** 2), name="tiny")

    return build


def test_an_architecture_tells_its_own_loss_and_other_heads_are_watched(keras, learn, tmp_path):
    _, history, model = learn(tmp_path, build=heads(keras, "loss", "twice"), **GENERATION)
    assert set(history[0]) == {"epoch", "loss", "val_loss", "twice_mean", "val_twice_mean"}
    assert history[-1]["loss"] < 0.5 * history[0]["loss"]
    assert all(one["twice_mean"] == pytest.approx(one["loss"]) for one in history)
    assert model.output_shape == (None, 8, 8, 1)


def test_an_architecture_of_heads_without_a_loss_is_told(keras, learn, tmp_path):
    with pytest.raises(EvermodelError, match="model tiny gives cost, but no 'loss' to learn by"):
        learn(tmp_path, build=heads(keras, "cost"), **GENERATION)


def test_an_architecture_that_makes_nothing_of_noise_is_told(keras, learn, tmp_path):
    def build(input_shape, outputs, activation):
        inputs = keras.Input(input_shape)
        return keras.Model(inputs, keras.layers.Conv2D(outputs, 1, activation=activation)(inputs))

    with pytest.raises(EvermodelError, match="no layer 'decoder' that makes an example of noise"):
        learn(tmp_path, build=build, **GENERATION)


def captioned(rows):
    """One half is light, more or less; the class says which."""
    y, light = np.arange(rows) % 2, np.random.default_rng(rows).choice([130, 255], rows)
    x = np.zeros((rows, 8, 8, 1), np.uint8)
    for row, side in enumerate(y):
        x[row, :, 4 * side : 4 * side + 4] = light[row]
    return Split(x, y)


DRAWING = RECIPES["averaged rmsprop by a schedule"] | {
    "spec": IMAGES.model_copy(update={"classes": ("light is left", "right is light")}),
    "splits": {"train": captioned(64), "validation": captioned(16)},
    "task": "text_to_image",
    "optimizer": "adam",
    "learning_rate": 0.02,
    "epochs": 30,
}


@pytest.fixture(scope="module")
def draws():
    """The build function of a small network that draws."""
    build = importlib.import_module("evermodel.models.text_to_image").build
    small = {"patch": 4, "numbers": 2, "levels": 3, "width": 16, "heads": 2, "blocks": 1, "words": 6}
    return lambda *arguments, **options: build(*arguments, **small | {"longest": 4} | options)


@pytest.fixture(scope="module")
def drawn(learn, draws):
    """What a training of it gives."""
    return learn(build=draws, **DRAWING)


def test_what_draws_learns_what_captions_say_and_is_saved_as_it_is_asked(keras, drawn, tmp_path):
    _, history, model = drawn
    assert {"loss", "nats_mean", "val_error_mean"} < set(history[0])
    assert history[-1]["val_nats_mean"] < 0.5 * history[0]["val_nats_mean"]
    ask = saved.predictor(saved.save_keras(model, tmp_path))
    captions = np.array(["Light is left", "right is light"] * 4, dtype=object)
    rows = pd.DataFrame({"seed": np.arange(8.0), "caption": captions})
    images = ask(rows)
    assert (images.shape, images.dtype) == ((8, 8, 8, 1), np.float32)
    sides = images[..., 0].reshape(8, 8, 2, 4).mean(axis=(1, 3))
    assert sides.argmax(axis=1).tolist() == [0, 1] * 4
    looks = ask.looks(rows)
    assert looks.shape == (8, 2, 2, 4)
    assert looks[..., :3].sum(axis=-1) == pytest.approx(np.ones((8, 2, 2)), abs=1e-5)
    assert not [one for one in model.layers if type(one).__module__.startswith("evermodel")]


def test_codes_are_drawn_as_likely_as_the_network_says_given_those_before(keras, drawn):
    *_, model = drawn
    captions = np.repeat(np.array(["light is left"], dtype=object), 9)
    codes, draws = np.zeros((9, 4), np.int32), np.linspace(0, 1, 9, endpoint=False, dtype=np.float32)
    given = map(keras.ops.convert_to_tensor, (captions, codes, np.tile(draws[:, None], 4)))
    told = np.asarray(model([*given])[0])
    assert (np.diff(told, axis=0) >= 0).all()
    assert told.min() >= 0
    assert told.max() <= 8


def test_captions_of_more_words_than_an_architecture_knows_are_told(learn, draws, tmp_path):
    for few in ({"words": 4}, {"longest": 2}):
        with pytest.raises(EvermodelError, match="data set made has 5, 3 in a caption; enlarge its options"):
            learn(tmp_path, build=lambda *given, few=few: draws(*given, **few), **DRAWING)


def test_an_architecture_that_takes_no_captions_can_not_draw(learn, maker, tmp_path):
    with pytest.raises(EvermodelError, match="no layers 'drawer' and 'decoder' that draw what a caption"):
        learn(tmp_path, build=maker, **DRAWING)


WORDS = np.array(["abab" * (1 + row % 5) for row in range(40)], dtype=object)
WRITING = {
    "spec": make_spec("text"),
    "splits": {"train": Split(WORDS, np.zeros(40)), "validation": Split(WORDS[:10], np.zeros(10))},
    "task": "language_modelling",
    "text": {"output": "characters", "sequence_length": 12},
    "learning_rate": 0.05,
    "epochs": 6,
}


@pytest.fixture(scope="module")
def lstm():
    """The build function of a small network that writes."""
    build = importlib.import_module("evermodel.models.character_lstm").build
    return lambda *arguments: build(*arguments, units=[8, 6], embedding=4, context=3, buckets=997)


@pytest.fixture(scope="module")
def writer(learn, lstm):
    """What a training of it gives."""
    return learn(build=lstm, **WRITING)


def test_what_writes_learns_what_comes_next_and_is_saved_as_it_is_asked(keras, writer, tmp_path):
    _, history, model = writer
    assert history[-1]["val_loss"] < 0.5 * history[0]["val_loss"]
    ask = saved.predictor(saved.save_keras(model, tmp_path))
    bits = ask(np.array(["ab" * 20, "ABA", "", "z"], dtype=object))
    assert bits.shape == (4, 40)
    assert not bits[1, 3:].any()
    assert not bits[2].any()
    assert bits[0, :3] == pytest.approx(bits[1, :3])
    assert bits[0, 1:12].mean() < 1 < bits[3, 0]
    rows = pd.DataFrame({"seed": [1.0, 2], "prompt": pd.Series(["abab", None], dtype=object)})
    for text in ask(rows):
        assert len(text) == 200
        assert text.count("ab") > 90


def test_how_likely_characters_are_step_by_step_is_what_their_bits_say(keras, writer):
    *_, model = writer
    step, text = keras.Model(model.inputs[1:], model.outputs[1:]), "abba b"
    encode = next(layer for layer in model.layers if isinstance(layer, keras.layers.TextVectorization))
    numbers = [0, *np.asarray(encode(np.array([text], dtype=object)))[0]]
    states = [np.zeros((1, state.shape[1]), np.float32) for state in step.inputs[1:]]
    likely = []
    for before, after in pairwise(numbers):
        told, *states = map(np.asarray, step([np.array([[before]], np.int32), *states]))
        assert told.sum() == pytest.approx(1, abs=1e-5)
        likely.append(told[0, after - 1])
    bits = keras.Model(model.inputs[0], model.outputs[0])(keras.ops.convert_to_tensor(np.array([text])))
    assert -np.log2(likely) == pytest.approx(np.asarray(bits)[0], rel=1e-3)


@pytest.mark.parametrize(
    ("build", "trained", "training"), [("draws", "drawn", DRAWING), ("lstm", "writer", WRITING)]
)
def test_what_draws_or_writes_killed_in_its_training_goes_on_to_the_same_weights(
    request, learn, build, trained, training, tmp_path
):
    build, (whole, undisturbed, _) = map(request.getfixturevalue, (build, trained))
    with pytest.raises(Killed):
        learn(tmp_path, killed_after=2, build=build, **training)
    weights, history, _ = learn(tmp_path, build=build, **training)
    assert same(weights, whole)
    assert history == undisturbed


def test_an_architecture_that_has_no_state_can_not_write(keras, learn, tmp_path):
    def build(input_shape, outputs, activation):
        inputs = keras.Input((None,), dtype="int32")
        return keras.Model(inputs, keras.layers.Embedding(outputs + 1, outputs)(inputs))

    with pytest.raises(EvermodelError, match="takes no state and gives none"):
        learn(tmp_path, build=build, **WRITING)
