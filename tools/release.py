"""Make a release in this checkout: changelog, version, citation, one commit and its tag.

python tools/release.py 0.1.0

Nothing is pushed.
"""

from __future__ import annotations

import argparse
import datetime
import re
import subprocess
import sys
from pathlib import Path

_UNRELEASED = "## [Unreleased]\n"
_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")


class ReleaseError(Exception):
    """The checkout cannot be released as it is."""


def main() -> int:
    """Release the version that was asked for, or say in one line why not."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("version", help="such as 0.1.0")
    version = parser.parse_args().version
    root = Path(__file__).resolve().parents[1]
    try:
        release(root, version, datetime.datetime.now(datetime.UTC).date())
    except ReleaseError as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    print(f"v{version} is committed and tagged; publish it with: git push --follow-tags")
    return 0


def release(root: Path, version: str, day: datetime.date) -> None:
    """Commit and tag a version. Everything is checked before anything is written.

    Args:
        root: The checkout.
        version: MAJOR.MINOR.PATCH.
        day: The date of the release.

    Raises:
        ReleaseError: If the tree is not clean, the version is malformed, taken or older than the
            current one, or nothing is listed as unreleased.
    """
    if _VERSION.fullmatch(version) is None:
        message = f"the version is '{version}', expected three numbers such as 0.1.0"
        raise ReleaseError(message)
    if _git(root, "status", "--porcelain"):
        message = "the working tree is not clean: commit or stash your changes"
        raise ReleaseError(message)
    if _git(root, "tag", "--list", f"v{version}"):
        message = f"the tag v{version} is there already"
        raise ReleaseError(message)
    source, citation = Path("src/dermseg/__init__.py"), Path("CITATION.cff")
    texts = {
        Path("CHANGELOG.md"): changelog_of(_read(root, "CHANGELOG.md"), version, day),
        source: source_of(_read(root, source), version),
        citation: citation_of(_read(root, citation), version, day),
    }
    for path, text in texts.items():
        (root / path).write_text(text, "utf-8", newline="\n")
    _git(root, "add", *map(str, texts))
    _git(root, "commit", "--quiet", "-m", f"Release {version}")
    _git(root, "tag", "--annotate", f"v{version}", "-m", f"dermseg {version}")


def changelog_of(text: str, version: str, day: datetime.date) -> str:
    """Move what is unreleased under the version; an empty section stays on top."""
    before, found, after = text.partition(_UNRELEASED)
    listed, next_section, rest = after.partition("\n## [")
    if not found or not re.search(r"^- ", listed, flags=re.MULTILINE):
        message = "CHANGELOG.md lists nothing under Unreleased"
        raise ReleaseError(message)
    if f"\n## [{version}]" in text:
        message = f"CHANGELOG.md has a section {version} already"
        raise ReleaseError(message)
    return f"{before}{_UNRELEASED}\n## [{version}] - {day}\n{listed}{next_section}{rest}"


def source_of(text: str, version: str) -> str:
    """Set ``__version__``."""
    pattern = re.compile(r'^__version__ = "(.+)"$', flags=re.MULTILINE)
    (current,) = pattern.findall(text)
    if _numbers(version) < _numbers(current):
        message = f"{version} is older than the current version {current}"
        raise ReleaseError(message)
    return pattern.sub(f'__version__ = "{version}"', text)


def citation_of(text: str, version: str, day: datetime.date) -> str:
    """Set the version and the date of the release."""
    lines = [line for line in text.splitlines() if not line.startswith("date-released:")]
    number = next(n for n, line in enumerate(lines) if line.startswith("version:"))
    lines[number : number + 1] = [f"version: {version}", f"date-released: {day}"]
    return "\n".join(lines) + "\n"


def _numbers(version: str) -> tuple[int, ...]:
    match = _VERSION.match(version)
    return tuple(map(int, match.groups())) if match else ()


def _read(root: Path, path: str | Path) -> str:
    return (root / path).read_text("utf-8")


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=root, capture_output=True, text=True, check=False
    )
    if done.returncode:
        message = f"git {arguments[0]} failed: {done.stderr.strip()}"
        raise ReleaseError(message)
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
