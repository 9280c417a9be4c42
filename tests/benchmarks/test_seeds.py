import json

import pytest

from benchmarks import seeds
from evermodel import number
from evermodel.core.errors import EvermodelError

LONG = "ema_momentum: 0.995, batch_size: 32, epochs: {full: 100, sample: 50}"
SHORT = "ema_momentum: 0.5, batch_size: 32, epochs: 2"


@pytest.mark.all
def test_another_seed_trains_another_network(results, by_the_pipeline, edit, capsys):
    edit("experiments/boston_dnn/params.yaml", LONG, SHORT)
    edit("params.yaml", "seed: 42", "seed: 1")
    measured = by_the_pipeline("boston_dnn")
    seeds.main("boston_dnn", 2)
    kept = json.loads((results / "boston_dnn_seeds_sample.json").read_text())
    # Two numbers lie as far from their mean as their deviation, over the root of two.
    assert abs(measured["mae"] - kept["mean"]["mae"]) == pytest.approx(kept["sd"]["mae"] / 2**0.5, rel=1e-2)
    assert kept["sd"]["mae"] > 0
    assert (kept["experiment"], kept["profile"], kept["seeds"]) == ("boston_dnn", "sample", 2)
    told = number.text(kept["mean"]["mae"]), number.text(kept["sd"]["mae"])
    assert "mae: {} ± {}".format(*told) in capsys.readouterr().out


def test_data_that_are_not_prepared_are_told(workspace):
    with pytest.raises(EvermodelError, match="missing; `dvc repro` makes it"):
        seeds.main("boston_linear", 2)
