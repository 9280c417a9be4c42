"""How a script of pipelines/ is run: one name in, one plain sentence out when something is wrong."""

import signal
import sys
from collections.abc import Callable
from pathlib import Path

from evermodel.core import imports
from evermodel.core.errors import EvermodelError


def run(main: Callable[..., None]) -> None:
    """Call main with the name on the command line, if the stage has one.

    Exits with 1 and one sentence on an EvermodelError or a file that can't be read or written (a full
    disk, a permission), with 143 when terminated.
    """
    imports.collect_from_now_on()
    names = sys.argv[1:]
    who = names[0] if names else Path(sys.argv[0]).stem
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        main(*names)
    except EvermodelError as error:
        sys.exit(f"{who}: {error}")
    except OSError as error:
        sys.exit(f"{who}: {error}; free space or mend the permission, then run the same again")
