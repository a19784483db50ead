"""Training on masks that a model drew of more images."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dermseg.datasets import open_dataset
from dermseg.errors import DatasetError, UsageError
from dermseg.package import load_package
from dermseg.prediction.table import Table
from dermseg.recipes import Data, Recipe
from dermseg.storage import Folder
from dermseg.training import TrainingData, cross_validate, train
from dermseg.training.parts import divide
from dermseg.training.training_data import PseudoLabels
from dermseg.types import Sample

MakeRecipe = Callable[..., Recipe]
MakeFolder = Callable[..., Path]
Dermseg = Callable[..., "subprocess.CompletedProcess[str]"]


def write_predictions(folder: Path, rows: dict[str, dict[str, Any]]) -> Path:
    """A folder as `dermseg predict` leaves it, of empty files, with values of each image's row."""
    images = folder / "images"
    images.mkdir(parents=True)
    with Table(Folder(folder)) as table:
        for name, values in rows.items():
            (images / f"{name}.jpg").touch()
            (folder / f"{name}_segmentation.png").touch()
            row = {"area_pixels": 9, "mask": f"{name}_segmentation.png"} | values
            table.add_row({"file": images / f"{name}.jpg"} | row)
    return folder


def test_masks_that_are_in_doubt_are_left_out_with_the_reason(tmp_path: Path) -> None:
    rows: dict[str, dict[str, Any]] = {
        "sure": {"review": 0},
        "doubtful": {"review": 1},
        "empty": {"area_pixels": 0, "review": 0},
        "refused": {"error": "this is no skin", "mask": "", "area_pixels": None},
        "gone": {"mask": "gone.png"},
        "of a model without an estimate": {},
    }
    dataset = PseudoLabels(write_predictions(tmp_path / "pseudo", rows))
    assert [sample.id for sample in dataset.samples] == ["of a model without an estimate", "sure"]
    sure = dataset.samples[1]
    assert sure.image == tmp_path / "pseudo" / "images" / "sure.jpg"
    assert sure.mask == tmp_path / "pseudo" / "sure_segmentation.png"
    assert [str(orphan) for orphan in dataset.orphans] == [
        "doubtful.jpg: its mask is to be looked at",
        "empty.jpg: no lesion was found",
        f"gone.jpg: {tmp_path / 'pseudo' / 'gone.png'} is not there",
        "refused.jpg: this is no skin",
    ]


def test_folders_without_masks_to_learn_from_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="that 'dermseg predict -o' wrote"):
        PseudoLabels(tmp_path)
    folder = write_predictions(tmp_path / "pseudo", {"a": {"review": 1}, "b": {"review": 1}})
    with pytest.raises(DatasetError, match=r"none of 2 masks .* a.jpg: its mask is to be"):
        PseudoLabels(folder)
    with Table(Folder(folder)) as table:
        for place in ("here", "there"):
            (tmp_path / place).mkdir()
            (tmp_path / place / "a.jpg").touch()
            row = {"file": tmp_path / place / "a.jpg", "mask": "a_segmentation.png"}
            table.add_row(row | {"area_pixels": 9})
    with pytest.raises(DatasetError, match="two images are called a"):
        PseudoLabels(folder)


def test_they_are_only_trained_on_and_only_where_nothing_better_is_known(
    make_isic2017: MakeFolder, tmp_path: Path
) -> None:
    dataset = open_dataset(make_isic2017(Training=range(20), Validation=(50,)))
    chosen = divide([dataset], Data()).selection[0].id
    pseudo = [
        Sample(id, tmp_path / f"{id}.jpg", tmp_path / f"{id}.png", group)
        for id, group in {
            "new": "new",
            "ISIC_0000001": "ISIC_0000001",
            "ISIC_0000050": "ISIC_0000050",
            "left out": "left out",
            "copy of a reported one": "ISIC_0000050",
            "copy of a choosing one": chosen,
            "copy of a trained one": "ISIC_0000001",
        }.items()
    ]
    assert chosen != "ISIC_0000001"
    plain = divide([dataset], Data())
    parts = divide([dataset], Data(), excluded_ids={"left out"}, pseudo=pseudo)
    assert parts.train == (*plain.train, pseudo[0], pseudo[-1])
    assert parts.selection == plain.selection
    assert (parts.num_pseudo, parts.num_dropped) == (2, 5)
    assert f"{len(parts.train)} images to train on (2 with masks that a model drew), " in str(parts)


def test_the_table_of_groups_names_copies_among_them(
    make_isic2017: MakeFolder, tmp_path: Path
) -> None:
    folder = write_predictions(tmp_path / "pseudo", {"a": {}, "b": {}})
    groups = tmp_path / "groups.csv"
    groups.write_text("id,group\na,ISIC_0000050\nISIC_0000050,ISIC_0000050\n")
    opened = TrainingData([], groups_file=groups, pseudo_labels=folder).open_pseudo_labels()
    assert opened is not None
    assert [sample.group for sample in opened.samples] == ["ISIC_0000050", "b"]


def test_folds_have_none(make_recipe: MakeRecipe, disc_dataset: Path, tmp_path: Path) -> None:
    data = TrainingData([disc_dataset], pseudo_labels=tmp_path)
    with pytest.raises(UsageError, match="leave --pseudo-labels out"):
        cross_validate(make_recipe(), data, tmp_path / "cv", folds=2)


@pytest.mark.slow
def test_what_the_command_predicts_is_trained_on_and_recorded(
    dermseg: Dermseg,
    make_recipe: MakeRecipe,
    disc_dataset: Path,
    dark_package: Path,
    tmp_path: Path,
) -> None:
    (tmp_path / "more").mkdir()
    for path in (disc_dataset / "images").glob("disc_0*.png"):
        shutil.copyfile(path, tmp_path / "more" / path.name.replace("disc", "more"))
    predicted = dermseg(
        "predict", tmp_path / "more", "--model", dark_package, "-o", tmp_path / "pseudo"
    )
    assert predicted.returncode == 0, predicted.stderr
    recipe = make_recipe("training.epochs=1")
    data = TrainingData([disc_dataset], pseudo_labels=tmp_path / "pseudo")
    package = train(recipe, data, tmp_path / "run", num_workers=0)
    origin = load_package(package).spec.provenance
    assert {f"more_{number:02}" for number in range(10)} <= set(origin.training_ids)
    assert all(id.startswith("disc") for id in origin.selection_ids)
    people, model = origin.data
    assert (people.name, people.num_images) == ("folder", 20)
    assert (model.name, model.num_images) == ("pseudo-labels", 10)
    card = (package / "MODEL_CARD.md").read_text()
    assert "- pseudo-labels, licence that of the images: a folder of 10 images" in card
