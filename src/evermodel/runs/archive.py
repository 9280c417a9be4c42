"""Canonical archives: `.keras` and `.skops` files whose bytes depend on the model alone."""

import json
import zipfile
from pathlib import Path
from typing import Any

EPOCH = (1980, 1, 1, 0, 0, 0)  # the first date that a zip file can hold
ADDRESSES = ("shared_object_id", "__id__")  # ids that are memory addresses, new in every process


def canonise(file: Path) -> None:
    """Rewrite a zip of JSON and arrays in place: members sorted and stored, time stamps and addresses fixed.

    Stored, not deflated, because another zlib gives other bytes. Addresses become 1, 2, 3… in the order
    in which they are first met; skops names its array files by them, so names follow.
    """
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    numbers: dict[int, int] = {}
    texts = {name: json.loads(members[name]) for name in sorted(members) if name.endswith(".json")}
    for text in texts.values():
        _number(text, numbers)
    arrays = {str(address): str(number) for address, number in numbers.items()}
    contents = {name: json.dumps(_clean(text, arrays), indent=1).encode() for name, text in texts.items()}
    contents |= {_renamed(name, arrays): members[name] for name in members if name not in texts}
    partial = file.with_name(file.name + ".partial")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(contents):
            archive.writestr(zipfile.ZipInfo(name, EPOCH), contents[name])
    partial.replace(file)


def _number(node: Any, numbers: dict[int, int]) -> None:
    """Give each address that stands in the tree the next free number."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ADDRESSES:
                numbers.setdefault(value, len(numbers) + 1)
            _number(value, numbers)
    elif isinstance(node, list):
        for value in node:
            _number(value, numbers)


def _clean(node: Any, arrays: dict[str, str]) -> Any:
    if isinstance(node, list):
        return [_clean(value, arrays) for value in node]
    if not isinstance(node, dict):
        return node
    return {key: _clean_value(key, value, arrays) for key, value in node.items()}


def _clean_value(key: str, value: Any, arrays: dict[str, str]) -> Any:
    if key in ADDRESSES:
        return int(arrays[str(value)])
    if key == "date_saved":
        return "1980-01-01@00:00:00"
    if key == "_stop_words_id":  # an address that scikit-learn's vectorisers keep among their values
        return {**_clean(value, arrays), "content": "0"}
    if key == "file" and isinstance(value, str):
        return _renamed(value, arrays)
    return _clean(value, arrays)


def _renamed(name: str, arrays: dict[str, str]) -> str:
    stem, dot, suffix = name.rpartition(".")
    return arrays.get(stem, stem) + dot + suffix
