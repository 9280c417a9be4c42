"""What the folders of the package offer: a name in a params.yaml is a file there.

Read from the source text, because importing a model means importing Keras, and a reader pandas; only
`builder` does. A file that is not as it has to be is told in one sentence here, before anything runs.
"""

import ast
import importlib
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import NoneType, SimpleNamespace, UnionType
from typing import TYPE_CHECKING, Any, Literal, Unpack, cast, get_args, get_origin, get_type_hints

from typing_extensions import is_typeddict

from evermodel.core import terms
from evermodel.core.errors import EvermodelError

if TYPE_CHECKING:
    from evermodel.core.data import Kind, Target  # imports NumPy

Framework = Literal["keras", "sklearn"]

PACKAGE = Path(__file__).parents[1]
WEIGHTS = "weights"
# What an annotation of an option may be written with to be checked, beside what Python itself knows.
TERMS = vars(terms) | {"Unpack": Unpack}
# What a model's `build` takes by position; what params.yaml sets comes by name.
GIVEN: dict[Framework, tuple[str, ...]] = {
    "keras": ("input_shape", "outputs", "activation"),
    "sklearn": ("input_shape", "target"),
}


def modules(folder: str) -> list[str]:
    """The names that a folder of the package offers."""
    return sorted(file.stem for file in (PACKAGE / folder).glob("*.py") if file.stem != "__init__")


def options(model: str) -> dict[str, bool]:
    """The keyword arguments of a model's `build`, each with whether it must be given.

    `weights` is not among them: where pretrained weights lie follows from the data set's source. Raises
    EvermodelError if the file is none of a model.
    """
    return {option: needed for option, needed in _required(_model(model)[1]).items() if option != WEIGHTS}


def takes_weights(model: str) -> bool:
    """Whether a model can begin with pretrained weights; EvermodelError if the file is none of a model."""
    return WEIGHTS in _required(_model(model)[1])


def kinds(model: str) -> dict[str, Any]:
    """The types of a model's options, as its `build` annotates them; Any where it takes more than TERMS."""
    return _kinds(_model(model)[1])


def asked(task: str) -> dict[str, Any]:
    """The options that a task itself has to be told, as its `objective` takes them, with their types."""
    functions = (node for node in _tree("objectives", task).body if isinstance(node, ast.FunctionDef))
    found = next((node.args for node in functions if node.name == "objective"), None)
    return _kinds(found) if found else {}


def builder(model: str) -> Callable[..., Any]:
    """The function of a model's file; EvermodelError if that can't be imported."""
    try:
        build: Callable[..., Any] = importlib.import_module(f"evermodel.models.{model}").build
    except Exception as error:  # whatever somebody's file raises
        raise EvermodelError(
            f"{shown('models', model)} can't be imported ({type(error).__name__}: {error}); mend it"
        ) from None
    return build


def framework(model: str) -> Framework:
    """What a model's file is written in; EvermodelError if the file is none of a model."""
    return _model(model)[0]


def reader_options(reader: str) -> dict[str, bool]:
    """The keyword arguments of a reader's `read`, each with whether it must be given.

    Those that readers share are a TypedDict of core/terms.py: `**options: Unpack[TableOptions]`. Raises
    EvermodelError if the file is none of a reader.
    """
    arguments = _arguments("readers", reader, "read", ("folder",))
    shared = _shared(arguments)
    needed: frozenset[str] = shared.__required_keys__ if shared else frozenset()
    return _required(arguments) | {option: option in needed for option in _keys(shared)}


def reader_kinds(reader: str) -> dict[str, Any]:
    """The types of a reader's options, as its `read` annotates them; Any where it takes more than TERMS.

    Raises EvermodelError if the file is none of a reader.
    """
    arguments = _arguments("readers", reader, "read", ("folder",))
    return _kinds(arguments) | _keys(_shared(arguments))


def kind(reader: str) -> "Kind":
    """The kind of data that a reader gives; EvermodelError if its file does not tell."""
    return cast("Kind", _constant("readers", reader, "KIND"))


def headlines(task: str) -> dict[str, str]:
    """The metrics that a task kind can be promoted by, each with whether "higher" or "lower" is better."""
    return dict(_constant("tasks", task, "HEADLINES"))


def across(task: str) -> tuple[str, ...]:
    """The headlines of a task that compare rows of several targets, if it names any."""
    return tuple(_constant("tasks", task, "ACROSS", default=()))


def counted(task: str) -> tuple[str, ...]:
    """The headlines of a task that count right answers unevenly, so that no test tells a margin of them."""
    return tuple(_constant("tasks", task, "COUNTED", default=()))


def least(task: str) -> dict[str, str]:
    """The other metrics of a task that a policy may ask a least value of, each with what less of it means."""
    return dict(_constant("tasks", task, "LEAST", default={}))


def inputs(task: str) -> tuple[str, ...]:
    """The kinds of data that a task can be learned from."""
    return tuple(_constant("objectives", task, "INPUTS"))


def target(task: str) -> "Target":
    """What a task predicts or is judged by, which says how the target of the data is to be read."""
    return cast("Target", _constant("objectives", task, "TARGET"))


def shown(folder: str, name: str) -> str:
    """A file of the package as an error names it."""
    return f"src/evermodel/{folder}/{name}.py"


def _model(name: str) -> tuple[Framework, ast.arguments]:
    """What a model's file is written in, and what its `build` takes.

    A file that imports others of ours is none: DVC would not train again after an edit of those.
    """
    packages = set()
    for line, module in _imports(_tree("models", name)):
        where, package = f"{shown('models', name)} line {line} imports {module}", module.partition(".")[0]
        if package in ("", "evermodel", "pipelines"):
            raise EvermodelError(f"{where}; a model is one file, so copy what it needs of that into it")
        if not _is_installed(package):
            raise EvermodelError(
                f"{where}, which is not installed; add it to requirements/numbers.in and run `make lock`"
            )
        packages.add(package)
    if not packages & GIVEN.keys():
        raise EvermodelError(
            f"{shown('models', name)} imports neither keras nor sklearn; a model is built of one of them"
        )
    framework: Framework = "keras" if "keras" in packages else "sklearn"
    return framework, _arguments("models", name, "build", GIVEN[framework])


def _arguments(folder: str, name: str, called: str, given: tuple[str, ...]) -> ast.arguments:
    """What a file's function takes; EvermodelError unless that are these by position, and keywords."""
    functions = (node for node in _tree(folder, name).body if isinstance(node, ast.FunctionDef))
    function = next((node for node in functions if node.name == called), None)
    right = f"`def {called}({', '.join(given)}, *, …)`, in which an option of params.yaml comes after the *"
    if function is None:
        raise EvermodelError(f"{shown(folder, name)} has no function {called}; write {right}")
    found = function.args
    if (
        len([*found.posonlyargs, *found.args]) != len(given)
        or found.vararg
        or (found.kwarg and not _shared(found))
    ):
        raise EvermodelError(
            f"{shown(folder, name)} line {function.lineno}: {called}({ast.unparse(found)}) "
            f"does not take what it is given; write {right}"
        )
    return found


def _kinds(arguments: ast.arguments) -> dict[str, Any]:
    keywords = [(one.arg, one.annotation) for one in arguments.kwonlyargs]
    return {option: _kind(written) if written else Any for option, written in keywords}


def _kind(written: ast.expr) -> Any:
    """The type that an annotation names; Any if it takes other terms, or names several."""
    holder = SimpleNamespace(__annotations__={"kind": ast.unparse(written)})
    try:
        found = get_type_hints(holder, TERMS.copy())["kind"]
    except (NameError, TypeError):
        return Any
    # Of what is none of several types, pydantic would tell each, and which one was meant nobody knows.
    several = isinstance(found, UnionType) and len({*get_args(found)} - {NoneType}) > 1
    return Any if several else found


def _required(arguments: ast.arguments) -> dict[str, bool]:
    """The keyword arguments, each with whether it must be given."""
    keywords = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return {argument.arg: default is None for argument, default in keywords}


def _shared(arguments: ast.arguments) -> Any:
    """The TypedDict of core/terms.py that other keyword arguments are; None if that is not told."""
    written = arguments.kwarg.annotation if arguments.kwarg else None
    found = _kind(written) if written else None
    kind = next(iter(get_args(found)), None)
    return kind if get_origin(found) is Unpack and is_typeddict(kind) else None


def _keys(shared: Any) -> dict[str, Any]:
    """The keys of a TypedDict, each with its type; none if there is none."""
    return get_type_hints(shared) if shared else {}


@cache
def _imports(tree: ast.Module) -> list[tuple[int, str]]:
    """Each module that a file imports, anywhere in it, with the line; one beside it begins with a dot."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append((node.lineno, "." * node.level + (node.module or "")))
    return found


@cache
def _is_installed(package: str) -> bool:
    return find_spec(package) is not None


def _constant(folder: str, name: str, constant: str, default: Any = None) -> Any:
    """The value that a file assigns to a name of its own; EvermodelError if it does not and has to."""
    assigned = (n for n in _tree(folder, name).body if isinstance(n, ast.AnnAssign) and n.value)
    values = [n.value for n in assigned if ast.unparse(n.target) == constant]
    if not values and default is not None:
        return default
    if not values or values[0] is None:
        raise EvermodelError(f"{shown(folder, name)} has no {constant}; add it as the others have it")
    return ast.literal_eval(values[0])


def _tree(folder: str, name: str) -> ast.Module:
    try:
        return _parsed((PACKAGE / folder / f"{name}.py").read_bytes())
    except SyntaxError as error:
        raise EvermodelError(f"{shown(folder, name)} line {error.lineno}: {error.msg}; mend it") from None
    except ValueError as error:  # of NUL bytes, in Python before 3.11.4
        raise EvermodelError(f"{shown(folder, name)}: {error}; mend it") from None


@cache
def _parsed(source: bytes) -> ast.Module:
    """The same few files are asked about by each experiment."""
    return ast.parse(source)
