"""What the folders of the package offer: a name in a params.yaml is a file there.

Read from the source text, because importing a model means importing Keras.
"""

import ast
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

if TYPE_CHECKING:
    from evermodel.core.data import Target  # imports NumPy

PACKAGE = Path(__file__).parents[1]
WEIGHTS = "weights"


def modules(folder: str) -> list[str]:
    """The names that a folder of the package offers."""
    return sorted(file.stem for file in (PACKAGE / folder).glob("*.py") if file.stem != "__init__")


def options(model: str) -> dict[str, bool]:
    """The keyword arguments of a model's `build`, each with whether it must be given.

    `weights` is not among them: where pretrained weights lie follows from the data set's source.
    """
    build = next(
        n for n in _tree("models", model).body if isinstance(n, ast.FunctionDef) and n.name == "build"
    )
    arguments = zip(build.args.kwonlyargs, build.args.kw_defaults, strict=True)
    return {argument.arg: default is None for argument, default in arguments if argument.arg != WEIGHTS}


def framework(model: str) -> Literal["keras", "sklearn"]:
    """What a model's file is written in: keras if it imports that, scikit-learn otherwise."""
    imports = (node for node in _tree("models", model).body if isinstance(node, ast.Import))
    return "keras" if "keras" in {alias.name for node in imports for alias in node.names} else "sklearn"


def headlines(task: str) -> dict[str, str]:
    """The metrics that a task kind can be promoted by, each with whether "higher" or "lower" is better."""
    return dict(_constant("tasks", task, "HEADLINES"))


def inputs(task: str) -> tuple[str, ...]:
    """The kinds of data that a task can be learned from."""
    return tuple(_constant("objectives", task, "INPUTS"))


def target(task: str) -> "Target":
    """What a task predicts or is judged by, which says how the target of the data is to be read."""
    return cast("Target", _constant("objectives", task, "TARGET"))


def _constant(folder: str, name: str, constant: str) -> Any:
    """The value that a file assigns to a name of its own."""
    assigned = (n for n in _tree(folder, name).body if isinstance(n, ast.AnnAssign))
    value = next(node.value for node in assigned if ast.unparse(node.target) == constant)
    assert value is not None
    return ast.literal_eval(value)


def _tree(folder: str, name: str) -> ast.Module:
    return _parsed((PACKAGE / folder / f"{name}.py").read_text(encoding="utf-8"))


@cache
def _parsed(source: str) -> ast.Module:
    """The same few files are asked about by each experiment."""
    return ast.parse(source)
