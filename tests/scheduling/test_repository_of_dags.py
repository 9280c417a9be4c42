"""What the DAGs read in an experiment's folder, by themselves."""

import importlib.util
from dataclasses import asdict
from pathlib import Path

import pytest
import yaml

from evermodel.core.params import Loader
from evermodel.scheduling.schedule import Schedule
from evermodel.scheduling.worker import Worker

FILE = Path(__file__).parents[2] / "dags/repository.py"
TEXTS = ["on", "yes", "007", "12:30", "nullify", "'2020-01-01'", "'1'", "1.5", "3"]


@pytest.fixture(scope="module")
def dags():
    spec = importlib.util.spec_from_file_location("repository_of_dags", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("text", TEXTS)
def test_a_tag_is_to_the_dags_what_it_is_to_the_check(dags, text):
    said = f"tags: [{text}]\nowner: {text}"
    found = dags.Schedule.from_texts(yaml.load(said, Loader=dags.Loader))
    checked = Schedule.model_validate(yaml.load(said, Loader=Loader))
    assert (tuple(found.tags), found.owner) == (checked.tags, checked.owner)
    assert found.owner == text.strip("'")


def test_numbers_are_numbers_and_what_is_empty_is_as_if_it_were_left_out(dags):
    said = "{cron: 30 4 * * 1, retries: 3, timeout: 1.5, owner: ~, description: }"
    found = dags.Schedule.from_texts(yaml.load(said, Loader=dags.Loader))
    assert (found.cron, found.retries, found.timeout) == ("30 4 * * 1", 3, 1.5)
    assert (found.owner, found.description) == (dags.Schedule.owner, dags.Schedule.description)


@pytest.mark.parametrize(
    ("said", "queue"),
    [
        ("cpu", "cpu"),
        ("gpu", "gpu"),
        ("{}", "cpu"),
        ("{gpus: 2, gpu: NVIDIA-A100-SXM4-80GB, memory: 32Gi, cpus: 8}", "gpu"),
        ("{gpus: 0, memory: 8Gi}", "cpu"),
        ("{gpus: 1, gpu: 4090, memory: , cpus: ~}", "gpu"),
    ],
)
def test_a_worker_is_to_the_dags_what_it_is_to_the_check(dags, said, queue):
    found = dags.Worker.from_texts(yaml.load(said, Loader=dags.Loader))
    checked = Worker.model_validate(yaml.load(said, Loader=Loader))
    assert asdict(found) == checked.model_dump()
    assert found.queue == queue


@pytest.mark.parametrize("said", ["tpu", "{gpux: 1}", "{gpus: some}", "{full: gpu, sample: cpu}", "[gpu]"])
def test_a_worker_that_nobody_checked_is_not_taken_for_another(dags, said):
    with pytest.raises((KeyError, TypeError, ValueError, AttributeError)):  # those that name the file
        dags.Worker.from_texts(yaml.load(said, Loader=dags.Loader))
