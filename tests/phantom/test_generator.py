from __future__ import annotations

import pickle

import cv2
import numpy as np
import pytest

from dermseg.errors import UsageError
from dermseg.phantom import ARTEFACTS, Phantom, PhantomOptions, create_phantom
from dermseg.types import Size

BARE = PhantomOptions(artefacts={})
LUMA = np.array([0.299, 0.587, 0.114])


def measured_contrast(phantom: Phantom) -> float:
    grey = phantom.image @ LUMA
    return 1 - float(grey[phantom.mask].mean() / np.median(grey[phantom.lesion.depth < -0.6]))


def jaccard(first: np.ndarray, second: np.ndarray) -> float:
    return float((first & second).sum() / (first | second).sum())


def test_one_seed_gives_the_same_bytes() -> None:
    first, second = create_phantom(12), create_phantom(12)
    np.testing.assert_array_equal(first.image, second.image)
    np.testing.assert_array_equal(first.mask, second.mask)
    np.testing.assert_array_equal(first.lesion.distance, second.lesion.distance)
    assert first.parameters == second.parameters


def test_results_do_not_depend_on_the_global_random_state() -> None:
    first = create_phantom(12)
    cv2.setRNGSeed(99)
    np.random.seed(99)  # noqa: NPY002 - the global state is what must not matter
    np.testing.assert_array_equal(create_phantom(12).image, first.image)


def test_seeds_differ_in_image_and_mask() -> None:
    phantoms = [create_phantom(seed, size=(96, 128)) for seed in range(20)]
    assert len({phantom.image.tobytes() for phantom in phantoms}) == 20
    assert len({phantom.mask.tobytes() for phantom in phantoms}) == 20


@pytest.mark.parametrize("size", [(32, 32), (96, 128), (192, 256), (300, 200), (32, 400)])
def test_image_and_mask_have_the_asked_size(size: Size) -> None:
    phantom = create_phantom(3, size=size)
    assert phantom.image.shape == (*size, 3)
    assert phantom.image.dtype == np.uint8
    assert phantom.mask.shape == size
    assert phantom.mask.dtype == np.bool_
    assert phantom.lesion.distance.shape == size


def test_masks_are_never_empty_nor_full() -> None:
    shares = [create_phantom(seed, size=(96, 128)).mask.mean() for seed in range(100)]
    assert min(shares) > 0.003
    assert max(shares) < 0.8


@pytest.mark.parametrize("seed", range(4))
def test_one_seed_shows_the_same_scene_at_every_size(seed: int) -> None:
    options = PhantomOptions(artefacts={"hairs": 0.3, "uneven_light": 0.5, "dark_corners": 0.4})
    small = create_phantom(seed, size=(192, 256), options=options)
    # Larger than the finest scene, so that the enlarging is tested too.
    large = create_phantom(seed, size=(1152, 1536), options=options)
    shares = large.mask.reshape(192, 6, 256, 6).mean(axis=(1, 3))
    assert jaccard(shares >= 0.5, small.mask) > 0.93
    reduced = cv2.resize(large.image, (256, 192), interpolation=cv2.INTER_AREA)
    assert np.abs(reduced.astype(float) - small.image).mean() < 6
    assert large.lesion.radius == pytest.approx(6 * small.lesion.radius, rel=0.03)


@pytest.mark.parametrize("name", sorted(ARTEFACTS))
def test_an_artefact_changes_the_image_and_leaves_the_mask(name: str) -> None:
    bare = create_phantom(8, options=BARE)
    with_artefact = create_phantom(8, options=PhantomOptions(artefacts={name: 0.7}))
    assert (with_artefact.image != bare.image).any()
    np.testing.assert_array_equal(with_artefact.mask, bare.mask)


@pytest.mark.parametrize("name", sorted(ARTEFACTS))
def test_an_artefact_of_strength_zero_is_off(name: str) -> None:
    bare = create_phantom(8, options=BARE)
    off = create_phantom(8, options=PhantomOptions(artefacts={name: 0.0}))
    np.testing.assert_array_equal(off.image, bare.image)


def test_one_artefact_does_not_move_another() -> None:
    hairs = create_phantom(8, options=PhantomOptions(artefacts={"hairs": 0.4}))
    both = create_phantom(8, options=PhantomOptions(artefacts={"hairs": 0.4, "noise": 0.01}))
    assert np.abs(hairs.image.astype(int) - both.image).max() < 4


def test_fixing_one_option_leaves_the_others_as_drawn() -> None:
    drawn = create_phantom(21).parameters
    fixed = create_phantom(21, options=PhantomOptions(contrast=0.5)).parameters
    assert fixed.contrast == 0.5
    assert fixed.ita_degrees == drawn.ita_degrees
    assert fixed.area_share == drawn.area_share
    assert fixed.artefacts == drawn.artefacts


def test_giving_the_drawn_parameters_gives_the_same_phantom() -> None:
    drawn = create_phantom(21)
    parameters = drawn.parameters
    options = PhantomOptions(
        parameters.ita_degrees, parameters.contrast, parameters.area_share, parameters.artefacts
    )
    np.testing.assert_array_equal(create_phantom(21, options=options).image, drawn.image)


@pytest.mark.parametrize("contrast", [0.1, 0.3, 0.6])
@pytest.mark.parametrize("ita_degrees", [-20.0, 55.0])
def test_the_lesion_has_the_asked_contrast(contrast: float, ita_degrees: float) -> None:
    options = PhantomOptions(ita_degrees, contrast, area_share=0.12, artefacts={})
    for seed in range(6):
        phantom = create_phantom(seed, options=options)
        assert measured_contrast(phantom) == pytest.approx(contrast, abs=0.04)


def test_the_lesion_is_darker_than_the_skin_on_every_phantom() -> None:
    for seed in range(30):
        assert measured_contrast(create_phantom(seed, size=(96, 128), options=BARE)) > 0.04


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3, 0.6])
def test_the_lesion_covers_about_the_asked_share(share: float) -> None:
    options = PhantomOptions(area_share=share, artefacts={})
    shares = [create_phantom(seed, options=options).mask.mean() for seed in range(8)]
    np.testing.assert_allclose(shares, share, rtol=0.2)


def test_some_lesions_touch_the_edge_and_most_do_not() -> None:
    masks = [create_phantom(seed, size=(96, 128)).mask for seed in range(100)]
    touching = sum(mask[[0, -1]].any() or mask[:, [0, -1]].any() for mask in masks)
    assert 2 <= touching <= 25


def test_a_phantom_survives_a_process_boundary() -> None:
    phantom = create_phantom(2, size=(96, 128))
    copied: Phantom = pickle.loads(pickle.dumps(phantom))  # noqa: S301 - our own bytes
    np.testing.assert_array_equal(copied.image, phantom.image)
    assert copied.parameters == phantom.parameters


@pytest.mark.parametrize("size", [(31, 64), (64, 0), (-5, 64), (64, 20000)])
def test_an_unusable_size_is_refused(size: Size) -> None:
    with pytest.raises(UsageError, match=r"the size is .*\(height, width\), each 32 to 16384"):
        create_phantom(0, size=size)


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(UsageError, match="the seed is -1"):
        create_phantom(-1)
