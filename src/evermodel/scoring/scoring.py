"""Scoring whole folders and tables by a champion, into Parquet, piece by piece.

What is done lies beside the result. A scoring that was killed goes on from there, and ends with the same
bytes.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from evermodel import prediction
from evermodel.core.errors import EvermodelError
from evermodel.scoring import parts, pieces
from evermodel.scoring.parts import Rejected
from evermodel.scoring.pieces import Examples, Piece
from evermodel.serving.champion import Champion


@dataclass(frozen=True)
class Scored:
    """What was written where, and by which model. rejected: how many files could not be used."""

    model: str
    version: int
    run: str
    out: str
    examples: int
    rejected: int

    @property
    def sentence(self) -> str:
        """All of it."""
        left = f"; {self.rejected} file(s) could not be used and are listed beside" if self.rejected else ""
        return (
            f"{self.model} version {self.version} answered for {self.examples:,} examples: {self.out}{left}"
        )


def score(champion: Champion, paths: Sequence[Path], out: Path, share: float) -> Scored:
    """Write the answers for the examples in files and folders, each with model, version, run and place.

    share: of the files that may be unusable; they are listed. Raises EvermodelError if there are more, a
    table can't be used, or `out` can't be written.
    """
    _require_apart(paths, out)
    try:
        return _score(champion, paths, out, share)
    except OSError as error:  # no right to read or write, no room
        raise EvermodelError(f"{out} was not written: {error}; mend that and run the same again") from None


def _score(champion: Champion, paths: Sequence[Path], out: Path, share: float) -> Scored:
    files = pieces.found(paths, champion.spec)
    done: list[Path] = []
    examples, rejected = 0, list[Rejected]()
    with parts.opened(out) as folder, _counter(champion.name) as counted:
        for number, piece in enumerate(pieces.of(files, champion.spec)):
            part = _scored(folder, number, champion, piece)
            rows, refused = parts.count(part)
            examples, rejected = examples + rows, rejected + refused
            _require_few(rejected, int(share * len(files)), champion.spec.dataset)
            done += [part] if rows else []
            counted(rows)
        if not done:
            raise EvermodelError(f"no file can be used: {rejected[0][1]}; mend them")
        parts.publish(done, rejected, out)
    return Scored(champion.name, champion.version, champion.run_id, str(out), examples, len(rejected))


def _scored(folder: Path, number: int, champion: Champion, piece: Piece) -> Path:
    """The part with the answers for a piece; one that is there already stays."""
    origin = f"{champion.name} {champion.version} {champion.run_id} {piece.origin}"
    if not (part := folder / parts.name(number, origin)).exists():
        examples = piece.read()
        parts.write(part, _answers(champion, examples), examples.rejected)
    return part


def _answers(champion: Champion, examples: Examples) -> pa.Table:
    """A row per example: who answered, for what, and the answer."""
    if not (count := len(examples.x)):
        return pa.table({})
    answered = prediction.answer_columns(
        examples.x, champion.predict(examples.x), champion.spec, champion.task
    )
    made_by = {"model": champion.name, "version": champion.version, "run": champion.run_id}
    who = {name: pa.repeat(value, count) for name, value in made_by.items()}
    return pa.table(who | examples.places | {name: _stored(one) for name, one in answered.items()})


def _stored(answers: Any) -> Any:
    """A column of answers as Arrow takes it: numbers of each in a list, and an image as a file."""
    if isinstance(answers, list):
        return [prediction.png(image) for image in answers]
    return answers if answers.ndim == 1 else list(answers)


def _require_apart(paths: Sequence[Path], out: Path) -> None:
    """What is written must not be read by the next run."""
    for path in paths:
        if out.resolve().is_relative_to(path.resolve()):
            raise EvermodelError(f"--out {out} lies in {path}, which is to be scored; name another place")


def _require_few(rejected: Sequence[Rejected], tolerated: int, dataset: str) -> None:
    if len(rejected) > tolerated:
        raise EvermodelError(
            f"{len(rejected)} file(s) can't be used, but data/{dataset}/params.yaml: expect.rejected allows "
            f"{tolerated}: {rejected[0][1]}; mend the files or raise the limit, and run the same again: what "
            "is scored is kept"
        )


@contextmanager
def _counter(name: str) -> Iterator[Callable[[int], None]]:
    """A line on a terminal that counts the examples, nothing elsewhere."""
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}: {task.completed:,}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(f"{name} scores", total=None)
        yield lambda rows: progress.advance(task, rows)
