import importlib

import numpy as np
import pytest

MARGIN = 0.2


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.fixture(scope="module")
def loss(keras):
    """The loss as a plain number."""
    triplet = importlib.import_module("evermodel.training.losses").triplet_semi_hard
    return lambda y, x: float(triplet(keras.ops.convert_to_tensor(y), keras.ops.convert_to_tensor(x)))


def on_the_sphere(points):
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)


def slow(y, x):
    """The same loss, pair by pair."""
    losses = []
    for anchor in range(len(y)):
        strangers = [((x[anchor] - x[n]) ** 2).sum() for n in range(len(y)) if y[n] != y[anchor]]
        for positive in range(len(y)):
            if positive == anchor or y[positive] != y[anchor]:
                continue
            distance = ((x[anchor] - x[positive]) ** 2).sum()
            further = [stranger for stranger in strangers if stranger > distance]
            negative = min(further) if further else max(strangers)
            losses.append(max(0.0, distance - negative + MARGIN))
    return np.mean(losses)


@pytest.mark.parametrize("people", [2, 3, 7])
@pytest.mark.parametrize("spread", [0.1, 1.0, 10.0])
def test_it_is_what_the_definition_gives_pair_by_pair(loss, rng, people, spread):
    y = rng.integers(0, people, 24)
    y[:2] = 0, 1
    x = on_the_sphere(rng.normal(size=(people, 5))[y] + spread * rng.normal(size=(24, 5)))
    assert loss(y, x) == pytest.approx(slow(y, x), abs=1e-5)


def test_a_pair_whose_strangers_are_all_nearer_is_held_against_the_furthest(loss):
    x = on_the_sphere(np.array([[1.0, 0], [-1, 0], [0.8, 0.6], [0.6, 0.8]]))
    # From the first point: its twin at 4, strangers at 0.4 and 0.8. From the second: at 3.6 and 3.2. The
    # strangers are 0.08 apart and everybody else is further than the margin.
    expected = [4 - 0.8 + MARGIN, 4 - 3.6 + MARGIN, 0, 0]
    assert loss(np.array([0, 0, 1, 1]), x) == pytest.approx(np.mean(expected), abs=1e-5)


@pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
def test_identities_may_come_as_a_column(loss, rng, shape):
    y, x = np.array([3, 9, 3, 9]), on_the_sphere(rng.normal(size=(4, 3)))
    assert loss(y.reshape(shape), x) == pytest.approx(slow(y, x), abs=1e-5)


def test_people_who_are_well_apart_cost_nothing(loss):
    x = on_the_sphere(np.array([[1.0, 0], [1, 0.01], [-1, 0], [-1, 0.01]]))
    assert loss(np.array([0, 0, 1, 1]), x) == 0


@pytest.mark.parametrize("y", [[5], [1, 2, 3, 4]], ids=["alone", "strangers"])
def test_a_batch_without_a_pair_costs_nothing(loss, rng, y):
    assert loss(np.array(y), on_the_sphere(rng.normal(size=(len(y), 4)))) == 0


@pytest.mark.parametrize(
    "y", [[0, 0, 1, 1, 2, 2], [0, 1, 2, 3, 4, 5], [0] * 6], ids=["pairs", "strangers", "one person"]
)
@pytest.mark.parametrize("same", [True, False])
def test_every_gradient_is_finite(keras, rng, y, same):
    triplet = importlib.import_module("evermodel.training.losses").triplet_semi_hard
    points = np.ones((6, 3)) if same else rng.normal(size=(6, 3))
    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.UnitNormalization()(keras.layers.Dense(3)(inputs)))
    model.compile(optimizer="sgd", loss=triplet)
    assert np.isfinite(model.train_on_batch(points.astype(np.float32), np.array(y)))
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_learning_by_it_brings_people_together(keras, rng):
    triplet = importlib.import_module("evermodel.training.losses").triplet_semi_hard
    y = np.arange(32) % 4
    x = (rng.normal(size=(4, 6))[y] + 0.7 * rng.normal(size=(32, 6))).astype(np.float32)
    keras.utils.set_random_seed(1)
    inputs = keras.Input((6,))
    hidden = keras.layers.Dense(16, "relu")(inputs)
    model = keras.Model(inputs, keras.layers.UnitNormalization()(keras.layers.Dense(3)(hidden)))
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss=triplet)
    losses = [model.train_on_batch(x, y) for _ in range(60)]
    assert losses[-1] < losses[0] / 2


def test_each_symbol_costs_its_cross_entropy_and_what_is_none_counts_nothing(keras):
    losses = importlib.import_module("evermodel.training.losses")
    logits = np.log([[[0.5, 0.25, 0.25], [0.1, 0.8, 0.1]], [[0.2, 0.2, 0.6], [0.3, 0.3, 0.4]]])
    y = np.array([[0, 1], [2, -1]])
    inputs = keras.Input((2, 3))
    model = keras.Model(inputs, keras.layers.Activation("linear")(inputs))
    model.compile(loss=losses.next_symbol)
    mean = -np.log([0.5, 0.8, 0.6]).mean()
    assert model.evaluate(logits, y, verbose=0) == pytest.approx(mean, rel=1e-5)
