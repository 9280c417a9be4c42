"""What Kubernetes is asked for, as data; tests/test_docker.py makes pods of it by Kubernetes' own client."""

import runpy
from pathlib import Path
from types import SimpleNamespace

ASKED = runpy.run_path(str(Path(__file__).parents[2] / "dags/pods.py"))["asked"]
TAINT = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}


def asked(gpus=0, gpu=None, memory=None, cpus=None):
    return ASKED(SimpleNamespace(gpus=gpus, gpu=gpu, memory=memory, cpus=cpus))


def test_who_asks_for_nothing_gets_any_place():
    nothing = {"resources": {"requests": {}, "limits": {}}, "node_selector": {}, "tolerations": []}
    assert asked() == nothing


def test_a_gpu_of_any_kind_is_on_a_node_that_has_one():
    found = asked(gpus=1)
    assert found["resources"]["limits"] == {"nvidia.com/gpu": "1"}
    assert found["node_selector"] == {"nvidia.com/gpu.present": "true"}
    assert found["tolerations"] == [TAINT]


def test_what_is_asked_for_is_there_and_no_more_is_taken():
    found = asked(gpus=2, gpu="NVIDIA-A100-SXM4-80GB", memory="32Gi", cpus=8)
    needed = {"nvidia.com/gpu": "2", "memory": "32Gi", "cpu": "8"}
    assert found["resources"] == {"requests": needed, "limits": needed}
    assert found["node_selector"] == {"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB"}


def test_memory_and_cores_need_no_gpu():
    found = asked(memory="8Gi", cpus=4)
    assert found["resources"]["requests"] == {"memory": "8Gi", "cpu": "4"}
    assert (found["node_selector"], found["tolerations"]) == ({}, [])
