"""What Airflow is told of dvc.yaml is what DVC itself makes of it."""

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from evermodel.core import params
from evermodel.core.errors import EvermodelError
from evermodel.scheduling import graph
from evermodel.scheduling.graph import Stage

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def values():
    return params.load(ROOT / "params.yaml")


@pytest.fixture(scope="module")
def stages(values):
    return graph.resolve(values, ROOT)


def test_the_committed_description_is_that_of_dvc_yaml_and_params_yaml(stages, values):
    committed = (ROOT / graph.FILE).read_text()
    assert graph.text(graph.describe(stages, values)) == committed, "run `evermodel graph` and commit"


def test_every_data_set_and_experiment_has_its_stages(stages, values):
    lanes = {"fetch": values.datasets, "train": values.experiments, "promote": values.experiments}
    for kind, names in lanes.items():
        assert [stage.lane for stage in stages if stage.kind == kind] == list(names)


def test_a_stage_waits_for_the_nearest_stages_only(stages):
    after = {stage.name: stage.after for stage in stages}
    assert after["fetch@imdb"] == ()
    assert after["train@imdb_dnn"] == ("prepare@imdb",)
    assert after["evaluate@imdb_dnn"] == ("train@imdb_dnn",)


def test_trainings_go_to_the_queue_of_their_label_and_all_else_to_the_default(stages, values):
    for stage in stages:
        label = values.experiment(stage.lane).worker if stage.kind == "train" else "default"
        assert stage.queue == label
    assert {"cpu", "gpu", "default"} == {stage.queue for stage in stages}


def test_what_schedule_says_is_described(stages, values):
    schedule = params.Schedule(
        cron="0 3 * * *", retries=5, timeout=1.5, owner="me", tags=("x",), description="d"
    )
    experiment = values.experiment("rbm").model_copy(update={"schedule": schedule})
    described = graph.describe([], values.model_copy(update={"experiments": {"rbm": experiment}}))
    assert described == {
        "experiments": {
            "rbm": {
                "dataset": "mnist",
                "approval": "auto",
                "description": "d",
                "tags": ["mnist", "classification", "rbm", "x"],
                "cron": "0 3 * * *",
                "retries": 5,
                "timeout": 1.5,
                "owner": "me",
            }
        },
        "stages": {},
    }


@pytest.mark.parametrize("name", graph.COMMON)
def test_a_lane_that_is_called_like_a_task_is_refused(name, values):
    with pytest.raises(EvermodelError, match=f"params.yaml: {name} must get another name"):
        graph.describe([Stage(f"train@{name}", "train", name, "cpu", ())], values)


def test_the_text_is_json_with_a_line_for_each_stage():
    stage = Stage("train@x", "train", "x", "gpu", ("prepare@d",))
    description = graph.describe([stage], params.load(ROOT / "params.yaml"))
    assert json.loads(graph.text(description)) == json.loads(json.dumps(description))
    assert '\n  "train@x": {"kind": "train", "lane": "x", "queue": "gpu", ' in graph.text(description)


def test_the_tree_shows_experiments_below_their_data_sets(stages, values):
    shown = StringIO()
    Console(file=shown, width=100).print(
        graph.tree(graph.lanes_of(stages, values, ["vgg16_features"]), values)
    )
    assert [line.strip(" │├└─") for line in shown.getvalue().splitlines()] == [
        "dvc.yaml",
        "flowers17_imagenet  fetch → validate → prepare",
        "vgg16_features  train (gpu) → evaluate → promote",
    ]


def test_mermaid_gets_a_box_for_each_lane():
    stages = [
        Stage("prepare@d", "prepare", "d", "default", ()),
        Stage("train@x", "train", "x", "cpu", ("prepare@d",)),
    ]
    assert graph.mermaid(stages) == (
        "flowchart LR\n"
        '  subgraph d\n    prepare-d["prepare"]\n  end\n'
        '  subgraph x\n    train-x["train (cpu)"]\n  end\n'
        "  prepare-d --> train-x"
    )


def test_a_pipeline_that_dvc_refuses_is_told_in_dvcs_words(tmp_path, values):
    (tmp_path / "dvc.yaml").write_text("stages: 3\n")
    with pytest.raises(EvermodelError, match=r"DVC refuses the pipeline: .*dvc\.yaml"):
        graph.resolve(values, tmp_path)
