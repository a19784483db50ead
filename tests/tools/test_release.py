"""A release is one commit with its tag, made from a clean checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = ("tools/release.py", "src/dermseg/__init__.py", "CITATION.cff")
CHANGELOG = """# Changelog

## [Unreleased]

### Added

- Something new.

## [0.0.9] - 2025-01-02

- Something old.
"""
IDENTITY = {
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with the project's own files at version 0.1.0."""
    for name, value in IDENTITY.items():
        monkeypatch.setenv(name, value)
    for name in [
        name for name in os.environ if name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")
    ]:
        monkeypatch.delenv(name)
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    source = tmp_path / "src/dermseg/__init__.py"
    lines = source.read_text("utf-8").splitlines(keepends=True)
    source.write_text(
        "".join(
            '__version__ = "0.1.0"\n' if line.startswith("__version__ =") else line
            for line in lines
        ),
        "utf-8",
    )
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG, "utf-8")
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "Begin")
    return tmp_path


def git(folder: Path, *arguments: str) -> str:
    call = ["git", *arguments]
    return subprocess.run(
        call, cwd=folder, capture_output=True, text=True, check=True
    ).stdout.strip()


def release(folder: Path, version: str) -> subprocess.CompletedProcess[str]:
    call = [sys.executable, "tools/release.py", version]
    return subprocess.run(call, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("version", ["0.1.0", "0.2.0", "0.10.0"])
def test_a_release_is_dated_committed_and_tagged(checkout: Path, version: str) -> None:
    before = git(checkout, "rev-parse", "HEAD")
    days = {str(datetime.now(UTC).date())}
    done = release(checkout, version)
    days.add(str(datetime.now(UTC).date()))
    assert done.returncode == 0, done.stderr
    assert "git push" in done.stdout
    texts = {
        CHANGELOG.replace("## [Unreleased]\n", f"## [Unreleased]\n\n## [{version}] - {day}\n")
        for day in days
    }
    assert (checkout / "CHANGELOG.md").read_text("utf-8") in texts
    source = (checkout / "src/dermseg/__init__.py").read_text("utf-8")
    assert source.count(f'\n__version__ = "{version}"\n') == 1
    citation = (checkout / "CITATION.cff").read_text("utf-8").splitlines()
    assert f"version: {version}" in citation
    assert sum(line.startswith("date-released: 2") for line in citation) == 1
    assert git(checkout, "status", "--porcelain") == ""
    assert git(checkout, "rev-parse", "HEAD^") == before
    assert git(checkout, "log", "-1", "--format=%s") == f"Release {version}"
    assert git(checkout, "rev-parse", f"v{version}^{{commit}}") == git(
        checkout, "rev-parse", "HEAD"
    )
    assert git(checkout, "cat-file", "-t", f"v{version}") == "tag"


def test_the_next_release_replaces_the_date(checkout: Path) -> None:
    assert release(checkout, "0.1.0").returncode == 0
    nothing = release(checkout, "0.2.0")
    assert (nothing.returncode, "nothing under Unreleased" in nothing.stderr) == (1, True)
    changelog = checkout / "CHANGELOG.md"
    text = changelog.read_text("utf-8").replace("[Unreleased]\n", "[Unreleased]\n\n- More.\n")
    changelog.write_text(text, "utf-8")
    git(checkout, "commit", "--quiet", "-am", "More")
    assert release(checkout, "0.2.0").returncode == 0
    assert (checkout / "CITATION.cff").read_text("utf-8").count("date-released") == 1


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("0.1", "three numbers"),
        ("v0.1.0", "three numbers"),
        ("0.0.12", "older than"),
        ("0.0.9", "0.0.9"),
    ],
)
def test_versions_that_do_not_follow_are_refused(
    checkout: Path, version: str, message: str
) -> None:
    refused(checkout, version, message)


def test_an_unclean_tree_is_refused(checkout: Path) -> None:
    (checkout / "notes.txt").write_text("not committed")
    refused(checkout, "0.1.0", "not clean")


def test_a_version_is_released_once(checkout: Path) -> None:
    git(checkout, "tag", "v0.1.0")
    refused(checkout, "0.1.0", "v0.1.0 is there already")


def refused(checkout: Path, version: str, message: str) -> None:
    """A refusal is one line, and changes nothing."""
    state = git(checkout, "rev-parse", "HEAD"), git(checkout, "status", "--porcelain")
    done = release(checkout, version)
    assert done.returncode == 1
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert (git(checkout, "rev-parse", "HEAD"), git(checkout, "status", "--porcelain")) == state
