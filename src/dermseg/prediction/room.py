"""A bound on the pixels that threads hold at native size at once."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

__all__ = ["Room"]


class Room:
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
