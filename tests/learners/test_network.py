import importlib
from functools import cache

import numpy as np
import pytest

from evermodel import checkpoints, objectives, params
from evermodel.data import Spec, Split
from evermodel.errors import EvermodelError
from evermodel.params import Experiment

RANDOM = np.random.RandomState(0)
TRAIN = {"optimizer": "adam", "learning_rate": 0.01, "batch_size": 16, "epochs": 5}
# What a resumed training must not forget, each with a way of training that would show it.
RECIPES = {
    "adam": {},
    "rmsprop by a schedule": {"optimizer": "rmsprop", "schedule": "cosine"},
    "averaged adamw": {"optimizer": "adamw", "average": 0.9},
    "best epoch": {
        "early_stopping": {"monitor": "val_loss", "patience": 2},
        "keep": "best",
        "learning_rate": 0.3,
        "epochs": 20,
    },
}


class Killed(Exception):  # noqa: N818
    """Stands for whatever ends a training between two epochs."""


def table(rows):
    x = RANDOM.normal(size=(rows, 3))
    return Split(x, x @ [1.0, -2.0, 0.5] + RANDOM.normal(size=rows))


SPLITS = {"train": table(48), "validation": table(16)}
SPEC = Spec(
    dataset="made",
    edition="sample",
    made=True,
    kind="table",
    input_shape=(3,),
    input_dtype="float64",
    columns=("a", "b", "c"),
    target="y",
    rows={},
    mean=(0.0, 0.0, 0.0),
    variance=(1.0, 1.0, 1.0),
    duplicates=0,
    test_hash="",
)


def experiment(task="regression", **train):
    policy = {"metric": "mae", "ceiling": 1} if task == "regression" else {"metric": "accuracy", "floor": 0}
    return Experiment(
        dataset="made",
        task=task,
        model="mlp",
        options={"units": [8], "dropout": 0.25},
        baseline="linear",
        train=params.Train.model_validate(TRAIN | train),
        promotion=params.Promotion.model_validate(policy),
    )


@pytest.fixture(scope="module")
def network(keras):
    return importlib.import_module("evermodel.learners.network")


@pytest.fixture(scope="module")
def learn(keras, network, tmp_path_factory):
    """A function that trains as a fresh process would, and returns the weights, the history and the model."""
    build = importlib.import_module("evermodel.models.mlp").build

    def learned(folder=None, seed=1, killed_after=None, spec=SPEC, splits=SPLITS, task="regression", **train):
        def report(figures):
            if figures["epoch"] == killed_after:
                raise Killed

        keras.utils.set_random_seed(seed)
        objective = objectives.objective(task, spec)
        state = folder or tmp_path_factory.mktemp("state")
        model, history = network.fit(
            build, spec, objective, experiment(task, **train), splits, seed, state, report
        )
        return model.get_weights(), history, model

    return learned


@pytest.fixture(scope="module")
def undisturbed(learn):
    """A function from a recipe to what one training by it, from its start to its end, gives."""
    return cache(lambda recipe: learn(**RECIPES[recipe]))


def same(some, others):
    return all(np.array_equal(one, other) for one, other in zip(some, others, strict=True))


def test_a_model_learns_and_tells_of_every_epoch(learn):
    _, history, model = learn(epochs=30)
    assert [figures["epoch"] for figures in history] == list(range(1, 31))
    assert history[0].keys() == {"epoch", "loss", "mae", "val_loss", "val_mae"}
    assert history[-1]["loss"] < history[0]["loss"] / 2
    assert model.predict(SPLITS["validation"].x, verbose=0).shape == (16, 1)


def test_the_same_seed_gives_the_same_model_and_another_seed_another(learn, undisturbed):
    weights, history, _ = undisturbed("adam")
    again, its_history, _ = learn()
    assert its_history == history
    assert same(again, weights)
    assert not same(learn(seed=2)[0], weights)


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_training_that_was_killed_goes_on_to_the_same_weights_and_history(
    learn, undisturbed, tmp_path, recipe
):
    weights, history, _ = undisturbed(recipe)
    for epoch in (2, len(history)):
        with pytest.raises(Killed):
            learn(tmp_path, killed_after=epoch, **RECIPES[recipe])
    resumed, its_history, _ = learn(tmp_path, **RECIPES[recipe])
    assert its_history == history
    assert same(resumed, weights)


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
        {"schedule": "cosine"},
        {"average": 0.9},
    ]
    models = [undisturbed("adam")[0], *(learn(**change)[0] for change in changes)]
    pairs = [(one, other) for number, one in enumerate(models) for other in models[:number]]
    assert not any(same(*pair) for pair in pairs)


@pytest.mark.filterwarnings("ignore:.*encountered in.*:RuntimeWarning")
def test_a_loss_that_is_no_number_ends_the_training_and_is_not_kept(learn, tmp_path):
    with pytest.raises(EvermodelError, match=r"the loss became \w+ in epoch \d; lower train\.learning_rate"):
        learn(tmp_path, optimizer="sgd", learning_rate=1e20)
    kept = checkpoints.newest(tmp_path)
    assert kept is None or all(np.isfinite(v).all() for v in kept.values() if v.dtype.kind == "f")


def test_texts_go_into_the_finished_model_as_they_are(learn):
    texts = np.array(["a good film", "a bad film"] * 20, dtype=object)
    split = Split(texts, np.array([1, 0] * 20))
    words = {"kind": "text", "input_shape": (), "input_dtype": "string", "columns": ()}
    spec = SPEC.model_copy(update={**words, "vocabulary": ("a", "film", "bad", "good")})
    _, history, model = learn(
        spec=spec,
        splits={"train": split, "validation": split},
        task="binary",
        text={"words": 10},
        learning_rate=0.1,
    )
    assert history[-1]["val_accuracy"] == 1
    assert (model.predict(texts[:2], verbose=0)[:, 0] > 0.5).tolist() == [True, False]


def test_batches_cover_each_row_once_in_every_epoch(network):
    split = Split(np.arange(10).reshape(10, 1), np.arange(10))
    batches = network.Batches(split, 4, None)
    for epoch in range(3):
        batches.shuffle(1, epoch)
        x, y = zip(*(batches[number] for number in range(len(batches))), strict=True)
        assert [len(part) for part in y] == [4, 4, 2]
        assert sorted(np.concatenate(y)) == list(range(10))
        assert np.array_equal(np.concatenate(x)[:, 0], np.concatenate(y))


def test_the_order_of_the_batches_depends_on_seed_and_epoch_alone(network):
    def order(seed, epoch, before=()):
        batches = network.Batches(Split(np.arange(50), np.arange(50)), 4, None)
        for earlier in before:
            batches.shuffle(seed, earlier)
        batches.shuffle(seed, epoch)
        return tuple(batches.order)

    assert order(1, 2) == order(1, 2, before=(0, 1))
    assert len({order(1, 2), order(1, 3), order(2, 2)}) == 3


def test_batches_are_encoded_as_they_leave(network):
    batches = network.Batches(Split(np.arange(4), np.zeros(4)), 2, lambda x: 10 * x)
    assert batches[1][0].tolist() == [20, 30]
