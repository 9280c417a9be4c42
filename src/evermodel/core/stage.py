"""How a script of pipelines/ is run: one name in, one plain sentence out when something is wrong."""

import signal
import sys
from collections.abc import Callable
from pathlib import Path

from evermodel.core import garbage
from evermodel.core.errors import EvermodelError


def run(main: Callable[[str], None]) -> None:
    """Call main with the name on the command line.

    Exits with 1 and one sentence on an EvermodelError or a file that can't be read or written (a full
    disk, a permission), with 143 when terminated.
    """
    garbage.collect_from_now_on()
    stage = Path(sys.argv[0]).stem
    if len(sys.argv) != 2:
        sys.exit(f"usage: python -m pipelines.{stage} NAME")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        main(sys.argv[1])
    except EvermodelError as error:
        sys.exit(f"{sys.argv[1]}: {error}")
    except OSError as error:
        sys.exit(f"{sys.argv[1]}: {error}; free space or mend the permission, then run the same again")
