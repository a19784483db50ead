"""Building a cache, or completing one, so that it can be broken off at any moment."""

from __future__ import annotations

import shutil
import time
from collections import deque
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import cv2

from dermseg.datasets.cache.arrays import (
    ArrayWriter,
    array_paths,
    array_sizes,
    row_bytes,
    size_name,
)
from dermseg.datasets.cache.display import Display
from dermseg.datasets.cache.index import INDEX, Index, Key, Row, Settings, read_index, write_index
from dermseg.datasets.cache.planning import (
    Inputs,
    Task,
    drop_damaged,
    find_inputs,
    find_key,
    hash_inputs,
    plan_tasks,
)
from dermseg.datasets.class_masks import find_class_mask
from dermseg.datasets.pairs import Pair, prepare_pair
from dermseg.errors import DatasetError, ImageError, OutputError, UsageError
from dermseg.images import remove_leftovers
from dermseg.images.files import source_name
from dermseg.types import Sample, Size

__all__ = ["CacheReport", "Failure", "build"]

_SECONDS_BETWEEN_COMMITS = 0.5


@dataclass(frozen=True)
class Failure:
    """A sample that could not be prepared.

    Attributes:
        sample: Which.
        error: Why; what training from the files would have raised.
    """

    sample: Sample
    error: ImageError | DatasetError


@dataclass(frozen=True)
class CacheReport:
    """What a build did.

    Attributes:
        sizes: The network sizes (height, width).
        num_prepared: Pairs that were read and written.
        num_kept: Pairs that were there and whole.
        num_removed: Rows that were given up: their files are gone or have changed, or the
            settings have.
        num_bytes: Length of the arrays of these sizes.
        failures: What could not be prepared.
    """

    sizes: tuple[Size, ...]
    num_prepared: int
    num_kept: int
    num_removed: int
    num_bytes: int
    failures: tuple[Failure, ...]


@dataclass
class _State:
    """A cache while it is being built."""

    folder: Path
    settings: Settings
    rows: dict[Key, Row] = field(default_factory=dict)

    def write(self) -> None:
        rows = sorted(self.rows.values(), key=lambda row: row.slot)
        write_index(self.folder, Index(settings=self.settings, rows=rows))


def build(
    folder: Path,
    samples: Sequence[Sample],
    sizes: Sequence[Size],
    settings: Settings,
    *,
    num_workers: int,
    prune: bool,
    is_in_use: bool,
    display: Display,
) -> tuple[dict[Inputs, Row], CacheReport]:
    """Complete a cache. The caller holds its lock.

    The order of writing: the index without what is going to be overwritten; rows; the disk has
    them; the index with them. So a row in the index is whole whenever the program ends.

    Args:
        folder: The cache; made if it is not there.
        samples: What it should hold.
        sizes: Network sizes that each of them should have.
        settings: How they are made.
        num_workers: Threads that read images.
        prune: Give up everything else.
        is_in_use: Whether another process reads from it; then nothing is given up.
        display: Told how far it is.

    Returns:
        The row of each sample, by the files that it was made from, and what was done.

    Raises:
        OutputError: If there is not enough space, or it cannot be written.
        UsageError: If other settings are wanted while it is in use.
    """
    remove_leftovers(folder)
    state, num_removed = _open_state(folder, settings, is_in_use=is_in_use, display=display)
    preparation = settings.preparation
    keys = hash_inputs(samples, preparation, num_workers=num_workers, display=display)
    wanted = [state.rows[key] for key in dict.fromkeys(keys) if key in state.rows]
    if prune and not is_in_use:
        num_removed += len(state.rows) - len(wanted)
        state.rows = {row.key: row for row in wanted}
        _drop_other_sizes(state, sizes)
    num_damaged = drop_damaged(folder, wanted, sizes, num_workers=num_workers, display=display)
    if num_damaged:
        display.say(f"{folder}: {num_damaged} damaged rows are made again")
    tasks = plan_tasks(samples, keys, state.rows, sizes)
    state.write()
    with ExitStack() as stack:
        writers = [stack.enter_context(ArrayWriter(folder, size)) for size in sizes]
        _check_space(state, tasks, writers, display)
        failures = _Work(state, writers, num_workers, display).run(tasks)
        if not is_in_use:
            for writer in writers:
                writer.cut(_num_rows(state.rows.values()))
        num_bytes = sum(writer.num_bytes for writer in writers)
    rows = {
        find_inputs(sample, preparation): state.rows[key]
        for sample, key in zip(samples, keys, strict=True)
        if key in state.rows
    }
    report = CacheReport(
        sizes=tuple(sizes),
        num_prepared=len(tasks) - len(failures),
        # The same image may be in two datasets.
        num_kept=len(set(keys) - {None}) + keys.count(None) - len(tasks),
        num_removed=num_removed,
        num_bytes=num_bytes,
        failures=tuple(failures),
    )
    return rows, report


def _open_state(
    folder: Path, settings: Settings, *, is_in_use: bool, display: Display
) -> tuple[_State, int]:
    """What is there, and how many rows cannot be used under these settings."""
    state = _State(folder, settings)
    is_there = (folder / INDEX).exists()
    index = read_index(folder)
    if index is not None and index.settings == settings:
        state.rows = {row.key: row for row in index.rows}
        return state, 0
    if is_there and is_in_use:
        message = (
            f"{source_name(folder)}: this cache was made for other classes, with other cleaning or "
            "by another version and is in use by a training run: wait for it to end, or choose "
            "another folder"
        )
        raise UsageError(message)
    if is_there:
        reason = (
            "its index is damaged or of another version"
            if index is None
            else "classes, cleaning or versions have changed"
        )
        display.say(f"{folder}: {reason}: all images are prepared again")
    return state, len(index.rows) if index else 0


def _drop_other_sizes(state: _State, sizes: Sequence[Size]) -> None:
    names = {size_name(size) for size in sizes}
    for row in state.rows.values():
        row.checksums = {name: row.checksums[name] for name in row.checksums if name in names}
    unused = array_sizes(state.folder) - names
    if unused:
        state.write()
    for name in unused:
        for path in array_paths(state.folder, name):
            path.unlink(missing_ok=True)


def _num_rows(rows: Iterable[Row]) -> int:
    return max((row.slot + 1 for row in rows), default=0)


def _check_space(
    state: _State, tasks: Sequence[Task], writers: Sequence[ArrayWriter], display: Display
) -> None:
    """Say what the tasks need, and refuse to begin without it."""
    if not tasks:
        return
    num_rows = max(_num_rows(state.rows.values()), *(task.slot + 1 for task in tasks))
    growth = [num_rows * row_bytes(writer.size) - writer.num_bytes for writer in writers]
    needed = sum(max(0, value) for value in growth)
    free = shutil.disk_usage(state.folder).free
    if needed > free:
        message = (
            f"{source_name(state.folder)}: {_megabytes(needed)} are needed for {len(tasks)} images "
            f"and {_megabytes(free)} are free: free some space, or choose another folder"
        )
        raise OutputError(message)
    sizes = ", ".join(size_name(writer.size) for writer in writers)
    display.say(
        f"{state.folder}: {len(tasks)} images to prepare at {sizes} (height x width), "
        f"{_megabytes(needed)} more on the disk"
    )


def _megabytes(num_bytes: int) -> str:
    return f"{num_bytes / 1e6:,.1f} MB"


class _Work:
    """Reads in threads, writes in this one, and commits now and then."""

    def __init__(
        self,
        state: _State,
        writers: Sequence[ArrayWriter],
        num_workers: int,
        display: Display,
    ) -> None:
        self.state = state
        self.preparation = state.settings.preparation
        self.writers = {writer.size: writer for writer in writers}
        self.num_workers = num_workers
        self.display = display
        self.written: list[Row] = []

    def run(self, tasks: Sequence[Task]) -> list[Failure]:
        failures = []
        next_commit = time.monotonic() + _SECONDS_BETWEEN_COMMITS
        with (
            closing(self._prepare_all(tasks)) as prepared,
            closing(self.display.track(prepared, len(tasks), "preparing")) as results,
        ):
            for task, result in results:
                if isinstance(result, ImageError | DatasetError):
                    failures.append(Failure(task.sample, result))
                    continue
                self._write(task, result)
                if time.monotonic() >= next_commit:
                    started = time.monotonic()
                    self._commit()
                    now = time.monotonic()
                    # On a slow disk, or with a long index: at most a tenth of the time.
                    next_commit = now + max(_SECONDS_BETWEEN_COMMITS, 10 * (now - started))
        self._commit()
        return failures

    def _prepare_all(
        self, tasks: Sequence[Task]
    ) -> Generator[tuple[Task, list[Pair] | ImageError | DatasetError]]:
        """Results in the order of the tasks, with a few native images in memory."""
        num_threads = cv2.getNumThreads()
        cv2.setNumThreads(1)  # the images are shared among threads already
        try:
            with ThreadPoolExecutor(self.num_workers) as pool:
                rest = iter(tasks)
                waiting: deque[tuple[Task, Future[list[Pair] | ImageError | DatasetError]]] = deque(
                    (task, pool.submit(self._prepare, task))
                    for task in islice(rest, 2 * self.num_workers)
                )
                try:
                    while waiting:
                        task, future = waiting.popleft()
                        result = future.result()
                        waiting.extend(
                            (task, pool.submit(self._prepare, task)) for task in islice(rest, 1)
                        )
                        yield task, result
                finally:
                    pool.shutdown(cancel_futures=True)
        finally:
            cv2.setNumThreads(num_threads)

    def _prepare(self, task: Task) -> list[Pair] | ImageError | DatasetError:
        try:
            pairs = prepare_pair(task.sample, task.sizes, self.preparation)
        except (ImageError, DatasetError) as error:
            return error
        # A row must not get the hash of a file that was replaced before it was decoded.
        if task.key is None or find_key(task.sample, self.preparation) != task.key:
            return ImageError(source_name(task.sample.image), "it changed while it was read")
        return pairs

    def _write(self, task: Task, pairs: Sequence[Pair]) -> None:
        image, masks = task.key or ("", "")
        old = self.state.rows.get((image, masks))
        checksums = dict(old.checksums) if old else {}
        for size, pair in zip(task.sizes, pairs, strict=True):
            checksums[size_name(size)] = self.writers[size].write(task.slot, pair)
        self.written.append(
            Row(
                slot=task.slot,
                id=source_name(task.sample.id),
                image=image,
                masks=masks,
                known=[
                    name
                    for name in self.preparation.classes
                    if find_class_mask(task.sample, name) is not None
                ],
                checksums=dict(sorted(checksums.items())),
            )
        )

    def _commit(self) -> None:
        for writer in self.writers.values():
            writer.sync()
        self.state.rows |= {row.key: row for row in self.written}
        self.written.clear()
        self.state.write()
