import numpy as np
import pytest

from dermseg.errors import UsageError
from dermseg.phantom import PhantomOptions, create_phantom
from dermseg.phantom.attributes import (
    ATTRIBUTES,
    AttributeOptions,
    create_attribute_phantom,
)


def test_the_lesion_is_that_of_the_phantom() -> None:
    assert np.array_equal(
        create_attribute_phantom(3, size=(96, 128)).lesion, create_phantom(3, size=(96, 128)).mask
    )


def test_artefacts_lie_over_the_structures() -> None:
    bare, hairy = (
        create_attribute_phantom(3, size=(96, 128), options=PhantomOptions(artefacts=artefacts))
        for artefacts in ({}, {"hairs": 0.3})
    )
    assert not np.array_equal(bare.image, hairy.image)
    for name in ATTRIBUTES:
        assert np.array_equal(bare.masks[name], hairy.masks[name])


def test_one_seed_gives_one_image() -> None:
    first, same = (create_attribute_phantom(9, size=(64, 64)) for _ in range(2))
    assert np.array_equal(first.image, same.image)


def test_what_is_asked_for_is_drawn() -> None:
    attributes = AttributeOptions({"streaks": 1.0})
    options = PhantomOptions(area_share=0.3)
    masks = create_attribute_phantom(1, options=options, attributes=attributes).masks
    assert [name for name, mask in masks.items() if mask.any()] == ["streaks"]


def test_a_size_out_of_range_is_refused() -> None:
    with pytest.raises(UsageError, match="the size is"):
        create_attribute_phantom(0, size=(16, 64))
