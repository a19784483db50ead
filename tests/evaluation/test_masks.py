from __future__ import annotations

import io
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn import functional

from dermseg.errors import DatasetError, ImageError
from dermseg.evaluation.masks import (
    list_masks,
    list_probabilities,
    read_checked_mask,
    scale_mask,
    scaled_counts,
)
from dermseg.evaluation.protocols import NATIVE, Scaling
from dermseg.metrics import ConfusionCounts
from dermseg.types import Size

LESION = np.zeros((6, 8), np.bool_)
LESION[1:5, 2:7] = True


def png(values: NDArray[np.generic]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(values).save(stream, "PNG")
    return stream.getvalue()


def painted(skin: int, lesion: int) -> NDArray[np.uint8]:
    return np.where(LESION, lesion, skin).astype(np.uint8)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "mask.png"


def test_a_mask_of_0_and_255_is_in_order(file: Path) -> None:
    file.write_bytes(png(painted(0, 255)))
    checked = read_checked_mask(file)
    np.testing.assert_array_equal(checked.mask, LESION)
    assert (checked.is_binary, checked.finding) == (True, None)


@pytest.mark.parametrize("value", [0, 255])
def test_an_empty_and_a_full_mask_are_in_order(file: Path, value: int) -> None:
    file.write_bytes(png(painted(value, value)))
    checked = read_checked_mask(file)
    assert checked.mask.all() == checked.mask.any() == bool(value)
    assert (checked.is_binary, checked.finding) == (True, None)


@pytest.mark.parametrize(
    "image",
    [
        Image.fromarray(LESION),
        Image.fromarray(painted(0, 255)).convert("RGB"),
        Image.fromarray(painted(0, 255)).convert("RGBA"),
        Image.fromarray(painted(0, 255)).convert("P"),
    ],
    ids=["1 bit", "grey RGB", "opaque RGBA", "palette"],
)
def test_a_black_and_white_mask_is_in_order_however_it_is_stored(
    file: Path, image: Image.Image
) -> None:
    image.save(file)
    checked = read_checked_mask(file)
    np.testing.assert_array_equal(checked.mask, LESION)
    assert (checked.is_binary, checked.finding) == (True, None)


@pytest.mark.parametrize(
    ("values", "mask", "finding"),
    [
        (painted(0, 1), LESION, "its values are 0 and 1: 1 is lesion here, and skin to scorers"),
        (painted(1, 1), LESION | True, "its values are 1: 1 is lesion here"),
        (painted(0, 200), LESION, "its values are 0 and 200, not 0 and 255; above 128 is lesion"),
        (painted(0, 128), LESION & False, "its values are 0 and 128, and none is above 128"),
        (painted(7, 7), LESION & False, "its values are 7, and none is above 128"),
        (painted(200, 200), LESION | True, "its values are 200, not 0 and 255"),
        (painted(1, 255), LESION, "not binary: 58.33% of its pixels are grey"),
        (painted(100, 150), LESION, "not binary: 100.00% of its pixels are grey"),
        (np.where(np.eye(6, 8), 9, painted(0, 255)).astype(np.uint8), None, "not binary: 12.50%"),
    ],
)
def test_a_mask_of_other_values_is_read_and_named(
    file: Path, values: NDArray[np.uint8], mask: NDArray[np.bool_] | None, finding: str
) -> None:
    file.write_bytes(png(values))
    checked = read_checked_mask(file)
    np.testing.assert_array_equal(checked.mask, values > 128 if mask is None else mask)
    assert not checked.is_binary
    assert checked.finding is not None
    assert checked.finding.startswith(finding)


def test_16_bit_masks_are_read_by_their_range(file: Path) -> None:
    file.write_bytes(png(painted(0, 255).astype(np.uint16) * 257))
    assert read_checked_mask(file).finding is None
    file.write_bytes(png(painted(0, 255).astype(np.uint16)))
    np.testing.assert_array_equal(read_checked_mask(file).mask, LESION)
    file.write_bytes(png(painted(0, 200).astype(np.uint16) * 256))
    finding = read_checked_mask(file).finding
    assert finding is not None
    assert "its values are 0 and 200" in finding


def test_a_palette_that_paints_the_lesion_counts_as_0_and_1(file: Path) -> None:
    image = Image.fromarray(painted(0, 1), "P")
    image.putpalette([0, 0, 0, 255, 0, 0])
    image.save(file)
    checked = read_checked_mask(file)
    np.testing.assert_array_equal(checked.mask, LESION)
    assert not checked.is_binary


def test_a_mask_with_colours_is_refused_by_name(file: Path) -> None:
    colours = np.zeros((6, 8, 3), np.uint8)
    colours[LESION] = (255, 0, 0)
    file.write_bytes(png(colours))
    with pytest.raises(ImageError, match=r"mask\.png: a mask with colours; expected one channel"):
        read_checked_mask(file)


@pytest.mark.parametrize("content", [b"", b"no image", png(painted(0, 255))[:50]])
def test_a_file_that_cannot_be_read_is_refused_by_name(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(ImageError, match=r"mask\.png"):
        read_checked_mask(file)


def test_an_archive_lists_masks_and_probabilities_and_nothing_else(tmp_path: Path) -> None:
    archive = tmp_path / "masks.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        for name in (
            "b_segmentation.png",
            "deep/er/a_segmentation.PNG",
            "deep/a_probability.png",
            "a_overlay.jpg",
            "__MACOSX/._a_segmentation.png",
            ".hidden/c_segmentation.png",
            "README.txt",
            "predictions.csv",
        ):
            opened.writestr(name, png(painted(0, 255)))
        opened.mkdir("folder.png")
    assert [mask.name for mask in list_masks(archive, "masks")] == [
        "b_segmentation.png",
        "a_segmentation.PNG",
    ]
    assert [file.name for file in list_probabilities(archive)] == ["a_probability.png"]
    for mask in list_masks(archive, "masks"):
        np.testing.assert_array_equal(read_checked_mask(mask).mask, LESION)


def test_an_archive_is_read_and_never_unpacked(tmp_path: Path) -> None:
    folder = tmp_path / "inner"
    folder.mkdir()
    archive = folder / "masks.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("../escaped.png", png(painted(0, 255)))
        opened.writestr("/absolute.png", png(painted(0, 255)))
    for mask in list_masks(archive, "masks"):
        read_checked_mask(mask)
    assert [path.name for path in tmp_path.rglob("*")] == ["inner", "masks.zip"]


def test_a_damaged_member_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    archive = tmp_path / "masks.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        for name in ("a.png", "b.png"):
            opened.writestr(name, png(painted(0, 255)))
    content = bytearray(archive.read_bytes())
    content[content.index(b"IDAT") + 6] ^= 0xFF
    archive.write_bytes(content)
    damaged, whole = list_masks(archive, "masks")
    with pytest.raises(ImageError, match=r"masks\.zip/a\.png: it cannot be unpacked"):
        read_checked_mask(damaged)
    np.testing.assert_array_equal(read_checked_mask(whole).mask, LESION)


def test_a_member_that_is_no_image_is_named_with_its_archive(tmp_path: Path) -> None:
    archive = tmp_path / "masks.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("folder/a.png", b"no image")
    (mask,) = list_masks(archive, "masks")
    with pytest.raises(ImageError, match=r"masks\.zip/folder/a\.png: "):
        read_checked_mask(mask)


@pytest.mark.parametrize(("offset", "value"), [(0, 1), (2, 99)])
def test_an_encrypted_or_oddly_packed_member_is_named(
    tmp_path: Path, offset: int, value: int
) -> None:
    """The two bytes stand for the flag of encryption and for the method of compression."""
    archive = tmp_path / "masks.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("a.png", png(painted(0, 255)))
    content = bytearray(archive.read_bytes())
    content[content.index(b"PK\x03\x04") + 6 + offset] = value
    content[content.index(b"PK\x01\x02") + 8 + offset] = value
    archive.write_bytes(content)
    (mask,) = list_masks(archive, "masks")
    with pytest.raises(ImageError, match=r"masks\.zip/a\.png: it cannot be unpacked"):
        read_checked_mask(mask)


def test_an_archive_that_is_cut_or_broken_is_an_error_that_names_it(tmp_path: Path) -> None:
    archive = tmp_path / "masks.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("a.png", png(painted(0, 255)))
    content = archive.read_bytes()
    archive.write_bytes(content.replace(b"PK\x01\x02", b"PK\x09\x09"))
    with pytest.raises(DatasetError, match=r"masks\.zip: the archive cannot be opened"):
        list_masks(archive, "masks")
    archive.write_bytes(content[: len(content) // 2])
    with pytest.raises(DatasetError, match=r"masks\.zip: is neither a folder nor a ZIP archive"):
        list_masks(archive, "masks")


def test_a_member_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "masks.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("a.png", png(painted(0, 255)))
    content = bytearray(archive.read_bytes())
    at = content.index(b"PK\x01\x02") + 24
    content[at : at + 4] = (600_000_000).to_bytes(4, "little")
    archive.write_bytes(content)
    with pytest.raises(DatasetError, match=r"masks\.zip: a\.png would take 600,000,000 bytes"):
        list_masks(archive, "masks")


def test_a_name_that_comes_twice_in_an_archive_is_listed_twice(tmp_path: Path) -> None:
    archive = tmp_path / "masks.zip"
    with zipfile.ZipFile(archive, "w") as opened, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for value in (0, 255):
            opened.writestr("a.png", png(painted(0, value)))
    assert [mask.name for mask in list_masks(archive, "masks")] == ["a.png", "a.png"]


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
