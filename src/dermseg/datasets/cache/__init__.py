"""A cache of prepared images and masks, from which training reads."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from dermseg.datasets.cache.arrays import ARRAY_SUFFIX, MAX_CLASSES
from dermseg.datasets.cache.building import CacheReport, Failure, build
from dermseg.datasets.cache.display import SILENT, ConsoleDisplay, Display
from dermseg.datasets.cache.index import INDEX, Settings, read_index
from dermseg.datasets.cache.locking import exclusive_lock, shared_lock, try_exclusive_lock
from dermseg.datasets.cache.reading import CachedPairs
from dermseg.datasets.pairs import Preparation
from dermseg.errors import OutputError, UsageError
from dermseg.images.files import source_name, write_reason
from dermseg.types import Sample, Size

__all__ = [
    "SILENT",
    "CacheReport",
    "CachedPairs",
    "ConsoleDisplay",
    "Display",
    "Failure",
    "open_cache",
]

_WRITER_LOCK = ".writing"
_READER_LOCK = ".reading"


@contextmanager
def open_cache(
    folder: Path,
    samples: Sequence[Sample],
    *,
    sizes: Sequence[Size],
    preparation: Preparation,
    num_workers: int | None = None,
    prune: bool = False,
    display: Display = SILENT,
) -> Iterator[tuple[CachedPairs, CacheReport]]:
    """Complete a cache and read from it.

    A row of the cache belongs to the contents of an image file and its mask files, so that only
    what is new or has changed is prepared; every row that is kept is compared with its checksum.
    The program may be ended at any moment: what is done is kept, and what is half done is not seen.
    One process at a time completes a cache, others wait; any number read from it meanwhile.

    Args:
        folder: The cache's own folder; made if it is not there.
        samples: What is going to be read.
        sizes: At which (height, width).
        preparation: What a pair is made of; the lesion may count as one of its classes.
        num_workers: Threads that read images; None takes one per core.
        prune: Give up rows of all other images and sizes, unless a process is reading.
        display: Told how far it is.

    Yields:
        The pairs, without those that are named in the report's failures; the report.

    Raises:
        UsageError: If ``folder`` holds something else, other settings are wanted while a process
            reads from it, or there are more than eight classes.
        OutputError: If there is not enough space, or it cannot be written.
    """
    if len(preparation.classes) > MAX_CLASSES:
        message = (
            f"a cache holds masks of at most {MAX_CLASSES} classes, but there are "
            f"{len(preparation.classes)}: {', '.join(preparation.classes)}; train without a cache"
        )
        raise UsageError(message)
    _make_folder(folder)
    sizes = list(dict.fromkeys(sizes))
    with ExitStack() as reading:
        with exclusive_lock(
            folder / _WRITER_LOCK,
            on_wait=lambda: display.say(f"{folder}: waiting, another process is writing it"),
        ):
            with try_exclusive_lock(folder / _READER_LOCK) as is_alone:
                rows, report = build(
                    folder,
                    samples,
                    sizes,
                    Settings.of(preparation),
                    num_workers=num_workers or os.cpu_count() or 1,
                    prune=prune,
                    is_in_use=not is_alone,
                    display=display,
                )
            # Before the writer's lock is given back, so that nobody prunes in between.
            reading.enter_context(shared_lock(folder / _READER_LOCK))
        yield CachedPairs(folder, preparation, rows), report


def _make_folder(folder: Path) -> None:
    name = source_name(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        names = {path.name for path in folder.iterdir()}
    except OSError as error:
        message = f"{name}: cannot be made: {write_reason(error, folder)}"
        raise OutputError(message) from error
    seen = {name for name in names if not name.startswith(".")}
    arrays = {name for name in seen if name.endswith(ARRAY_SUFFIX)}
    is_ours = not seen or bool(arrays) or read_index(folder) is not None
    if not is_ours or seen - arrays - {INDEX}:
        message = f"{name} holds something else than a cache: choose a new or an empty folder"
        raise UsageError(message)
