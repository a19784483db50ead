"""The site of the documentation has every page, and says what the package says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

import dermseg

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SETTINGS: dict[str, Any] = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))
# `docs/hooks.py` makes these.
GENERATED = {"reference/command-line.md"} | {
    path.relative_to(DOCS).with_suffix(".md").as_posix() for path in DOCS.rglob("*.ipynb")
}


def pages_of(entry: object) -> Iterator[str]:
    """The pages that a part of the navigation names."""
    if isinstance(entry, str):
        yield entry
    elif isinstance(entry, dict):
        yield from (page for below in entry.values() for page in pages_of(below))
    elif isinstance(entry, list):
        yield from (page for below in entry for page in pages_of(below))


def test_the_navigation_names_every_page_once() -> None:
    named = list(pages_of(SETTINGS["nav"]))
    written = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    assert sorted(named) == sorted(written | GENERATED)


def test_the_site_asks_no_other_host() -> None:
    assert SETTINGS["theme"]["font"] is False
    assert "repo_url" not in SETTINGS  # the theme would ask GitHub for figures
    assert not {"analytics", "consent"} & set(SETTINGS["extra"])


def test_the_page_of_the_package_lists_its_public_names() -> None:
    page = (DOCS / "reference" / "api" / "dermseg.md").read_text("utf-8")
    listed = re.findall(r"^\| \[?`(\w+)`", page, flags=re.MULTILINE)
    assert sorted(listed) == sorted(dermseg.__all__)
