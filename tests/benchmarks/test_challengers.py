import numpy as np
import pytest

from benchmarks import challengers
from evermodel.core.data import Prepared, Split
from evermodel.core.errors import EvermodelError


@pytest.mark.all
def test_models_that_no_seed_changes_do_not_beat_each_other_however_often_they_try(by_the_pipeline, capsys):
    measured = by_the_pipeline("boston_linear")
    capsys.readouterr()
    challengers.main("boston_linear", 3)
    told = capsys.readouterr().out
    assert f"mae on {measured['test_rows']} test rows {measured['mae']:.4f} ± 0.0000, 3 seeds" in told
    assert "promoted of 2 at 95% confidence" in told
    assert "against the model before it: 0 0\nin a queue: 0 0\n" in told


def test_half_of_the_rows_is_every_second_one():
    train, test = Split(np.arange(10), np.arange(10) * 2), Split(np.arange(3), np.arange(3))
    halved = challengers.halved(Prepared(None, {"train": train, "test": test}, {})).splits
    assert halved["train"].x.tolist() == [0, 2, 4, 6, 8]
    assert halved["train"].y.tolist() == [0, 4, 8, 12, 16]
    assert halved["test"] is test


def test_one_model_has_no_challenger(workspace):
    with pytest.raises(EvermodelError, match="--models is 1"):
        challengers.main("boston_linear", 1)


def test_a_missing_report_is_told(workspace):
    with pytest.raises(EvermodelError, match=r"is missing; .*dvc repro"):
        challengers.main("boston_linear", 2)
