"""Turn a finished run into a model package."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

from safetensors.torch import save

from dermseg.datasets import Dataset
from dermseg.errors import ExportError, OutputError, UsageError
from dermseg.export.card import model_card
from dermseg.export.ensemble import join_runs
from dermseg.export.onnx import compare_onnx, write_onnx
from dermseg.export.quantizing import CalibrationImages, choose_images, quantized_spec
from dermseg.export.reliability import RELIABILITY, draw_reliability
from dermseg.export.run_reading import FinishedRun, read_run
from dermseg.images import write_bytes_atomically
from dermseg.networks import SegmentationNetwork
from dermseg.package import ModelPackage, ModelSpec, Provenance, Score, load_package
from dermseg.recipes import Postprocessing, Recipe

__all__ = [
    "copy_package",
    "describe_package",
    "export_run",
    "quantize_package",
    "tune_package",
]

_TOLERANCE = {False: 1e-4, True: 1e-2}
"""Largest accepted difference of a probability, by whether weights are stored as float16."""


def export_run(
    run: Path,
    destination: Path,
    *,
    others: Sequence[Path] = (),
    flips: bool = False,
    name: str | None = None,
    half_weights: bool = False,
    scores: tuple[Score, ...] = (),
    int8: Dataset | None = None,
    overwrite: bool = False,
) -> ModelSpec:
    """Write the best checkpoint of a run as a model package.

    The package appears whole or not at all. What a finished run fitted to its selection part, the
    thresholds and kernels of attributes, is taken over.

    With ``others`` or ``flips`` the package holds one graph that averages logits. No network starts
    from an average: of several runs, there is no ``weights.safetensors``.

    Args:
        run: A run folder with ``recipe.toml``, ``run.json`` and ``checkpoints/best.ckpt``.
        destination: The package's folder; new, empty or, with ``overwrite``, an older package.
        others: More runs of the same recipe, such as folds.
        flips: Average over an image and its three mirror images, too: four times the work. Is
            always done if the recipe says so.
        name: The model's name; the recipe's where it is None.
        half_weights: Store the weights as float16.
        scores: Measured scores to keep; of a run that fitted thresholds and kernels, beside those
            of the selection part.
        int8: What the run was trained on, to calculate in int8, calibrated on training images; the
            loss, measured on the images that chose the checkpoint, is kept. None for float32.
        overwrite: Whether a folder that is there may be replaced.

    Raises:
        UsageError: If ``run`` is no finished run, the others do not fit to it, or ``destination``
            is there.
        ExportError: If ONNX Runtime's numbers differ from torch's.
        OutputError: If the package cannot be written.
    """
    _check_destination(destination, overwrite=overwrite)
    runs = [read_run(folder) for folder in (run, *others)]
    recipe, fitted = runs[0].recipe, runs[0].fitted
    flips = flips or recipe.flips
    network = join_runs(runs, flips=flips)
    with _scratch_folder(destination) as scratch:
        folder = scratch / "model"
        folder.mkdir()
        onnx_path = folder / "model.onnx"
        difference = _write_network(network, onnx_path, recipe, half=half_weights)
        provenance = _provenance(runs, difference, scores, flips=flips)
        if fitted is not None:
            kept = {
                "scores": [*fitted.provenance.scores, *scores],
                "untuned_postprocessing": fitted.provenance.untuned_postprocessing,
            }
            provenance = provenance.model_copy(update=kept)
        spec = ModelSpec(
            name=name or recipe.name,
            description=recipe.description,
            licence="Apache-2.0",
            input_size=recipe.preprocessing.size,
            preprocessing=recipe.preprocessing.cleaning,
            lesion_crop=recipe.lesion_crop,
            experimental=recipe.experimental,
            normalization=runs[0].record.normalization,
            classes=recipe.classes,
            head=recipe.head,
            postprocessing=recipe.postprocessing if fitted is None else fitted.postprocessing,
            onnx_sha256=hashlib.sha256(onnx_path.read_bytes()).hexdigest(),
            provenance=provenance,
        )
        if int8 is not None:
            spec = quantized_spec(folder, spec, _images_of(spec, int8))
        _write_spec(folder, spec)
        if not others:
            _write_weights(runs[0].network, folder / "weights.safetensors", half=half_weights)
        shutil.copyfile(run / "recipe.toml", folder / "recipe.toml")
        _move(folder, destination)
    return spec


def describe_package(
    package: Path, *, scores: Sequence[Score] = (), notes: str | None = None
) -> None:
    """Say more of a package in its ``model.json`` and card.

    Args:
        package: Its folder.
        scores: Measured scores; one takes the place of an older one on the same images.
        notes: Sections of Markdown, in place of older ones; None keeps those.

    Raises:
        PackageError: If there is no package in it.
        OutputError: If it cannot be written.
    """
    # As a path with a folder in it, or the name of a shipped model would be taken for one.
    spec = load_package(package.absolute()).spec
    kept = {score.on: score for score in (*spec.provenance.scores, *scores)}
    provenance = spec.provenance.model_copy(update={"scores": list(kept.values())})
    update = {"provenance": provenance, "notes": spec.notes if notes is None else notes}
    _write_spec(package, spec.model_copy(update=update))


def tune_package(package: Path, postprocessing: Postprocessing) -> None:
    """Give a package thresholds and kernels that were fitted to its selection images.

    ``model.json`` keeps the old ones beside them, and the card says what was fitted.
    """
    spec = load_package(package).spec
    untuned = {"untuned_postprocessing": spec.postprocessing}
    provenance = spec.provenance.model_copy(update=untuned)
    update = {"postprocessing": postprocessing, "provenance": provenance}
    _write_spec(package, spec.model_copy(update=update))


def copy_package(
    source: ModelPackage, destination: Path, update: Mapping[str, Any], *, overwrite: bool
) -> ModelSpec:
    """Write a copy of a package with other values in its ``model.json``, and a card that fits.

    Its scores and notes are left out where the probabilities or the masks are no longer the same.

    Args:
        source: The package.
        destination: The copy's folder; may be that of the source, with ``overwrite``.
        update: Fields of ``ModelSpec``.
        overwrite: Whether a package that is there may be replaced.

    Raises:
        UsageError: If ``destination`` is there.
        OutputError: If the package cannot be written.
    """
    _check_destination(destination, overwrite=overwrite)
    spec = source.spec.model_copy(update=dict(update))
    what_masks_come_from = ("temperature", "bias", "postprocessing")
    if any(getattr(spec, key) != getattr(source.spec, key) for key in what_masks_come_from):
        origin = spec.provenance.model_copy(update={"scores": []})
        spec = spec.model_copy(update={"provenance": origin, "notes": ""})
    with _scratch_folder(destination) as scratch:
        folder = scratch / "model"
        folder.mkdir()
        for file in ("model.onnx", "recipe.toml", "weights.safetensors"):
            if (source.folder / file).is_file():
                shutil.copyfile(source.folder / file, folder / file)
        _write_spec(folder, spec)
        _move(folder, destination)
    return spec


def quantize_package(package: Path, destination: Path, name: str, data: Dataset) -> ModelSpec:
    """Write a copy of a package that calculates in int8, as ``export_run`` with ``int8`` does.

    Without its scores and notes, which are those of float32, and without ``weights.safetensors``:
    a new run starts from those of the package itself.

    Raises:
        UsageError: If ``destination`` is there, or ``data`` are not what the package is from.
        OutputError: If the package cannot be written.
    """
    _check_destination(destination, overwrite=False)
    source = load_package(package)
    origin = source.spec.provenance.model_copy(update={"scores": []})
    spec = source.spec.model_copy(update={"name": name, "provenance": origin, "notes": ""})
    with _scratch_folder(destination) as scratch:
        folder = scratch / "model"
        folder.mkdir()
        for file in ("model.onnx", "recipe.toml"):
            shutil.copyfile(source.folder / file, folder / file)
        spec = quantized_spec(folder, spec, _images_of(spec, data))
        _write_spec(folder, spec)
        _move(folder, destination)
    return spec


def _images_of(spec: ModelSpec, data: Dataset) -> CalibrationImages:
    origin = spec.provenance
    samples = [sample for sample in data.samples if sample.mask is not None]
    return choose_images(data.name, samples, origin.training_ids, origin.selection_ids)


def _write_spec(folder: Path, spec: ModelSpec) -> None:
    text = spec.model_dump_json(indent=1) + "\n"
    if spec.calibration is not None:
        draw_reliability(spec.calibration, folder / RELIABILITY)
    write_bytes_atomically(folder / "MODEL_CARD.md", model_card(spec).encode())
    write_bytes_atomically(folder / "model.json", text.encode())


def _write_network(
    network: SegmentationNetwork, path: Path, recipe: Recipe, *, half: bool
) -> float:
    """Write the network as ONNX; the largest difference of its probabilities from torch's."""
    size = recipe.preprocessing.size
    write_onnx(network, path, size=size, half_weights=half)
    difference = compare_onnx(network, path, size=size, head=recipe.head)
    if not difference <= _TOLERANCE[half]:
        message = (
            f"probabilities of the exported network differ by {difference:.2g} from torch's, "
            f"expected at most {_TOLERANCE[half]:g}"
        )
        raise ExportError(message)
    return difference


def _write_weights(network: SegmentationNetwork, path: Path, *, half: bool) -> None:
    """Write the weights as the network names them, to start other runs from."""
    weights = {
        name: (value.half() if half and value.is_floating_point() else value).contiguous()
        for name, value in network.state_dict().items()
    }
    path.write_bytes(save(weights))


def _check_destination(destination: Path, *, overwrite: bool) -> None:
    """Refuse a path that is taken, and to replace anything but a package."""
    if not destination.exists():
        return
    if not overwrite:
        message = f"{destination} is already there: choose another folder or pass --overwrite"
        raise UsageError(message)
    is_empty = destination.is_dir() and not any(destination.iterdir())
    if not is_empty and not (destination / "model.json").is_file():
        message = f"{destination} holds no model package and is not replaced: choose another folder"
        raise UsageError(message)


@contextmanager
def _scratch_folder(destination: Path) -> Iterator[Path]:
    """A folder beside the destination to build in, removed at the end."""
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".export-", dir=destination.parent) as scratch:
            yield Path(scratch)
    except OSError as error:
        message = f"{destination}: cannot be written: {error.strerror or error}"
        raise OutputError(message) from error


def _provenance(
    runs: Sequence[FinishedRun], difference: float, scores: tuple[Score, ...], *, flips: bool
) -> Provenance:
    first = runs[0]
    trained = {id for run in runs for id in run.record.training_ids}
    chosen = {id for run in runs for id in run.record.selection_ids}
    data = {source.model_dump_json(): source for run in runs for source in run.record.data}
    return Provenance(
        recipe=first.recipe.name,
        network=first.recipe.network.name,
        num_networks=len(runs),
        flips=flips,
        num_parameters=sum(
            parameter.numel() for run in runs for parameter in run.network.parameters()
        ),
        seed=first.recipe.seed,
        commit=first.record.commit,
        data=list(data.values()),
        training_ids=sorted(trained),
        selection_ids=sorted(chosen - trained),
        epochs=first.recipe.training.epochs,
        best_epoch=first.best_epoch,
        export_difference=difference,
        versions={name: metadata.version(name) for name in ("dermseg", "torch", "onnx")},
        scores=list(scores),
    )


def _move(folder: Path, destination: Path) -> None:
    """Put a finished folder in its place; an older one is removed only when the new is there."""
    old = folder.with_name("old")
    if destination.exists():
        destination.rename(old)
    try:
        folder.rename(destination)
    except OSError:
        if old.exists():
            old.rename(destination)
        raise
