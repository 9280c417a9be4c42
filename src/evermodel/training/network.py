"""Fitting a Keras model, epoch by epoch, so that it can be stopped anywhere and go on to the same bytes."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import keras
import numpy as np

from evermodel.core import catalog
from evermodel.core.data import Array, Prepared, Spec, Split
from evermodel.core.errors import EvermodelError, told
from evermodel.core.rows import Rows
from evermodel.runs import determinism
from evermodel.runs import network as asking
from evermodel.runs.recipe import Recipe, Train
from evermodel.training import checkpoints, feeding, losses, order, preprocessing, processes
from evermodel.training.objective import Objective, Target, objective_of
from evermodel.training.order import Order, Ordered
from evermodel.training.processes import ALONE, Team

AHEAD, CELLS = 8192, 2**22  # rows of a table, and numbers of them, that are encoded at a time
BASE = "base"  # the layer that pretrained weights belong to
ENCODER, DECODER = "encoder", "decoder"  # those that tell a code of an example, and make one of it
DRAWER = "drawer"  # that which tells of a caption and the codes before how likely each one is
WORDS = "words"  # that in it which knows the words
LOSS = "loss"  # the head of an architecture that tells its loss of each example itself
Build = Callable[..., keras.Model]
Encode = Callable[[Any], Array]
History = list[dict[str, float]]
Report = Callable[[dict[str, float]], None]
Heads: TypeAlias = "keras.KerasTensor | dict[str, keras.KerasTensor]"


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """A split in batches, for every back end, in its own order or that of an epoch.

    shown: what the network is given of each row, where that is not x itself and rows keep their own order;
    the target is made of x, or of what that is encoded to. counts: how much a row of each class counts, where
    not all count alike. ahead: batches that are read and encoded at a time. with_answer: whether the network
    is given y beside each row. order: of an epoch, which depends on the seed and the epoch's number alone, so
    that a resumed training sees what an undisturbed one would have seen.

    team: whose devices share a batch, where Keras computes on JAX; so they divide each. However many they
    are, the first rows of an epoch that is learned from fill its last batch, as PyTorch's DistributedSampler
    has it: rows that weigh 0 would change batch normalisation. Of rows that are watched, those that fill the
    last batch weigh 0, and the mean loss is that of each row once.
    """

    ordered: Ordered

    def __init__(
        self,
        split: Split,
        size: int,
        encode: Encode | None,
        target: Target,
        shown: Array | None = None,
        counts: Array | None = None,
        ahead: int = 1,
        team: Team | None = None,
        with_answer: bool = False,
        order: Order = order.shuffled,
    ) -> None:
        super().__init__()
        self.split, self.batch, self.encode, self.target = split, size, encode, target
        self.shown, self.counts, self.ahead, self.team = shown, counts, ahead, team
        self.with_answer, self.order = with_answer, order
        self.size = size // (team.count if team else 1)  # rows of a batch that are this process's
        self.part = -1
        self.worth: Array | None = None
        self._take(split, team.devices if team else 1)
        self.is_watched = True

    def shuffle(self, seed: int, epoch: int) -> None:
        """Take the order of that epoch."""
        self.ordered = self.split  # or else two orders would be in memory
        self._take(self.order(self.split, seed, epoch), self.batch if self.team else 1)
        self.is_watched = False

    def __len__(self) -> int:
        return math.ceil(self.places / self.batch)

    def __getitem__(self, number: int) -> tuple[Any, ...]:
        part, place = divmod(number, self.ahead)
        if part != self.part:
            self.given, self.rows, self.worth = self._read(part)
            self.part = part
        here = slice(place * self.size, (place + 1) * self.size)
        given, y = self.given[here], self.rows.y[here]
        x = given if self.encode or isinstance(self.rows.x, Rows) else self.rows.x[here]
        weight = self._weight(here, y)
        shown = (given, y) if self.with_answer else given
        return (shown, self.target(x, y), *([] if weight is None else [weight]))

    def _take(self, ordered: Ordered, full: int) -> None:
        """full: what divides the number of places, of which the first rows take those that are left over."""
        self.ordered, self.places = ordered, -(-len(self.split) // full) * full
        self.part, self.given, self.rows = -1, np.empty(0), self.split

    def _read(self, part: int) -> tuple[Array, Split, Array | None]:
        """The rows of some batches, what the network is given of them, and how much their places count."""
        start, length = part * self.ahead * self.batch, self.ahead * self.batch
        stop = min(start + length, self.places)
        chosen: slice | Array = slice(start, stop)
        worth = None
        if self.team:
            own = self.team.own(np.arange(start, stop), self.batch)
            chosen = own % len(self.split)
            if self.is_watched and self.places > len(self.split):
                worth = (own < len(self.split)) * (self.places / len(self.split))
        rows = self.ordered[chosen]
        if isinstance(rows.x, Rows):
            return self.encode(rows.x.frame()) if self.encode else rows.x.numbers, rows, worth
        shown = rows.x if self.shown is None else self.shown[chosen]
        return self.encode(shown) if self.encode else shown, rows, worth

    def _weight(self, here: slice, y: Array) -> Array | None:
        """(n,) how much each row counts, or None if all count alike."""
        weight = self.rows.weight
        if weight is None and self.counts is None and self.worth is None:
            return None
        of_rows = 1.0 if weight is None else weight[here]
        of_places = 1.0 if self.worth is None else self.worth[here]
        return np.asarray(of_rows * of_places * (1.0 if self.counts is None else self.counts[y]), np.float32)


@dataclass(frozen=True)
class Phase:
    """Epochs `start` to `end` (exclusive), their first rate, and how many of the base's layers learn."""

    number: int
    start: int
    end: int
    rate: float
    layers: int


@dataclass(frozen=True)
class Network:
    """The same weights three times: the architecture alone, with what it is trained with, and as it is used.

    trained: gives what is compared with the objective's target; it alone is compiled. whole: takes raw
    examples and gives one array of predictions, offset and all; or takes noise, see `_maker`. No part of it
    has an optimizer, whose state Keras would save with it: twice the bytes of the weights.
    """

    core: keras.Model
    trained: keras.Model
    whole: keras.Model


def fit(
    build: Build,
    prepared: Prepared,
    recipe: Recipe,
    seed: int,
    folder: Path,
    report: Report,
    team: Team = ALONE,
) -> tuple[keras.Model, History]:
    """Train on the training rows, watch the validation rows, and return the model and its history.

    The model takes raw examples and has its pre-processing inside. folder: where checkpoints live between
    a kill and the next run. report: called with the figures of every epoch that this process finishes. team:
    who trains; all of its processes return the same.
    """
    train = recipe.train
    assert train is not None, "recipe.py asks every Keras model for its train section"
    compute_in(train.precision)
    encoder = preprocessing.encoder(prepared.spec, train)
    objective = objective_of(recipe.task, prepared.spec, recipe.options)
    network = assemble(build, encoder, prepared, objective, recipe)
    objective = own_loss(network.core, objective)
    if train.fine_tune:
        _base(network.core)  # refused now, not after the first phase
    # Only TensorFlow has tensors of strings: texts are encoded on their way into the network.
    encode: Encode | None = encoder if prepared.spec.kind == "text" else None
    ahead = 1
    if prepared.spec.kind == "table":
        ahead = max(1, min(AHEAD, CELLS // encoder.output_shape[-1]) // train.batch_size)
        encode = asking.compiled(encoder, AHEAD) if preprocessing.is_encoded_before(prepared.spec) else None
    if keras.backend.backend() != "tensorflow" and preprocessing.is_encoded_before(prepared.spec):
        encode = feeding.encoding(prepared.spec, train, AHEAD)
    learned, watched = prepared.splits["train"], prepared.splits["validation"]
    counts = class_weights(learned.y, prepared.spec) if train.class_weight else None
    sharing = None if keras.backend.backend() == "tensorflow" else team
    shown = objective.corrupt(watched.x, recipe.options, seed) if objective.corrupt else None
    length = train.text.sequence_length if objective.writes else None
    ordered = order.windows(length, train.epochs) if length else order.shuffled
    given = (counts, ahead, sharing, objective.draws)
    batches = {
        "train": Batches(learned, train.batch_size, encode, objective.target, None, *given, ordered),
        "validation": Batches(watched, train.batch_size, encode, objective.target, shown, *given),
    }
    batches["train"].shuffle(seed, 0)  # of which Keras looks at a batch before an epoch begins
    progress = Progress(train, folder, report, team)
    for phase in phases(train):
        if progress.done < phase.end or phase.end == train.total_epochs:
            _fit(network, phase, objective, train, batches, seed, progress)
    progress.choose(network.trained)
    return in_32_bits(network.whole, build, prepared, objective, recipe), progress.history


def own_loss(core: keras.Model, objective: Objective) -> Objective:
    """The objective; or, of an architecture that makes examples and gives heads, (n, 1) each, the mean of
    the head "loss". The others are figures of the history: `spread` is there as spread_mean.

    Raises EvermodelError if it gives heads and no loss is among them.
    """
    heads = core.output
    if not ((objective.makes or objective.draws) and isinstance(heads, dict)):
        return objective
    if LOSS not in heads:
        raise EvermodelError(
            f"model {core.name} gives {', '.join(heads)}, but no {LOSS!r} to learn by; name it so, or give "
            "an image"
        )
    return replace(
        objective,
        loss={LOSS: losses.mean},
        metrics={head: losses.mean for head in heads if head != LOSS},
        target=lambda x, y: dict.fromkeys(heads, np.zeros(len(x), np.float32)),
    )


def class_weights(y: Array, spec: Spec) -> Array:
    """(classes,) by which each class counts as much as any other, and a row 1 on average."""
    rows = np.bincount(y, minlength=len(spec.classes))
    return np.asarray(len(y) / (len(rows) * np.maximum(rows, 1)))


def in_32_bits(
    whole: keras.Model, build: Build, prepared: Prepared, objective: Objective, recipe: Recipe
) -> keras.Model:
    """The finished model as any machine can compute it: 16 bits are for learning."""
    assert recipe.train is not None
    if recipe.train.precision == "float32":
        return whole
    keras.config.set_dtype_policy("float32")
    encoder = preprocessing.encoder(prepared.spec, recipe.train)
    finished = assemble(build, encoder, prepared, objective, recipe).whole
    finished.set_weights(whole.get_weights())
    return finished


def compute_in(precision: str) -> None:
    """Set Keras' dtype policy; EvermodelError if this machine does not compute in it."""
    if not determinism.computes(precision):
        raise EvermodelError(
            f"train.precision is {precision}, which this CPU does not compute; use float32 or a GPU"
        )
    keras.config.set_dtype_policy(precision)


def phases(train: Train) -> list[Phase]:
    """The one phase of a training, or the two of a transfer."""
    first = Phase(1, 0, train.epochs, train.learning_rate, 0)
    if (tune := train.fine_tune) is None:
        return [first]
    rate = train.learning_rate * tune.factor
    return [first, Phase(2, train.epochs, train.total_epochs, rate, tune.layers)]


def _fit(
    network: Network,
    phase: Phase,
    objective: Objective,
    train: Train,
    batches: Mapping[str, Batches],
    seed: int,
    progress: "Progress",
) -> None:
    """One phase, or what is left of it after a kill."""
    if phase.layers:
        unfreeze(network.core, phase.layers)
    model = network.trained
    model.compile(
        optimizer=_optimizer(train, phase, len(batches["train"])),
        loss=objective.loss,
        loss_weights=objective.loss_weights,
        metrics=objective.metrics if isinstance(objective.metrics, Mapping) else list(objective.metrics),
    )
    model.optimizer.build(model.trainable_variables)
    progress.resume(model, phase)
    if keras.backend.backend() == "tensorflow":
        _make_metrics(model, *batches["train"][0])
    model.fit(
        batches["train"],
        validation_data=batches["validation"],
        epochs=phase.end if not progress.finished else len(progress.history),
        initial_epoch=len(progress.history),
        shuffle=False,
        verbose=0,
        callbacks=[
            keras.callbacks.LambdaCallback(on_epoch_begin=lambda e, _: batches["train"].shuffle(seed, e)),
            # Validation sees the averaged weights, which the model ends with.
            *([keras.callbacks.SwapEMAWeights()] if train.ema_momentum else []),
            progress,
        ],
    )


def _make_metrics(model: keras.Model, x: Array, y: Any, weight: Array | None = None) -> None:
    """Let loss and metrics make their variables now; made in the first step, Keras would trace that twice."""
    with keras.StatelessScope():  # or noise that is drawn here would be missing after a resume
        predictions = model(x, training=False)
    model.compute_loss(x, y, predictions, weight)
    model.compute_metrics(x, y, predictions, weight)
    model.reset_metrics()


def unfreeze(core: keras.Model, count: int) -> None:
    """Let the last `count` layers of the base that have weights learn, batch normalisation aside.

    That stays as it is: Keras keeps it in inference mode only while it is not trainable, and a few images
    would spoil its statistics. Raises EvermodelError if the architecture has no base.
    """
    base = _base(core)
    base.trainable = True  # reaches all its layers
    fixed = keras.layers.BatchNormalization
    learning = [layer for layer in base.layers if layer.weights and not isinstance(layer, fixed)][-count:]
    for layer in base.layers:
        layer.trainable = layer in learning


def _layer(core: keras.Model, name: str) -> keras.Model | None:
    return next((layer for layer in core.layers if layer.name == name), None)


def _base(core: keras.Model) -> keras.Model:
    if (base := _layer(core, BASE)) is None:
        raise EvermodelError(
            f"model {core.name} has no layer {BASE!r}; remove train.fine_tune in params.yaml"
        )
    return base


def assemble(
    build: Build, encoder: keras.Model, prepared: Prepared, objective: Objective, recipe: Recipe
) -> Network:
    """The architecture between the encoder and the unit of its predictions.

    Raises EvermodelError if its options, or its file, don't fit.
    """
    arguments = encoder.output_shape[1:], objective.outputs, objective.activation
    where = f"model {recipe.model} ({catalog.shown('models', recipe.model)})"
    with told(f"{where} can't be built from options in params.yaml"):
        core = build(*arguments, **recipe.of_model, **_weights(prepared, recipe))
        step, core = core, _going_through(core, where, recipe) if objective.writes else core
        taken, given = encoder.input, encoder.output
        if objective.draws:
            number = keras.Input((), dtype="int32", name="caption")
            told_of = _captions(core, prepared.spec, where, recipe)
            taken, given = [taken, number], [given, keras.ops.take(told_of, number, axis=0)]
        predictions = core(given)
    if not isinstance(predictions, dict) and predictions.shape[-1] != objective.outputs:
        raise EvermodelError(
            f"{where} gives {predictions.shape[-1]} numbers, but the task {recipe.task} needs "
            f"{objective.outputs}: as many as build's argument outputs says"
        )
    answer = _scaled(predictions, objective)
    if objective.makes:
        whole = _maker(core, encoder, where, recipe)
    elif objective.draws:
        whole = _drawing(core, prepared.spec, recipe)
    elif objective.writes:
        whole = _writer(step, prepared.spec, recipe)
    else:
        whole = keras.Model(encoder.input, _whole(answer, objective), name=recipe.model)
    if preprocessing.is_encoded_before(prepared.spec):
        return Network(core, keras.Model(core.input, _scaled(core(core.input), objective)), whole)
    return Network(core, keras.Model(taken, answer), whole)


def _maker(core: keras.Model, encoder: keras.Model, where: str, recipe: Recipe) -> keras.Model:
    """From noise to an example by the decoder; and beside it, if there is an encoder, from an example to its
    code, which is what noise is to others. Raises EvermodelError if the architecture has no decoder.
    """
    if (decoder := _layer(core, DECODER)) is None:
        raise EvermodelError(
            f"{where} has no layer {DECODER!r} that makes an example of noise, which the task {recipe.task} "
            "needs; name it so, or choose another model"
        )
    noise = keras.Input(decoder.input_shape[1:], name=asking.NOISE)
    taken, given = [noise], [decoder(noise)]
    if tells := _layer(core, ENCODER):
        told = tells(encoder.output)
        taken.append(encoder.input)
        given.append(told[0] if isinstance(told, list) else told)
    answers = [x if x.dtype == "float32" else keras.ops.cast(x, "float32") for x in given]
    return keras.Model(taken, answers, name=recipe.model)


def _captions(core: keras.Model, spec: Spec, where: str, recipe: Recipe) -> Array:
    """The words of each caption by their numbers, (captions, longest).

    Raises EvermodelError if the architecture draws none, or not of so many words.
    """
    if (drawer := _layer(core, DRAWER)) is None or _layer(core, DECODER) is None:
        raise EvermodelError(
            f"{where} has no layers {DRAWER!r} and {DECODER!r} that draw what a caption says, which the task "
            f"{recipe.task} needs; name them so, or choose another model, such as text_to_image"
        )
    tokens = preprocessing.captions(spec)
    known, longest = drawer.get_layer(WORDS).input_dim - 1, drawer.input[0].shape[1]
    if tokens.max() > known or tokens.shape[1] > longest:
        raise EvermodelError(
            f"{where} tells {known} words apart, {longest} in a caption, but data set {spec.dataset} has "
            f"{tokens.max()}, {tokens.shape[1]} in a caption; enlarge its options words and longest"
        )
    return np.pad(tokens, ((0, 0), (0, longest - tokens.shape[1])))


def _drawing(core: keras.Model, spec: Spec, recipe: Recipe) -> keras.Model:
    """From captions, codes (n, places) and numbers in 0…1 as many to the codes that are drawn by those
    numbers, each given the codes before it; to the image of the codes that came in, and to how much its
    patches attend to each word.
    """
    drawer, decoder = core.get_layer(DRAWER), core.get_layer(DECODER)
    caption = keras.Input((), dtype="string", name=asking.CAPTION)
    tokens = preprocessing.reader_of_captions(spec, drawer.input[0].shape[1])(caption)
    codes = keras.Input(decoder.input_shape[1:], dtype="int32", name="codes")
    draws = keras.Input(decoder.input_shape[1:], dtype="float32", name="draws")
    logits, looks = (keras.ops.cast(one, "float32") for one in drawer([tokens, codes]))
    up_to = keras.ops.cumsum(keras.ops.softmax(logits), axis=-1)
    drawn = keras.ops.sum(keras.ops.cast(up_to <= draws[..., None], "int32"), axis=-1)
    drawn = keras.ops.minimum(drawn, logits.shape[-1] - 1)
    image = keras.ops.cast(decoder(codes), "float32")
    return keras.Model([caption, codes, draws], [drawn, image, looks], name=recipe.model)


def _going_through(step: keras.Model, where: str, recipe: Recipe) -> keras.Model:
    """From texts, as numbers (n, any), to what a network that goes step by step tells of each number by those
    before it. Raises EvermodelError if it is none.
    """
    if not len(step.inputs) == len(step.outputs) > 1:
        raise EvermodelError(
            f"{where} takes no state and gives none, so that it can't go on from a text, which the task "
            f"{recipe.task} needs; choose another model, such as character_lstm"
        )
    symbols = keras.Input((None,), dtype="int32")
    return keras.Model(symbols, _through(step, symbols))


def _through(step: keras.Model, symbols: keras.KerasTensor) -> keras.KerasTensor:
    before = keras.ops.pad(symbols, ((0, 0), (1, 0)))  # 0 stands before the first
    zero = keras.ops.cast(before[:, :1], "float32")
    states = [keras.ops.repeat(zero, state.shape[-1], axis=1) for state in step.inputs[1:]]
    return step([before, *states])[0][:, :-1]  # also where all texts are empty there is a step


def _writer(step: keras.Model, spec: Spec, recipe: Recipe) -> keras.Model:
    """From texts of any length to the bits of each character; and beside it from a character and the states
    before it to how likely each symbol is next, and the states after it.
    """
    assert recipe.train is not None
    every = recipe.train.text.model_copy(update={"sequence_length": None})
    encoder = preprocessing.encoder(spec, recipe.train.model_copy(update={"text": every}))
    symbols, logits = encoder.output, keras.ops.cast(_through(step, encoder.output), "float32")
    nats = keras.ops.sparse_categorical_crossentropy(
        keras.ops.maximum(symbols - 1, 0), logits, from_logits=True
    )
    bits = keras.ops.where(symbols > 0, nats / math.log(2), 0.0)
    character = keras.Input((1,), dtype="int32", name=asking.CHARACTER)
    states = [keras.Input(state.shape[1:], dtype="float32") for state in step.inputs[1:]]
    following, *after = (keras.ops.cast(one, "float32") for one in step([character, *states]))
    likely = keras.ops.softmax(following[:, 0])
    return keras.Model([encoder.input, character, *states], [bits, likely, *after], name=recipe.model)


def _scaled(predictions: Heads, objective: Objective) -> Heads:
    """The answer of each head times its scale, in 32 bits whatever the precision of the architecture."""
    if isinstance(predictions, dict):
        return {name: _scaled_head(name, head, objective) for name, head in predictions.items()}
    return _scaled_head("", predictions, objective)


def _scaled_head(name: str, head: keras.KerasTensor, objective: Objective) -> keras.KerasTensor:
    scale = objective.scale.get(name)
    if scale is None and head.dtype == "float32":
        return head
    # Named as the head, because losses and metrics find their answer by that name.
    factor = 1.0 if scale is None else scale
    return keras.layers.Rescaling(factor, name=name or "decoder", dtype="float32")(head)


def _whole(predictions: Heads, objective: Objective) -> keras.KerasTensor:
    """The answer of each head plus its offset, side by side; in 64 bits if there is an offset."""
    heads = predictions if isinstance(predictions, dict) else {"": predictions}
    dtype = "float64" if objective.offset else "float32"
    moves = {
        name: keras.layers.Rescaling(1.0, np.array([offset]), dtype=dtype)  # of a float, it takes 32 bits
        for name, offset in objective.offset.items()
    }
    moved = [moves[name](head) if name in moves else head for name, head in heads.items()]
    return keras.layers.Concatenate(dtype=dtype)(moved) if len(moved) > 1 else moved[0]


def _weights(prepared: Prepared, recipe: Recipe) -> dict[str, str]:
    """The file of pretrained weights, for an architecture that takes some and data that bring them."""
    file = prepared.weights.get(recipe.weights) if recipe.weights else None
    return {"weights": str(file)} if file else {}


class Progress(keras.callbacks.Callback):  # type: ignore[misc]
    """What is known after each epoch: the history, the best weights so far, and when to stop.

    Everything that early stopping and the choice of the epoch need is read from the history, so nothing is
    forgotten on a resume (Keras' own callbacks forget their best value, keras-team/keras#17012).
    """

    def __init__(self, train: Train, folder: Path, report: Report, team: Team = ALONE) -> None:
        super().__init__()
        self.train, self.folder, self.report, self.team = train, folder, report, team
        self.history: History = []
        self.best: list[Array] = []
        self.phase = phases(train)[0]
        self.state = checkpoints.newest(folder) or {}
        processes.require_same(team, checkpoints.fingerprint(self.state))

    @property
    def done(self) -> int:
        """The number of epochs that are finished, in this process or before."""
        return len(json.loads(str(self.state["history"])) if self.state else self.history)

    @property
    def finished(self) -> bool:
        """Whether early stopping has ended the training."""
        stop = self.train.early_stopping
        return stop is not None and len(self.history) - 1 - self._best_epoch(stop.monitor) >= stop.patience

    def resume(self, model: keras.Model, phase: Phase) -> None:
        """Take up the newest intact checkpoint, if there is one, before the first phase that is not done."""
        state, self.state, self.phase = self.state, {}, phase
        if not state:
            return
        self.history = json.loads(str(state["history"]))
        # The end of the phase before has the moments of another optimizer.
        variables = _variables(model) if len(self.history) > phase.start else model.variables
        for number, variable in enumerate(variables):
            variable.assign(state[f"variable_{number}"])
        self.best = [state[name] for name in sorted(state) if name.startswith("best_")]
        print(f"going on after epoch {len(self.history)} of {self.train.total_epochs}", flush=True)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keep the figures and the state of the epoch."""
        figures = {"epoch": epoch + 1, **{name: float(value) for name, value in (logs or {}).items()}}
        if self.train.fine_tune:
            figures["phase"] = self.phase.number
        if not math.isfinite(figures["loss"]):
            raise EvermodelError(
                f"the loss became {figures['loss']} in epoch {epoch + 1}; "
                "lower train.learning_rate in params.yaml"
            )
        self.history.append(figures)
        if self.train.keep == "best" and self._best_epoch("val_loss") == epoch:
            self.best = [variable.numpy() for variable in self.model.variables]
        state = {f"variable_{n}": variable.numpy() for n, variable in enumerate(_variables(self.model))}
        state |= {f"best_{n:05d}": value for n, value in enumerate(self.best)}
        if self.team.index == 0:
            checkpoints.save(self.folder, epoch + 1, state | {"history": np.array(json.dumps(self.history))})
        self.report(figures)
        self.model.stop_training = self.finished

    def choose(self, model: keras.Model) -> None:
        """Go back to the epoch with the lowest validation loss, if params say so."""
        for variable, value in zip(model.variables, self.best, strict=False):
            variable.assign(value)

    def _best_epoch(self, monitor: str) -> int:
        """The index of the first epoch with the lowest value."""
        values = [figures[monitor] for figures in self.history]
        return int(np.nanargmin(values)) if np.isfinite(values).any() else 0


def _variables(model: keras.Model) -> list[Any]:
    """All that changes while training: weights, seeds of dropout, and the optimizer's moments."""
    return [*model.variables, *model.optimizer.variables]


def _optimizer(train: Train, phase: Phase, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    rate = phase.rate
    if train.learning_rate_schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(rate, (phase.end - phase.start) * steps_per_epoch)
    kinds = {
        "adam": keras.optimizers.Adam,
        "adamw": keras.optimizers.AdamW,
        "rmsprop": keras.optimizers.RMSprop,
        "sgd": keras.optimizers.SGD,
    }
    averaging = {"use_ema": True, "ema_momentum": train.ema_momentum} if train.ema_momentum else {}
    # AdamW refuses None: left out, it takes Keras' own value.
    decay = {} if train.weight_decay is None else {"weight_decay": train.weight_decay}
    return kinds[train.optimizer](rate, **averaging, **decay)
