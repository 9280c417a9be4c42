"""Whether what is installed is what the lock files say."""

from collections.abc import Mapping
from importlib.metadata import distributions

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


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
