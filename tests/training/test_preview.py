"""The contact sheet shows what the network will see."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dermseg.errors import DatasetError
from dermseg.images import read_image
from dermseg.preprocessing import resize_image
from dermseg.recipes import PRESETS, read_recipe
from dermseg.training import preview

Run = Callable[..., "subprocess.CompletedProcess[str]"]
SMALL = ["preprocessing.size=[48, 64]", "training.progressive_resizing=[]"]


def test_rows_are_images_and_columns_epochs(disc_dataset: Path) -> None:
    recipe = read_recipe("unet-isic2017", SMALL)
    sheet = preview(recipe, [disc_dataset], num=3, epochs=2)
    # Captions of 20 pixels above the tiles, 4 pixels beside them.
    assert sheet.shape == (3 * (240 + 20), 3 * (320 + 4), 3)
    assert np.array_equal(sheet, preview(recipe, [disc_dataset], num=3, epochs=2))


def test_first_column_is_the_image_with_its_contour(disc_dataset: Path) -> None:
    recipe = read_recipe("unet-isic2017", SMALL)
    tile = preview(recipe, [disc_dataset], num=1, epochs=1)[20:260, :320].astype(int)
    images = [read_image(path) for path in sorted((disc_dataset / "images").iterdir())]
    nearest = min(
        float(np.median(np.abs(tile - resize_image(image, (240, 320))))) for image in images
    )
    assert nearest <= 1
    # The contour's colour is in neither skin nor disc.
    assert (np.abs(tile - (64, 255, 200)).sum(axis=2) < 90).sum() > 100


@pytest.mark.parametrize(
    ("size", "tile"),
    [((512, 512), (320, 320)), ((32, 16), (320, 160)), ((96, 320), (96, 320))],
)
def test_tiles_have_one_size_whatever_the_networks(
    size: tuple[int, int], tile: tuple[int, int], disc_dataset: Path
) -> None:
    settings = [f"preprocessing.size={list(size)}", "training.progressive_resizing=[]"]
    sheet = preview(read_recipe("unet-isic2017", settings), [disc_dataset], num=1, epochs=1)
    assert sheet.shape == (tile[0] + 20, 2 * (tile[1] + 4), 3)


def test_columns_without_augmentation_repeat_the_first(disc_dataset: Path) -> None:
    recipe = read_recipe("unet-isic2018", ["preprocessing.size=[48, 64]", "data.name=folder",
                                           "augmentation.horizontal_flip=0",
                                           "augmentation.vertical_flip=0"])  # fmt: skip
    sheet = preview(recipe, [disc_dataset], num=1, epochs=2)
    tiles = [sheet[20:, start : start + 320] for start in (0, 324, 648)]
    assert np.array_equal(tiles[0], tiles[1])
    assert np.array_equal(tiles[0], tiles[2])


def test_every_class_has_a_colour_and_a_name(attribute_dataset: Path) -> None:
    recipe = read_recipe("unet-isic2018", ["preprocessing.size=[48, 64]", "data.name=isic2018",
                                           'classes=["globules", "pigment_network"]'])  # fmt: skip
    sheet = preview(recipe, [attribute_dataset], num=2, epochs=1)
    # One line of names above the rows.
    assert sheet.shape == (20 + 2 * (240 + 20), 2 * (320 + 4), 3)
    legend, tiles = sheet[:20].astype(int), sheet[20:].astype(int)
    for color in ((192, 255, 0), (255, 0, 0)):
        assert (np.abs(legend - color).sum(axis=2) == 0).sum() > 60
        assert (np.abs(tiles - color).sum(axis=2) < 60).sum() > 20
    assert not (np.abs(tiles - (64, 255, 200)).sum(axis=2) < 60).any()


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["jpg", "png"])
def test_command_writes_the_sheet(
    dermseg: Run, disc_dataset: Path, tmp_path: Path, ending: str
) -> None:
    sheet = tmp_path / f"sheet.{ending}"
    settings = [word for value in SMALL for word in ("--set", value)]
    preset = ["--set", "augmentation.preset=dermoscopy"]
    result = dermseg("data", "preview", "unet-isic2017", "--data", disc_dataset, "-o", sheet,
                     "--num", 2, "--epochs", 3, *settings, *preset)  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert read_image(sheet).shape == (2 * 260, 4 * 324, 3)


@pytest.mark.slow
def test_command_shows_the_preset_that_was_asked_for(
    dermseg: Run, disc_dataset: Path, tmp_path: Path
) -> None:
    sheets = {}
    for preset in PRESETS:
        sheet = tmp_path / f"{preset}.png"
        # The recipe has augmentation of its own, which the preset replaces.
        settings = [word for value in (*SMALL, f"augmentation.preset={preset}")
                    for word in ("--set", value)]  # fmt: skip
        result = dermseg("data", "preview", "unet-isic2017", "--data", disc_dataset, "-o", sheet,
                         "--num", 1, "--epochs", 2, *settings)  # fmt: skip
        assert result.returncode == 0, result.stderr
        sheets[preset] = read_image(sheet)[20:]
    assert len({sheet.tobytes() for sheet in sheets.values()}) == len(PRESETS)
    first = sheets["none"][:, :320]
    assert np.array_equal(sheets["none"][:, 324:644], first)
    assert all(np.array_equal(sheet[:, :320], first) for sheet in sheets.values())


def test_wrong_calls_are_explained(dermseg: Run, disc_dataset: Path, tmp_path: Path) -> None:
    unknown = dermseg("data", "preview", "unet-isic2017", "--data", disc_dataset, "-o",
                      tmp_path / "a.jpg", "--set", "augmentation.preset=hairy")  # fmt: skip
    assert unknown.returncode == 2
    assert "dermoscopy" in unknown.stderr
    with pytest.raises(DatasetError):
        preview(read_recipe("unet-isic2017", SMALL), [tmp_path])
