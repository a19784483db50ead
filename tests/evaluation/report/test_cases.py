from __future__ import annotations

from pathlib import Path

import numpy as np

from dermseg.evaluation import ImageFiles, ImageScore
from dermseg.evaluation.report import Contour, choose_cases, draw_case, draw_picture
from dermseg.images import write_image, write_mask
from dermseg.metrics import ConfusionCounts
from dermseg.phantom import create_phantom


def image(id: str, tp: int) -> ImageScore:
    return ImageScore(id, ConfusionCounts(tp=tp, fp=0, fn=100 - tp, tn=0))


def chosen(num_images: int) -> dict[str, list[int]]:
    scores = [image(f"{place:03}", place) for place in range(num_images)]
    return {
        case.name: [score.counts.tp for score in case.scores] for case in choose_cases(scores[::-1])
    }


def test_the_worst_the_middle_and_the_best_are_chosen() -> None:
    assert chosen(101) == {
        "worst": [0, 1, 2, 3, 4, 5],
        "median": [49, 50, 51],
        "best": [100, 99, 98],
    }


def test_few_images_are_chosen_once() -> None:
    assert chosen(1) == {"worst": [0]}
    assert chosen(8) == {"worst": [0, 1, 2, 3, 4, 5], "best": [7, 6]}
    assert chosen(10)["median"] == [6]


def test_the_contours_lie_where_the_masks_end() -> None:
    mask = np.zeros((40, 60), np.bool_)
    mask[10:21, 20:41] = True
    svg = draw_picture(None, [Contour(mask, "truth")], "a square")
    assert 'viewBox="0 0 60 40"' in svg
    # Centres of the outermost pixels.
    for corner in ("20.5 10.5", "20.5 20.5", "40.5 20.5", "40.5 10.5"):
        assert corner in svg


def test_a_picture_holds_its_image_and_both_contours(tmp_path: Path) -> None:
    phantom = create_phantom(0, size=(600, 800))
    write_image(tmp_path / "image.png", phantom.image)
    write_mask(tmp_path / "mask.png", phantom.mask)
    files = ImageFiles(tmp_path / "image.png", tmp_path / "mask.png", tmp_path / "mask.png")
    svg = draw_case(files, '<b>"x"')
    assert svg is not None
    assert "data:image/jpeg;base64,/9j/" in svg
    assert svg.count('class="contour truth"') == svg.count('class="contour prediction"') == 1
    assert 'viewBox="0 0 560 420"' in svg
    assert "&lt;b&gt;&#34;x&#34;" in svg
    assert len(svg) < 120_000


def test_masks_alone_are_drawn_on_a_plain_ground(tmp_path: Path) -> None:
    write_mask(tmp_path / "mask.png", np.eye(30, dtype=np.bool_))
    svg = draw_case(ImageFiles(None, tmp_path / "mask.png", tmp_path / "mask.png"), "")
    assert svg is not None
    assert "<image" not in svg


def test_there_is_no_picture_of_files_that_are_gone(tmp_path: Path) -> None:
    gone = tmp_path / "gone.png"
    assert draw_case(ImageFiles(None, gone, gone), "") is None
    assert draw_case(ImageFiles(), "") is None


def test_an_empty_mask_has_no_contour() -> None:
    svg = draw_picture(None, [Contour(np.zeros((9, 9), np.bool_), "truth")], "")
    assert '<path class="contour truth" d=""/>' in svg
