"""Masks at the sizes of the protocols, against Pillow, torch and means by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn import functional

from dermseg.evaluation.protocols import NATIVE, Scaling
from dermseg.evaluation.scaling import scale_mask, scaled_counts
from dermseg.metrics import ConfusionCounts
from dermseg.types import Size

SIZES: list[tuple[Size, Size]] = [
    ((60, 80), (16, 16)),
    ((61, 83), (16, 20)),
    ((33, 47), (64, 64)),
    ((767, 1022), (256, 256)),
    ((10, 300), (160, 160)),
    ((1, 1), (3, 5)),
]


def noise(size: Size) -> NDArray[np.bool_]:
    """Single pixels, of which every method keeps others."""
    return np.random.default_rng(size[0]).random(size) < 0.4


@pytest.mark.parametrize(("size", "wanted"), SIZES)
def test_nearest_is_that_of_torch(size: Size, wanted: Size) -> None:
    mask = noise(size)
    tensor = torch.from_numpy(mask)[None, None].float()
    expected = functional.interpolate(tensor, wanted, mode="nearest")[0, 0].numpy() > 0
    np.testing.assert_array_equal(scale_mask(mask, Scaling(wanted, "nearest")), expected)


@pytest.mark.parametrize(("size", "wanted"), SIZES)
def test_nearest_to_the_centre_is_that_of_pillow(size: Size, wanted: Size) -> None:
    mask = noise(size)
    image = Image.fromarray(mask.astype(np.uint8))
    expected = np.asarray(image.resize(wanted[::-1], Image.Resampling.NEAREST)) > 0
    np.testing.assert_array_equal(scale_mask(mask, Scaling(wanted, "nearest_centre")), expected)


def test_the_mean_sets_a_pixel_where_half_of_what_it_covers_was_set() -> None:
    mask = noise((64, 96))
    blocks = mask.reshape(16, 4, 24, 4).mean(axis=(1, 3))
    np.testing.assert_array_equal(scale_mask(mask, Scaling((16, 24), "mean")), blocks >= 0.5)


def test_the_methods_differ_in_the_pixel_that_they_take() -> None:
    row = np.array([[True, False, False, True, True, False, False, True]])
    taken = {
        method: scale_mask(row, Scaling((1, 2), method))[0].tolist()
        for method in ("nearest", "nearest_centre", "mean")
    }
    assert taken == {
        "nearest": [True, True],
        "nearest_centre": [False, False],
        "mean": [True, True],
    }


@pytest.mark.parametrize("scaling", [NATIVE, Scaling((60, 80), "mean")])
def test_a_mask_that_has_the_size_stays_as_it_is(scaling: Scaling) -> None:
    mask = noise((60, 80))
    assert scale_mask(mask, scaling) is mask


@pytest.mark.parametrize("method", ["nearest", "nearest_centre", "mean"])
@pytest.mark.parametrize("value", [0, 1])
def test_empty_and_full_masks_stay_so(method: str, value: int) -> None:
    for wanted in ((7, 5), (100, 90)):
        scaled = scale_mask(np.full((31, 43), value, np.bool_), Scaling(wanted, method))  # type: ignore[arg-type]
        assert scaled.shape == wanted
        assert scaled.dtype == np.bool_
        assert (scaled == value).all()


def test_both_masks_are_resized_before_the_pixels_are_counted() -> None:
    prediction = np.array([[True, True, True, True], [False, False, False, False]])
    target = np.array([[True, False, False, True], [True, True, True, True]])
    counts = scaled_counts(prediction, target, Scaling((1, 2)))
    assert counts == ConfusionCounts(tp=1, fp=1, fn=0, tn=0)
