from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest

from dermseg.evaluation.comparison import (
    Comparison,
    align,
    compare,
    draw_most_different,
    read_evaluation,
    write_comparison,
)
from dermseg.images import write_image, write_mask

Write = Callable[..., Path]
VOID = {"meta", "img", "br"}


class _Checker(HTMLParser):
    """Every tag is closed, in order; addresses are collected."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An SVG element that closes itself."""

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


@pytest.fixture
def comparison(write: Write, tmp_path: Path) -> Comparison:
    """Two models of which one has a name that is markup, with files of one image of three."""
    mask = np.zeros((30, 40), np.bool_)
    mask[10:20, 10:30] = True
    write_image(tmp_path / "image.png", np.full((30, 40, 3), 180, np.uint8))
    write_mask(tmp_path / "truth.png", mask)
    folders = []
    for number, name in enumerate(("<b>&", "plain")):
        scores = {"jaccard": [0.9 - number / 10, 0.8 + number / 20, 0.7]}
        folder = write(f"model_{number}", scores, model=name)
        write_mask(folder / "mask.png", np.roll(mask, number * 5, axis=1))
        (folder / "files.csv").write_text(
            "id,image,truth,prediction\n"
            f"image_000,{tmp_path}/image.png,{tmp_path}/truth.png,mask.png\n"
            f"image_001,{tmp_path}/image.png,{tmp_path}/nowhere.png,\n"
        )
        folders.append(folder)
    return compare(align([read_evaluation(folder) for folder in folders]))


def test_the_page_needs_no_other_file_and_is_well_formed(
    comparison: Comparison, tmp_path: Path
) -> None:
    write_comparison(tmp_path / "out", comparison)
    page = (tmp_path / "out" / "comparison.html").read_text()
    checker = _Checker()
    checker.feed(page)
    assert not checker.open
    pictures = [link for link in checker.links if not link.startswith("#")]
    # The truth and two masks of one image.
    assert len(pictures) == 3
    assert all(link.startswith("data:image/jpeg;base64,") for link in pictures)
    encoded = np.frombuffer(base64.b64decode(pictures[0].partition(",")[2]), np.uint8)
    picture = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (30, 40, 3)
    for link in checker.links:
        assert not link.startswith("#") or f'id="{link[1:]}"' in page
    assert "url(" not in page
    assert "@import" not in page


def test_names_are_text_and_never_markup(comparison: Comparison, tmp_path: Path) -> None:
    write_comparison(tmp_path / "out", comparison)
    page = (tmp_path / "out" / "comparison.html").read_text()
    assert "<b>" not in page
    assert "&lt;b&gt;&amp;" in page


def test_the_page_shows_the_figures_of_the_summary(comparison: Comparison, tmp_path: Path) -> None:
    write_comparison(tmp_path / "out", comparison)
    page = (tmp_path / "out" / "comparison.html").read_text()
    summary = json.loads((tmp_path / "out" / "comparison.json").read_text())
    for row in summary["ranking"]:
        assert f"<strong>{row['mean']['value']:.4f}</strong>" in page
    (pair,) = summary["pairs"]
    assert f"<strong>{pair['difference']['value']:+.4f}</strong>" in page
    for kind in ("wins", "ties", "losses"):
        assert re.search(rf'class="{kind}" style="flex-grow: {pair[f"num_{kind}"]}"', page)
    assert "&lt;b&gt;&amp; better by up to 0.1<" in page
    assert "plain better by up to 0.05<" in page


def test_pictures_show_truth_and_mask_and_say_what_is_missing(comparison: Comparison) -> None:
    (picture,), notes = draw_most_different(comparison, 12)
    assert picture.id == "image_000"
    yellow, blue = (picture.truth == (255, 240, 77)).all(axis=2), (63, 182, 255)
    # The border of the truth: its 10 x 20 pixels without the 8 x 18 within.
    inner = np.zeros((30, 40), np.bool_)
    inner[10:20, 10:30] = True
    inner[11:19, 11:29] = False
    assert yellow[inner].all()
    (first, second) = picture.masks
    assert first is not None
    assert second is not None
    assert (first == blue).all(axis=2)[inner].all()
    # That of the second model is five pixels to the right, and the truth is still seen.
    shifted = np.roll(inner, 5, axis=1)
    assert (second == blue).all(axis=2)[shifted].all()
    assert (second == (255, 240, 77)).all(axis=2)[12:18, 10].all()
    assert notes == [
        "no picture of 1 of the 2 images to show, because files.csv of the evaluations "
        "names no mask that can be read: image_001"
    ]


def test_long_names_do_not_widen_the_sheet(write: Write, tmp_path: Path) -> None:
    mask = np.ones((30, 40), np.bool_)
    folders = []
    for number in range(3):
        folder = write(f"m{number}", {"jaccard": [0.5 + number / 10]}, model="long " * 30)
        write_mask(folder / "mask.png", mask)
        (folder / "files.csv").write_text(
            "id,image,truth,prediction\nimage_000,,,mask.png\n" if number else "nonsense\n"
        )
        folders.append(folder)
    result = compare(align([read_evaluation(folder) for folder in folders]))
    damaged, absent = write_comparison(tmp_path / "out", result)
    assert "files.csv: expected the columns id,image,truth,prediction" in damaged
    assert absent.startswith("1 masks of long")
    sheet = cv2.imread(str(tmp_path / "out" / "differences.jpg"))
    assert sheet is not None
    assert sheet.shape == (30 + 30, 4 * 48, 3)
