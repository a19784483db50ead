"""Change what a model package says, or how it calculates."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dermseg.datasets import Dataset
from dermseg.export.package_folder import check_destination, package_folder, write_spec
from dermseg.export.quantizing import quantized_spec
from dermseg.export.weights import WEIGHTS
from dermseg.package import ModelPackage, ModelSpec, Score, load_package
from dermseg.recipes import Postprocessing

__all__ = ["copy_package", "describe_package", "quantize_package", "tune_package"]


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
    write_spec(package, spec.model_copy(update=update))


def tune_package(package: Path, postprocessing: Postprocessing) -> None:
    """Give a package thresholds and kernels that were fitted to its selection images.

    ``model.json`` keeps the old ones beside them, and the card says what was fitted.
    """
    spec = load_package(package).spec
    untuned = {"untuned_postprocessing": spec.postprocessing}
    provenance = spec.provenance.model_copy(update=untuned)
    update = {"postprocessing": postprocessing, "provenance": provenance}
    write_spec(package, spec.model_copy(update=update))


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
    check_destination(destination, overwrite=overwrite)
    spec = source.spec.model_copy(update=dict(update))
    what_masks_come_from = ("temperature", "bias", "postprocessing")
    if any(getattr(spec, key) != getattr(source.spec, key) for key in what_masks_come_from):
        origin = spec.provenance.model_copy(update={"scores": []})
        spec = spec.model_copy(update={"provenance": origin, "notes": ""})
    with package_folder(destination) as folder:
        for file in ("model.onnx", "recipe.toml", WEIGHTS):
            if (source.folder / file).is_file():
                shutil.copyfile(source.folder / file, folder / file)
        write_spec(folder, spec)
    return spec


def quantize_package(package: Path, destination: Path, name: str, data: Dataset) -> ModelSpec:
    """Write a copy of a package that calculates in int8, as ``export_run`` with ``int8`` does.

    Without its scores and notes, which are those of float32, and without ``weights.safetensors``:
    a new run starts from those of the package itself.

    Raises:
        UsageError: If ``destination`` is there, or ``data`` are not what the package is from.
        OutputError: If the package cannot be written.
    """
    check_destination(destination, overwrite=False)
    source = load_package(package)
    origin = source.spec.provenance.model_copy(update={"scores": []})
    spec = source.spec.model_copy(update={"name": name, "provenance": origin, "notes": ""})
    with package_folder(destination) as folder:
        for file in ("model.onnx", "recipe.toml"):
            shutil.copyfile(source.folder / file, folder / file)
        spec = quantized_spec(folder, spec, data)
        write_spec(folder, spec)
    return spec
