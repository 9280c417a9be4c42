"""What tasks hand each other: the dvc.lock files of what they have made, whole and as DVC wrote them."""

import json
import os
from pathlib import Path

VARIABLE = "EVERMODEL_LOCKS"  # names a file with {"x.train": {"experiments/x/dvc.lock": its text}, …}
LOCK = "dvc.lock"


def receive() -> set[str]:
    """Put what the tasks before this one have made over the committed files; returns which tasks made any."""
    if VARIABLE not in os.environ:
        return set()
    handed: dict[str, dict[str, str]] = json.loads(Path(os.environ[VARIABLE]).read_text(encoding="utf-8"))
    for files in handed.values():
        for path, text in files.items():
            Path(path).write_text(text, encoding="utf-8")
    return {task for task, files in handed.items() if files}


def tell(pipeline: Path) -> str:
    """The file that DVC keeps beside a dvc.yaml, in one line of JSON for the tasks after this one."""
    lock = pipeline.with_name(LOCK)
    return json.dumps({str(lock): lock.read_text(encoding="utf-8")})
