"""What is written of a new data set: its folder and those of its experiments."""

import io
import re
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from evermodel import repository
from evermodel.core import folders, section
from evermodel.core.data import whole_folder
from evermodel.core.errors import EvermodelError
from evermodel.core.params import FILE
from evermodel.core.section import NAME
from evermodel.datasets.dataset import Dataset
from evermodel.repository import Experiment
from evermodel.scheduling.schedule import TAKEN

WIDTH = 120
LINE = 10_000  # so that each key of an experiment is one line
# Keys whose values stand below them.
BLOCKS = ("source", "editions", "files", "query", "columns", "expect", "ranges", "categories", "gaps")
Values = dict[str, Any]


@dataclass
class Entry:
    """A data set and its experiments as their files will hold them, and what is to be said about them.

    dataset: the keys of data/NAME/params.yaml but its name. experiments: those of experiments/NAME_WORD but
    name and dataset, by that word. assumed: what was decided for the user; doubts: what only they can know.
    """

    dataset: Values
    experiments: dict[str, Values]
    assumed: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


def name_of(words: str) -> str:
    """A name for a data set, made of that of its file."""
    found = re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")
    return (found if found[:1].isalpha() else f"data_{found}")[:40].strip("_")


def require_new(name: str, experiments: tuple[str, ...] = ()) -> None:
    """Raise EvermodelError if a name can't be one, or is that of a folder that is there."""
    for new in (name, *experiments):
        if not re.match(NAME, new) or new in TAKEN:
            raise EvermodelError(
                f"--name is {name!r}, which can't be a name; give small letters, digits and '_', starting "
                "with a letter"
            )
        for folder in (parent / new for parent in repository.TEMPLATES):
            if folder.exists():
                raise EvermodelError(
                    f"{folder} is there already, and nothing is overwritten; give another --name, or "
                    "delete it"
                )


def write(name: str, entry: Entry) -> list[str]:
    """Write the folders and return the names of the experiments; all of them appear, or none.

    Raises EvermodelError if one of them is there, or a value would be refused by whoever reads it.
    """
    own = {f"{name}_{word}": values for word, values in entry.experiments.items()}
    require_new(name, tuple(own))
    files = {folders.dataset(name): {"name": name} | entry.dataset}
    section.checked(Dataset, files[folders.dataset(name)], str(folders.dataset(name) / FILE))
    for new, values in own.items():
        folder = folders.experiment(new)
        files[folder] = {"name": new, "dataset": name} | values
        section.checked(Experiment, files[folder], str(folder / FILE))
    with ExitStack() as stack:
        for folder, values in files.items():
            partial = stack.enter_context(whole_folder(folder))
            width = WIDTH if folder.parent == folders.DATASETS else LINE
            (partial / FILE).write_text(text(values, width), encoding="utf-8")
            (partial / "dvc.yaml").write_bytes(repository.TEMPLATES[folder.parent].read_bytes())
    return list(own)


def text(values: Mapping[str, Any], width: int = WIDTH) -> str:
    """The values as YAML, written as people write it: what is short stands in one line."""
    writer, stream = YAML(), io.StringIO()
    writer.width = width
    writer.indent(mapping=2, sequence=4, offset=2)
    writer.dump(_shaped(values, block=True), stream)
    return stream.getvalue()


def _shaped(values: Any, *, block: bool = False) -> Any:
    found: CommentedMap | CommentedSeq
    if isinstance(values, Mapping):
        found = CommentedMap({key: _shaped(value, block=key in BLOCKS) for key, value in values.items()})
    elif isinstance(values, list | tuple):
        found = CommentedSeq([_shaped(value, block=block) for value in values])
    else:
        return values
    (found.fa.set_block_style if block else found.fa.set_flow_style)()
    return found
