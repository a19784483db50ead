from __future__ import annotations

import base64
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from dermseg.images import write_image
from dermseg.package import load_package
from dermseg.phantom import create_phantom, create_plain_skin
from dermseg.prediction import OutputOptions, load_model, open_output, plan_jobs, predict_jobs
from dermseg.prediction.contact_sheet import ContactSheet, draw_thumbnail
from dermseg.prediction.quality import NO_LESION
from dermseg.storage import open_sink


def row(name: str, expected: float | None = None, **values: Any) -> dict[str, Any]:
    usual = {"area_share": 0.1, "longest_diameter": 300.0, "review": int((expected or 1) < 0.6)}
    return {"file": name, "mask": "", "expected_jaccard": expected, **usual, **values}


@pytest.fixture
def make_page(tmp_path: Path) -> Callable[..., str]:
    def make(*rows: dict[str, Any], **options: Any) -> str:
        sheet = ContactSheet(open_sink(tmp_path), "m<1>", **{"overlays": False} | options)
        for entry in rows:
            sheet.add(entry)
        return b"".join(sheet.render()).decode()

    return make


def names(page: str) -> list[str]:
    return [unescape(name) for name in re.findall(r"<b [^>]*>(.*?)</b>", page)]


def test_the_most_doubtful_come_first_and_what_was_not_read_last(
    make_page: Callable[..., str],
) -> None:
    page = make_page(
        row("sure", 0.9),
        {"file": "broken", "error": "the file is empty"},
        row("poor", 0.5),
        {"file": "letter", "error": NO_LESION},
        row("good", 0.8),
        row("unknown"),
    )
    assert names(page) == ["letter", "poor", "good", "sure", "unknown", "broken"]
    assert "1 to review, 1 refused, 1 not read." in page
    assert "the file is empty" in page


def test_only_the_most_doubtful_are_held(make_page: Callable[..., str]) -> None:
    rows = [row(f"{number}", 0.99 - 0.01 * number) for number in range(60)]
    page = make_page(*rows, most=3)
    assert names(page) == ["59", "58", "57"]
    assert "60 images" in page
    assert "The first 3 are shown" in page


def test_names_cannot_become_part_of_the_page(make_page: Callable[..., str]) -> None:
    name = "<img src=x onerror=alert(1)>&\udcff"
    page = make_page(row(f"a/{name}", 0.5, mask=f"a/{name}_segmentation.png"), overlays=True)
    assert "<img src=x" not in page
    assert "m&lt;1&gt;" in page
    assert 'href="a/%3Cimg%20src%3Dx%20onerror%3Dalert%281%29%3E%26%FF_overlay.jpg"' in page
    assert not re.search(r"<script|https?:|url\(", page)


def test_a_thumbnail_is_small_whatever_the_image() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (600, 600, 3), np.uint8)
    content = draw_thumbnail(load_model().predict(noise, force=True))
    assert 0 < len(base64.b64encode(content)) <= 40_000
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (280, 280, 3)


def test_a_run_writes_the_page_and_a_continued_run_shows_all(tmp_path: Path) -> None:
    images, out = tmp_path / "images", tmp_path / "out"
    images.mkdir()
    predictor, options = load_model(), OutputOptions(index=True)
    assert load_package().spec.quality is not None

    def run(**existing: Any) -> list[bytes]:
        jobs = plan_jobs([images], recursive=False)
        todo, kept = open_output(out, jobs, predictor, options, **existing)
        list(predict_jobs(predictor, todo, out, options, kept=kept))
        page = (out / "index.html").read_text("utf-8")
        assert len(names(page)) == len(jobs)
        contents = re.findall(r'href="(.*?)"><img .*?base64,(.*?)">', page)
        assert all((out / link).is_file() for link, _ in contents)
        return [base64.b64decode(content) for _, content in contents]

    write_image(images / "a.png", create_phantom(1).image)
    write_image(images / "skin.png", create_plain_skin(1))
    assert len(run(existing="refuse")) == 1  # a refused image has no overlay to lead to
    write_image(images / "b.png", create_phantom(2).image)
    pictures = run(existing="skip")
    assert len(pictures) == 2
    assert all(content.startswith(b"\xff\xd8") for content in pictures)
