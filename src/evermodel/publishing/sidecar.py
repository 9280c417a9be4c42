"""The sidecar of a stage: `python -m evermodel.publishing.sidecar NAME KEY` (see journal.py)."""

import sys

from evermodel.core.errors import EvermodelError
from evermodel.publishing import tracking


def main(name: str, key: str) -> None:
    """Tell MLflow what the stage writes to standard input."""
    try:
        tracking.follow(name, key)
    except EvermodelError as error:
        sys.exit(f"{name}: {error}")


if __name__ == "__main__":
    main(*sys.argv[1:])
