"""The audit as a page."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from dermseg.audit import Audit, audit_datasets, write_page
from dermseg.datasets import open_dataset
from dermseg.types import ImageArray

MakeFolder = Callable[..., Path]


class Page(HTMLParser):
    """Collects what the page shows, and refuses what is not closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)
        self.attributes += [(key, value or "") for key, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.attributes if key == name]


def audit(*folders: Path) -> Audit:
    return audit_datasets([open_dataset(folder) for folder in folders], [None] * len(folders))


@pytest.fixture
def leaking(make_folder: MakeFolder, phantoms: list[ImageArray]) -> Audit:
    """Two copies in another folder, one of them resized, one within a folder, and a bad file."""
    first = make_folder("first", {"a": phantoms[0], "b": phantoms[1], "<b>&": phantoms[2]})
    mirrored = phantoms[1][:, ::-1].copy()
    second = make_folder("second", {"x": phantoms[0], "y": mirrored, "z": phantoms[3]})
    (second / "images" / "again.jpg").write_bytes((second / "images" / "z.jpg").read_bytes())
    (second / "images" / "broken.jpg").write_bytes(b"no image")
    return audit(first, second)


def test_the_page_shows_counts_places_pairs_and_failures(leaking: Audit, tmp_path: Path) -> None:
    write_page(tmp_path / "report.html", leaking)
    page = Page((tmp_path / "report.html").read_text("utf-8"))
    assert page.open == []
    assert "2 pairs are in two places" in page.text
    assert "All are shown" in page.text
    assert page.text.index("leak: in two places") < page.text.index("The same file within one")
    assert "broken.jpg: not one of " in page.text
    assert "mirrored" in page.text
    assert str(leaking.items[0].place.folder) in page.text
    # Three pictures of the mirrored pair; two each of the same files, which need no overlay.
    assert len(page.values("src")) == 7


def test_the_page_loads_nothing_and_runs_nothing(leaking: Audit, tmp_path: Path) -> None:
    write_page(tmp_path / "report.html", leaking)
    text = (tmp_path / "report.html").read_text("utf-8")
    page = Page(text)
    assert all(source.startswith("data:image/jpeg;base64,") for source in page.values("src"))
    assert all(link.startswith("#") for link in page.values("href"))
    assert {link.removeprefix("#") for link in page.values("href")} == set(page.values("id"))
    assert not re.search(r"<script|https?:|url\(", text)


def test_names_of_files_cannot_become_part_of_the_page(
    make_folder: MakeFolder, phantoms: list[ImageArray], tmp_path: Path
) -> None:
    name = "<img src=x onerror=alert(1)>&"
    folders = (make_folder("one", {name: phantoms[0]}), make_folder("two", {name: phantoms[0]}))
    write_page(tmp_path / "report.html", audit(*folders))
    page = Page((tmp_path / "report.html").read_text("utf-8"))
    assert name in page.text
    assert not page.values("onerror")


def test_no_more_pairs_are_shown_than_asked_for(leaking: Audit, tmp_path: Path) -> None:
    write_page(tmp_path / "report.html", leaking, max_pairs=1)
    text = Page((tmp_path / "report.html").read_text("utf-8")).text
    assert "1 of 3 are shown" in text
    assert "Shown are 0 of 1" in text


def test_a_clean_audit_says_so(
    make_folder: MakeFolder, phantoms: list[ImageArray], tmp_path: Path
) -> None:
    clean = audit(make_folder("one", {"a": phantoms[0]}), make_folder("two", {"a": phantoms[1]}))
    write_page(tmp_path / "report.html", clean)
    text = Page((tmp_path / "report.html").read_text("utf-8")).text
    assert "No image or lesion was found in two places" in text
    assert "Pairs" not in text
