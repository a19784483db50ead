from __future__ import annotations

import numpy as np
import pytest

from dermseg.errors import UsageError
from dermseg.phantom import PICTURES, PhantomOptions, create_phantom, create_picture
from dermseg.phantom import create_plain_skin as create


def test_plain_skin_is_the_phantoms_skin_without_the_lesion() -> None:
    options = PhantomOptions(artefacts={})
    phantom = create_phantom(3, size=(96, 128), options=options)
    bare = create(3, size=(96, 128), options=options)
    changed = np.abs(bare.astype(int) - phantom.image).max(axis=2)
    assert np.median(changed[phantom.mask]) > 20
    assert np.median(changed[~phantom.mask]) <= 2


def test_plain_skin_is_the_same_for_the_same_seed_only() -> None:
    assert (create(1, size=(48, 64)) == create(1, size=(48, 64))).all()
    assert (create(1, size=(48, 64)) != create(2, size=(48, 64))).any()


def test_plain_skin_of_no_size_or_seed_is_refused() -> None:
    with pytest.raises(UsageError, match="not negative"):
        create(-1)
    with pytest.raises(UsageError, match="32 to 1024"):
        create(0, size=(2048, 2048))


def test_pictures_take_turns_and_repeat_by_seed() -> None:
    pictures = [create_picture(seed, size=(48, 64)) for seed in range(2 * len(PICTURES))]
    for seed, picture in enumerate(pictures):
        assert picture.shape == (48, 64, 3)
        assert picture.dtype == np.uint8
        assert (picture == create_picture(seed, size=(48, 64))).all()
    assert len({picture.tobytes() for picture in pictures}) == len(pictures)


def test_a_third_of_the_colourful_kinds_is_grey() -> None:
    # Documents are grey, or nearly so, whatever is drawn.
    seeds = [seed for seed in range(120) if seed % len(PICTURES) != 1]
    pictures = [create_picture(seed, size=(32, 32)) for seed in seeds]
    num_grey = sum((np.ptp(picture, axis=2) == 0).all() for picture in pictures)
    assert 18 <= num_grey <= 42
