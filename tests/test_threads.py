"""Work shared among threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from dermseg.threads import map_in_order


def test_results_come_in_order_however_long_each_takes() -> None:
    def wait(number: int) -> int:
        time.sleep(0.01 * (number % 3 == 0))
        return number * number

    assert list(map_in_order(wait, range(20), num_threads=3)) == [n * n for n in range(20)]


def test_few_items_are_taken_ahead_and_the_rest_is_dropped_when_the_caller_stops() -> None:
    taken = 0
    seen = set[int]()

    def items() -> Iterator[int]:
        nonlocal taken
        while True:
            taken += 1
            yield taken

    def note(number: int) -> int:
        seen.add(threading.get_ident())
        return number

    results = map_in_order(note, items(), num_threads=2)
    assert next(results) == 1
    results.close()
    assert taken <= 9
    assert threading.get_ident() not in seen
