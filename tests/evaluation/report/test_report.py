from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dermseg.evaluation import (
    PROTOCOLS,
    Evaluation,
    ImageFiles,
    Measures,
    Predicted,
    evaluate_masks,
    evaluate_predictions,
    evaluate_samples,
    summary,
    write_evaluation,
)
from dermseg.evaluation.report import render_report, write_report
from dermseg.images import write_image, write_mask
from dermseg.phantom import create_phantom
from dermseg.types import Sample

Mask = NDArray[np.bool_]

_VOID = {"meta", "input", "br", "img", "link", "hr"}
_ALL = Measures(
    boundary=True, probability=True, statistics=True, protocols=tuple(PROTOCOLS.values())
)


class Page(HTMLParser):
    """The elements of a page; fails where a tag is not closed in its place."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    """Twelve generated images, whose predictions are the truth, moved."""
    folder = tmp_path_factory.mktemp("phantoms")
    samples, items = [], []
    for seed in range(12):
        phantom = create_phantom(seed)
        moved = np.roll(phantom.mask, seed, axis=1)
        paths = [folder / f"{name}_{seed:02}.png" for name in ("image", "truth", "prediction")]
        write_image(paths[0], phantom.image)
        write_mask(paths[1], phantom.mask)
        write_mask(paths[2], moved)
        levels = np.where(moved, 200, 30).astype(np.uint8)
        items.append((f"p{seed:02}", Predicted(moved, levels, image=phantom.image), paths[1]))
        samples.append((f"p{seed:02}", ImageFiles(*paths)))
    result = evaluate_predictions(items, measures=_ALL)
    metadata = {id: {"site": "arm" if int(id[1:]) % 2 else "back"} for id, _ in samples}
    return replace(result, files=dict(samples), metadata=metadata)


@pytest.fixture(scope="module")
def page(phantoms: Evaluation) -> Page:
    return Page(render_report(phantoms, about={"model": "m", "dataset": "d", "part": "test"}))


def test_the_page_has_all_parts(page: Page) -> None:
    anchors = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    parts = {"figures", "images", "distributions", "probabilities", "cases", "groups"}
    assert parts | {"protocols", "setup"} <= anchors
    linked = {str(link["href"]).removeprefix("#") for link in page.all("a")}
    assert linked <= anchors
    assert page.text.count("m on d, test") == 2  # title and heading
    for name in ("Lesion size", "Contrast of lesion and skin", "Skin tone", "Site", "Reliability"):
        assert name in page.text


def test_the_page_needs_nothing_else_and_runs_nothing(page: Page) -> None:
    names = {tag for tag, _ in page.elements}
    assert not names & {"script", "link", "iframe", "object", "embed", "base", "form"}
    for _, attributes in page.elements:
        for key, value in attributes.items():
            assert not key.startswith("on")
            if key in ("src", "href", "xlink:href"):
                assert str(value).startswith(("#", "data:image/jpeg;base64,"))
    style = page.all("style")
    assert len(style) == 1


def test_the_page_is_small(phantoms: Evaluation) -> None:
    assert len(render_report(phantoms)) < 1_500_000


def test_every_figure_of_the_summary_is_on_the_page(phantoms: Evaluation, page: Page) -> None:
    content = summary(phantoms)
    for name, figure in content["aggregates"].items():
        row = " ".join(f"{figure[key]:,.4f}" for key in ("value", "low", "high"))
        assert re.search(rf"{name} {re.escape(row)}", page.text), name
    assert f"Area under the curve {content['pooled']['auc']:.4f}" in page.text
    assert f"Average precision {content['pooled']['average_precision']:.4f}" in page.text
    assert f"calibration error {content['pooled']['expected_calibration_error']:.4f}" in page.text
    for name, protocol in content["protocols"].items():
        value = protocol["figures"][protocol["headline"]]["value"]
        assert f"{name} 0" in page.text
        assert f"{value:.3f}" in page.text
    assert f"scored {phantoms.num_scored}" in page.text


def test_figures_have_words_and_tables_have_heads(page: Page) -> None:
    for svg in page.all("svg"):
        assert svg.get("aria-hidden") == "true" or svg.get("aria-label")
    assert all(head.get("scope") in ("col", "row") for head in page.all("th"))
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_hostile_names_stay_text(lesion: Mask, make_masks: Callable[..., Path]) -> None:
    hostile = "<script>alert(1)<"
    truth = make_masks("truth", {"a": lesion, "b": lesion}) / "a.png"
    items = [(hostile, lesion, truth), ('"><img src=x onerror=1>', lesion, truth)]
    result = evaluate_predictions(items)
    files = {id: ImageFiles(None, truth, truth) for id, *_ in items}
    metadata = {hostile: {"<i>": "</style><script>"}, items[1][0]: {"<i>": "<b>"}}
    result = replace(result, files=files, metadata=metadata, extra=("</ul><script>",))
    page = Page(render_report(result, about={"model": "<script>", "dataset": "'\"<u>"}))
    assert not {"script", "img", "b", "u", "i"} & {tag for tag, _ in page.elements}
    assert hostile in page.text


def test_a_name_that_is_no_text_can_be_shown(
    lesion: Mask, make_masks: Callable[..., Path], tmp_path: Path
) -> None:
    folder = make_masks("masks", {"m\udce4l": lesion})
    write_report(tmp_path, evaluate_masks(folder, folder))
    assert "m\\udce4l" in (tmp_path / "report.html").read_text()


def test_one_image_without_photograph_makes_a_page(
    lesion: Mask, make_masks: Callable[..., Path]
) -> None:
    folder = make_masks("masks", {"a": lesion})
    text = render_report(evaluate_masks(folder, folder, measures=_ALL))
    page = Page(text)
    assert "1 image scored" in page.text
    assert "Reliability" not in page.text
    assert "Groups" not in page.text
    assert "<image" not in text
    assert 'class="picture"' in text


def test_empty_masks_make_a_page(make_masks: Callable[..., Path]) -> None:
    empty = np.zeros((8, 8), np.bool_)
    folder = make_masks("masks", {"a": empty, "b": empty})
    page = Page(render_report(evaluate_masks(folder, folder, measures=_ALL)))
    assert "2 images scored" in page.text


def test_images_without_known_files_have_no_picture(
    lesion: Mask, make_masks: Callable[..., Path]
) -> None:
    truth = make_masks("truth", {"a": lesion})
    page = Page(render_report(evaluate_predictions([("a", lesion, truth / "a.png")])))
    assert "no picture" in page.text


def test_every_warning_and_every_skipped_image_is_named(
    lesion: Mask, make_masks: Callable[..., Path]
) -> None:
    truth = make_masks("truth", {f"i{number}": lesion for number in range(20)})
    predictions = make_masks("predictions", {"i0": lesion, "other": lesion})
    result = evaluate_masks(truth, predictions)
    page = Page(render_report(result))
    assert len(result.warnings) > 20
    for warning in result.warnings:
        assert " ".join(warning.split()) in page.text
    assert "skipped: missing 19" in page.text
    assert "predictions without truth 1" in page.text


def test_another_protocol_has_its_own_headline(phantoms: Evaluation) -> None:
    page = Page(render_report(phantoms.under("isic2018")))
    value = phantoms.under("isic2018").aggregates["mean_thresholded_jaccard"].value
    assert f"Thresholded Jaccard index, mean {value:.3f}" in page.text


def test_statistics_of_samples_stand_in_the_table(tmp_path: Path) -> None:
    phantom = create_phantom(1)
    write_image(tmp_path / "a.png", phantom.image)
    masks = tmp_path / "masks"
    masks.mkdir()
    write_mask(masks / "a.png", phantom.mask)
    sample = Sample("a", tmp_path / "a.png", masks / "a.png", "a", metadata={"sex": "male"})
    result = evaluate_samples([sample], masks, measures=Measures(statistics=True))
    write_evaluation(tmp_path / "eval", result)
    header, row = (tmp_path / "eval" / "per_image.csv").read_text().splitlines()
    values = dict(zip(header.split(","), row.split(","), strict=True))
    statistics = result.scores[0].statistics
    assert statistics is not None
    assert float(values["contrast"]) == statistics.contrast
    assert float(values["skin_ita"]) == statistics.skin_ita
    assert float(values["lesion_share"]) == pytest.approx(phantom.mask.mean(), rel=0.3)
    assert result.metadata == {"a": {"sex": "male"}}
    assert json.loads((tmp_path / "eval" / "summary.json").read_text())["num_scored"] == 1


def test_an_image_that_cannot_be_measured_is_named(
    lesion: Mask, make_masks: Callable[..., Path], tmp_path: Path
) -> None:
    folder = make_masks("masks", {"a": lesion, "b": lesion})
    images = tmp_path / "images"
    images.mkdir()
    write_image(images / "a.png", np.zeros((7, 9, 3), np.uint8))
    (images / "b.jpg").write_bytes(b"no image")
    result = evaluate_masks(folder, folder, images_dir=images, measures=Measures(statistics=True))
    assert result.num_questionable == 2
    assert "it is 7 x 9 pixels, the masks 6 x 10" in result.scores[0].findings[0]
    assert "the image is not measured" in result.scores[1].findings[0]
    assert "a" in render_report(result)
