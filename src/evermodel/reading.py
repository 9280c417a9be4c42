"""Raw files as examples, by the reader that a data set's params.yaml names."""

import importlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, get_type_hints

from evermodel.core import catalog, folders, section
from evermodel.core.params import FILE
from evermodel.datasets import source
from evermodel.datasets.source import PROVENANCE, Source

if TYPE_CHECKING:
    from evermodel.core.data import Raw  # imports NumPy, of no use to those who only check


def read(name: str, described: Source) -> "Raw":
    """The examples in data/<name>/raw/, by the reader and with the options that source.json tells.

    Raises EvermodelError if an option is of a kind that the reader does not take, or as the reader does.
    """
    require_options(name, described)
    folder = folders.raw(name)
    origin = source.provenance(folder)
    options = _checked(origin.reader, origin.options, str(folder / PROVENANCE), "options")
    raw: Raw = _reader(origin.reader)(folder, **options)
    return raw


def require_options(name: str, described: Source) -> None:
    """Raise an EvermodelError if a reader does not take the kind of an option in data/<name>/params.yaml.

    The reader is imported for that only if its source text does not tell.
    """
    file = str(folders.dataset(name) / FILE)
    for number, edition in enumerate(described.editions):
        _checked(described.reader, edition.options, file, f"source.editions.{number}.options")


def _checked(reader: str, options: Mapping[str, Any], where: str, path: str) -> Mapping[str, Any]:
    """The options as the annotations of the reader's keyword arguments want them."""
    kinds = catalog.reader_kinds(reader)
    if Any in kinds.values():  # which its source text does not tell
        kinds |= {name: kind for name, kind in get_type_hints(_reader(reader)).items() if name in kinds}
    return section.checked(section.of_keywords(reader, kinds), options, where, path)


def _reader(name: str) -> Callable[..., Any]:
    read: Callable[..., Any] = importlib.import_module(f"evermodel.readers.{name}").read
    return read
