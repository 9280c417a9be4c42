"""A table for people, from rows that have the same keys."""

import sys
from collections.abc import Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from evermodel import number

WIDE = 160


def show(title: str, rows: Sequence[dict[str, Any]]) -> None:
    """Print rows under their keys."""
    if not rows:  # rich prints nothing of an empty table, not even its title
        print(title)
        return
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for place, column in enumerate(rows[0]):
        table.add_column(column, overflow="fold", no_wrap=place == 0)
    for row in rows:
        table.add_row(*(number_text(value) for value in row.values()))
    # A pipe has no width of its own, and what is cut there is lost.
    Console(width=None if sys.stdout.isatty() else WIDE).print(table)


def number_text(value: Any) -> str:
    """A value as it stands in a cell."""
    return "–" if value is None else number.text(value) if isinstance(value, float) else str(value)
