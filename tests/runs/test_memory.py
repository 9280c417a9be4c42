import ctypes
import subprocess
import sys

import pytest

# A thread that takes and frees 20 MiB in small pieces, as the threads of a back end do, and how many pages
# the system had to clear for it after the first time.
STEPS = """
import resource, sys, threading
from evermodel.runs import memory

def step():
    return [bytearray(100_000) for _ in range(200)] and None

def steps():
    step()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        step()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)

if sys.argv[1] == "keep":
    memory.keep()
thread = threading.Thread(target=steps)
thread.start()
thread.join()
"""


def cleared(how: str) -> int:
    """Pages that the system clears for twenty steps."""
    return int(subprocess.check_output([sys.executable, "-c", STEPS, how], text=True))


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="the C library here is not glibc")
def test_what_a_step_frees_is_there_for_the_next_one():
    assert cleared("keep") < cleared("as it is") / 10
