"""Bounds on the memory of threads that work on images at native size."""

from __future__ import annotations

import contextlib
import ctypes
import sys
import threading
from collections.abc import Iterator

__all__ = ["MemoryBudget", "share_heap"]

_M_ARENA_MAX = -8  # from glibc's malloc.h


def share_heap() -> None:
    """Let the threads of this process share one heap, where the C library is glibc.

    Else each thread keeps the memory of the largest image that it has worked on. It changes the
    whole process, so it is for programs to call before they start threads, not for libraries.
    """
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError):  # another C library
            ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


class MemoryBudget:
    """Lets threads in as long as their images fit together; a larger one goes in alone.

    Args:
        num_pixels: What fits.
    """

    def __init__(self, num_pixels: int) -> None:
        self._capacity = self._free = num_pixels
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def hold(self, num_pixels: int) -> Iterator[None]:
        """Wait until ``num_pixels`` fit, and keep their place in the body.

        A body must not ask for more: two threads could then wait for each other.
        """
        wanted = min(num_pixels, self._capacity)
        with self._changed:
            self._changed.wait_for(lambda: self._free >= wanted)
            self._free -= wanted
        try:
            yield
        finally:
            with self._changed:
                self._free += wanted
                self._changed.notify_all()
