import multiprocessing

import numpy as np
import pytest

from evermodel.core.errors import EvermodelError
from evermodel.runs.recipe import Train
from evermodel.training import feeding, preprocessing
from tests.specs import make_spec

pytestmark = pytest.mark.all  # it imports TensorFlow once more
TRAIN = Train.model_validate(
    {
        "optimizer": "adam",
        "learning_rate": 0.01,
        "batch_size": 4,
        "epochs": 1,
        "text": {"max_tokens": 6, "output": "int", "sequence_length": 3},
    }
)
SPEC = make_spec("text", vocabulary=("a", "film", "bad", "good"), classes=("no", "yes"))
TEXTS = np.array(["a good film", "bad", "a film of a kind that nobody has seen", ""], dtype=object)


@pytest.fixture(scope="module")
def encode():
    return feeding.encoding(SPEC, TRAIN, 3)


def test_another_process_encodes_as_this_one_would(keras, encode):
    expected = np.asarray(preprocessing.encoder(SPEC, TRAIN)(TEXTS))
    assert np.array_equal(encode(TEXTS), expected)
    assert np.array_equal(encode(TEXTS[1:2]), expected[1:2])


def test_an_end_of_the_other_process_is_told(encode):
    for process in multiprocessing.active_children():
        process.kill()
        process.join()
    with pytest.raises(EvermodelError, match="data set made has ended"):
        encode(TEXTS)
