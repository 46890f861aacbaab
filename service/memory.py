"""Memory that a process has freed, given back to the machine."""

import ctypes
from collections.abc import Callable


def _of_libc() -> Callable[[int], int] | None:
    """glibc's malloc_trim(3); None with another C library."""
    return getattr(ctypes.CDLL(None), "malloc_trim", None)


def give_back() -> bool:
    """Give back what is free between what is in use; answers whether anything went. glibc keeps it otherwise, for the next
    large need: a judge that looks through weeks of messages once would hold for good what that look took."""
    trim = _of_libc()
    return trim is not None and trim(0) == 1
