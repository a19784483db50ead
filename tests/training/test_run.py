"""A training run from the recipe to the package, in one process."""

from __future__ import annotations

import csv
import resource
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import huggingface_hub.constants
import numpy as np
import pytest
import torch

from dermseg.datasets import open_dataset, read_split
from dermseg.errors import (
    DatasetError,
    DivergenceError,
    ImageError,
    OutputError,
    RecipeError,
    UsageError,
)
from dermseg.export import ExportOptions, RunRecord, export_run
from dermseg.images import encode_png, read_image, read_mask, write_mask
from dermseg.metrics import jaccard
from dermseg.package import Runtime, load_package
from dermseg.prediction import load_model
from dermseg.preprocessing import UNIT_RANGE, fit_normalization, resize_image, resize_mask
from dermseg.recipes import Recipe
from dermseg.training import TrainingData, train

MakeRecipe = Callable[..., Recipe]


def read_metrics(run: Path) -> list[dict[str, str]]:
    with (run / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def finished(
    tmp_path_factory: pytest.TempPathFactory, make_recipe: MakeRecipe, disc_dataset: Path
) -> Path:
    """A finished run of two epochs."""
    run = tmp_path_factory.mktemp("runs") / "finished"
    assert train(make_recipe(), TrainingData([disc_dataset]), run, num_workers=0) == run / "model"
    return run


@pytest.fixture
def own_data(tmp_path: Path, disc_dataset: Path) -> Path:
    """A copy of the images to damage."""
    return shutil.copytree(disc_dataset, tmp_path / "own")


@contextmanager
def files_of_at_most(num_bytes: int) -> Iterator[None]:
    """Let no file grow beyond a size, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_run_folder_holds_what_is_documented_and_nothing_else(finished: Path) -> None:
    files = {path.relative_to(finished).as_posix() for path in finished.rglob("*")}
    # The names of TensorBoard's event files hold the time and the machine.
    files = {file for file in files if not file.startswith("tensorboard/")}
    first, second = sorted(file for file in files if file.startswith("overlays/"))
    assert first.startswith("overlays/best-1_disc_")
    assert second.startswith("overlays/worst-1_disc_")
    assert files == {
        "recipe.toml",
        "split.json",
        "run.json",
        "metrics.csv",
        "checkpoints",
        "checkpoints/last.ckpt",
        "checkpoints/best.ckpt",
        "model",
        "model/model.json",
        "model/model.onnx",
        "model/recipe.toml",
        "model/MODEL_CARD.md",
        "model/weights.safetensors",
        "curves.png",
        "roc.png",
        "roc-test.png",
        "overlays",
        first,
        second,
        "predictions.png",
        "tensorboard",
    }


def test_parts_are_written_and_named_in_the_package(finished: Path, disc_dataset: Path) -> None:
    samples = open_dataset(disc_dataset).samples
    split = read_split(finished / "split.json", samples)
    sizes = {part: len(ids) for part, ids in split.parts.items()}
    assert sizes == {"train": 16, "selection": 2, "evaluation": 2}
    origin = load_package(finished / "model").spec.provenance
    assert tuple(origin.training_ids) == split.parts["train"]
    assert tuple(origin.selection_ids) == split.parts["selection"]
    assert [source.num_images for source in origin.data] == [20]


def test_normalisation_is_that_of_the_training_images(finished: Path, disc_dataset: Path) -> None:
    spec = load_package(finished / "model").spec
    training_ids = set(spec.provenance.training_ids)
    images = [
        resize_image(read_image(sample.image), (24, 32))
        for sample in open_dataset(disc_dataset).samples
        if sample.id in training_ids
    ]
    assert spec.normalization == fit_normalization(images)


def test_one_row_per_epoch_says_how_it_went(finished: Path) -> None:
    rows = read_metrics(finished)
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert list(rows[0]) == [
        "epoch",
        "lr",
        "train_loss",
        "selection_loss",
        "selection_mean_jaccard",
        "selection_mean_dice",
        "selection_mean_accuracy",
        "seconds",
    ]
    assert float(rows[1]["train_loss"]) < float(rows[0]["train_loss"])


def test_package_holds_the_best_epoch_and_its_jaccard_index_is_the_recorded_one(
    finished: Path, disc_dataset: Path
) -> None:
    scores = [float(row["selection_mean_jaccard"]) for row in read_metrics(finished)]
    package = load_package(finished / "model")
    assert package.spec.provenance.best_epoch == 1 + int(np.argmax(scores))
    samples = {sample.id: sample for sample in open_dataset(disc_dataset).samples}
    predictor = load_model(finished / "model")
    found = []
    for id in package.spec.provenance.selection_ids:
        mask_path = samples[id].mask
        assert mask_path is not None
        truth = resize_mask(read_mask(mask_path), package.spec.input_size)
        predicted = predictor.predict(samples[id].image).class_probabilities[0] >= 0.5
        found.append(jaccard(predicted, truth))
    assert np.mean(found) == pytest.approx(max(scores), abs=0.01)


def test_packaged_weights_are_those_of_the_best_checkpoint(finished: Path) -> None:
    best = torch.load(finished / "checkpoints" / "best.ckpt", weights_only=True)
    bias = best["state_dict"]["network.segmentation_head.bias"]
    assert bias.shape == (1,)
    package = load_package(finished / "model")
    probability = Runtime(package)(np.zeros((1, 3, 24, 32), np.float32))
    assert probability.shape == (1, 1, 24, 32)


@pytest.mark.slow
def test_resuming_a_finished_run_changes_nothing(
    tmp_path: Path, finished: Path, make_recipe: MakeRecipe, disc_dataset: Path
) -> None:
    run = shutil.copytree(finished, tmp_path / "run")
    train(make_recipe(), TrainingData([disc_dataset]), run, num_workers=0, resume=True)
    assert (run / "metrics.csv").read_text() == (finished / "metrics.csv").read_text()
    first, second = (load_package(folder / "model").spec.provenance for folder in (finished, run))
    assert first == second


def test_resuming_with_other_images_is_refused(
    finished: Path, make_recipe: MakeRecipe, disc_dataset: Path, own_data: Path
) -> None:
    before = (finished / "run.json").read_bytes()
    with pytest.raises(UsageError, match="made from other images or parts"):
        train(
            make_recipe(),
            TrainingData([disc_dataset], excluded_ids=[f"disc_0{number}" for number in range(5)]),
            finished,
            num_workers=0,
            resume=True,
        )
    for path in (own_data / "masks").iterdir():
        write_mask(path, ~read_mask(path))
    with pytest.raises(UsageError, match="made from other images or parts"):
        train(make_recipe(), TrainingData([own_data]), finished, num_workers=0, resume=True)
    assert (finished / "run.json").read_bytes() == before


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_place_that_is_taken_is_refused(
    tmp_path: Path, make_recipe: MakeRecipe, disc_dataset: Path, kind: str
) -> None:
    place = tmp_path / "place"
    if kind == "folder":
        place.mkdir()
        (place / "mine.txt").touch()
    else:
        place.touch()
    with pytest.raises(UsageError, match=r"place is no empty folder: .*--resume"):
        train(make_recipe(), TrainingData([disc_dataset]), place, num_workers=0)


def test_run_killed_before_its_recipe_was_written_can_be_resumed(
    tmp_path: Path, make_recipe: MakeRecipe, disc_dataset: Path
) -> None:
    run = tmp_path / "run"
    (run / "checkpoints").mkdir(parents=True)
    (run / ".dermseg-0123.tmp").write_text("name =")
    # A run that diverges at once has begun.
    with pytest.raises(DivergenceError):
        train(
            make_recipe("training.lr=1e30"),
            TrainingData([disc_dataset]),
            run,
            num_workers=0,
            resume=True,
        )
    assert (run / "recipe.toml").is_file()


def test_error_before_training_leaves_no_folder(
    tmp_path: Path, make_recipe: MakeRecipe, disc_dataset: Path, own_data: Path
) -> None:
    run = tmp_path / "run"
    with pytest.raises(UsageError, match=r"preprocessing\.size"):
        train(
            make_recipe("preprocessing.size=[25, 32]"),
            TrainingData([disc_dataset]),
            run,
            num_workers=0,
        )
    with pytest.raises(DatasetError):
        train(make_recipe("data.name=isic2017"), TrainingData([disc_dataset]), run, num_workers=0)
    (own_data / "masks" / "disc_07_segmentation.png").write_bytes(b"damaged")
    with pytest.raises(ImageError, match="disc_07_segmentation"):
        train(make_recipe(), TrainingData([own_data]), run, num_workers=1)
    write_mask(own_data / "masks" / "disc_07_segmentation.png", np.zeros((64, 48), np.bool_))
    with pytest.raises(DatasetError, match="the image is 64x48 and its mask 48x64"):
        train(make_recipe(), TrainingData([own_data]), run, num_workers=1)
    assert not run.exists()


def test_a_start_that_fails_leaves_no_folder_that_blocks_the_next(
    tmp_path: Path,
    make_recipe: MakeRecipe,
    disc_dataset: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    network = ("network.name=resnet_unet", "preprocessing.size=[32, 32]")
    recipe = make_recipe(*network, 'network.parameters={encoder="resnet18", pretrained=true}')
    with pytest.raises(RecipeError, match="could not be fetched"):
        train(recipe, TrainingData([disc_dataset]), tmp_path / "run", num_workers=0)
    assert not (tmp_path / "run").exists()


def test_full_disk_is_an_output_error(
    tmp_path: Path, make_recipe: MakeRecipe, disc_dataset: Path
) -> None:
    run = tmp_path / "run"
    with files_of_at_most(20_000), pytest.raises(OutputError, match=r"epoch 1 cannot be written"):
        train(make_recipe(), TrainingData([disc_dataset]), run, num_workers=0)
    assert not (run / "checkpoints" / "last.ckpt").exists()


@pytest.mark.parametrize("batch_size", [4, 16])
def test_divergence_says_what_to_change(
    tmp_path: Path, make_recipe: MakeRecipe, disc_dataset: Path, batch_size: int
) -> None:
    # With 16 images in one batch, the only step is the last one: the selection part shows it.
    options = ("training.lr=1e30", "training.epochs=1", f"training.batch_size={batch_size}")
    what = "training batch 2" if batch_size == 4 else "selection batch 1"
    with pytest.raises(DivergenceError, match=rf"loss of {what} became .*lower training\.lr"):
        train(make_recipe(*options), TrainingData([disc_dataset]), tmp_path / "run", num_workers=0)


def test_normalisation_can_be_switched_off(
    tmp_path: Path, make_recipe: MakeRecipe, disc_dataset: Path
) -> None:
    # A run that stops at once has written what it was going to do.
    options = ("preprocessing.normalization=unit", "training.lr=1e30")
    with pytest.raises(DivergenceError):
        train(make_recipe(*options), TrainingData([disc_dataset]), tmp_path / "run", num_workers=0)
    record = RunRecord.model_validate_json((tmp_path / "run" / "run.json").read_text("utf-8"))
    assert record.normalization == UNIT_RANGE


def test_torchs_way_of_handling_ctrl_c_is_left_as_it_was(finished: Path) -> None:
    assert finished.exists()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("brightest", [2, 128])
def test_masks_whose_lesion_would_count_as_skin_are_refused(
    make_recipe: MakeRecipe, own_data: Path, tmp_path: Path, brightest: int
) -> None:
    for path in (own_data / "masks").iterdir():
        path.write_bytes(encode_png(read_mask(path) * np.uint8(brightest)))
    with pytest.raises(ImageError, match=rf"brightest value is {brightest}.* 0 and 255"):
        train(make_recipe(), TrainingData([own_data]), tmp_path / "run", num_workers=0)
    assert not (tmp_path / "run").exists()


def test_inverted_masks_are_warned_of(
    make_recipe: MakeRecipe, own_data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    distance = np.hypot(*np.mgrid[-24:24, -32:32])
    for path in (own_data / "masks").iterdir():
        write_mask(path, distance > 12)
    with pytest.raises(DivergenceError):  # which ends the run at once
        train(
            make_recipe("training.lr=1e30"),
            TrainingData([own_data]),
            tmp_path / "run",
            num_workers=0,
        )
    assert "16 of 16 masks of lesion look inverted" in caplog.text


def test_a_model_that_marks_everything_is_not_packaged_in_silence(
    make_recipe: MakeRecipe,
    disc_dataset: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    blind = ("training.epochs=1", "training.lr=1e-30", "postprocessing.threshold=0.001")
    train(make_recipe(*blind), TrainingData([disc_dataset]), tmp_path / "run", num_workers=0)
    assert "this model marks every pixel of every image" in caplog.text


def test_a_model_that_finds_nothing_is_not_packaged_in_silence(
    make_recipe: MakeRecipe,
    disc_dataset: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    blind = ("training.epochs=1", "training.lr=1e-30", "postprocessing.threshold=0.999")
    train(make_recipe(*blind), TrainingData([disc_dataset]), tmp_path / "run", num_workers=0)
    assert "finds next to nothing: Jaccard index 0.0000" in caplog.text


def test_the_card_says_what_was_done_and_not_what_the_recipe_was_meant_for(
    finished: Path, tmp_path: Path
) -> None:
    spec = load_package(finished / "model").spec
    assert spec.description == "residual_unet for lesion, trained on 16 images of folder at 32x24"
    assert spec.licence == "not stated by whoever trained it"
    run = shutil.copytree(finished, tmp_path / "run")
    metrics = (run / "metrics.csv").read_text().splitlines()
    (run / "metrics.csv").write_text("\n".join(metrics[:2]) + "\n")  # as if stopped early
    recipe = (run / "recipe.toml").read_text().replace('"tiny"', '"unet-isic2017"')
    (run / "recipe.toml").write_text(recipe)
    spec = export_run(run, tmp_path / "package", ExportOptions(licence="CC0-1.0"))
    assert spec.provenance.epochs == 1
    assert "preprocessing.size" in spec.provenance.changed
    card = (tmp_path / "package" / "MODEL_CARD.md").read_text("utf-8")
    assert "Recipe `unet-isic2017` with other values of `augmentation" in card
    assert "Licence: CC0-1.0." in card
    assert "1 epochs (best: " in card
    assert "A tiny residual U-Net on discs" not in card


def test_a_quick_run_has_few_images_and_may_keep_its_last_epoch(
    tmp_path: Path, make_recipe: MakeRecipe, disc_dataset: Path
) -> None:
    many = [disc_dataset / "images", disc_dataset / "masks"]
    for number in range(40):
        for folder, source in zip(("images", "masks"), many, strict=True):
            (tmp_path / folder).mkdir(exist_ok=True)
            first = min(source.iterdir())
            shutil.copyfile(first, tmp_path / folder / f"copy{number}{first.suffix}")
    # At such a rate, no epoch is better than the first.
    recipe = make_recipe('training.keep="last"', "training.lr=1e-12", "training.epochs=3")
    package = train(recipe, TrainingData([tmp_path], quick=True), tmp_path / "run", num_workers=0)
    provenance = load_package(package).spec.provenance
    assert (provenance.best_epoch, provenance.epochs) == (3, 3)
    assert 16 <= len(provenance.training_ids) <= 32
    assert 1 <= len(provenance.selection_ids) <= 8
