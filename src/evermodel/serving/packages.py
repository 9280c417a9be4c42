"""The packages of the champions that answered last, for a start while MLflow is away."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock
from mlflow.entities.model_registry import ModelVersion, ModelVersionTag

from evermodel.publishing.registry import SHA256

CHAMPION = "champion.json"


class Packages:
    """A folder per experiment: the package of its champion, and champion.json, which tells which that is.

    Several servers may share it: no package changes once it is named, and each removes what it replaces.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def place(self, version: ModelVersion) -> Path:
        """An empty folder for the package of a version, of which nobody knows before it is kept."""
        (home := self.folder / version.name).mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=f"{version.version}-", dir=home))

    def keep(self, version: ModelVersion, package: Path) -> None:
        """Let a package be that of the champion; the one before goes."""
        told = {
            "version": version.version,
            "run_id": version.run_id,
            "description": version.description,
            "sha256": version.tags[SHA256],
            "package": package.name,
        }
        with self._held(version.name) as home:
            old = _told(home)
            (package / CHAMPION).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
            (package / CHAMPION).replace(home / CHAMPION)
            if old:
                shutil.rmtree(home / old["package"], ignore_errors=True)

    def last(self, name: str) -> tuple[ModelVersion, Path] | None:
        """The version that was champion last, and its package; None if there was none, or it was dropped."""
        if (told := _told(self.folder / name)) is None:
            return None
        tags = [ModelVersionTag(SHA256, told["sha256"])]
        version = ModelVersion(
            name, told["version"], 0, description=told["description"], run_id=told["run_id"], tags=tags
        )
        return version, self.folder / name / told["package"]

    def drop(self, name: str) -> None:
        """Keep nothing of an experiment any more."""
        if _told(self.folder / name) is None:
            return
        with self._held(name) as home:
            if old := _told(home):
                (home / CHAMPION).unlink()
                shutil.rmtree(home / old["package"], ignore_errors=True)

    @contextmanager
    def _held(self, name: str) -> Iterator[Path]:
        with FileLock(self.folder / name / "lock"):
            yield self.folder / name


def _told(home: Path) -> dict[str, Any] | None:
    try:
        told: dict[str, Any] = json.loads((home / CHAMPION).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):  # one that a full disk cut short is as good as none
        return None
    return told
