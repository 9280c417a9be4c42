from pathlib import Path

from evermodel.rebuilding import environment

ROOT = Path(__file__).parents[2]
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
    lock = "\n".join(
        (ROOT / "requirements" / f"{name}.lock").read_text() for name in ("numbers", "validation", "pipeline")
    )
    present = environment.installed()
    assert environment.differences(lock, present) == []
    assert environment.differences(lock, present | {"keras": "0.1"}) != []
