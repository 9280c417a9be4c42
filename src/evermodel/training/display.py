"""How long work is shown: a moving bar on a terminal, one line a step elsewhere."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def epochs(name: str, total: int) -> Iterator[Callable[[Mapping[str, float]], None]]:
    """Yield a function that shows the figures of a finished epoch."""
    console = Console()
    if not console.is_terminal:
        yield lambda figures: print(f"{name} epoch {figures['epoch']:g}/{total} {_line(figures)}", flush=True)
        return
    columns = (
        TextColumn(name),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[line]}"),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(name, total=total, line="")
        yield lambda figures: progress.update(task, completed=figures["epoch"], line=_line(figures))


def _line(figures: Mapping[str, float]) -> str:
    return " ".join(f"{name} {value:.4g}" for name, value in figures.items() if name != "epoch")
