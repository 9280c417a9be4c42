import pytest
import yaml

from evermodel.core import section
from evermodel.core.params import Loader
from evermodel.scheduling.worker import Worker
from tests.settings import refusal

A100 = {"gpus": 2, "gpu": "NVIDIA-A100-SXM4-80GB", "memory": "32Gi", "cpus": 8}


def check(said):
    """The worker that a params.yaml asks for."""
    return section.checked(dict[str, Worker], {"worker": yaml.load(said, Loader=Loader)}, "f.yaml")["worker"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("cpu", {"gpus": 0}),
        ("gpu", {"gpus": 1}),
        ("{}", {"gpus": 0, "gpu": None, "memory": None, "cpus": None}),
        ("{gpus: 2, gpu: NVIDIA-A100-SXM4-80GB, memory: 32Gi, cpus: 8}", A100),
        ("{gpus: 1, gpu: 4090}", {"gpu": "4090"}),
        ("{gpus: 0, memory: 1.5G}", {"memory": "1.5G"}),
    ],
)
def test_a_worker_is_a_word_or_what_the_machine_has_to_have(said, expected):
    found = check(said).model_dump()
    assert {key: found[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("said", "key", "advice"),
    [
        ("tpu", "worker is 'tpu'", "'gpu'"),
        ("[gpu]", "worker is ['gpu']", "keys with values"),
        ("~", "worker is empty", "keys with values"),
        ("{gpux: 1}", "worker.gpux is not a known key", "cpus, gpu, gpus, memory"),
        ("{gpus: -1}", "worker.gpus is -1", "greater than or equal to 0"),
        ("{gpus: 1.5}", "worker.gpus is 1.5", "a whole number"),
        ("{gpus: true}", "worker.gpus is True", "a whole number"),
        ("{cpus: 0}", "worker.cpus is 0", "greater than or equal to 1"),
        ("{gpu: NVIDIA-A100-SXM4-80GB}", "worker names NVIDIA-A100-SXM4-80GB", "gpus: 1"),
        ("{gpus: 1, gpu: NVIDIA A100}", "worker.gpu is 'NVIDIA A100'", "nvidia.com/gpu.product"),
        ("{memory: 32}", "worker.memory is '32'", "32Gi"),  # bytes
        ("{memory: 32m}", "worker.memory is '32m'", "32Gi"),  # thousandths of a byte
        ("{memory: 32GB}", "worker.memory is '32GB'", "32Gi"),
        ("{memory: 0Gi}", "worker.memory is '0Gi'", "32Gi"),
    ],
)
def test_what_no_machine_can_have_is_refused_by_its_key(said, key, advice):
    sentence = refusal(check, said)
    assert sentence.startswith(f"f.yaml: {key}")
    assert advice in sentence
