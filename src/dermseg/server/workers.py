"""Threads for what takes time, with a bounded queue before them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["BusyError", "Workers"]

_T = TypeVar("_T")


class BusyError(Exception):
    """The queue is full, or an answer took too long."""


class Workers:
    """A few threads that work on what requests ask for.

    Args:
        num_threads: How many.
        max_waiting: Longest queue before them.
        seconds: Longest time until an answer.
    """

    def __init__(self, num_threads: int, *, max_waiting: int, seconds: float) -> None:
        self._pool = ThreadPoolExecutor(num_threads, thread_name_prefix="dermseg-serve")
        self._most = num_threads + max_waiting
        self._seconds = seconds
        self._changed = threading.Condition()
        self._num_pending = 0

    async def run(self, work: Callable[[], _T]) -> _T:
        """Wait for a thread to do some work.

        Raises:
            BusyError: If too much is waiting already, or it takes too long.
        """
        with self._changed:
            if self._num_pending >= self._most:
                message = f"{self._num_pending} requests are waiting already: try again soon"
                raise BusyError(message)
            self._num_pending += 1
        try:
            future = self._pool.submit(work)
        except RuntimeError as error:  # the server is stopping
            self._release()
            message = "the server is stopping"
            raise BusyError(message) from error
        future.add_done_callback(lambda _: self._release())
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self._seconds)
        except TimeoutError as error:
            message = f"the answer took longer than {self._seconds:g} s"
            raise BusyError(message) from error

    def wait_until_idle(self, is_stopping: threading.Event) -> None:
        """Give way to requests: return when none is pending, or the server stops."""
        with self._changed:
            while self._num_pending and not is_stopping.is_set():
                self._changed.wait(0.5)

    def close(self) -> None:
        """Finish what is being done, and drop what waits."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _release(self) -> None:
        with self._changed:
            self._num_pending -= 1
            self._changed.notify_all()
