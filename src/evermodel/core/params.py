"""params.yaml as frozen, typed values; this module is its only reader."""

import ast
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    ValidationError,
    field_validator,
    model_validator,
)

from evermodel.core.errors import EvermodelError

FILE = Path("params.yaml")
PACKAGE = Path(__file__).parents[1]
WEIGHTS = "weights"
PROFILES = ("full", "sample")
# Their answers are pictures of the input's own size and side.
PICTURED = ("anomaly", "colorization", "denoising", "reconstruction", "segmentation")
# A name becomes a file, a stage, an MLflow experiment and a URL: nothing that any of them would interpret.
NAME = r"^[a-z][a-z0-9_]{0,62}$"
# The safe one, in C where PyYAML has it; every stage reads this file.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
CRON_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))

Name = Annotated[str, Field(pattern=NAME)]
T = TypeVar("T")
Share = Annotated[float, Field(ge=0, lt=1)]


class Section(BaseModel):
    """A frozen part of params.yaml that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Runtime(Section):
    """What has to be fixed so that the same inputs give the same bytes."""

    seed: Annotated[int, Field(ge=0, lt=2**32)]
    threads: Annotated[int, Field(ge=1, le=64)]
    instruction_set: Literal["SSE41", "AVX", "AVX2", "AVX512_CORE"]


class Split(Section):
    """How a data set is cut, once, into train, validation and test.

    `official` keeps the test rows that the source declares, `order` takes the last rows, `shuffle` the
    last rows of a seeded permutation. `test` and `validation` are shares; validation is taken from what
    is left for training, at random. `time` is `official` with the last rows before the test as validation.
    Rows that are equal in all columns of `by` stay on one side.
    """

    method: Literal["official", "order", "shuffle", "time"]
    by: tuple[str, ...] = ()
    test: Annotated[float, Field(gt=0, lt=1)] | None = None
    validation: Annotated[float, Field(gt=0, lt=1)]
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0

    @model_validator(mode="after")
    def _test_share_belongs_to_the_method(self) -> "Split":
        if (self.test is None) != (self.method in ("official", "time")):
            raise ValueError("needs 'test', the share of test rows, for the methods order and shuffle only")
        if self.by and self.method in ("official", "time"):
            raise ValueError("can't have 'by' with a split that the source declares; remove it")
        return self


class Expect(Section):
    """What the raw data must look like; the Great Expectations suites are built from it.

    rejected: the share of files that may be unusable (damaged, of another size, without label).
    """

    min_rows: Annotated[int, Field(ge=1)]
    rejected: Share = 0.0
    shape: tuple[int, int] | None = None
    ranges: Mapping[str, tuple[float, float]] = {}


class Dataset(Section):
    """One data set: where it comes from, how it is checked and how it is split.

    target: the column to predict. targets: several numbers to predict instead, each clipped to its range.
    window: of a series, the steps that are known when the next one is predicted. novel: classes that only
    the test rows have, as what is to be found out.
    """

    source: Name
    target: str = "label"
    targets: Mapping[str, tuple[float, float]] = {}
    window: Annotated[int, Field(ge=2)] | None = None
    classes: tuple[str, ...] = ()
    novel: tuple[str, ...] = ()
    split: Split
    duplicates: Share = 0.0
    expect: Expect

    def is_quantity(self, stored_as_floats: bool) -> bool:
        """Whether the target is a number to predict rather than a class: it has a range, or is a float."""
        return not self.classes and (self.target in self.expect.ranges or stored_as_floats)


class EarlyStopping(Section):
    """Stop when `monitor` has not improved for `patience` epochs; never on test data."""

    monitor: Literal["loss", "val_loss"]
    patience: Annotated[int, Field(ge=1)]


class Text(Section):
    """How texts become numbers: the `words` most frequent of the training rows, as a set or a sequence.

    length: of a sequence, which is the last words of a text.
    """

    words: Annotated[int, Field(ge=3, le=50_000)] = 10_000
    output: Literal["multi_hot", "int"] = "multi_hot"
    length: Annotated[int, Field(ge=1)] | None = None


class FineTune(Section):
    """A second phase: the last `layers` of the layer "base" learn too, at the rate times `factor`."""

    layers: Annotated[int, Field(ge=1)]
    epochs: Annotated[int, Field(ge=1)]
    factor: Annotated[FiniteFloat, Field(gt=0, le=1)] = 0.1


class Train(Section):
    """How a Keras model is fitted.

    side: to which the model resizes pictures, in pixels; not `size`, to which DVC's run cache is blind.
    flip: whether pictures are mirrored at random while training.
    """

    optimizer: Literal["adam", "adamw", "rmsprop", "sgd"]
    learning_rate: Annotated[FiniteFloat, Field(gt=0)]
    schedule: Literal["constant", "cosine"] = "constant"
    batch_size: Annotated[int, Field(ge=1)]
    epochs: Annotated[int, Field(ge=1)]
    weight_decay: Annotated[FiniteFloat, Field(ge=0)] | None = None
    average: Annotated[float, Field(gt=0, lt=1)] | None = None
    keep: Literal["last", "best"] = "last"
    early_stopping: EarlyStopping | None = None
    text: Text = Text()
    side: Annotated[int, Field(ge=8, le=1024)] | None = None
    flip: bool = False
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = "float32"
    fine_tune: FineTune | None = None

    @property
    def total_epochs(self) -> int:
        """The epochs of both phases."""
        return self.epochs + (self.fine_tune.epochs if self.fine_tune else 0)

    @model_validator(mode="after")
    def _averaged_weights_belong_to_the_last_epoch(self) -> "Train":
        if self.average and self.keep == "best":
            raise ValueError(
                "can't keep the best epoch of averaged weights; remove 'average' or 'keep: best'"
            )
        if self.fine_tune and (self.early_stopping or self.keep == "best" or self.average):
            raise ValueError("can't stop early, average or keep the best epoch of two phases; remove one")
        return self


class Promotion(Section):
    """The policy that a model must meet to become champion.

    floor or ceiling: the limit of the metric, which has to beat the baseline's, too. margin: by how much it
    has to be better than the champion's, with this confidence. slices: columns (`target`, or one of a
    table's) in whose groups it may be worse by so much and no more. max_megabytes: of the model's file.
    max_latency: how many times as long as a small network it may take for one example. approval: whether
    the winner is promoted at once, after somebody has approved it, or never.
    """

    metric: str
    floor: FiniteFloat | None = None
    ceiling: FiniteFloat | None = None
    margin: Annotated[FiniteFloat, Field(ge=0)] = 0.0
    confidence: Annotated[float, Field(ge=0.5, lt=1)] = 0.95
    slices: Mapping[str, Annotated[FiniteFloat, Field(ge=0)]] = {}
    max_megabytes: Annotated[FiniteFloat, Field(gt=0)] | None = None
    max_latency: Annotated[FiniteFloat, Field(gt=0)] | None = None
    approval: Literal["auto", "manual", "report-only"] = "auto"

    @property
    def direction(self) -> Literal[1, -1]:
        """1 where more is better, -1 where less is."""
        return 1 if self.floor is not None else -1

    @model_validator(mode="after")
    def _one_limit(self) -> "Promotion":
        if (self.floor is None) == (self.ceiling is None):
            raise ValueError("needs one limit: 'floor' where more is better, 'ceiling' where less is")
        return self


class Schedule(Section):
    """When an experiment is retrained without being asked, and what becomes of it when something fails.

    cron: five fields, in UTC; without it only new data do, or somebody by hand. retries: of a stage that
    fails. timeout: hours that a stage may take.
    """

    cron: str | None = None
    retries: Annotated[int, Field(ge=0, le=10)] = 2
    timeout: Annotated[FiniteFloat, Field(gt=0)] = 24.0
    owner: Annotated[str, Field(min_length=1)] = "evermodel"
    tags: tuple[str, ...] = ()
    description: str = ""

    @field_validator("cron")
    @classmethod
    def _five_fields_in_their_ranges(cls, cron: str | None) -> str | None:
        if cron is not None and not _is_cron(cron):
            raise ValueError(f"is {cron!r}, but must be minute, hour, day, month and weekday: '30 4 * * 1'")
        return cron


class Experiment(Section):
    """A data set, an architecture, a task, the values it is trained with, and who trains it when."""

    dataset: str
    task: str
    model: str
    options: Mapping[str, Any]
    baseline: str
    train: Train | None
    promotion: Promotion
    worker: Literal["cpu", "gpu"] = "cpu"
    schedule: Schedule = Schedule()

    @field_validator("train", mode="before")
    @classmethod
    def _nothing_to_say(cls, value: Any) -> Any:
        return None if value == {} else value


class Params(Section):
    """All of params.yaml."""

    profile: Literal["sample", "full"]
    runtime: Runtime
    datasets: Mapping[Name, Dataset]
    experiments: Mapping[Name, Experiment]

    def dataset(self, name: str) -> Dataset:
        """The data set of that name; EvermodelError if there is none."""
        return _pick("data set", name, self.datasets)

    def experiment(self, name: str) -> Experiment:
        """The experiment of that name; EvermodelError if there is none."""
        return _pick("experiment", name, self.experiments)


def load(file: Path = FILE) -> Params:
    """Read and check params.yaml.

    A key `sample` inside any section holds what is different there in the sample profile. Raises
    EvermodelError that names the full path of the wrong key and the choices there are.
    """
    try:
        values = yaml.load(file.read_text(encoding="utf-8"), Loader=LOADER)
    except FileNotFoundError:
        raise EvermodelError(f"{file} is not here; run this command in the root of the repository") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise EvermodelError(f"{file} is not valid YAML: {' '.join(str(error).split())}") from None
    checked = {profile: _check(file, for_profile(values, profile)) for profile in PROFILES}
    return checked[checked["full"].profile]


def for_profile(values: Any, profile: str) -> Any:
    """The values with each `sample` section merged into what holds it, or left out."""
    if not isinstance(values, dict):
        return values
    special = {key: value for key, value in values.items() if key == "sample" and isinstance(value, dict)}
    common = {key: for_profile(value, profile) for key, value in values.items() if key not in special}
    return common | (special.get("sample", {}) if profile == "sample" else {})


def _check(file: Path, values: Any) -> Params:
    try:
        params = Params.model_validate(values)
    except ValidationError as error:
        raise EvermodelError(f"{file}: {_sentence(error)}") from None
    # The first two are folders of reports/; DVC could not tell the lane of a data set from another one.
    for taken in {"validation", "promotion", *params.datasets} & set(params.experiments):
        raise EvermodelError(f"{file}: experiments.{taken} must get another name; {taken} is taken")
    for name, experiment in params.experiments.items():
        _check_names(f"{file}: experiments.{name}", experiment, params)
    return params


def modules(folder: str) -> list[str]:
    """The names that a folder of the package offers: its files are its registry."""
    return sorted(file.stem for file in (PACKAGE / folder).glob("*.py") if file.stem != "__init__")


def options(model: str) -> dict[str, bool]:
    """The keyword arguments of a model's `build`, each with whether it must be given.

    `weights` is not among them: where pretrained weights lie follows from the data set's source. Read
    from the source text, because importing a model means importing Keras.
    """
    tree = _parsed(PACKAGE / "models" / f"{model}.py")
    build = next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "build")
    arguments = zip(build.args.kwonlyargs, build.args.kw_defaults, strict=True)
    return {argument.arg: default is None for argument, default in arguments if argument.arg != WEIGHTS}


def framework(model: str) -> Literal["keras", "sklearn"]:
    """What a model's file is written in: keras if it imports that, scikit-learn otherwise."""
    tree = _parsed(PACKAGE / "models" / f"{model}.py")
    imported = {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
    return "keras" if "keras" in imported else "sklearn"


def headlines(task: str) -> dict[str, str]:
    """The metrics that a task kind can be promoted by, each with whether "higher" or "lower" is better."""
    tree = _parsed(PACKAGE / "tasks" / f"{task}.py")
    assigned = (n for n in tree.body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name))
    value = next(node.value for node in assigned if ast.unparse(node.target) == "HEADLINES")
    assert value is not None
    return dict(ast.literal_eval(value))


def _parsed(file: Path) -> ast.Module:
    return _tree(file.read_text(encoding="utf-8"))


@cache
def _tree(source: str) -> ast.Module:
    """The same few files are asked about by each experiment of each profile."""
    return ast.parse(source)


def _check_names(where: str, experiment: Experiment, params: Params) -> None:
    _choose(f"{where}.dataset", experiment.dataset, params.datasets)
    _choose(f"{where}.task", experiment.task, modules("tasks"))
    _choose(f"{where}.model", experiment.model, modules("models"))
    _choose(f"{where}.baseline", experiment.baseline, modules("models"))
    _check_promotion(f"{where}.promotion", experiment)
    known = options(experiment.model)
    for option in experiment.options:
        _choose(f"{where}.options.{option}", option, known, f"is not an option of model {experiment.model}")
    for option, required in known.items():
        if required and option not in experiment.options:
            raise EvermodelError(f"{where}.options.{option} is missing; model {experiment.model} needs it")
    words = experiment.options.get("words")
    if experiment.train and words and words != experiment.train.text.words:
        raise EvermodelError(
            f"{where}.options.words is {words}, but train.text.words is {experiment.train.text.words}; "
            "make them equal"
        )
    if experiment.train and experiment.task in PICTURED and (experiment.train.flip or experiment.train.side):
        raise EvermodelError(
            f"{where}.train can't flip or resize for the task {experiment.task}: what is learned from would "
            "stay as it is; remove flip and side"
        )
    if framework(experiment.baseline) == "keras":
        raise EvermodelError(f"{where}.baseline is {experiment.baseline!r}, but must be a scikit-learn model")
    if framework(experiment.model) == "keras" and experiment.train is None:
        raise EvermodelError(f"{where}.train is empty; {experiment.model} is a Keras model and needs it")
    if framework(experiment.model) == "sklearn" and experiment.train is not None:
        raise EvermodelError(
            f"{where}.train must be {{}}; {experiment.model} is fitted by scikit-learn in one step"
        )


def _check_promotion(where: str, experiment: Experiment) -> None:
    metric, metrics = experiment.promotion.metric, headlines(experiment.task)
    _choose(f"{where}.metric", metric, metrics)
    limit = "floor" if metrics[metric] == "higher" else "ceiling"
    if getattr(experiment.promotion, limit) is None:
        raise EvermodelError(f"{where} must have a {limit}, because {metrics[metric]} {metric} is better")


def _is_cron(text: str) -> bool:
    """Whether there are five fields of numbers in their ranges, joined by `,`, `-` and `/`, or `*`."""
    fields = text.split(" ")
    return len(fields) == len(CRON_RANGES) and all(
        re.fullmatch(r"(\*|\d+(-\d+)?)(/[1-9]\d*)?(,(\*|\d+(-\d+)?)(/[1-9]\d*)?)*", field)
        and all(low <= int(number) <= high for number in re.findall(r"(?<![/\d])\d+", field))
        for field, (low, high) in zip(fields, CRON_RANGES, strict=True)
    )


def _choose(where: str, value: str, choices: Iterable[str], wrong: str = "") -> None:
    if value not in (known := sorted(choices)):
        wrong = wrong or f"is {value!r}, which does not exist"
        raise EvermodelError(f"{where} {wrong}; the choices are {', '.join(known) or 'none'}")


def _pick(what: str, name: str, among: Mapping[str, T]) -> T:
    if name not in among:
        raise EvermodelError(
            f"params.yaml has no {what} {name!r}; the choices are {', '.join(sorted(among))}"
        )
    return among[name]


def _sentence(error: ValidationError) -> str:
    """The first thing wrong, with the full path of its key.

    An unknown key comes first: a misspelled one is missing under its right name as well.
    """
    wrong = error.errors(include_url=False)
    first = next((one for one in wrong if one["type"] == "extra_forbidden"), wrong[0])
    path = ".".join(str(part) for part in first["loc"] if part != "[key]") or "the top level"
    match first["type"]:
        case "extra_forbidden":
            return f"{path} is not a known key; the choices are {', '.join(_known_keys(first['loc']))}"
        case "missing":
            return f"{path} is missing; add it"
        case "string_pattern_mismatch":
            return f"{path} must be a name of small letters, digits and '_', starting with a letter"
        case "value_error":
            return f"{path} {first['ctx']['error']}"
    message = first["msg"][0].lower() + first["msg"][1:]
    return f"{path} is {first['input']!r}, but {message}"


def _known_keys(path: tuple[int | str, ...]) -> list[str]:
    """The keys that the section holding `path` knows."""
    section: Any = Params
    for part in path[:-1]:
        if hasattr(section, "model_fields"):
            section = section.model_fields[str(part)].annotation
        else:  # a mapping of names to sections: step over the name
            section = get_args(section)[-1]
        if type(None) in get_args(section):
            section = get_args(section)[0]
    return sorted(section.model_fields)
