"""Texts as a data set: a column of a table, or files in the folders of their classes."""

from evermodel.adding import doubts, labelled, questions, recipes, tables
from evermodel.adding.entry import Entry
from evermodel.adding.finding import TEXTS, Found
from evermodel.adding.look import Look
from evermodel.core import catalog

LONG = 8  # words of a text, on average, from which on it is more than a name


def column(look: Look, target: str) -> str | None:
    """The column of texts, if there is nothing else to learn from."""
    known = {*doubts.identifiers(look), *doubts.constant(look)}
    others = [name for name in look.names if name != target]
    features = [name for name in others if name not in known or _words(look, name) >= LONG]
    return features[0] if len(features) == 1 and _words(look, features[0]) >= LONG else None


def of_column(found: Found, look: Look, text: str, target: str, task: str) -> Entry:
    """What is written of a table with a column of texts."""
    is_number = catalog.target(task) == "number"
    y = look.frame[target] if is_number else questions.labels(look, target)
    # Whatever an empty field may mean, it is no text; and numbers are written plainly, as labels.
    options = {key: value for key, value in look.options.items() if key not in ("decimal", "thousands")}
    new = Entry(
        {
            "source": tables.source(found, "texts", {"text": text, **options}),
            "target": target,
            **({} if is_number else tables.classes(look, y)),
            "split": tables.split(found, look, y, [], stratify=not is_number),
            "expect": tables.expect(look, [], [target] if is_number else []),
        },
        recipes.of_texts(task, y),
    )
    new.assumed += [
        f"{look.rows} texts in the column {text}; {target} is predicted by task {task}",
        f"split: {tables.ruled(new)}",
    ]
    new.doubts += [*doubts.of_rows(look), *(() if is_number else doubts.of_classes(y))]
    if gaps := look.seen[text].gaps:
        new.doubts.append(f"{gaps} texts are empty")
    return new


def of_files(found: Found, task: str | None) -> Entry:
    """What is written of text files in class folders."""
    questions.require(task, questions.LABELLED, "texts in folders")
    names = [name for name in found.names if name.lower().endswith(TEXTS)]
    known = labelled.labels(names, found.title)
    task = task or labelled.task_of(known)
    y = known["label"]
    new = Entry(
        {
            "source": tables.source(found, "texts", found.options),
            **labelled.rules(known, len(found.names) - len(known)),
        },
        recipes.of_texts(task, y),
    )
    new.assumed += [
        f"{len(known)} texts in folders of {y.nunique()} classes; the folder is predicted by task {task}",
        f"split: {tables.ruled(new)}",
    ]
    new.doubts += list(doubts.of_classes(y))
    return new


def _words(look: Look, name: str) -> float:
    """Of a text, on average."""
    if look.kind(name) != "text":
        return 0.0
    known = look.frame[name].dropna()
    return sum(len(text.split()) for text in known) / len(known)
