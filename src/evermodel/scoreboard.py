"""What the running pipelines are at: a live table on a terminal, plain lines elsewhere."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.live import Live
from rich.table import Table

COLUMNS = ("pipeline", "stage", "epoch", "seconds", "so far")


class Scoreboard:
    """A table of the pipelines that run, below the lines of those that ended; enter `live` to show it."""

    def __init__(self, stderr: bool = False) -> None:
        self.console = Console(highlight=False, stderr=stderr)
        self.live = Live(console=self.console, transient=True)

    def draw(self, rows: Sequence[tuple[str, ...]], waiting: int) -> None:
        """Show the rows: pipeline, stage, epoch, seconds and the latest figures."""
        table = Table(*COLUMNS, box=SIMPLE_HEAD, pad_edge=False, caption=f"{waiting} waiting")
        for row in rows:
            table.add_row(*row)
        self.live.update(table)

    def began(self, pipeline: str, stage: str) -> None:
        """Say that a stage began, where no table shows it."""
        if not self.console.is_terminal:
            self.say(f"{pipeline}: {stage}")

    def say(self, line: str) -> None:
        """Print a line that stays."""
        self.console.print(line, markup=False, soft_wrap=True)
