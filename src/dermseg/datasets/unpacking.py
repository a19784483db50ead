"""Unpacking a ZIP archive from somewhere else: inside its folder, whole, or not at all."""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from dermseg.errors import DownloadError, OutputError
from dermseg.storage import DAMAGED_ZIP

__all__ = ["find_damage", "sync_folder", "unpack"]

# What people's systems add to archives, and no dataset means.
_JUNK = re.compile(r"(^|/)(__MACOSX(/|$)|\._|\.DS_Store$|Thumbs\.db$)")
_MAX_RATIO = 200
_HARMLESS_BYTES = 100_000_000

Member = tuple[zipfile.ZipInfo, PurePosixPath]


def find_damage(archive: Path) -> str | None:
    """Read a ZIP archive through, and say what is wrong with it; None if nothing is."""
    try:
        with zipfile.ZipFile(archive) as file:
            damaged = file.testzip()
    except (*DAMAGED_ZIP, OSError) as error:
        return f"it is no whole ZIP archive ({error})"
    return f"its member {damaged} is damaged" if damaged else None


def unpack(archive: Path, target: Path) -> None:
    """Unpack a ZIP archive into a new folder, and make sure that it is on the disk.

    A single folder around everything is left out, so that ``target`` takes its place. What macOS
    and Windows add is left out too.

    Args:
        archive: The ZIP file.
        target: The folder to make.

    Raises:
        DownloadError: If the archive is damaged or encrypted, or a member's name would lead out
            of the folder, is there twice, or is no plain file; nothing is written then, unless
            the damage shows up only in a member's content.
        OutputError: If it would not fit on the disk.
        OSError: If the files cannot be written.
    """
    try:
        with zipfile.ZipFile(archive) as file:
            members = _without_top(_check(archive, file.infolist()))
            num_bytes = sum(info.file_size for info, _ in members)
            _check_sizes(archive, num_bytes, target.parent)
            target.mkdir()
            for info, path in members:
                _write(file, info, target / path)
    except DAMAGED_ZIP as error:
        raise DownloadError(f"{archive}: the archive is damaged: {error}") from error
    except OSError as error:
        # From places before the file's start, or from a decoder; not from the disk.
        if error.errno not in (None, errno.EINVAL):
            raise
        raise DownloadError(f"{archive}: the archive is damaged: {error}") from error
    for folder, _, _ in os.walk(target):
        sync_folder(Path(folder))


def sync_folder(folder: Path) -> None:
    """Make sure that a folder's entries are on the disk, where the system can be asked to."""
    if hasattr(os, "O_DIRECTORY"):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _check(archive: Path, infos: Iterable[zipfile.ZipInfo]) -> list[Member]:
    """Refuse members that a dataset has no use for and an attacker has."""
    members: list[Member] = []
    files: set[str] = set()
    folders: set[str] = set()
    for info in infos:
        fault = _fault(info)
        # Upper and lower case are the same file on many systems.
        path = PurePosixPath(info.filename)
        key = str(path).casefold()
        if fault is None and not info.is_dir() and (key in files or key in folders):
            fault = "is there twice"
        above = {str(parent).casefold() for parent in path.parents}
        if fault is None and (above & files or (info.is_dir() and key in files)):
            fault = "is below a file"
        if fault is not None:
            # As it stands in the archive; Python has cut it at a null already.
            raise DownloadError(
                f"{archive}: refused, nothing was unpacked: the member {info.orig_filename!r} "
                f"{fault}"
            )
        folders |= above
        if info.is_dir():
            folders.add(key)
            continue
        files.add(key)
        if not _JUNK.search(str(path)):
            members.append((info, path))
    return members


def _fault(info: zipfile.ZipInfo) -> str | None:
    name = info.orig_filename
    kind = stat.S_IFMT(info.external_attr >> 16)
    faults = {
        "has a name that is no file name": not name.strip("/. ") or not name.isprintable(),
        "has an absolute path, a drive or a backslash in its name": (
            name.startswith("/") or "\\" in name or ":" in name
        ),
        "leads out of the folder": ".." in name.split("/"),
        "is a link": kind == stat.S_IFLNK,
        "is a device or a pipe": kind not in (0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK),
        "is encrypted": bool(info.flag_bits & 1),
    }
    return next((fault for fault, is_there in faults.items() if is_there), None)


def _check_sizes(archive: Path, num_bytes: int, folder: Path) -> None:
    num_packed = archive.stat().st_size
    if num_bytes > max(_MAX_RATIO * num_packed, _HARMLESS_BYTES):
        raise DownloadError(
            f"{archive}: refused, nothing was unpacked: {num_packed:,} bytes claim to hold "
            f"{num_bytes:,}"
        )
    free = shutil.disk_usage(folder).free
    if num_bytes > free:
        raise OutputError(
            f"{archive}: unpacking needs {num_bytes:,} bytes, and {folder} has {free:,} free: make "
            f"room and run the same command again"
        )


def _without_top(members: list[Member]) -> list[Member]:
    """Leave out the one folder that everything is in, if there is one."""
    tops = {path.parts[0] for _, path in members}
    if len(tops) != 1 or any(len(path.parts) == 1 for _, path in members):
        return members
    return [(info, PurePosixPath(*path.parts[1:])) for info, path in members]


def _write(file: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with file.open(info) as packed, path.open("xb") as unpacked:
        shutil.copyfileobj(packed, unpacked, 1 << 20)
        unpacked.flush()
        os.fsync(unpacked.fileno())
