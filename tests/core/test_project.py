import pytest
import yaml

from evermodel.core import params, project
from tests.settings import refusal

RUNTIME = {"seed": 1, "threads": 4, "instruction_set": "AVX2"}
GOOD = {"profile": "sample", "parquet_above": 1000, "runtime": RUNTIME}


@pytest.mark.parametrize(
    ("values", "path", "expected"),
    [
        ({"profile": "tiny"}, "profile", "'sample' or 'full'"),
        ({"profil": "full"}, "profil", "parquet_above, profile, runtime"),
        ({"parquet_above": -1}, "parquet_above", "greater than or equal to 0"),
        ({"runtime": RUNTIME | {"seed": -1}}, "runtime.seed", "greater than or equal to 0"),
        ({"runtime": RUNTIME | {"threads": "all"}}, "runtime.threads", "whole number"),
        ({"runtime": RUNTIME | {"instruction_set": "MMX"}}, "runtime.instruction_set", "'AVX2'"),
        ({"runtime": RUNTIME | {"thread": 1}}, "runtime.thread", "instruction_set, seed, threads"),
        ({"runtime": {"threads": 4, "instruction_set": "AVX2"}}, "runtime.seed", "missing"),
    ],
)
def test_a_wrong_key_of_the_shared_params_is_named(tmp_path, monkeypatch, values, path, expected):
    monkeypatch.chdir(tmp_path)
    params.FILE.write_text(yaml.safe_dump(GOOD))
    assert project.load().runtime.seed == 1
    params.FILE.write_text(yaml.safe_dump(GOOD | values))
    sentence = refusal(project.load)
    assert sentence.startswith(f"params.yaml: {path} is ")
    assert expected in sentence
