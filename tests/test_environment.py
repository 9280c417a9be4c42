from pathlib import Path

import pytest

from evermodel import environment
from evermodel.core.errors import EvermodelError

ROOT = Path(__file__).parents[1]
LOCK = """# made by uv
absl-py==2.5.1 \\
    --hash=sha256:286e71
    # via keras
Rich==15.0.0 ; python_full_version >= '3.8' \\
    --hash=sha256:286e71
pywin32==312 ; sys_platform == 'win32' \\
    --hash=sha256:286e71
"""


def test_what_is_as_the_lock_says_is_not_told():
    assert environment.differences(LOCK, {"absl-py": "2.5.1", "rich": "15.0.0", "more": "1"}) == []


def test_other_versions_and_missing_packages_are_told_but_not_those_of_other_platforms():
    assert environment.differences(LOCK, {"absl-py": "2.4"}) == [
        "of absl-py, 2.4 is installed, the lock of the commit says 2.5.1",
        "of rich, nothing is installed, the lock of the commit says 15.0.0",
    ]


def test_what_is_installed_here_is_what_the_lock_of_this_repository_says():
    environment.require(ROOT)
    present = environment.installed() | {"keras": "0.1"}
    assert len(environment.differences(environment.locks(ROOT), present)) == 1


def test_an_environment_of_another_commit_is_refused_by_package_and_version(tmp_path):
    environment.require(tmp_path)  # a commit without lock files asks for nothing
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements/pipeline.lock").write_text("".join(f"none-{n}==1.{n}\n" for n in range(5)))
    with pytest.raises(EvermodelError, match=r"of none-0, nothing is .* says 1\.0; .* and 2 more\. Build"):
        environment.require(tmp_path)


def test_what_a_gpu_needs_is_the_same_but_for_what_comes_on_top():
    """Else a GPU's worker, whose image has both, would be refused by every commit."""
    ours = environment._pins(environment.locks(ROOT))
    gpu = environment._pins((ROOT / "requirements/gpu.lock").read_text())
    assert {name for name in ours.keys() & gpu.keys() if ours[name] != gpu[name]} == set()
