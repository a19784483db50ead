"""Let one run at a time write into a folder."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from dermseg.errors import OutputError, UsageError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

__all__ = ["LOCK", "lock_file", "lock_folder"]

LOCK: Final = ".dermseg-lock"


@contextlib.contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Hold a folder for this process, and make it if it is not there.

    The system holds the lock, on an open file: that of a process which is gone, however it ended,
    is gone with it. Where a file system knows no locks, none is held.

    Args:
        folder: Removed again at the end if it was made here and nothing is in it.

    Raises:
        UsageError: If another process holds it; the message says which.
        OutputError: If the folder cannot be made or written.
    """
    is_new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = _open_locked(folder)
    except FileExistsError as error:
        raise UsageError(f"{folder} is a file: give a folder") from error
    except OSError as error:
        message = f"{folder}: the folder cannot be made or written: {error.strerror}"
        raise OutputError(message) from error
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            (folder / LOCK).unlink()  # while it is held, so that nobody else's is removed
        os.close(descriptor)
        if is_new:
            with contextlib.suppress(OSError):
                folder.rmdir()


def lock_file(descriptor: int) -> None:
    """Take the system's lock of an open file, which goes with the process, however it ends.

    Raises:
        OSError: If another process, or another opening, holds it, or the file system knows none.
    """
    if sys.platform == "win32":
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _open_locked(folder: Path) -> int:
    path = folder / LOCK
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            if not _try_lock(descriptor):
                message = (
                    f"{folder} is being written by another run ({_read_holder(descriptor)}): wait "
                    "for it, or choose another folder"
                )
                raise UsageError(message)
            # Whoever held it before may have removed the file in the meantime.
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), path.stat()):
                    os.ftruncate(descriptor, 0)
                    os.write(descriptor, _describe_self())
                    return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    """Take the lock of an open file; False if another process, or another opening, holds it."""
    try:
        lock_file(descriptor)
    except OSError as error:
        return error.errno not in (errno.EAGAIN, errno.EACCES, errno.EDEADLK)
    return True


def _describe_self() -> bytes:
    since = f"{datetime.now().astimezone():%Y-%m-%d %H:%M}"
    return f"process {os.getpid()} on {socket.gethostname()}, since {since}".encode()


def _read_holder(descriptor: int) -> str:
    with contextlib.suppress(OSError):
        os.lseek(descriptor, 0, os.SEEK_SET)
        if holder := os.read(descriptor, 200).decode("utf-8", "replace"):
            return holder
    return "it does not say which"
