"""The part of an image that shows its lesion."""

from __future__ import annotations

import numpy as np

from dermseg.preprocessing import Box, find_box, lesion_box
from dermseg.recipes import Cleaning
from dermseg.types import BoolMask

IMAGE = np.full((40, 60, 3), 200, np.uint8)


def draw_lesion(top: int, bottom: int, left: int, right: int) -> BoolMask:
    mask = np.zeros((40, 60), np.bool_)
    mask[top:bottom, left:right] = True
    return mask


def test_box_grows_by_a_share_of_its_own_sides() -> None:
    # 10 rows and 20 columns: a tenth of them is 1 row and 2 columns on each side.
    assert lesion_box(draw_lesion(10, 20, 20, 40), 0.1) == Box(9, 18, 12, 24)
    assert lesion_box(draw_lesion(10, 20, 20, 40), 0.0) == Box(10, 20, 10, 20)


def test_box_ends_at_the_images_edges() -> None:
    assert lesion_box(draw_lesion(1, 39, 0, 60), 0.5) == Box(0, 0, 40, 60)


def test_all_regions_are_in_the_box() -> None:
    assert lesion_box(draw_lesion(3, 5, 7, 9) | draw_lesion(30, 31, 50, 52), 0) == Box(3, 7, 28, 45)


def test_image_without_a_lesion_is_kept_whole() -> None:
    assert lesion_box(draw_lesion(0, 0, 0, 0), 0.3) == Box(0, 0, 40, 60)
    assert find_box(IMAGE, Cleaning(), lesion=draw_lesion(0, 0, 0, 0)) == Box(0, 0, 40, 60)


def test_lesion_is_cut_out_of_the_field_of_view() -> None:
    # The field is lit in the middle; a box of the lesion would reach into the dark frame.
    y, x = np.mgrid[:120, :200]
    lit = (x - 100) ** 2 + (y - 60) ** 2 <= 50**2
    image = np.where(lit[..., None], [220, 180, 160], [0, 0, 0]).astype(np.uint8)
    lesion = np.zeros((120, 200), np.bool_)
    lesion[50:110, 60:100] = True
    cleaning = Cleaning(crop_field=True)
    field = find_box(image, cleaning)
    assert field != Box(0, 0, 120, 200)
    box = find_box(image, cleaning, lesion=lesion, margin=1.0)
    # From 60 - 40 to 100 + 40 columns, and from row 50 - 60 on; the field begins later.
    assert (box.top, box.left) == (field.top, field.left)
    assert box.left + box.width == 140
    assert box.top + box.height == field.top + field.height
    assert find_box(image, Cleaning(), lesion=lesion, margin=1.0) == Box(0, 20, 120, 120)


def test_lesion_outside_the_field_is_not_believed() -> None:
    y, x = np.mgrid[:120, :200]
    lit = (x - 100) ** 2 + (y - 60) ** 2 <= 50**2
    image = np.where(lit[..., None], [220, 180, 160], [0, 0, 0]).astype(np.uint8)
    lesion = np.zeros((120, 200), np.bool_)
    lesion[:10, :10] = True
    cleaning = Cleaning(crop_field=True)
    assert find_box(image, cleaning, lesion=lesion) == find_box(image, cleaning)
