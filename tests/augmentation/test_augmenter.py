"""Random changes of image and mask: together, repeatable, within range."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from dermseg.augmentation import Augmenter
from dermseg.metrics import jaccard
from dermseg.recipes import Augmentation
from dermseg.types import BoolMask

SIZE = (192, 256)

GEOMETRY: dict[str, Augmentation] = {
    "flips": Augmentation(horizontal_flip=0.5, vertical_flip=0.5),
    "rotation": Augmentation(rotation_degrees=180),
    "zoom": Augmentation(zoom=(0.7, 1.4)),
    "stretch": Augmentation(stretch=0.3),
    "shift": Augmentation(shift=0.3),
    "crop": Augmentation(crop=0.5),
    "all": Augmentation(
        horizontal_flip=0.5,
        vertical_flip=0.5,
        rotation_degrees=180,
        zoom=(0.75, 1.3),
        stretch=0.1,
        shift=0.1,
    ),
}
COLOR = Augmentation(brightness=0.5, contrast=0.5, saturation=0.5, hue=0.1, temperature=0.3)
EVERYTHING = GEOMETRY["all"].model_copy(update=COLOR.model_dump(exclude_defaults=True))

Pair = tuple[NDArray[np.float32], BoolMask]


def draw_pair(size: tuple[int, int] = SIZE) -> Pair:
    """A bright, lopsided spot whose mask is where the image is brighter than a half."""
    y, x = np.mgrid[: size[0], : size[1]]
    y, x = y / size[0], x / size[1]
    first = (x - 0.42) ** 2 / 0.16**2 + (y - 0.55) ** 2 / 0.2**2 <= 1
    second = (x - 0.56) ** 2 / 0.08**2 + (y - 0.42) ** 2 / 0.1**2 <= 1
    mask = first | second
    image = np.where(mask[..., None], [0.9, 0.8, 0.95], [0.1, 0.2, 0.05]).astype(np.float32)
    return image, mask


@pytest.fixture
def pair() -> Pair:
    return draw_pair()


def augment(
    options: Augmentation, pair: Pair, *, seed: int = 0, epoch: int = 0, id: str = "a"
) -> Pair:
    return Augmenter(options, seed=seed)(*pair, epoch=epoch, sample_id=id)


def all_epochs(options: Augmentation, pair: Pair, num_epochs: int = 12) -> list[Pair]:
    return [augment(options, pair, epoch=epoch) for epoch in range(num_epochs)]


@pytest.mark.parametrize("name", GEOMETRY)
def test_image_and_mask_move_together(name: str, pair: Pair) -> None:
    for image, mask in all_epochs(GEOMETRY[name], pair):
        assert jaccard(image[..., 0] > 0.5, mask) > 0.97


@pytest.mark.parametrize("name", GEOMETRY)
def test_something_is_changed(name: str, pair: Pair) -> None:
    changed = [mask for _, mask in all_epochs(GEOMETRY[name], pair)]
    assert sum(not np.array_equal(mask, pair[1]) for mask in changed) >= 6
    assert len({mask.tobytes() for mask in changed}) >= 4


def test_all_options_off_leave_the_pair_unchanged(pair: Pair) -> None:
    image, mask = augment(Augmentation(), pair)
    assert np.array_equal(mask, pair[1])
    assert np.abs(image - pair[0]).max() < 1e-4


def test_flips_are_those_of_numpy(pair: Pair) -> None:
    generator = np.random.default_rng(0)
    image = generator.random((48, 64, 3), dtype=np.float32)
    mask = generator.random((48, 64)) < 0.5
    flips = {"none": (), "vertical": (0,), "horizontal": (1,), "both": (0, 1)}
    seen = set()
    for changed, changed_mask in all_epochs(GEOMETRY["flips"], (image, mask), 24):
        (found,) = [
            name
            for name, axes in flips.items()
            if np.array_equal(np.flip(mask, axes), changed_mask)
        ]
        assert np.abs(np.flip(image, flips[found]) - changed).max() < 1e-4
        seen.add(found)
    assert seen == set(flips)


@pytest.mark.parametrize(
    ("options", "axes"),
    [(Augmentation(horizontal_flip=1), (1,)), (Augmentation(vertical_flip=1), (0,))],
)
def test_flip_goes_along_the_side_that_its_name_says(
    options: Augmentation, axes: tuple[int], pair: Pair
) -> None:
    assert np.array_equal(augment(options, pair)[1], np.flip(pair[1], axes))


def test_rotation_keeps_area_and_shape_in_pixels(pair: Pair) -> None:
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    # Small enough that no reflection of them comes into a corner.
    disc = (x - 127.5) ** 2 + (y - 95.5) ** 2 <= 30**2
    bar = (np.abs(x - 127.5) <= 70) & (np.abs(y - 95.5) <= 10)
    for epoch in range(12):
        _, turned_disc = augment(GEOMETRY["rotation"], (pair[0], disc), epoch=epoch)
        assert jaccard(turned_disc, disc) > 0.95
        _, turned_bar = augment(GEOMETRY["rotation"], (pair[0], bar), epoch=epoch)
        assert turned_bar.sum() == pytest.approx(bar.sum(), rel=0.03)
        variances = np.linalg.eigvalsh(np.cov(np.argwhere(turned_bar).T))
        expected = np.linalg.eigvalsh(np.cov(np.argwhere(bar).T))
        assert variances == pytest.approx(expected, rel=0.05)


def test_rotation_reaches_all_directions_but_not_beyond_its_limit() -> None:
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    dot = ((x - 188) ** 2 + (y - 96) ** 2 <= 6**2).astype(np.bool_)
    image = np.zeros((*SIZE, 3), np.float32)
    angles = {}
    for degrees in (20, 180):
        options = Augmentation(rotation_degrees=degrees)
        spots = [augment(options, (image, dot), epoch=epoch)[1] for epoch in range(30)]
        offsets = [np.argwhere(spot).mean(axis=0) - (95.5, 127.5) for spot in spots]
        angles[degrees] = [np.degrees(np.arctan2(*offset)) for offset in offsets]
    assert max(np.abs(angles[20])) < 21
    assert min(angles[20]) < -10
    assert max(angles[20]) > 10
    assert min(angles[180]) < -90
    assert max(angles[180]) > 90


def test_images_are_interpolated_and_masks_are_not(pair: Pair) -> None:
    image, mask = augment(GEOMETRY["rotation"], pair)
    between = (image[..., 0] > 0.15) & (image[..., 0] < 0.85)
    assert 0 < between.sum() < 0.1 * mask.size
    # Between the two values lies only the border.
    assert jaccard(mask | between, mask) > 0.9


def test_zoom_scales_the_area_within_its_range(pair: Pair) -> None:
    low, high = GEOMETRY["zoom"].zoom
    factors = [
        np.sqrt(mask.sum() / pair[1].sum()) for _, mask in all_epochs(GEOMETRY["zoom"], pair, 30)
    ]
    assert low * 0.98 <= min(factors) < 0.9
    assert 1.1 < max(factors) <= high * 1.02


def test_shift_moves_by_a_share_of_the_side() -> None:
    mask = np.zeros(SIZE, np.bool_)
    mask[90:102, 120:136] = True
    image = np.zeros((*SIZE, 3), np.float32)
    moves = []
    for epoch in range(30):
        _, moved = augment(Augmentation(shift=0.25), (image, mask), epoch=epoch)
        assert moved.sum() == pytest.approx(mask.sum(), rel=0.2)
        moves.append((np.argwhere(moved).mean(axis=0) - np.argwhere(mask).mean(axis=0)) / SIZE)
    largest = np.abs(moves).max(axis=0)
    assert (largest <= 0.26).all()
    assert (largest > 0.15).all()


def test_crop_shows_a_window_of_the_image_and_nothing_from_outside() -> None:
    # Colours tell the place in [0, 1]: red across, green down.
    height, width = SIZE
    y, x = (np.mgrid[:height, :width] + 0.5) / np.array(SIZE).reshape(2, 1, 1)
    image = np.stack([x, y, np.zeros(SIZE)], axis=2).astype(np.float32)
    shares, starts = [], []
    for epoch in range(40):
        changed, mask = augment(Augmentation(crop=0.5), (image, x > 0.5), epoch=epoch)
        red, green = changed[..., 0], changed[..., 1]
        # The same window in every row and column, enlarged evenly.
        assert np.abs(red - red[0]).max() < 1e-4
        assert np.abs(green - green[:, :1]).max() < 1e-4
        assert np.ptp(np.diff(red[0, 2:-2])) < 1e-4
        share = (red[0, -2] - red[0, 1]) * width / (width - 3)
        assert (green[-2, 0] - green[1, 0]) * height / (height - 3) == pytest.approx(
            share, abs=1e-3
        )
        assert 0.5 - 1e-3 <= share <= 1 + 1e-3
        start = red[0, 1] - 1.5 * share / width
        assert -1e-3 <= start <= 1 - share + 1e-3
        shares.append(share)
        starts.append(start / max(1 - share, 1e-6))
        assert (mask == (red > 0.5))[np.abs(red - 0.5) > 2 / width].all()
    assert min(shares) < 0.6
    assert max(shares) > 0.9
    assert min(starts) < 0.2
    assert max(starts) > 0.8


def test_crop_is_a_window_of_what_the_zoom_shows() -> None:
    height, width = SIZE
    y, x = (np.mgrid[:height, :width] + 0.5) / np.array(SIZE).reshape(2, 1, 1)
    image = np.stack([x, y, np.zeros(SIZE)], axis=2).astype(np.float32)
    options = Augmentation(zoom=(2, 2), crop=0.5)
    changed = np.stack([each for each, _ in all_epochs(options, (image, x > 0.5), 40)])[..., :2]
    # Enlarged twice, the image shows its middle half, and the windows reach all of that.
    assert 0.25 <= changed.min() < 0.26
    assert 0.74 < changed.max() <= 0.75


def test_what_comes_in_from_outside_is_a_reflection_not_black() -> None:
    image = np.full((64, 96, 3), 0.7, np.float32)
    mask = np.zeros((64, 96), np.bool_)
    for changed, _ in all_epochs(GEOMETRY["all"], (image, mask)):
        assert np.abs(changed - 0.7).max() < 1e-4


@pytest.mark.parametrize(
    "options", [GEOMETRY["all"], COLOR, EVERYTHING], ids=["geometry", "color", "all"]
)
def test_values_stay_in_range_and_masks_binary(options: Augmentation) -> None:
    generator = np.random.default_rng(0)
    image = generator.integers(0, 2, (48, 64, 3)).astype(np.float32)
    mask = generator.random((48, 64)) < 0.5
    for changed, changed_mask in all_epochs(options, (image, mask), 20):
        assert changed.shape == image.shape
        assert changed.dtype == np.float32
        assert changed.flags.c_contiguous
        assert changed.min() >= 0
        assert changed.max() <= 1
        assert changed_mask.shape == mask.shape
        assert changed_mask.dtype == np.bool_


def test_colour_changes_leave_the_mask_alone(pair: Pair) -> None:
    for image, mask in all_epochs(COLOR, pair, 6):
        assert np.array_equal(mask, pair[1])
        assert np.abs(image - pair[0]).max() > 0.01


def test_temperature_multiplies_each_channel_by_its_own_factor() -> None:
    image = np.full((8, 8, 3), 0.5, np.float32)
    mask = np.zeros((8, 8), np.bool_)
    gains = np.array(
        [
            augment(Augmentation(temperature=0.2), (image, mask), epoch=epoch)[0][0, 0] / 0.5
            for epoch in range(20)
        ]
    )
    assert (gains >= 0.8 - 1e-4).all()
    assert (gains <= 1.2 + 1e-4).all()
    assert (np.ptp(gains, axis=1) > 0.01).mean() > 0.8


def disturb_by_seed() -> None:
    torch.manual_seed(123)


def disturb_by_drawing() -> None:
    torch.rand(1000)
    np.random.default_rng().random()


@pytest.mark.parametrize("disturb", [disturb_by_seed, disturb_by_drawing])
def test_same_key_gives_the_same_result_whatever_torchs_state(
    disturb: Callable[[], object], pair: Pair
) -> None:
    augmenter = Augmenter(EVERYTHING, seed=3)
    first = augmenter(*pair, epoch=4, sample_id="x")
    disturb()
    augmenter(*pair, epoch=9, sample_id="other")
    second = Augmenter(EVERYTHING, seed=3)(*pair, epoch=4, sample_id="x")
    assert np.array_equal(first[0], second[0])
    assert np.array_equal(first[1], second[1])


def test_torchs_random_state_is_untouched(pair: Pair) -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    augment(EVERYTHING, pair)
    assert torch.equal(torch.rand(3), expected)
    assert torch.initial_seed() == 7


@pytest.mark.parametrize("other", [{"seed": 1}, {"epoch": 1}, {"id": "b"}])
def test_another_seed_epoch_or_id_gives_another_result(
    other: dict[str, object], pair: Pair
) -> None:
    first = augment(EVERYTHING, pair)
    second = augment(EVERYTHING, pair, **other)  # type: ignore[arg-type]
    assert not np.array_equal(first[0], second[0])


def test_keys_that_read_alike_differ(pair: Pair) -> None:
    first = augment(EVERYTHING, pair, epoch=1, id="1/a")
    second = augment(EVERYTHING, pair, epoch=11, id="a")
    assert not np.array_equal(first[0], second[0])


def test_given_arrays_are_not_changed(pair: Pair) -> None:
    image, mask = pair[0].copy(), pair[1].copy()
    augment(EVERYTHING, pair)
    augment(Augmentation(), pair)
    assert np.array_equal(pair[0], image)
    assert np.array_equal(pair[1], mask)


@pytest.mark.parametrize("name", GEOMETRY)
def test_masks_of_several_classes_move_as_each_would_alone(name: str, pair: Pair) -> None:
    image, mask = pair
    left = mask & (np.arange(SIZE[1]) < 110)
    stack = np.stack([mask, np.zeros_like(mask), left])
    for epoch in range(3):
        changed, masks = augment(GEOMETRY[name], (image, stack), epoch=epoch)
        assert masks.shape == stack.shape
        assert masks.dtype == np.bool_
        for alone, together in zip(stack, masks, strict=True):
            same, moved = augment(GEOMETRY[name], (image, alone), epoch=epoch)
            assert np.array_equal(together, moved)
            assert np.array_equal(changed, same)


def test_a_stack_of_any_height_leaves_the_draws_of_everything_as_they_are(pair: Pair) -> None:
    image, mask = pair
    # Three planes must not be taken for colours, nor four for colours and transparency.
    options = EVERYTHING.model_copy(update={"hairs": 1.0, "jpeg": 1.0})
    expected_image, expected_mask = augment(options, pair)
    for num in (1, 3, 4, 6):
        changed, masks = augment(options, (image, np.repeat(mask[None], num, axis=0)))
        assert np.array_equal(changed, expected_image)
        assert np.array_equal(masks, np.repeat(expected_mask[None], num, axis=0))
