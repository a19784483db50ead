"""Turn finished runs into a model package."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from dermseg.datasets import Dataset
from dermseg.errors import ExportError
from dermseg.export.ensemble import join_runs
from dermseg.export.onnx import compare_onnx, round_weights, write_onnx
from dermseg.export.package_folder import check_destination, package_folder, write_spec
from dermseg.export.quantizing import quantized_spec
from dermseg.export.run_reading import FinishedRun, read_run
from dermseg.export.weights import write_weights
from dermseg.networks import SegmentationNetwork
from dermseg.package import ModelSpec, Provenance, Score
from dermseg.recipes import Recipe, list_recipes, read_recipe

__all__ = ["NOT_STATED", "ExportOptions", "export_run"]

NOT_STATED = "not stated by whoever trained it"

_TOLERANCE = 1e-4
"""Largest accepted difference of a probability between torch and ONNX Runtime."""


@dataclass(frozen=True)
class ExportOptions:
    """How a network is written.

    Attributes:
        name: The model's name; the recipe's where it is None.
        flips: Average over an image and its three mirror images, too: four times the work. Is
            always done if the recipe says so.
        half_weights: Store the weights as float16.
        licence: Of the weights, as their owner states it; that of the images may bind it.
        int8: What the run was trained on, to calculate in int8, calibrated on training images; the
            loss, measured on the images that chose the checkpoint, is kept. None for float32.
    """

    name: str | None = None
    flips: bool = False
    half_weights: bool = False
    licence: str = NOT_STATED
    int8: Dataset | None = None


_DEFAULTS: Final = ExportOptions()


def export_run(
    run: Path,
    destination: Path,
    options: ExportOptions = _DEFAULTS,
    *,
    others: Sequence[Path] = (),
    scores: tuple[Score, ...] = (),
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
        options: How the network is written.
        others: More runs of the same recipe, such as folds.
        scores: Measured scores to keep; of a run that fitted thresholds and kernels, beside those
            of the selection part.
        overwrite: Whether a folder that is there may be replaced.

    Raises:
        UsageError: If ``run`` is no finished run, the others do not fit to it, or ``destination``
            is there.
        ExportError: If ONNX Runtime's numbers differ from torch's.
        OutputError: If the package cannot be written.
    """
    check_destination(destination, overwrite=overwrite)
    runs = [read_run(folder) for folder in (run, *others)]
    recipe = runs[0].recipe
    flips = options.flips or recipe.flips
    network = join_runs(runs, flips=flips)
    with package_folder(destination) as folder:
        onnx_path = folder / "model.onnx"
        half = options.half_weights
        difference = _write_network(network, onnx_path, recipe, half=half)
        provenance = _provenance(runs, difference, scores, flips=flips)
        spec = _create_spec(runs, options, onnx_path, provenance)
        if options.int8 is not None:
            spec = quantized_spec(folder, spec, options.int8)
        write_spec(folder, spec)
        if not others:
            write_weights(runs[0].network, folder, half=half)
        shutil.copyfile(run / "recipe.toml", folder / "recipe.toml")
    return spec


def _create_spec(
    runs: Sequence[FinishedRun], options: ExportOptions, onnx_path: Path, provenance: Provenance
) -> ModelSpec:
    """The content of ``model.json``, with what the run fitted to its selection part."""
    run = runs[0]
    recipe, fitted = run.recipe, run.fitted
    if fitted is not None:
        kept = {
            "scores": [*fitted.provenance.scores, *provenance.scores],
            "untuned_postprocessing": fitted.provenance.untuned_postprocessing,
        }
        provenance = provenance.model_copy(update=kept)
    return ModelSpec(
        name=options.name or recipe.name,
        description=_describe(runs),
        licence=options.licence,
        input_size=recipe.preprocessing.size,
        preprocessing=recipe.preprocessing.cleaning,
        lesion_crop=recipe.lesion_crop,
        experimental=recipe.experimental,
        normalization=run.record.normalization,
        classes=recipe.classes,
        activation=recipe.activation,
        postprocessing=recipe.postprocessing if fitted is None else fitted.postprocessing,
        onnx_sha256=hashlib.sha256(onnx_path.read_bytes()).hexdigest(),
        provenance=provenance,
    )


def _write_network(
    network: SegmentationNetwork, path: Path, recipe: Recipe, *, half: bool
) -> float:
    """Write the network as ONNX; the largest difference of its probabilities from torch's.

    Rounded weights are rounded in torch as well: the comparison is of the same function.
    """
    size = recipe.preprocessing.size
    if half:
        round_weights(network)
    write_onnx(network, path, size=size, half_weights=half)
    difference = compare_onnx(network, path, size=size, activation=recipe.activation)
    if not difference <= _TOLERANCE:
        message = (
            f"probabilities of the exported network differ by {difference:.2g} from torch's, "
            f"expected at most {_TOLERANCE:g}"
        )
        raise ExportError(message)
    return difference


def _describe(runs: Sequence[FinishedRun]) -> str:
    """What was trained on what, in a phrase: a recipe only says what it was meant for."""
    recipe = runs[0].recipe
    height, width = recipe.preprocessing.size
    names = dict.fromkeys(source.name for run in runs for source in run.record.data)
    num_images = len({id for run in runs for id in run.record.training_ids})
    return (
        f"{recipe.network.name} for {', '.join(recipe.classes)}, trained on {num_images} images of "
        f"{' and '.join(names)} at {width}x{height}"
    )


def _find_changes(recipe: Recipe) -> list[str]:
    """Keys in which a recipe differs from the packaged one of its name."""
    if recipe.name not in list_recipes():
        return []
    packaged, own = (_flatten(each.model_dump()) for each in (read_recipe(recipe.name), recipe))
    return sorted(key for key in packaged.keys() | own.keys() if packaged.get(key) != own.get(key))


def _flatten(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in table.items():
        nested = isinstance(value, dict)
        values |= _flatten(value, f"{prefix}{key}.") if nested else {f"{prefix}{key}": value}
    return values


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
        changed=_find_changes(first.recipe),
        epochs=first.num_epochs,
        best_epoch=first.best_epoch,
        export_difference=difference,
        versions={name: metadata.version(name) for name in ("dermseg", "torch", "onnx")},
        scores=list(scores),
    )
