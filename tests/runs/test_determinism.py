from types import SimpleNamespace

import pytest

from evermodel.runs import determinism


@pytest.fixture
def cpu(tmp_path, monkeypatch):
    """A function that makes this machine one without a GPU, whose processor has these flags."""

    def flags(*names):
        monkeypatch.setattr(determinism, "GPUS", tmp_path / "none")
        monkeypatch.setattr(determinism, "CPUS", tmp_path / "cpuinfo")
        (tmp_path / "cpuinfo").write_text(f"processor : 0\nflags : fpu avx2 {' '.join(names)}\n")

    return flags


def test_a_cpu_computes_in_16_bits_if_tensorflow_itself_does(cpu):
    cpu("avx512f")
    assert [determinism.computes(p) for p in ("float32", "mixed_float16", "mixed_bfloat16")] == [
        True,
        True,
        False,
    ]


@pytest.mark.parametrize("flag", sorted(determinism.HALF))
def test_a_cpu_with_16_bit_instructions_does_not_because_onednn_is_held_to_others(cpu, flag):
    cpu(flag)
    assert [determinism.computes(p) for p in ("float32", "mixed_float16")] == [True, False]


def test_a_gpu_computes_in_all(cpu, tmp_path, monkeypatch):
    cpu("avx512_fp16")
    (tmp_path / "gpus/0").mkdir(parents=True)
    monkeypatch.setattr(determinism, "GPUS", tmp_path / "gpus")
    monkeypatch.delenv(determinism.DEVICE, raising=False)
    assert determinism.computes("mixed_float16")
    assert determinism.computes("mixed_bfloat16")


def test_gpus_are_those_that_keras_sees_on_all_machines(monkeypatch):
    names = ["gpu:0", "gpu:1"]
    library = SimpleNamespace(distribution=SimpleNamespace(list_devices=lambda: names))
    monkeypatch.setattr(determinism, "keras", lambda: library)
    assert determinism.gpus() == 2
    names[:] = ["cpu:0", "cpu:1"]
    assert determinism.gpus() == 0
