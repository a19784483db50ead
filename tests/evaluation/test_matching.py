from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dermseg.errors import DatasetError
from dermseg.evaluation import (
    ImageFiles,
    MaskPair,
    evaluate_masks,
    match_folders,
    match_samples,
    read_files,
    write_evaluation,
)
from dermseg.evaluation.matching import write_files
from dermseg.images import read_mask_values
from dermseg.storage import StoredFile
from dermseg.types import Sample


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    truth, predictions = tmp_path / "truth", tmp_path / "predictions"
    truth.mkdir()
    predictions.mkdir()
    return truth, predictions


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).touch()


@pytest.mark.parametrize("truth_end", ["_segmentation", "_Segmentation", "_mask", ""])
@pytest.mark.parametrize("end", ["_segmentation", "_Segmentation", "_mask", ""])
def test_every_way_to_name_a_mask_matches_every_other(
    truth_end: str, end: str, folders: tuple[Path, Path]
) -> None:
    truth, predictions = folders
    touch(truth, f"mole{truth_end}.png")
    touch(predictions, f"mole{end}.png")
    assert match_folders(truth, predictions).pairs == (
        MaskPair("mole", truth / f"mole{truth_end}.png", predictions / f"mole{end}.png"),
    )


def test_matching_goes_by_id_and_names_what_is_missing_or_too_much(
    folders: tuple[Path, Path],
) -> None:
    truth, predictions = folders
    touch(truth, "a_segmentation.png", "b_segmentation.png", "c_segmentation.png", "LICENSE.txt")
    touch(predictions, "b_segmentation.png", "c_segmentation.png", "d_segmentation.png")
    matching = match_folders(truth, predictions)
    assert [(pair.id, pair.prediction.name[0]) for pair in matching.pairs] == [
        ("b", "b"),
        ("c", "c"),
    ]
    assert [str(skipped) for skipped in matching.skipped] == [f"a: no prediction in {predictions}"]
    assert matching.extra == ("d",)


def test_the_output_folder_of_a_prediction_can_be_matched(folders: tuple[Path, Path]) -> None:
    truth, predictions = folders
    touch(truth, "a_segmentation.png")
    touch(predictions, "a_segmentation.png", "a_overlay.jpg", "a_probability.png")
    touch(predictions, "predictions.csv", "._a_segmentation.png")
    matching = match_folders(truth, predictions)
    assert len(matching.pairs) == 1
    assert matching.extra == ()


def test_an_image_with_two_predictions_or_two_truths_is_skipped_and_the_files_named(
    folders: tuple[Path, Path],
) -> None:
    truth, predictions = folders
    touch(truth, "a_segmentation.png", "b.png", "b.bmp", "c.png")
    touch(predictions, "a.png", "a_mask.png", "b.png", "c.png")
    matching = match_folders(truth, predictions)
    assert [pair.id for pair in matching.pairs] == ["c"]
    assert [(str(skipped), skipped.kind) for skipped in matching.skipped] == [
        ("a: 2 predictions: a.png, a_mask.png. Keep one of them.", "duplicate"),
        ("b: 2 truths: b.bmp, b.png. Keep one of them.", "duplicate"),
    ]


def test_zip_archives_are_matched_whatever_their_folders(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    truth, _ = folders
    touch(truth, "a_segmentation.png", "b_segmentation.png")
    archive = tmp_path / "submission.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for name in ("team/a.png", "team/b.png", "__MACOSX/._a.png", "team/b_probability.png"):
            file.writestr(name, b"pixels")
        file.writestr("team/readme.txt", b"text")
    matching = match_folders(truth, archive)
    assert [(pair.id, pair.prediction.name) for pair in matching.pairs] == [
        ("a", "a.png"),
        ("b", "b.png"),
    ]
    (without, probability) = (pair.probability for pair in matching.pairs)
    assert without is None
    assert probability is not None
    assert probability.read_bytes() == b"pixels"
    assert match_folders(archive, truth).extra == ()


def test_a_file_that_is_no_archive_is_named(folders: tuple[Path, Path], tmp_path: Path) -> None:
    truth, _ = folders
    touch(truth, "a.png")
    (tmp_path / "masks.zip").write_bytes(b"nothing")
    with pytest.raises(DatasetError, match=r"masks\.zip: is neither a folder nor a ZIP archive"):
        match_folders(truth, tmp_path / "masks.zip")


def test_a_missing_folder_is_named(folders: tuple[Path, Path]) -> None:
    truth, predictions = folders
    with pytest.raises(DatasetError, match="holds the truth masks"):
        match_folders(truth / "gone", predictions)
    touch(truth, "a.png")
    with pytest.raises(DatasetError, match="holds the predicted masks"):
        match_folders(truth, predictions / "gone")


def test_a_truth_folder_without_masks_is_refused(folders: tuple[Path, Path]) -> None:
    with pytest.raises(DatasetError, match=r"truth: no mask is in this folder"):
        match_folders(*folders)


def test_samples_are_matched_to_their_own_masks(folders: tuple[Path, Path]) -> None:
    truth, predictions = folders
    touch(predictions, "a_segmentation.png", "b_mask.png", "c_mask.png")
    samples = [
        Sample("b_mask", Path("b_mask.jpg"), truth / "b_mask_segmentation.png", group="b"),
        Sample("a", Path("a.jpg"), truth / "a.png", group="a"),
        Sample("c", Path("c.jpg"), None, group="c"),
    ]
    matching = match_samples(samples, predictions)
    assert matching.pairs == (
        MaskPair("a", truth / "a.png", predictions / "a_segmentation.png", image=Path("a.jpg")),
        MaskPair(
            "b_mask",
            truth / "b_mask_segmentation.png",
            predictions / "b_mask.png",
            image=Path("b_mask.jpg"),
        ),
    )
    assert [str(skipped) for skipped in matching.skipped] == ["c: the dataset has no mask for it"]


def test_files_come_back_as_they_were_written(tmp_path: Path) -> None:
    outside = tmp_path / "truth" / "a.png"
    evaluation = tmp_path / "eval"
    evaluation.mkdir()
    files = {"a": ImageFiles(None, outside, evaluation / "masks" / "a.png")}
    write_files(evaluation, ["a", "b, c"], files)
    rows = (evaluation / "files.csv").read_text().splitlines()
    assert rows[1] == f"a,,{outside},masks/a.png"
    assert rows[2] == '"b, c",,,'
    assert read_files(evaluation) == {**files, "b, c": ImageFiles()}


def test_a_moved_evaluation_finds_its_masks(tmp_path: Path) -> None:
    first = tmp_path / "first"
    first.mkdir()
    write_files(first, ["a"], {"a": ImageFiles(prediction=first / "masks" / "a.png")})
    shutil.move(first, tmp_path / "second")
    found = read_files(tmp_path / "second")["a"].prediction
    assert found == tmp_path / "second" / "masks" / "a.png"


def test_members_of_archives_come_back(
    lesion: NDArray[np.bool_], make_masks: Callable[..., Path], tmp_path: Path
) -> None:
    folder = make_masks("truth", {"a": lesion})
    with zipfile.ZipFile(tmp_path / "masks.zip", "w") as archive:
        archive.write(folder / "a.png", "inner/a_segmentation.png")
    write_evaluation(tmp_path / "eval", evaluate_masks(folder, tmp_path / "masks.zip"))
    assert "masks.zip!inner/a_segmentation.png" in (tmp_path / "eval" / "files.csv").read_text()
    prediction = read_files(tmp_path / "eval")["a"].prediction
    assert isinstance(prediction, StoredFile)
    assert (read_mask_values(prediction.read_bytes()) > 0).sum() == lesion.sum()
    (tmp_path / "masks.zip").unlink()
    assert read_files(tmp_path / "eval")["a"].prediction is None


def test_a_folder_without_the_table_knows_no_files(tmp_path: Path) -> None:
    assert read_files(tmp_path) == {}


def test_another_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "files.csv").write_text("id,image\na,b\n")
    with pytest.raises(DatasetError, match="expected the columns id,image,truth,prediction"):
        read_files(tmp_path)


def test_a_name_that_is_no_text_comes_back(tmp_path: Path) -> None:
    files = {"m\udce4l": ImageFiles(truth=tmp_path / "m\udce4l.png")}
    write_files(tmp_path, files, files)
    assert read_files(tmp_path) == files


@pytest.mark.parametrize(
    "name",
    [
        "ISIC_0000000_segmentation_prediction.png",
        "isic_0000000.PNG",
        "ISIC_0000000_resized_mask.png",
        "run\\masks\\ISIC_0000000_segmentation.png",
    ],
)
def test_predictions_match_as_in_the_official_scorer(tmp_path: Path, name: str) -> None:
    truth = tmp_path / "truth"
    truth.mkdir()
    for number in range(2):
        (truth / f"ISIC_000000{number}_segmentation.png").touch()
    with zipfile.ZipFile(tmp_path / "masks.zip", "w") as archive:
        archive.writestr(name, b"")
    (pair,) = match_folders(truth, tmp_path / "masks.zip").pairs
    assert pair.id == "ISIC_0000000"
