"""A file over HTTP, from servers that stall, break off, refuse and change their minds."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from dermseg.datasets.http import Patience, Silence, ask_size, fetch
from dermseg.errors import DownloadError

from .conftest import Fault, Site

CONTENT = random.Random(0).randbytes(300_000)  # noqa: S311 -- the same bytes each time
HASTE = Patience(
    connect_timeout_s=2, read_timeout_s=0.5, num_attempts=3, first_wait_s=0.01, longest_wait_s=0.02
)


class Lines(Silence):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture
def part(tmp_path: Path, site: Site) -> Path:
    site.files["file"] = CONTENT
    return tmp_path / "file.part"


def get(site: Site, part: Path, *, num_bytes: int | None = None) -> list[str]:
    progress = Lines()
    fetch(f"{site.address}/file", part, num_bytes=num_bytes, patience=HASTE, progress=progress)
    return progress.lines


def asked(site: Site) -> list[str | None]:
    return [wanted for _, wanted in site.ranges]


def test_a_file_comes_whole(site: Site, part: Path) -> None:
    assert get(site, part) == []
    assert part.read_bytes() == CONTENT
    assert ask_size(f"{site.address}/file", HASTE) == len(CONTENT)


@pytest.mark.parametrize("what", ["no data for too long", "broke off"])
def test_a_broken_body_is_continued_where_it_broke_off(site: Site, part: Path, what: str) -> None:
    site.fail("file", Fault(num_bytes=131_072, stalls="no data" in what))
    (line,) = get(site, part)
    assert part.read_bytes() == CONTENT
    assert asked(site) == [None, "bytes=131072-"]
    assert what in line
    assert "trying again in 0.01 s" in line


def test_progress_resets_the_patience(site: Site, part: Path) -> None:
    # Six failures, each after some new bytes, with a patience of three.
    site.fail("file", *[Fault(num_bytes=40_000)] * 6)
    assert len(get(site, part)) == 6
    assert part.read_bytes() == CONTENT


def test_without_a_new_byte_it_gives_up_and_keeps_what_is_there(site: Site, part: Path) -> None:
    site.fail("file", Fault(num_bytes=65_536), *[Fault(status=503)] * 2)
    with pytest.raises(DownloadError, match=r"given up after 3 attempts: .* 503 .*to continue"):
        get(site, part)
    assert part.read_bytes() == CONTENT[:65_536]
    assert get(site, part) == []
    assert part.read_bytes() == CONTENT


def test_a_server_that_breaks_off_and_cannot_continue_is_given_up(site: Site, part: Path) -> None:
    site.fail("file", *[Fault(num_bytes=65_536, ignores_range=True)] * 9)
    with pytest.raises(DownloadError, match="given up after 3 attempts"):
        get(site, part)


@pytest.mark.parametrize("status", [500, 502, 429])
def test_passing_errors_are_tried_again(site: Site, part: Path, status: int) -> None:
    site.fail("file", Fault(status=status))
    (line,) = get(site, part)
    assert f"the server answers {status}" in line
    assert part.read_bytes() == CONTENT


@pytest.mark.parametrize("status", [401, 403, 404])
def test_refusals_are_not_tried_again(site: Site, part: Path, status: int) -> None:
    site.fail("file", Fault(status=status))
    with pytest.raises(DownloadError, match=f"the server answers {status} .*--url"):
        get(site, part)
    assert len(site.ranges) == 1


def test_a_server_that_ignores_ranges_sends_everything_again(site: Site, part: Path) -> None:
    part.write_bytes(b"x" * 1000)
    site.fail("file", Fault(ignores_range=True))
    get(site, part)
    assert part.read_bytes() == CONTENT


def test_another_range_than_was_asked_for_is_not_appended(site: Site, part: Path) -> None:
    part.write_bytes(CONTENT[:1000])
    site.fail("file", Fault(range_start=900))
    (line,) = get(site, part)
    assert "another range" in line
    assert part.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("there", "requests"),
    [
        (CONTENT, ["bytes=300000-"]),
        (CONTENT + b"more", ["bytes=300004-", None]),
    ],
)
def test_an_end_that_cannot_be_satisfied_is_understood(
    site: Site, part: Path, there: bytes, requests: Sequence[str | None]
) -> None:
    part.write_bytes(there)
    get(site, part)
    assert part.read_bytes() == CONTENT
    assert asked(site) == requests


def test_a_whole_file_of_known_size_is_not_asked_for(site: Site, part: Path) -> None:
    part.write_bytes(CONTENT)
    get(site, part, num_bytes=len(CONTENT))
    assert site.ranges == []


def test_a_file_that_changed_meanwhile_is_started_over(site: Site, part: Path) -> None:
    site.fail("file", Fault(num_bytes=65_536), *[Fault(status=500)] * 2)
    site.fail("file", Fault(status=500))
    with pytest.raises(DownloadError):
        get(site, part)
    site.files["file"] = other = bytes(reversed(CONTENT))
    get(site, part)
    assert part.read_bytes() == other


def test_redirects_are_followed_and_keep_the_range(site: Site, part: Path) -> None:
    site.files["elsewhere"] = CONTENT
    part.write_bytes(CONTENT[:100])
    site.fail("file", Fault(location="/elsewhere"))
    get(site, part)
    assert part.read_bytes() == CONTENT
    assert site.ranges == [("file", "bytes=100-"), ("elsewhere", "bytes=100-")]


def test_redirects_in_a_circle_are_refused(site: Site, part: Path) -> None:
    site.fail("file", *[Fault(location="/file")] * 40)
    with pytest.raises(DownloadError, match=r"cannot be downloaded: .*redirects"):
        get(site, part)


def test_a_file_of_another_size_is_refused_before_it_comes(site: Site, part: Path) -> None:
    with pytest.raises(DownloadError, match="file has 300,000 bytes, expected 300,001"):
        get(site, part, num_bytes=300_001)
    assert not part.exists()


def test_a_body_of_unknown_length_is_held_against_the_known_size(site: Site, part: Path) -> None:
    site.fail("file", Fault(has_length=False, num_bytes=100_000))
    (line,) = get(site, part, num_bytes=len(CONTENT))
    assert "100,000 of 300,000 bytes" in line
    assert part.read_bytes() == CONTENT


def test_nobody_there_is_said_after_the_last_attempt(tmp_path: Path, site: Site) -> None:
    url = "http://127.0.0.1:1/file"
    with pytest.raises(DownloadError, match="given up after 3 attempts: no connection"):
        fetch(url, tmp_path / "part", num_bytes=None, patience=HASTE, progress=Silence())
    assert ask_size(url, HASTE) is None
