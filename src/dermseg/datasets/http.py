"""One file over HTTP, continued where it was broken off. Needs the extra ``train`` (requests)."""

from __future__ import annotations

import json
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import requests

from dermseg.errors import DownloadError
from dermseg.storage import write_bytes_atomically

__all__ = ["Patience", "Progress", "Silence", "ask_size", "fetch", "forget"]

# Small, since what is in a chunk is lost when the connection breaks off.
_CHUNK = 1 << 14
# Compression on the way would make lengths and ranges mean something else.
_HEADERS = {"Accept-Encoding": "identity", "User-Agent": "dermseg"}


class Progress(Protocol):
    """Is told how a download goes."""

    def say(self, line: str) -> None:
        """Take a line for people."""

    def advance(self, name: str, num_done: int, num_total: int | None) -> None:
        """Take how many bytes of a file are there, and how many there will be."""


class Silence:
    """Shows nothing."""

    def say(self, line: str) -> None:
        """Drop the line."""

    def advance(self, name: str, num_done: int, num_total: int | None) -> None:
        """Drop the numbers."""


@dataclass(frozen=True)
class Patience:
    """How long to wait for a server, and how often to try again.

    Attributes:
        connect_timeout_s: Until a connection is there.
        read_timeout_s: Without a single byte.
        num_attempts: Failures in a row, none of which brought a new byte, before giving up.
        first_wait_s: Before the second attempt; doubled each time.
        longest_wait_s: Never wait longer.
    """

    connect_timeout_s: float = 15
    read_timeout_s: float = 60
    num_attempts: int = 6
    first_wait_s: float = 1
    longest_wait_s: float = 60

    @property
    def timeout(self) -> tuple[float, float]:
        """As requests takes it."""
        return self.connect_timeout_s, self.read_timeout_s


class _TryAgainError(Exception):
    """The server may do better next time."""


_PASSING = (
    _TryAgainError,
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
)


def ask_size(url: str, patience: Patience) -> int | None:
    """Ask a server how large a file is; None if it does not say, or cannot be reached now."""
    # Not HEAD: signed addresses, to which some servers redirect, are for GET alone.
    headers = {**_HEADERS, "Range": "bytes=0-0"}
    try:
        with requests.get(url, headers=headers, stream=True, timeout=patience.timeout) as response:
            return _total(response) if response.ok else None
    except requests.RequestException:
        return None


def fetch(
    url: str, part: Path, *, num_bytes: int | None, patience: Patience, progress: Progress
) -> None:
    """Download into ``part`` until it is whole, continuing with the bytes that are there.

    Stalls, broken connections and errors of the server are tried again, ever more slowly. A
    server that cannot continue, or whose file has changed since, makes it start over.

    Args:
        url: The file.
        part: Where its bytes go; beside it, a small file keeps what names the server's version.
        num_bytes: The size it must have; None takes the server's word.
        patience: When to try again, and when to give up.
        progress: Is told about failures and bytes.

    Raises:
        DownloadError: If the server refuses, has another file, or does not get better.
        OSError: If ``part`` cannot be written.
    """
    most = _size(part)
    num_failures = 0
    with requests.Session() as session:
        while not _is_whole(part, num_bytes):
            try:
                _fetch_once(session, url, part, num_bytes, patience, progress)
                return
            except requests.exceptions.SSLError as error:
                message = f"{url}: no secure connection: {error}"
                raise DownloadError(message) from error
            except _PASSING as error:
                num_failures = num_failures + 1 if _size(part) <= most else 1
                most = max(most, _size(part))
                if num_failures >= patience.num_attempts:
                    message = (
                        f"{url}: given up after {num_failures} attempts: {_reason(error)}. What is "
                        "there is kept: run the same command again to continue"
                    )
                    raise DownloadError(message) from error
                wait = min(patience.first_wait_s * 2 ** (num_failures - 1), patience.longest_wait_s)
                name = part.name.removesuffix(".part")
                progress.say(f"{name}: {_reason(error)}; trying again in {wait:g} s")
                time.sleep(wait)
            except requests.RequestException as error:
                raise DownloadError(f"{url}: cannot be downloaded: {error}") from error


def forget(part: Path) -> None:
    """Remove a partial download and what is known about it."""
    part.unlink(missing_ok=True)
    _note(part).unlink(missing_ok=True)


def _fetch_once(
    session: requests.Session,
    url: str,
    part: Path,
    num_bytes: int | None,
    patience: Patience,
    progress: Progress,
) -> None:
    have = _size(part)
    if num_bytes is not None and have > num_bytes:
        forget(part)
        have = 0
    headers = {**_HEADERS, **_continuation(part, have)}
    with session.get(url, headers=headers, stream=True, timeout=patience.timeout) as response:
        if response.status_code == requests.codes.requested_range_not_satisfiable and have:
            if _range_total(response) == have and num_bytes in (None, have):
                return
            forget(part)
            message = "the server's file ends before what is there; starting over"
            raise _TryAgainError(message)
        _check_status(response, url)
        start = _start(response, part, have)
        total = _total(response)
        if num_bytes is not None and total is not None and total != num_bytes:
            message = f"{url}: the server's file has {total:,} bytes, expected {num_bytes:,}"
            raise DownloadError(message)
        with part.open("ab" if start else "wb") as file:
            # After the old bytes are gone, and before the first new one comes.
            _remember_version(part, response)
            num_done = start
            for chunk in response.iter_content(_CHUNK):
                file.write(chunk)
                num_done += len(chunk)
                progress.advance(part.name.removesuffix(".part"), num_done, total or num_bytes)
            file.flush()
            os.fsync(file.fileno())
    if (total or num_bytes or 0) > num_done:
        message = f"the connection ended after {num_done:,} of {total or num_bytes:,} bytes"
        raise _TryAgainError(message)


def _continuation(part: Path, have: int) -> dict[str, str]:
    """The headers that ask for the rest, and only of the version that the first bytes are of."""
    if not have:
        return {}
    headers = {"Range": f"bytes={have}-"}
    try:
        version = json.loads(_note(part).read_bytes())["version"]
    except (OSError, ValueError, KeyError, TypeError):
        return headers
    return {**headers, "If-Range": str(version)}


def _remember_version(part: Path, response: requests.Response) -> None:
    etag = response.headers.get("ETag", "")
    # A weak tag does not promise the same bytes.
    version = etag if etag.startswith('"') else response.headers.get("Last-Modified")
    if version:
        write_bytes_atomically(_note(part), json.dumps({"version": version}).encode())
    else:
        _note(part).unlink(missing_ok=True)


def _check_status(response: requests.Response, url: str) -> None:
    code = response.status_code
    if code in (requests.codes.ok, requests.codes.partial_content):
        return
    what = f"the server answers {code} {response.reason}"
    if code >= 500 or code in (requests.codes.too_many_requests, requests.codes.request_timeout):
        raise _TryAgainError(what)
    raise DownloadError(f"{url}: {what}. Check the address, or give a mirror with --url")


def _start(response: requests.Response, part: Path, have: int) -> int:
    """Return the offset at which the answer begins: the one asked for, or 0."""
    if response.status_code == requests.codes.ok:
        return 0
    begins = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    if begins and int(begins[1]) == have:
        return have
    forget(part)
    message = "the server sent another range than was asked for; starting over"
    raise _TryAgainError(message)


def _total(response: requests.Response) -> int | None:
    """The size of the whole file, if the server says it."""
    if response.status_code == requests.codes.partial_content:
        return _range_total(response)
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else None


def _range_total(response: requests.Response) -> int | None:
    total = response.headers.get("Content-Range", "").rpartition("/")[2]
    return int(total) if total.isdecimal() else None


def _reason(error: Exception) -> str:
    if isinstance(error, requests.ConnectTimeout):
        return "the server does not answer"
    # A stall within a body comes as a connection error that wraps the timeout.
    if isinstance(error, requests.Timeout) or "timed out" in str(error):
        return "no data for too long"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection broke off"
    return "no connection" if isinstance(error, requests.ConnectionError) else str(error)


def _is_whole(part: Path, num_bytes: int | None) -> bool:
    return num_bytes is not None and _size(part) == num_bytes


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _note(part: Path) -> Path:
    return part.with_name(part.name + ".json")
