"""Work shared among threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Final, TypeVar

__all__ = ["map_in_order"]

_WAITING_PER_THREAD: Final = 4

_Given = TypeVar("_Given")
_Result = TypeVar("_Result")


def map_in_order(
    function: Callable[[_Given], _Result], items: Iterable[_Given], *, num_threads: int
) -> Generator[_Result, None, None]:
    """Apply a function to each item on threads; results come in the order of the items.

    At most four items per thread are under way, so memory does not grow with their number. When
    the caller stops early, or is interrupted, what has not begun is dropped.
    """
    remaining = iter(items)
    pool = ThreadPoolExecutor(num_threads, thread_name_prefix="dermseg")
    waiting = deque[Future[_Result]]()

    def submit(num_items: int) -> None:
        waiting.extend(pool.submit(function, item) for item in islice(remaining, num_items))

    try:
        submit(_WAITING_PER_THREAD * num_threads)
        while waiting:
            yield waiting.popleft().result()
            submit(1)
    finally:
        pool.shutdown(cancel_futures=True)
