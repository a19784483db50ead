"""Downloading a dataset: resumed, checked, unpacked, and put in place only when it is whole.

Needs the extra ``train``. In the dataset's folder::

    archives/NAME.zip.part      what has come so far; NAME.zip once it is whole and checked
    .unpacking/NAME.partial     an archive while it is unpacked; NAME once that is done
    download.json               sizes and checksums of what was downloaded

The folders of the dataset appear when every archive is unpacked: tables and masks first, images
last, because a dataset is recognised by its images.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from dermseg.datasets import DATASETS, open_dataset
from dermseg.datasets.archives import Archive, Download, find_download
from dermseg.datasets.download_record import (
    DownloadRecord,
    DownloadReport,
    Entry,
    describe,
    measure,
    read_record,
    write_record,
)
from dermseg.datasets.http import Patience, Progress, Silence, ask_size, fetch, forget
from dermseg.datasets.unpacking import find_damage, sync_folder, unpack
from dermseg.errors import DownloadError, OutputError, UsageError

__all__ = ["Patience", "Progress", "Silence", "download_dataset"]

_ARCHIVES = "archives"
_STAGE = ".unpacking"
_ORDER = ("table", "masks", "images")


def download_dataset(
    dataset: str | Download,
    folder: Path,
    *,
    parts: Collection[str] = (),
    url: str | None = None,
    keep_archives: bool = False,
    patience: Patience | None = None,
    progress: Progress | None = None,
) -> DownloadReport:
    """Download a dataset, or continue where it was interrupted, and pair its files.

    Killed at any moment, it continues when called again. An archive that was put into
    ``archives/`` by hand is checked and used. What is complete is not downloaded again.

    Args:
        dataset: A name in ``DOWNLOADS``, or what to download.
        folder: The folder to make the dataset in.
        parts: Official parts, such as ``validation``; none means all.
        url: The folder of a mirror that has the archives under their names; the checksums stay.
        keep_archives: Keep the archives in ``archives/`` after they are unpacked.
        patience: When to try again, and when to give up.
        progress: Is told what happens; nothing is shown by default.

    Raises:
        UsageError: If the dataset or a part is not known, or the folder holds something else.
        DownloadError: If a server fails or refuses, or an archive is damaged or unsafe.
        OutputError: If the disk is full or not writable.
        KeyboardInterrupt: If it is interrupted.
    """
    download = find_download(dataset) if isinstance(dataset, str) else dataset
    patience, progress = patience or Patience(), progress or Silence()
    chosen = _choose(download, parts)
    if url is not None and not url.startswith(("http://", "https://")):
        message = f"--url {url}: expected an address that begins with https:// or http://"
        raise UsageError(message)
    with _disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        record = read_record(folder)
        missing = [archive for archive in chosen if not _is_in_place(folder, archive, record)]
        kind = DATASETS[download.dataset]
        if missing:
            progress.say(f"{kind.title}; licence {kind.licence}, see {kind.url}")
            urls = {archive.name: _address(download, archive, url) for archive in missing}
            _check_space(folder, missing, urls, record, patience, keep_archives=keep_archives)
            for archive in missing:
                if not _is_staged(folder, archive, record):
                    _stage(folder, archive, urls[archive.name], record, patience, progress)
                if not keep_archives:
                    (folder / _ARCHIVES / archive.name).unlink(missing_ok=True)
            _put_in_place(folder, missing)
        found = open_dataset(folder, download.dataset)
    return describe(download, chosen, found, record, is_new=bool(missing))


def _choose(download: Download, parts: Collection[str]) -> list[Archive]:
    for part in parts:
        if part not in download.parts:
            known = ", ".join(download.parts) or "it has none, leave --part out"
            message = f"--part {part}: no such part of '{download.dataset}'; its parts: {known}"
            raise UsageError(message)
    wanted = {None, *(parts or download.parts)}
    return [archive for archive in download.archives if archive.part in wanted]


def _address(download: Download, archive: Archive, mirror: str | None) -> str:
    if mirror is not None:
        return f"{mirror.rstrip('/')}/{archive.name}"
    return f"{download.address}/{archive.address or archive.name}"


def _is_in_place(folder: Path, archive: Archive, record: DownloadRecord) -> bool:
    target = folder / archive.target
    if not target.exists():
        return False
    entry = record.archives.get(archive.name)
    if entry is None:
        message = (
            f"{target} is there, and was not downloaded by this command: choose another folder "
            "with -o, or remove it"
        )
        raise UsageError(message)
    num_files, num_bytes = measure(target)
    if num_files < entry.num_files or num_bytes < entry.num_unpacked_bytes:
        message = (
            f"{target} holds {num_files:,} files of {num_bytes:,} bytes in all, less than the "
            f"{entry.num_files:,} of {entry.num_unpacked_bytes:,} that were downloaded: remove it "
            "to download it again"
        )
        raise UsageError(message)
    return True


def _is_staged(folder: Path, archive: Archive, record: DownloadRecord) -> bool:
    return archive.name in record.archives and (folder / _STAGE / archive.target).exists()


def _check_space(
    folder: Path,
    missing: Sequence[Archive],
    urls: dict[str, str],
    record: DownloadRecord,
    patience: Patience,
    *,
    keep_archives: bool,
) -> None:
    """Refuse early what cannot fit: images do not get smaller by packing, so they count twice."""
    to_come, largest, is_answering = 0, 0, True
    for archive in missing:
        if _is_staged(folder, archive, record):
            continue
        whole = folder / _ARCHIVES / archive.name
        if whole.exists():
            to_come += whole.stat().st_size
            continue
        size = archive.num_bytes
        if size is None and is_answering:
            size = ask_size(urls[archive.name], patience)
            is_answering = size is not None
        size = size or 0
        part = _part(folder, archive)
        rest = max(0, size - (part.stat().st_size if part.exists() else 0))
        to_come += size + (rest if keep_archives else 0)
        largest = max(largest, rest)
    needed = to_come + (0 if keep_archives else largest)
    free = shutil.disk_usage(folder).free
    if needed > free:
        message = (
            f"{folder}: about {needed / 1e9:.1f} GB are needed, and {free / 1e9:.1f} GB are free: "
            "make room, or choose a folder on another disk"
        )
        raise OutputError(message)


def _stage(
    folder: Path,
    archive: Archive,
    url: str,
    record: DownloadRecord,
    patience: Patience,
    progress: Progress,
) -> None:
    """Download, check and unpack an archive beside the dataset's own folders."""
    stage = folder / _STAGE
    stage.mkdir(exist_ok=True)
    (folder / _ARCHIVES).mkdir(exist_ok=True)
    packed = folder / _ARCHIVES / archive.name
    digest = _obtain(packed, archive, url, record, patience, progress)
    unfinished = stage / f"{archive.target}.partial"
    _remove(unfinished)
    if _is_zip(archive):
        progress.say(f"{archive.name}: unpacking")
        try:
            unpack(packed, unfinished)
        except DownloadError:
            _remove(unfinished)
            raise
    else:
        shutil.copyfile(packed, unfinished)
    num_files, num_unpacked = measure(unfinished)
    record.archives[archive.name] = Entry(
        num_bytes=packed.stat().st_size,
        digest=digest,
        is_published=archive.digest is not None,
        num_files=num_files,
        num_unpacked_bytes=num_unpacked,
    )
    write_record(folder, record)
    _remove(stage / archive.target)
    unfinished.rename(stage / archive.target)
    sync_folder(stage)


def _obtain(
    packed: Path,
    archive: Archive,
    url: str,
    record: DownloadRecord,
    patience: Patience,
    progress: Progress,
) -> str:
    """Have the archive whole and checked at ``packed``, and return its checksum."""
    earlier = record.archives.get(archive.name)
    expected = archive.digest or (earlier.digest if earlier else None)
    if packed.exists():
        digest, fault = _inspect(packed, archive, expected)
        if fault:
            message = f"{packed}: {fault}. Remove it to download it again"
            raise DownloadError(message)
        return digest
    part = packed.with_name(packed.name + ".part")
    for is_last in (False, True):
        progress.say(f"{archive.name}: {'continuing' if part.exists() else 'downloading'}")
        fetch(url, part, num_bytes=archive.num_bytes, patience=patience, progress=progress)
        digest, fault = _inspect(part, archive, expected)
        if not fault:
            part.rename(packed)
            forget(part)
            return digest
        forget(part)
        if is_last:
            break
        progress.say(f"{archive.name}: {fault}; downloading it once more from the start")
    message = f"{url}: {fault}, twice; what came was removed"
    if archive.digest is None and earlier is not None:
        message += ". If the official file has changed, remove its entry from download.json"
    raise DownloadError(message)


def _inspect(path: Path, archive: Archive, expected: str | None) -> tuple[str, str | None]:
    """Return the checksum of a file, and what is wrong with it."""
    algorithm = expected.partition(":")[0] if expected else "sha256"
    with path.open("rb") as file:
        value = hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False))
    digest = f"{algorithm}:{value.hexdigest()}"
    if expected is None:
        return digest, find_damage(path) if _is_zip(archive) else None
    if digest != expected:
        since = "" if archive.digest else " that the first download had"
        return digest, f"its checksum is {digest}, expected {expected}{since}"
    return digest, None


def _put_in_place(folder: Path, archives: Sequence[Archive]) -> None:
    for archive in sorted(archives, key=lambda archive: _ORDER.index(archive.holds)):
        (folder / _STAGE / archive.target).rename(folder / archive.target)
    sync_folder(folder)
    for name in (_STAGE, _ARCHIVES):
        with contextlib.suppress(OSError):  # it holds another part, or archives that are kept
            (folder / name).rmdir()


def _part(folder: Path, archive: Archive) -> Path:
    return folder / _ARCHIVES / f"{archive.name}.part"


def _is_zip(archive: Archive) -> bool:
    return archive.name.endswith(".zip")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        where = os.fsdecode(error.filename) if error.filename else folder
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        what = "the disk is full" if full else error.strerror or str(error)
        message = f"{where}: {what}. What has come is kept: run the same command again to continue"
        raise OutputError(message) from error
