"""Whether what is installed is what the lock files of a checkout say."""

from collections.abc import Mapping
from importlib.metadata import distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from evermodel.core.errors import EvermodelError

LOCKS = ("numbers.lock", "validation.lock", "pipeline.lock")  # an older commit may lack one
SHOWN = 3  # differences that are named


def require(checkout: Path) -> None:
    """Raise an EvermodelError that names what is installed here otherwise than the checkout's lock files say.

    More than they name may be there: a GPU's packages, those of the server and of the tests.
    """
    if wrong := differences(locks(checkout), installed()):
        more = f", and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        raise EvermodelError(
            f"this worker's environment is not that of the commit: {'; '.join(wrong[:SHOWN])}{more}. Build "
            "its image from that commit, as docs/deploy.md says; where `make airflow` runs, check the commit "
            "out and start that again"
        )


def locks(checkout: Path) -> str:
    """The text of the lock files that a checkout has."""
    files = [checkout / "requirements" / name for name in LOCKS]
    return "\n".join(file.read_text(encoding="utf-8") for file in files if file.exists())


def installed() -> dict[str, str]:
    """The versions of all packages of this environment."""
    return {canonicalize_name(found.name): found.version for found in distributions()}


def differences(lock: str, present: Mapping[str, str]) -> list[str]:
    """Each package of the text of lock files that is missing here, or here in another version."""
    return [
        f"of {name}, {present.get(name, 'nothing')} is installed, the lock of the commit says {version}"
        for name, version in _pins(lock).items()
        if present.get(name) != version
    ]


def _pins(lock: str) -> dict[str, str]:
    needed = [Requirement(line.rstrip(" \\")) for line in lock.splitlines() if line[:1].isalnum()]
    return {
        canonicalize_name(one.name): str(one.specifier).removeprefix("==")
        for one in needed
        if one.marker is None or one.marker.evaluate()
    }
