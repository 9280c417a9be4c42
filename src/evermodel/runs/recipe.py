"""What experiments/NAME/params.yaml says of training and evaluation."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, FiniteFloat, ValidationInfo, field_validator, model_validator

from evermodel.core import catalog, folders, generation, params, section
from evermodel.core.columns import VOCABULARY
from evermodel.core.errors import EvermodelError
from evermodel.core.section import S, Section, choose

WRITING, CHARACTERS = "language_modelling", "characters"  # the task, and what it alone learns from
# Their answers are images of the input's own size and orientation.
IMAGE_TO_IMAGE = (
    *("anomaly", "colorization", "denoising", "generation", "reconstruction", "segmentation"),
    "text_to_image",
)


class EarlyStopping(Section):
    """Stop when `monitor` has not improved for `patience` epochs; never on test data."""

    monitor: Literal["loss", "val_loss"]
    patience: Annotated[int, Field(ge=1)]


class Text(Section):
    """How texts become numbers: the `max_tokens` most frequent words of the training rows, as a
    set or in order; or characters, of an alphabet that is the same for all.

    sequence_length: of a sequence, which is the last words of a text; or of characters, of which each epoch
    learns from others.
    """

    max_tokens: Annotated[int, Field(ge=3, le=VOCABULARY)] = 10_000
    output: Literal["multi_hot", "int", "characters"] = "multi_hot"
    sequence_length: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _characters_are_few(self) -> "Text":
        if self.output == "characters" and "max_tokens" in self.model_fields_set:
            raise ValueError("has max_tokens, which is for words; remove it, or make output int")
        if self.output == "characters" and self.sequence_length is None:
            raise ValueError("needs a sequence_length: how many characters of a text are learned from")
        return self


class FineTune(Section):
    """A second phase: the last `layers` of the layer "base" learn too, at the rate times `factor`."""

    layers: Annotated[int, Field(ge=1)]
    epochs: Annotated[int, Field(ge=1)]
    factor: Annotated[FiniteFloat, Field(gt=0, le=1)] = 0.1


class Train(Section):
    """How a Keras model is fitted.

    image_size: to which the model resizes images, in pixels. random_flip: whether images are mirrored at
    random while training. ema_momentum: of the moving average of the weights, if they are averaged.
    class_weight: "balanced" lets each class count as much as any other, however rare. machines: that share
    each batch, with all of their GPUs.
    """

    optimizer: Literal["adam", "adamw", "rmsprop", "sgd"]
    learning_rate: Annotated[FiniteFloat, Field(gt=0)]
    learning_rate_schedule: Literal["constant", "cosine"] = "constant"
    batch_size: Annotated[int, Field(ge=1)]
    epochs: Annotated[int, Field(ge=1)]
    weight_decay: Annotated[FiniteFloat, Field(ge=0)] | None = None
    ema_momentum: Annotated[float, Field(gt=0, lt=1)] | None = None
    keep: Literal["last", "best"] = "last"
    early_stopping: EarlyStopping | None = None
    class_weight: Literal["balanced"] | None = None
    text: Text = Text()
    image_size: Annotated[int, Field(ge=8, le=1024)] | None = None
    random_flip: bool = False
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = "float32"
    fine_tune: FineTune | None = None
    machines: Annotated[int, Field(ge=1, le=1024)] = 1

    @property
    def total_epochs(self) -> int:
        """The epochs of both phases."""
        return self.epochs + (self.fine_tune.epochs if self.fine_tune else 0)

    @model_validator(mode="after")
    def _machines_divide_a_batch(self) -> "Train":
        if self.batch_size % self.machines:
            raise ValueError(
                f"has batch_size {self.batch_size}, which {self.machines} machines do not divide; make it a "
                f"multiple of {self.machines}"
            )
        return self

    @model_validator(mode="after")
    def _averaged_weights_belong_to_the_last_epoch(self) -> "Train":
        if self.ema_momentum and self.keep == "best":
            raise ValueError(
                "can't keep the best epoch of averaged weights; remove 'ema_momentum' or 'keep: best'"
            )
        if self.fine_tune and (self.early_stopping or self.keep == "best" or self.ema_momentum):
            raise ValueError("can't stop early, average or keep the best epoch of two phases; remove one")
        return self


class Recipe(Section):
    """A data set, a task, an architecture, and the values it is trained with; and what it is compared to."""

    dataset: str
    task: str
    model: str
    options: Mapping[str, Any]
    baseline: str
    train: Train | None

    @property
    def of_model(self) -> dict[str, Any]:
        """The options that the model takes; those that only the task is asked by are left out."""
        known = catalog.options(self.model)
        return {option: value for option, value in self.options.items() if option in known}

    @property
    def weights(self) -> str | None:
        """By what name data bring pretrained weights for the model: its option base, or its own name."""
        return str(self.options.get("base", self.model)) if catalog.takes_weights(self.model) else None

    @field_validator("train", mode="before")
    @classmethod
    def _nothing_to_say(cls, value: Any, others: ValidationInfo) -> Any:
        model = others.data.get("model")
        if value and model in catalog.modules("models") and catalog.framework(model) == "sklearn":
            raise ValueError(f"must be {{}}; {model} is fitted by scikit-learn in one step, on one machine")
        return None if value == {} else value


def load(name: str, profile: str) -> Recipe:
    """Read and check what an experiment is made of; the rest of its file is the business of others.

    Raises EvermodelError that names the wrong key and the choices there are.
    """
    recipe = part(Recipe, name, profile)
    require_sense(name, recipe)
    return recipe


def part(kind: type[S], name: str, profile: str) -> S:
    """The keys of an experiment's file that a section knows; EvermodelError if one of them is wrong."""
    values = params.of_folder(folders.experiment(name), profile)
    return section.checked(
        kind, {key: values[key] for key in kind.model_fields if key in values}, where(name)
    )


def where(name: str) -> str:
    """The file of an experiment, as an error names it."""
    return str(folders.experiment(name) / params.FILE)


def require_sense(name: str, recipe: Recipe) -> None:
    """Raise an EvermodelError where names name nothing, or do not go together."""
    file, train = where(name), recipe.train
    choose(f"{file}: dataset", recipe.dataset, folders.names(folders.DATASETS))
    choose(f"{file}: task", recipe.task, catalog.modules("tasks"))
    if train:
        choose(f"{file}: task", recipe.task, catalog.modules("objectives"), "has no file in objectives/")
    choose(f"{file}: model", recipe.model, catalog.modules("models"))
    choose(f"{file}: baseline", recipe.baseline, catalog.modules("models"))
    _require_options(file, recipe)
    if train and recipe.task in IMAGE_TO_IMAGE and (train.random_flip or train.image_size):
        raise EvermodelError(
            f"{file}: train can't flip or resize for the task {recipe.task}: "
            "what is learned from would stay as it is; remove random_flip and image_size"
        )
    if train and train.class_weight and catalog.target(recipe.task) != "class":
        raise EvermodelError(
            f"{file}: train.class_weight is {train.class_weight}, but the task {recipe.task} predicts no "
            "classes; remove it"
        )
    if train and train.machines > 1 and recipe.task == "features":
        raise EvermodelError(
            f"{file}: train.machines is {train.machines}, but the task features is fitted by scikit-learn on "
            "one machine; remove it"
        )
    if train and train.machines > 1 and train.text.output == "int" and train.text.sequence_length is None:
        raise EvermodelError(
            f"{file}: train.text.sequence_length is missing; machines that train together need texts of one "
            "length"
        )
    if train and (recipe.task == WRITING) != (train.text.output == CHARACTERS):
        raise EvermodelError(
            f"{file}: train.text.output is {train.text.output}, but the task {recipe.task} learns from "
            + (f"{CHARACTERS}; make it so" if recipe.task == WRITING else "words; make it int or multi_hot")
        )
    if catalog.framework(recipe.baseline) == "keras":
        raise EvermodelError(f"{file}: baseline is {recipe.baseline!r}, but must be a scikit-learn model")
    if catalog.target(recipe.task) in generation.ASKED and catalog.framework(recipe.model) != "keras":
        raise EvermodelError(
            f"{file}: model is {recipe.model!r}, but the task {recipe.task} needs a Keras model; one of "
            "scikit-learn can be its baseline"
        )
    if catalog.framework(recipe.model) == "keras" and train is None:
        raise EvermodelError(f"{file}: train is empty; {recipe.model} is a Keras model and needs it")


def _require_options(file: str, recipe: Recipe) -> None:
    known, asked, train = catalog.options(recipe.model), catalog.asked(recipe.task), recipe.train
    for option in recipe.options:
        wrong = f"is not an option of model {recipe.model}"
        choose(f"{file}: options.{option}", option, known | asked, wrong)
    needed = {option: f"model {recipe.model}" for option, required in known.items() if required}
    for option, who in (needed | dict.fromkeys(asked, f"task {recipe.task}")).items():
        if option not in recipe.options:
            raise EvermodelError(f"{file}: options.{option} is missing; {who} needs it")
    kinds = section.of_keywords(recipe.model, catalog.kinds(recipe.model) | asked, strict=True)
    section.checked(kinds, dict(recipe.options), file, "options")
    tokens = recipe.options.get("max_tokens")
    if train and tokens and tokens != train.text.max_tokens:
        raise EvermodelError(
            f"{file}: options.max_tokens is {tokens}, but train.text.max_tokens is {train.text.max_tokens}; "
            "make them equal"
        )
