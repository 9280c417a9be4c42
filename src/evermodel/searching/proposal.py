"""What a search has found, as a change of params.yaml on a branch that a person merges."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from evermodel import number
from evermodel.core import folders, params
from evermodel.core.errors import EvermodelError
from evermodel.core.params import FILE, PROFILES
from evermodel.publishing.choice import Choice
from evermodel.scheduling.checkout import git
from evermodel.searching import space


class Place(NamedTuple):
    """Where the text of a value begins and ends, and whether it is one profile's alone."""

    begin: int
    end: int
    varied: bool


def branch(name: str) -> str:
    """The branch that a proposal is written on."""
    return f"search/{name}"


def changed(text: str, found: Mapping[str, Any], profile: str, where: str) -> str:
    """The text of a params.yaml with other values at some paths; all else stays as it is.

    Of `{full: …, sample: …}` the side of the profile is changed. where: the file, as an error names it.
    Raises EvermodelError if a value does not stand in one place of its own.
    """
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    assert root is not None
    places = {path: _place(root, path, profile) for path in found}
    new = text
    for path, place in sorted(places.items(), key=lambda one: -one[1].begin):
        new = new[: place.begin] + written(found[path]) + new[place.end :]
    if not all(_is_as_asked(text, new, one, profile, found, places) for one in PROFILES):
        raise EvermodelError(f"{where} shares values by an anchor; write {dict(found)} into it by hand")
    return new


def _is_as_asked(
    text: str, new: str, one: str, profile: str, found: Mapping[str, Any], places: Mapping[str, Place]
) -> bool:
    """Whether the new text says for a profile what the old one says, but for the values that were found."""
    mine = {path: value for path, value in found.items() if one == profile or not places[path].varied}
    try:
        before, after = (params.for_profile(yaml.load(of, Loader=params.Loader), one) for of in (text, new))
    except yaml.YAMLError:
        return False
    return bool(after == space.with_values(before, mine))


def written(value: Any) -> str:
    """A value in YAML, on one line, which YAML 1.1 reads as well."""
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    text = value if isinstance(value, str) else json.dumps(value)
    if isinstance(value, float) and "." not in text:  # 1e-05 is text in YAML 1.1
        return text.replace("e", ".0e")
    readers = (yaml.SafeLoader, params.Loader)
    plain = text.replace("_", "").replace("-", "").isalnum() or not isinstance(value, str)
    return (
        text if plain and all(yaml.load(text, Loader=one) == value for one in readers) else json.dumps(value)
    )


def message(name: str, chosen: Choice) -> str:
    """The message of the commit: what changes, the figures of the study, and its name as a trailer."""
    changed = chosen.changes
    assert chosen.score is not None
    assert chosen.score_before is not None
    was, now = number.text(chosen.score_before), number.text(chosen.score)
    return "\n".join(
        [
            f"Set {', '.join(changed)} of {name} as a search has found",
            "",
            *(f"{path}: {written(chosen.before[path])} → {written(new)}" for path, new in changed.items()),
            "",
            f"{chosen.trials} trials on profile {chosen.profile}, {chosen.given_up} of them given up, took "
            f"{chosen.hours:.2f} hours.",
            f"On {chosen.folds} folds that no trial was cut by: {chosen.metric} {was} → {now}; "
            f"one-sided p = {chosen.chance:.2g}.",
            "No test row was read: promotion judges on those.",
            "",
            f"Study: {chosen.study}",
        ]
    )


def require_room(name: str) -> None:
    """Raise an EvermodelError if a proposal could not be committed: it is one change of what is committed."""
    file = folders.experiment(name) / FILE
    if git("status", "--porcelain", "--", str(file)):
        raise EvermodelError(
            f"{file} differs from the last commit, so that a proposal would be no single change; commit it, "
            "or let --apply write into it"
        )
    if git("branch", "--list", made := branch(name)):
        raise EvermodelError(
            f"there is a branch {made}, an earlier proposal; merge it, then `git branch -D {made}`"
        )


def commit(name: str, files: Mapping[Path, bytes], text: str, onto: str = "HEAD") -> str:
    """Commit files on a branch of its own that follows a commit; returns the branch.

    Neither the work tree nor Git's index is touched.
    """
    with tempfile.TemporaryDirectory() as folder:
        own = {"GIT_INDEX_FILE": str(Path(folder, "index"))}
        git("read-tree", onto, environment=own)
        for path, content in files.items():
            blob = Path(folder, "blob")
            blob.write_bytes(content)
            digest = git("hash-object", "-w", "--no-filters", str(blob))
            git("update-index", "--add", "--cacheinfo", f"100644,{digest},{path}", environment=own)
        tree = git("write-tree", environment=own)
        said = Path(folder, "message")
        said.write_text(text, encoding="utf-8")
        made = git("commit-tree", tree, "-p", onto, "-F", str(said))
    git("branch", branch(name), made)
    return branch(name)


def _place(node: yaml.Node, path: str, profile: str) -> Place:
    varied = False
    for key in (*path.split("."), None):
        children = _children(node)
        if set(children) == set(PROFILES):
            node, varied = children[profile], True
            children = _children(node)
        if key is not None:
            node = children[key]
    return Place(node.start_mark.index, _end(node), varied)


def _children(node: yaml.Node) -> dict[str, yaml.Node]:
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return {key.value: value for key, value in pairs}


def _end(node: yaml.Node) -> int:
    """Where a value ends; to YAML, one over several lines ends where the next one begins."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)
