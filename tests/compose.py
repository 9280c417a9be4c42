"""docker/compose.yaml as Compose reads it."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).parents[1] / "docker/compose.yaml"
COMPOSE: dict[str, Any] = yaml.safe_load(FILE.read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


def inside(text: str, variables: Mapping[str, str] | None = None) -> str:
    """A value as the container sees it: with variables or their defaults, and one dollar for two."""
    known = variables or {}
    filled = re.sub(r"\$\{(\w+):[-?]([^}]*)\}", lambda found: known.get(found[1], found[2]), text)
    return filled.replace("$$", "$")
