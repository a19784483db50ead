"""Locks between processes that end with the process, also if it is killed."""

from __future__ import annotations

import errno
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from dermseg.errors import OutputError
from dermseg.images.files import source_name

__all__ = ["exclusive_lock", "shared_lock", "try_exclusive_lock"]

_SECONDS_BETWEEN_TRIES = 0.1
_TAKEN = {errno.EACCES, errno.EAGAIN, errno.EDEADLK}


@contextmanager
def exclusive_lock(path: Path, *, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold a lock file alone; wait while another process holds it.

    Args:
        path: The lock file; made if it is not there, and never removed.
        on_wait: Called once if there is something to wait for.

    Raises:
        OutputError: If the file cannot be made, or its file system has no locks.
    """
    with _open(path) as file:
        if not _try_lock(file, path, is_shared=False):
            on_wait()
            while not _try_lock(file, path, is_shared=False):
                time.sleep(_SECONDS_BETWEEN_TRIES)
        yield


@contextmanager
def try_exclusive_lock(path: Path) -> Iterator[bool]:
    """Hold a lock file alone if nobody else holds it, and tell whether that is so.

    Raises:
        OutputError: As `exclusive_lock`.
    """
    with _open(path) as file:
        yield _try_lock(file, path, is_shared=False)


@contextmanager
def shared_lock(path: Path) -> Iterator[None]:
    """Hold a lock file together with others; wait while a process holds it alone.

    Raises:
        OutputError: As `exclusive_lock`.
    """
    with _open(path) as file:
        while not _try_lock(file, path, is_shared=True):
            time.sleep(_SECONDS_BETWEEN_TRIES)
        yield


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("ab")
    except OSError as error:
        message = f"{source_name(path)}: the lock cannot be made: {error.strerror}"
        raise OutputError(message) from error


def _try_lock(file: BinaryIO, path: Path, *, is_shared: bool) -> bool:
    try:
        _lock(file, is_shared=is_shared)
    except OSError as error:
        if error.errno in _TAKEN:
            return False
        message = (
            f"{source_name(path)}: this file system has no locks ({error.strerror}): choose a "
            "folder on another one"
        )
        raise OutputError(message) from error
    return True


if sys.platform == "win32":
    import msvcrt

    def _lock(file: BinaryIO, *, is_shared: bool) -> None:
        # Without shared locks, each holder locks another byte, and whoever wants to be alone
        # locks all of them.
        if not is_shared:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 64)
            return
        for byte in range(64):
            file.seek(byte)
            try:
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            except OSError:
                continue
            return
        raise OSError(errno.EAGAIN, "all places are taken")

else:
    import fcntl

    def _lock(file: BinaryIO, *, is_shared: bool) -> None:
        kind = fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX
        fcntl.flock(file, kind | fcntl.LOCK_NB)
