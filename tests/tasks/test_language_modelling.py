import numpy as np
import pandas as pd
import pytest

from evermodel.core.data import Predictions, Split
from evermodel.core.errors import EvermodelError
from evermodel.core.generation import SYMBOLS
from evermodel.evaluation import statistics
from evermodel.tasks import language_modelling as task
from tests.specs import make_spec

TEXTS = np.array(["abc", "", "a" * (task.JUDGED + 50), "de"], dtype=object)
TEST, SPEC = Split(TEXTS, np.zeros(4, dtype=int)), make_spec("text")


def evenly(texts):
    """What a model tells to whom all symbols are alike."""
    shown = task.inputs(texts, {}, 0)
    lengths = np.array([len(text) for text in shown])
    return np.where(np.arange(lengths.max()) < lengths[:, None], np.log2(SYMBOLS), 0)


def test_a_model_to_which_all_symbols_are_alike_takes_as_many_bits_as_that_many_symbols_need():
    told = task.metrics(task.score(TEST, evenly(TEXTS), SPEC), SPEC)
    assert told["bits_per_character"] == pytest.approx(np.log2(SYMBOLS))
    assert told["perplexity"] == pytest.approx(SYMBOLS)


def test_the_first_characters_of_each_text_are_judged_and_all_of_them_count_alike():
    assert [len(text) for text in task.inputs(TEXTS, {}, 0)] == [3, 0, task.JUDGED, 2]
    bits = np.zeros((4, task.JUDGED))
    bits[0, :3], bits[2], bits[3, :2] = 4, 1, 2
    scores = task.score(TEST, bits, SPEC)
    assert scores["characters"].tolist() == [3, 0, task.JUDGED, 2]
    assert scores["bits"].tolist() == [12, 0, task.JUDGED, 4]
    mean = (16 + task.JUDGED) / (5 + task.JUDGED)
    assert task.metrics(scores, SPEC)["bits_per_character"] == pytest.approx(mean)
    assert statistics.value(task.statistics(SPEC)["bits_per_character"], scores) == pytest.approx(mean)
    assert task.worst(scores, SPEC, 2).to_dict("list") == {
        "bits per character": [4, 2],
        "characters": [3, 2],
    }


def test_bits_below_zero_or_of_another_number_of_characters_are_refused():
    for wrong in (evenly(TEXTS)[:, :-1], -evenly(TEXTS)):
        with pytest.raises(EvermodelError, match="the bits of each character"):
            task.score(TEST, wrong, SPEC)


def test_passages_are_of_the_first_seeds_of_both_without_a_prompt():
    def writing(letter):
        def ask(rows):
            assert isinstance(rows, pd.DataFrame)
            assert rows["prompt"].isna().all()
            return np.array([letter * 100 + str(int(seed)) for seed in rows["seed"]], dtype=object)

        return ask

    asked = Predictions(TEST, evenly(TEXTS), evenly(TEXTS), TEXTS, None, writing("x"), writing("y"))
    drawn = task.figures(task.score(TEST, evenly(TEXTS), SPEC), SPEC, asked)
    shown = [axes.texts[0].get_text().replace("\n", "") for axes in drawn["passages"].axes]
    assert shown == [letter * 100 + str(seed) for seed in range(task.PASSAGES) for letter in "xy"]
    (axes,) = drawn["places"].axes
    assert axes.lines[0].get_ydata() == pytest.approx(np.log2(SYMBOLS))
