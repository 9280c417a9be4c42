"""Memory that one step of a training frees and the next one asks for again."""

import ctypes

TOP_PAD = -2  # M_TOP_PAD of glibc's <malloc.h>
KEPT = 64 << 20  # bytes that each of its arenas keeps


def keep() -> None:
    """Let this process keep what it frees; where the C library is not glibc, nothing changes.

    Else glibc gives megabytes back after every step, and for the next one the system clears the same pages
    again: up to four tenths of the time that the processor spends on a convolutional network (mallopt(3)).
    """
    if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):
        mallopt(TOP_PAD, KEPT)
