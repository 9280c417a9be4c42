"""leaderboard: the scores of all experiments, and who is champion."""

from evermodel import leaderboard
from evermodel.core import stage


def main() -> None:
    """Print the table."""
    leaderboard.show(leaderboard.rows())


if __name__ == "__main__":
    stage.run(main)
