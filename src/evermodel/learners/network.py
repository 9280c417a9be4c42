"""Fitting a Keras model, epoch by epoch, so that it can be stopped anywhere and go on to the same bytes."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from evermodel import checkpoints, preprocessing
from evermodel.data import Array, Spec, Split
from evermodel.errors import EvermodelError
from evermodel.objectives import Objective
from evermodel.params import Experiment, Train

Build = Callable[..., keras.Model]
History = list[dict[str, float]]
Report = Callable[[dict[str, float]], None]


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """A split in batches, for every back end; `order` decides which rows come when.

    An epoch's order depends on the seed and the epoch's number alone, so that a resumed training sees
    what an undisturbed one would have seen.
    """

    def __init__(self, split: Split, size: int, encode: Callable[[Array], Array] | None) -> None:
        super().__init__()
        self.split, self.size, self.encode = split, size, encode
        self.order = np.arange(len(split))

    def shuffle(self, seed: int, epoch: int) -> None:
        """Take the order of that epoch."""
        self.order = np.random.default_rng([seed, epoch]).permutation(len(self.split))

    def __len__(self) -> int:
        return math.ceil(len(self.split) / self.size)

    def __getitem__(self, number: int) -> tuple[Array, Array]:
        rows = self.order[number * self.size : (number + 1) * self.size]
        x = self.split.x[rows]
        return (self.encode(x) if self.encode else x), self.split.y[rows]


def fit(
    build: Build,
    spec: Spec,
    objective: Objective,
    experiment: Experiment,
    splits: dict[str, Split],
    seed: int,
    folder: Path,
    report: Report,
) -> tuple[keras.Model, History]:
    """Train on splits["train"], watch splits["validation"], and return the model and its history.

    The model takes raw examples and has its pre-processing inside. folder: where checkpoints live between
    a kill and the next run. report: called with the figures of every epoch that this process finishes.
    """
    train = experiment.train
    assert train is not None, "params.py asks every Keras model for its train section"
    encoder = preprocessing.encoder(spec, train.text)
    whole, core = assemble(build, encoder, spec, objective, experiment)
    # Only TensorFlow has tensors of strings: texts are encoded on their way into the core.
    trained, encode = (core, encoder) if spec.kind == "text" else (whole, None)
    batches = {name: Batches(splits[name], train.batch_size, encode) for name in ("train", "validation")}
    trained.compile(
        optimizer=_optimizer(train, len(batches["train"])),
        loss=objective.loss,
        metrics=list(objective.metrics),
    )
    trained.optimizer.build(trained.trainable_variables)
    progress = Progress(train, folder, report)
    progress.resume(trained)
    trained.fit(
        batches["train"],
        validation_data=batches["validation"],
        epochs=train.epochs if not progress.finished else len(progress.history),
        initial_epoch=len(progress.history),
        shuffle=False,
        verbose=0,
        callbacks=[
            keras.callbacks.LambdaCallback(on_epoch_begin=lambda e, _: batches["train"].shuffle(seed, e)),
            progress,
        ],
    )
    progress.choose(trained)
    return whole, progress.history


def assemble(
    build: Build, encoder: keras.Model, spec: Spec, objective: Objective, experiment: Experiment
) -> tuple[keras.Model, keras.Model]:
    """The model that takes raw examples and gives the task's answers, and the architecture inside it."""
    core = build(encoder.output_shape[1:], objective.outputs, objective.activation, **experiment.options)
    answers = core(encoder.output)
    if not spec.classes:
        answers = preprocessing.decoder(spec)(answers)
    return keras.Model(encoder.input, answers, name=experiment.model), core


class Progress(keras.callbacks.Callback):  # type: ignore[misc]
    """What is known after each epoch: the history, the best weights so far, and when to stop.

    Everything that early stopping and the choice of the epoch need is read from the history, so nothing is
    forgotten on a resume (Keras' own callbacks forget their best value, keras-team/keras#17012).
    """

    def __init__(self, train: Train, folder: Path, report: Report) -> None:
        super().__init__()
        self.train, self.folder, self.report = train, folder, report
        self.history: History = []
        self.best: list[Array] = []

    @property
    def finished(self) -> bool:
        """Whether early stopping has ended the training."""
        stop = self.train.early_stopping
        return stop is not None and len(self.history) - 1 - self._best_epoch(stop.monitor) >= stop.patience

    def resume(self, model: keras.Model) -> None:
        """Take up the newest intact checkpoint, if there is one."""
        if (state := checkpoints.newest(self.folder)) is None:
            return
        self.history = json.loads(str(state["history"]))
        for number, variable in enumerate(_variables(model)):
            variable.assign(state[f"variable_{number}"])
        self.best = [state[name] for name in sorted(state) if name.startswith("best_")]
        print(f"going on after epoch {len(self.history)} of {self.train.epochs}", flush=True)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keep the figures and the state of the epoch."""
        figures = {"epoch": epoch + 1, **{name: float(value) for name, value in (logs or {}).items()}}
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


def _optimizer(train: Train, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    rate = train.learning_rate
    if train.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(rate, train.epochs * steps_per_epoch)
    kinds = {
        "adam": keras.optimizers.Adam,
        "adamw": keras.optimizers.AdamW,
        "rmsprop": keras.optimizers.RMSprop,
        "sgd": keras.optimizers.SGD,
    }
    averaging = {"use_ema": True, "ema_momentum": train.average} if train.average else {}
    # AdamW refuses None: left out, it takes Keras' own value.
    decay = {} if train.weight_decay is None else {"weight_decay": train.weight_decay}
    return kinds[train.optimizer](rate, **averaging, **decay)
