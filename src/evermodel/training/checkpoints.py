"""Training state on disk after every epoch: whole, hash-checked, and the previous one kept."""

import hashlib
import io
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
KEPT = 2


def save(folder: Path, epoch: int, state: Mapping[str, Array]) -> None:
    """Write the state after `epoch` epochs; the file's name carries its hash, so a torn file is known."""
    folder.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **state)
    content = buffer.getvalue()
    partial = folder / "partial"
    with partial.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(folder / f"{epoch:05d}-{_hash(content)}.npz")
    for old in _newest_first(folder)[KEPT:]:
        old.unlink()


def newest(folder: Path) -> dict[str, Array] | None:
    """The newest state whose bytes are intact, or None; a damaged one is named and passed over."""
    for file in _newest_first(folder):
        content = file.read_bytes()
        if file.stem.endswith(_hash(content)):
            with np.load(io.BytesIO(content), allow_pickle=False) as state:
                return dict(state)
        print(f"checkpoint {file} is damaged (its hash differs); going back to the one before")
    return None


def fingerprint(state: Mapping[str, Array]) -> Array:
    """Four whole numbers of 32 bits that tell two states apart."""
    known = hashlib.sha256()
    for name in sorted(state):
        known.update(name.encode() + state[name].tobytes())
    return np.frombuffer(known.digest()[:16], np.uint32)


def _newest_first(folder: Path) -> list[Path]:
    return sorted((f for f in folder.glob("*.npz") if re.match(r"\d{5}-", f.name)), reverse=True)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]
