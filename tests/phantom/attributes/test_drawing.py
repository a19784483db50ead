from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dermseg.errors import UsageError
from dermseg.phantom import PhantomOptions, create_phantom
from dermseg.phantom.attributes import (
    ATTRIBUTES,
    OBSERVED_FREQUENCIES,
    AttributeOptions,
    AttributePhantom,
    draw_attributes,
)
from dermseg.types import BoolMask, ImageArray

ALL = AttributeOptions(dict.fromkeys(ATTRIBUTES, 1.0), distractors=0.0)


def _lesion(seed: int = 44, size: tuple[int, int] = (192, 256)) -> tuple[ImageArray, BoolMask]:
    options = PhantomOptions(ita_degrees=60, contrast=0.35, area_share=0.35, artefacts={})
    phantom = create_phantom(seed, size=size, options=options)
    return phantom.image, phantom.mask


def _only(name: str, seed: int, *, distractors: float = 0.0) -> AttributePhantom:
    options = AttributeOptions({name: 1.0}, distractors=distractors)
    return draw_attributes(*_lesion(), seed=seed, options=options)


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_each_structure_changes_its_mask_and_nothing_else(name: str) -> None:
    image, _ = _lesion()
    for seed in range(6):
        drawn = _only(name, seed)
        mask = drawn.masks[name]
        assert mask.any()
        assert np.array_equal(drawn.image[~mask], image[~mask])
        assert not any(other.any() for key, other in drawn.masks.items() if key != name)
        difference = np.abs(drawn.image.astype(int) - image).mean(axis=2)[mask]
        assert np.quantile(difference, 0.9) > 4, "it cannot be seen"


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_more_contrast_changes_the_same_places_more(name: str) -> None:
    image, lesion = _lesion()
    options = AttributeOptions({name: 1.0}, distractors=0.0)
    usual, clear = (
        draw_attributes(image, lesion, seed=1, options=replace(options, contrast=contrast))
        for contrast in (1.0, 1.6)
    )
    assert np.array_equal(usual.masks[name], clear.masks[name])
    changes = [np.abs(drawn.image.astype(int) - image).sum() for drawn in (usual, clear)]
    assert changes[1] > 1.15 * changes[0]
    assert np.array_equal(clear.image[~clear.masks[name]], image[~clear.masks[name]])


def test_nothing_changes_outside_the_masks_and_the_distractors() -> None:
    image, lesion = _lesion()
    options = AttributeOptions(dict.fromkeys(ATTRIBUTES, 0.5), distractors=0.5)
    for seed in range(12):
        drawn = draw_attributes(image, lesion, seed=seed, options=options)
        explained = np.any([drawn.distractors, *drawn.masks.values()], axis=0)
        assert np.array_equal(drawn.image[~explained], image[~explained])


def test_distractors_change_the_image_and_are_in_no_mask() -> None:
    image, lesion = _lesion()
    drawn = draw_attributes(image, lesion, seed=0, options=AttributeOptions({}, distractors=1))
    assert (drawn.image != image).any()
    assert drawn.distractors[(drawn.image != image).any(axis=2)].all()
    assert not any(mask.any() for mask in drawn.masks.values())


def test_without_structures_and_distractors_the_image_stays() -> None:
    image, lesion = _lesion()
    drawn = draw_attributes(image, lesion, seed=0, options=AttributeOptions({}, distractors=0))
    assert np.array_equal(drawn.image, image)
    assert drawn.image is not image
    assert not drawn.distractors.any()


def test_the_seed_decides() -> None:
    image, lesion = _lesion()
    first, same, other = (draw_attributes(image, lesion, seed=s, options=ALL) for s in (3, 3, 4))
    assert np.array_equal(first.image, same.image)
    assert all(np.array_equal(first.masks[name], same.masks[name]) for name in ATTRIBUTES)
    assert not np.array_equal(first.image, other.image)


def test_one_structure_does_not_depend_on_the_others() -> None:
    image, lesion = _lesion()
    together = draw_attributes(image, lesion, seed=5, options=ALL)
    for name in ("globules", "milia_like_cyst", "negative_network", "streaks"):
        assert np.array_equal(together.masks[name], _only(name, 5).masks[name])


def test_a_place_shows_one_network_or_the_other() -> None:
    for seed in range(6):
        drawn = draw_attributes(*_lesion(), seed=seed, options=ALL)
        both = drawn.masks["negative_network"] & drawn.masks["pigment_network"]
        assert not both.any()


def test_inputs_stay_as_they_were() -> None:
    image, lesion = _lesion()
    before = image.copy(), lesion.copy()
    draw_attributes(image, lesion, seed=0, options=ALL)
    assert np.array_equal(image, before[0])
    assert np.array_equal(lesion, before[1])


@pytest.mark.parametrize("size", [(64, 64), (64, 96), (192, 256), (500, 333), (1024, 1024)])
def test_masks_lie_inside_the_lesion_at_every_size(size: tuple[int, int]) -> None:
    image, lesion = _lesion(size=size)
    drawn = draw_attributes(image, lesion, seed=1, options=ALL)
    assert drawn.image.shape == (*size, 3)
    assert drawn.image.dtype == np.uint8
    for name, mask in drawn.masks.items():
        assert mask.shape == size
        assert not (mask & ~lesion).any(), name
        assert mask.any(), name


def test_attributes_are_as_frequent_as_asked() -> None:
    image, lesion = _lesion(size=(64, 64))
    number = 250
    counts = dict.fromkeys(ATTRIBUTES, 0)
    for seed in range(number):
        options = AttributeOptions(distractors=0.0)
        for name, mask in draw_attributes(image, lesion, seed=seed, options=options).masks.items():
            counts[name] += bool(mask.any())
    for name, expected in OBSERVED_FREQUENCIES.items():
        tolerance = 3.5 * np.sqrt(expected * (1 - expected) / number)
        assert abs(counts[name] / number - expected) < tolerance, name


def test_milia_are_lighter_and_globules_darker_than_the_lesion() -> None:
    image, _ = _lesion()
    milia, globules = _only("milia_like_cyst", 2), _only("globules", 2)
    milia_change = milia.image.astype(int) - image
    assert milia_change[milia.masks["milia_like_cyst"]].min() >= -8
    assert milia_change.max() > 25
    globule_change = globules.image.astype(int) - image
    assert globule_change.min() < -20
    assert globule_change.sum() < 0


def test_light_and_colour_cast_of_a_photograph_stay() -> None:
    image, lesion = _lesion()
    cast = np.array([0.8, 0.95, 1.0])
    shade = np.linspace(0.6, 1.0, image.shape[1])[None, :, None]
    seen = (image * cast * shade + 0.5).astype(np.uint8)
    options = AttributeOptions({"pigment_network": 1.0}, distractors=0.0)
    plain = draw_attributes(image, lesion, seed=3, options=options)
    shaded = draw_attributes(seen, lesion, seed=3, options=options)
    mask = plain.masks["pigment_network"]
    assert np.array_equal(mask, shaded.masks["pigment_network"])
    expected = (plain.image * cast * shade)[mask]
    assert np.abs(expected - shaded.image[mask]).mean() < 4


def test_an_empty_or_tiny_lesion_shows_nothing() -> None:
    image, _ = _lesion()
    tiny = np.zeros((192, 256), np.bool_)
    for lesion in (tiny.copy(), tiny):
        drawn = draw_attributes(image, lesion, seed=0, options=ALL)
        assert np.array_equal(drawn.image, image)
        assert not any(mask.any() for mask in drawn.masks.values())
        tiny[50:54, 50:54] = True


def test_a_lesion_that_fills_the_image_can_be_drawn_on() -> None:
    image, _ = _lesion()
    drawn = draw_attributes(image, np.ones((192, 256), np.bool_), seed=0, options=ALL)
    assert drawn.masks["pigment_network"].any()


def test_what_is_no_image_and_no_mask_is_refused() -> None:
    image, lesion = _lesion()
    with pytest.raises(UsageError, match="the image has shape"):
        draw_attributes(image[..., 0], lesion, seed=0)
    with pytest.raises(UsageError, match="the lesion has shape"):
        draw_attributes(image, lesion[:-1], seed=0)
    with pytest.raises(UsageError, match="the lesion has shape"):
        draw_attributes(image, lesion.astype(np.uint8), seed=0)
    with pytest.raises(UsageError, match="the seed is -1"):
        draw_attributes(image, lesion, seed=-1)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**63),
    height=st.integers(32, 120),
    width=st.integers(32, 120),
    centre=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    radius=st.floats(0.02, 0.9),
    grey=st.integers(0, 255),
)
def test_any_image_with_any_lesion_can_be_drawn_on(
    seed: int, height: int, width: int, centre: tuple[float, float], radius: float, grey: int
) -> None:
    y, x = np.mgrid[:height, :width]
    lesion = np.hypot(y - centre[0] * height, x - centre[1] * width) < radius * min(height, width)
    image = np.full((height, width, 3), grey, np.uint8)
    options = AttributeOptions(dict.fromkeys(ATTRIBUTES, 1.0), distractors=0.5)
    drawn = draw_attributes(image, lesion, seed=seed, options=options)
    explained = np.any([drawn.distractors, *drawn.masks.values()], axis=0)
    assert np.array_equal(drawn.image[~explained], image[~explained])
    assert not any((mask & ~lesion).any() for mask in drawn.masks.values())
