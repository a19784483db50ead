"""A folder of photographs under review, with what was made of them."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Final

import sqlalchemy as sa

from dermseg.errors import DermsegError, OutputError, UnknownImageError, UsageError
from dermseg.prediction import plan_jobs
from dermseg.review.accounts import Accounts
from dermseg.review.database import Database
from dermseg.review.history import History
from dermseg.review.masks import MaskFiles
from dermseg.review.queue import Queue
from dermseg.review.tables import images
from dermseg.storage import lock_file

__all__ = ["FOLDER", "Project"]

FOLDER: Final = ".dermseg"
"""Where a project keeps its database and masks, inside the folder of photographs."""

_AT_ONCE: Final = 500


class Project:
    """An open project. Threads may share it.

    Args:
        folder: The photographs, also in subfolders; they are never written to.
        database: Address of another database than ``.dermseg/review.sqlite`` in the folder.
        exclusive: Whether to be the only one that serves the folder, until :meth:`close`.

    Attributes:
        folder: The photographs.
        database: The tables.
        masks: The mask files.
        queue: Which image is next.
        history: What was decided.
        accounts: Who may review.

    Raises:
        UsageError: If there is no such folder, another server has it, or the address is wrong.
        OutputError: If the folder or the database cannot be written.
    """

    def __init__(
        self, folder: Path, *, database: str | None = None, exclusive: bool = False
    ) -> None:
        if not folder.is_dir():
            message = f"{folder}: no such folder; give the folder that holds the photographs"
            raise UsageError(message)
        self.folder = folder.resolve()
        self._own = self.folder / FOLDER
        try:
            self._own.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            message = f"{self._own}: the folder cannot be made: {error.strerror}"
            raise OutputError(message) from error
        self._lock = _lock(self._own / "lock") if exclusive else None
        try:
            self.database = Database(database or f"sqlite:///{self._own / 'review.sqlite'}")
        except DermsegError:
            self._unlock()
            raise
        self.masks = MaskFiles(self._own / "masks")
        self.queue = Queue(self.database)
        self.history = History(self.database, self.masks)
        self.accounts = Accounts(self.database)

    def __enter__(self) -> Project:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database and the folder."""
        self.database.close()
        self._unlock()

    def scan(self) -> int:
        """Take in photographs that are new, and note those that are gone; how many there are.

        What a photograph holds is not looked at.

        Raises:
            UsageError: If there is none, or two have the same name but for their suffix.
        """
        jobs = plan_jobs([self.folder], recursive=True)
        names = {job.source.key for job in jobs}
        with self.database.writing() as connection:
            known = set(connection.execute(sa.select(images.c.name)).scalars())
            connection.execute(sa.update(images).values(present=False))
            new = sorted(names - known)
            for start in range(0, len(new), _AT_ONCE):
                rows = [_new_row(name) for name in new[start : start + _AT_ONCE]]
                connection.execute(sa.insert(images), rows)
            there = sorted(names)
            for start in range(0, len(there), _AT_ONCE):
                some = images.c.name.in_(there[start : start + _AT_ONCE])
                connection.execute(sa.update(images).where(some).values(present=True))
        return len(names)

    def path_of(self, image_id: str) -> Path:
        """The photograph of an image.

        Raises:
            UnknownImageError: If no image has this id.
        """
        with self.database.reading() as connection:
            name = connection.scalar(sa.select(images.c.name).where(images.c.id == image_id))
        if name is None:
            message = f"no image has the id '{image_id}'"
            raise UnknownImageError(message)
        return self.folder / str(name)

    def secret(self) -> bytes:
        """A key that signs the cookies of this project, so that they outlive the server.

        Raises:
            OutputError: If it cannot be written or read.
        """
        path = self._own / "secret"
        try:
            with contextlib.suppress(FileExistsError):
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "wb") as stream:
                    stream.write(secrets.token_bytes(32))
            content = path.read_bytes()
        except OSError as error:
            message = f"{path}: the key cannot be written or read: {error.strerror}"
            raise OutputError(message) from error
        if len(content) < 32:
            message = f"{path}: the key was cut off; remove the file, and all have to log in again"
            raise OutputError(message)
        return content

    def unpredicted(self) -> Iterator[tuple[str, Path]]:
        """Id and photograph of the images that no model has seen, by name."""
        unseen = images.c.present & (images.c.revision == 0)
        unseen &= images.c.error.is_(None)
        query = sa.select(images.c.id, images.c.name).where(unseen).order_by(images.c.name)
        with self.database.reading() as connection:
            rows = connection.execute(query).all()
        for image_id, name in rows:
            yield image_id, self.folder / name

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.close()  # which also lets go of the lock


def _new_row(name: str) -> dict[str, object]:
    return {
        "id": secrets.token_urlsafe(12),
        "name": name,
        "added": time.time(),
        "present": True,
        "state": "open",
        "revision": 0,
        "lease_until": 0.0,
    }


def _lock(path: Path) -> IO[bytes]:
    """Hold a file that the system lets go of when this process ends, however it ends."""
    try:
        stream = path.open("ab")
    except OSError as error:
        message = f"{path}: cannot be written: {error.strerror}"
        raise OutputError(message) from error
    try:
        lock_file(stream.fileno())
    except OSError as error:
        stream.close()
        message = (
            f"{path.parent.parent} is served already by another dermseg serve: use that one, or "
            "stop it first"
        )
        raise UsageError(message) from error
    return stream
