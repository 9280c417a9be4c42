"""From what lies at a path to the folders of a data set and of two experiments."""

from dataclasses import dataclass

from evermodel.adding import entry, finding, images, look, questions, series, tables, texts
from evermodel.adding.entry import Entry
from evermodel.adding.finding import Found
from evermodel.core import catalog, section
from evermodel.core.errors import EvermodelError


@dataclass(frozen=True)
class Added:
    """A new data set and its experiments, with what was assumed, and what somebody should look at."""

    name: str
    experiments: tuple[str, ...]
    assumed: tuple[str, ...]
    doubts: tuple[str, ...]


def add(
    path: str,
    target: str | None = None,
    task: str | None = None,
    name: str | None = None,
    query: str | None = None,
) -> Added:
    """Look at what lies at a path, and write data/NAME and two folders experiments/NAME_….

    path: a file, a folder, a pattern of files, a URL, or with a query a database. target: the column to
    predict, which pictures and texts in the folders of their classes do without. task: what it looks like by
    default. name: that of the file by default.

    Raises EvermodelError, before anything is written, if a folder is there already, if nothing that can be
    learned from lies there, or if the target is no column, or none that the task predicts.
    """
    if task is not None:
        section.choose("--task", task, catalog.modules("tasks"))
    if name is not None:
        entry.require_new(name)
    found = finding.query(path, query) if query else finding.find(path)
    name = name or entry.name_of(found.title)
    entry.require_new(name)
    new = _entry(found, target, task)
    experiments = entry.write(name, new)
    return Added(name, tuple(experiments), tuple(new.assumed), tuple(new.doubts))


def _entry(found: Found, target: str | None, task: str | None) -> Entry:
    match found.kind:
        case "images":
            return images.entry(found, target, task)
        case "texts":
            return texts.of_files(found, task)
    with found.raw() as folder:
        seen = look.look(folder, found.options)
    if target is None:
        raise EvermodelError(f"--target is missing; the columns are {', '.join(seen.names)}")
    seen.require(target, "--target")
    questions.require(task, questions.TABLES, "a table")
    if task == "forecasting":
        return series.entry(found, seen, target)
    task = questions.task_of(seen, target, task)
    if (text := texts.column(seen, target)) is not None:
        return texts.of_column(found, seen, text, target, task)
    return tables.entry(found, seen, target, task)
