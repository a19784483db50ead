"""Every format gives back the masks that it was given."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image
from pycocotools import mask as coco_masks

from dermseg.errors import ImageError, UsageError
from dermseg.images import read_mask, write_mask
from dermseg.interop.labels import LABEL_FORMATS, Habits, convert
from dermseg.types import BoolMask

TOOLS = sorted(LABEL_FORMATS.keys() - {"masks"})


def write_masks(folder: Path, masks: dict[str, BoolMask]) -> Path:
    folder.mkdir()
    for name, mask in masks.items():
        write_mask(folder / f"{name}_segmentation.png", mask)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, masks: dict[str, BoolMask]) -> Path:
    return write_masks(tmp_path_factory.mktemp("masks") / "masks", masks)


def assert_equal_folders(one: Path, other: Path) -> None:
    assert sorted(p.name for p in one.iterdir()) == sorted(p.name for p in other.iterdir())
    for path in one.iterdir():
        assert np.array_equal(read_mask(path), read_mask(other / path.name)), path.name


@pytest.mark.parametrize("tool", TOOLS)
def test_five_hundred_masks_come_back_bit_by_bit(tool: str, folder: Path, tmp_path: Path) -> None:
    there = convert(folder, tmp_path / "there", to=tool)
    back = convert(tmp_path / "there", tmp_path / "back", to="masks")
    assert there == back
    assert_equal_folders(folder, tmp_path / "back")


@pytest.mark.parametrize("tool", TOOLS)
def test_overlapping_and_empty_labels_come_back(tool: str, tmp_path: Path) -> None:
    masks = write_masks(tmp_path / "masks", {"a": np.eye(9, 7, dtype=bool)})
    write_mask(masks / "a_attribute_globules.png", np.ones((9, 7), bool))
    write_mask(masks / "a_attribute_streaks.png", np.zeros((9, 7), bool))
    done = convert(masks, tmp_path / "there", to=tool, habits=Habits("Nevus"))
    assert done.num_masks == {"Nevus": 1, "globules": 1, "streaks": 0}
    convert(tmp_path / "there", tmp_path / "back", to="masks", habits=Habits("Nevus"))
    assert_equal_folders(masks, tmp_path / "back")


@pytest.mark.parametrize("as_stored", [False, True])
@pytest.mark.parametrize("tool", TOOLS)
def test_all_exif_orientations_come_back(tool: str, as_stored: bool, tmp_path: Path) -> None:  # noqa: FBT001
    photographs, upright = tmp_path / "photographs", dict[str, BoolMask]()
    photographs.mkdir()
    for orientation in range(1, 9):
        # A photograph whose lesion is the mask: a corner marks which way is up.
        pixels = np.zeros((6, 9), np.uint8)
        pixels[0, :4] = pixels[:3, 0] = 255
        exif = Image.Exif()
        exif[ExifTags.Base.Orientation] = orientation
        path = photographs / f"o{orientation}.png"
        Image.fromarray(pixels).save(path, exif=exif)
        upright[path.stem] = read_mask(path)
    masks = write_masks(tmp_path / "masks", upright)
    habits = Habits(images=photographs, as_stored=as_stored)
    convert(masks, tmp_path / "there", to=tool, habits=habits)
    if as_stored:
        convert(tmp_path / "there", tmp_path / "stored", to="masks")
        for path in (tmp_path / "stored").iterdir():
            assert np.array_equal(read_mask(path)[0], [True] * 4 + [False] * 5)
    convert(tmp_path / "there", tmp_path / "back", to="masks", habits=habits)
    assert_equal_folders(masks, tmp_path / "back")


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of pycocotools
@pytest.mark.parametrize("tool", ["coco", "coco-polygons"])
def test_pycocotools_decodes_the_same_masks(
    tool: str, folder: Path, masks: dict[str, BoolMask], tmp_path: Path
) -> None:
    convert(folder, tmp_path / "out", to=tool)
    document = json.loads((tmp_path / "out" / "annotations.json").read_text())
    images = {image["id"]: image for image in document["images"]}
    for annotation in document["annotations"]:
        image = images[annotation["image_id"]]
        runs = annotation["segmentation"]
        if isinstance(runs, list):
            runs = coco_masks.merge(coco_masks.frPyObjects(runs, image["height"], image["width"]))
        expected = masks[Path(image["file_name"]).stem]
        assert np.array_equal(coco_masks.decode(runs), expected), image
        assert annotation["area"] == expected.sum()
        assert annotation["bbox"] == coco_masks.toBbox(runs).tolist()


def test_nothing_is_written_over(tmp_path: Path) -> None:
    masks = write_masks(tmp_path / "masks", {"a": np.ones((2, 2), bool)})
    with pytest.raises(UsageError, match="--overwrite"):
        convert(masks, masks, to="coco")


def test_names_from_a_file_stay_in_the_folder(tmp_path: Path) -> None:
    source = tmp_path / "evil.json"
    shape = {"label": "../../x", "shape_type": "rectangle", "points": [[0, 0], [2, 2]]}
    document = {"imagePath": "../..\\..\\up.jpg", "imageHeight": 4, "imageWidth": 4}
    source.write_text(json.dumps(document | {"shapes": [shape]}))
    convert(source, tmp_path / "in" / "out", to="masks")
    names = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.png")}
    assert names == {"in/out/up_segmentation.png", "in/out/up_attribute_x.png"}


@pytest.mark.parametrize("tool", ["geojson", "imagej"])
def test_a_file_without_size_asks_for_the_photograph(tool: str, tmp_path: Path) -> None:
    square = [[1, 1], [3, 1], [3, 3], [1, 3]]
    if tool == "geojson":
        source = tmp_path / "mole.geojson"
        geometry = {"type": "Polygon", "coordinates": [square]}
        feature = {"type": "Feature", "geometry": geometry, "properties": {}}
        source.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    else:
        roifile = pytest.importorskip("roifile")
        source = tmp_path / "mole.roi"
        roifile.ImagejRoi.frompoints(np.array(square)).tofile(source)
    with pytest.raises(ImageError, match="photograph"):
        convert(source, tmp_path / "out", to="masks")
    (tmp_path / "photographs").mkdir()
    Image.new("RGB", (6, 5)).save(tmp_path / "photographs" / "mole.jpg")
    convert(source, tmp_path / "out", to="masks", habits=Habits(images=tmp_path / "photographs"))
    mask = read_mask(tmp_path / "out" / "mole_segmentation.png")
    assert mask.shape == (5, 6)
    assert np.argwhere(mask).tolist() == [[1, 1], [1, 2], [2, 1], [2, 2]]
