"""Whoever asks a model, the same rows get the same bytes."""

import json

import pandas as pd
import pytest

from evermodel.core import data
from tests.project import TWO
from tests.serving.servers import Server

# What a person's shell may say; NumPy and OpenBLAS would compute by it, or else by what the processor has.
SHELL = {"OPENBLAS_CORETYPE": "Nehalem", "NPY_DISABLE_CPU_FEATURES": "", "KERAS_BACKEND": "jax"}


@pytest.fixture(scope="module")
def server(spine):
    running = Server(spine, **SHELL)
    yield running
    running.stop()


@pytest.mark.spine
@pytest.mark.parametrize("name", TWO)
def test_evaluation_predict_parquet_and_http_give_the_same_bytes(spine, server, name, tmp_path):
    rows = data.load_inputs(spine.folder / "data/boston_housing/prepared", "test").frame()
    rows.to_csv(tmp_path / "rows.csv", index=False)
    judged = pd.read_parquet(spine.folder / f"experiments/{name}/scores.parquet")["prediction"].tolist()

    def command(*more):
        return spine.run("evermodel", "predict", name, str(tmp_path / "rows.csv"), *more, **SHELL).stdout

    told = [row["MEDV"] for row in json.loads(command("--json"))]
    command("--out", str(tmp_path / "scored.parquet"))
    scored = pd.read_parquet(tmp_path / "scored.parquet")["MEDV"].tolist()
    status, answer = server.post(f"/predict/{name}", {"rows": rows.to_dict("records")})
    assert status == 200
    assert [row["MEDV"] for row in answer["answers"]] == scored == told == judged
