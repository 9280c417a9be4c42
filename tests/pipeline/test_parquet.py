"""A table of more rows than arrays may have, in Parquet: from its raw data to its champions."""

import json
from collections.abc import Iterator

import pandas as pd
import pytest

from evermodel.core import data
from tests.project import TWO, Project, after_a_run, copy_repository
from tests.serving.servers import Server

pytestmark = [pytest.mark.all, pytest.mark.timeout(1200)]
PREPARED = "data/boston_housing/prepared"


@pytest.fixture(scope="module")
def in_parquet(spine, tmp_path_factory) -> Iterator[Project]:
    """Another project of the same two experiments, whose table has one row more than arrays may have."""
    made = copy_repository(tmp_path_factory.mktemp("parquet") / "project")
    made.keep(*TWO)
    rows = json.loads((spine.folder / PREPARED / "spec.json").read_text())["rows"]
    made.edit("params.yaml", "parquet_above: 20_000_000", f"parquet_above: {sum(rows.values()) - 1}")
    yield from after_a_run(made)


def test_only_the_files_of_the_rows_are_others(spine, in_parquet):
    before, now = (
        {str(file.relative_to(one.folder / PREPARED)) for file in (one.folder / PREPARED).rglob("*.*")}
        for one in (spine, in_parquet)
    )
    assert now == {"spec.json", *(f"{split}/rows/part-00000.parquet" for split in data.SPLITS)}
    assert before & now == {"spec.json"}
    specs = [(one.folder / PREPARED / "spec.json").read_bytes() for one in (spine, in_parquet)]
    assert specs[0] == specs[1]


def test_the_same_rows_make_the_same_model_of_scikit_learn_and_are_judged_alike(spine, in_parquet):
    for file in ("model/model.skops", "metrics.json", "scores.parquet"):
        path = f"experiments/boston_linear/{file}"
        assert (spine.folder / path).read_bytes() == (in_parquet.folder / path).read_bytes()


def test_preparing_and_training_again_give_the_same_bytes(in_parquet):
    places = [in_parquet.folder / "data/boston_housing", in_parquet.folder / "experiments/boston_dnn"]
    before = [(place / "dvc.lock").read_bytes() for place in places]
    in_parquet.run("dvc", "repro", "--force", "--single-item", "data/boston_housing/dvc.yaml:prepare")
    in_parquet.run("dvc", "repro", "--force", "--single-item", "experiments/boston_dnn/dvc.yaml:train")
    assert before == [(place / "dvc.lock").read_bytes() for place in places]


def test_its_champions_answer_over_http_as_they_were_judged(in_parquet):
    rows = data.load_inputs(in_parquet.folder / PREPARED, "test").frame().to_dict("records")
    server = Server(in_parquet)
    try:
        answers = {name: server.post(f"/predict/{name}", {"rows": rows}) for name in TWO}
    finally:
        server.stop()
    for name, (status, answer) in answers.items():
        assert status == 200
        scores = pd.read_parquet(in_parquet.folder / f"experiments/{name}/scores.parquet")
        assert [row["MEDV"] for row in answer["answers"]] == scores["prediction"].tolist()
