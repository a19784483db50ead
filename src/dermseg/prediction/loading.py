"""Load a model, with the lesion model that it may need."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from dermseg.errors import PackageError, UsageError
from dermseg.package import (
    DEFAULT_MODEL,
    ModelPackage,
    ModelSpec,
    Precision,
    RuntimeName,
    load_package,
)
from dermseg.prediction.predictor import Predictor

__all__ = ["load_model"]


def load_model(
    name_or_path: str | Path | None = None,
    *,
    lesion_model: str | Path | None = None,
    threshold: float | None = None,
    max_megapixels: float = 200,
    runtime: RuntimeName = "auto",
    precision: Precision = "float32",
    num_threads: int | None = None,
) -> Predictor:
    """Load a shipped model by name, or a model package by its folder.

    Args:
        name_or_path: None loads the default model.
        lesion_model: For a model of attributes, the model that finds the lesion before; None
            takes the one that the package names, or the default model.
        threshold: Probability from which a pixel belongs to the lesion; None keeps the model's.
        max_megapixels: Larger images are refused.
        runtime: ``onnx``, ``openvino``, or ``auto``: ONNX Runtime where it has CUDA, else OpenVINO
            where it is installed.
        precision: ``float32``, in which machines and runtimes agree to 1e-4 in probabilities; or
            ``auto``, the fastest that the runtime finds here, as ``dermseg predict`` takes it.
        num_threads: Threads of one inference; None leaves the choice to the runtime.

    Raises:
        PackageError: If there is no such model, or it is damaged, or its lesion model is.
        MissingExtraError: If OpenVINO is asked for and not installed.
        UsageError: If ``threshold`` is outside (0, 1), ``max_megapixels`` is not above 0,
            ``num_threads`` is below 1, there is no such runtime or precision, or ``lesion_model``
            is given to a model that finds the lesion itself.
    """
    for model in (name_or_path, lesion_model):
        if not (model is None or isinstance(model, str | os.PathLike)):
            message = f"a model is {model!r}, expected a name or the path of a folder"
            raise UsageError(message)
    package = load_package(name_or_path)
    create = partial(
        Predictor,
        max_megapixels=max_megapixels,
        runtime=runtime,
        precision=precision,
        num_threads=num_threads,
    )
    if not package.spec.needs_lesion_model and lesion_model is None:
        return create(package, threshold=threshold)
    lesion_package = _load_lesion_package(package.spec, lesion_model)
    return create(package, lesion=create(lesion_package, threshold=threshold))


def _load_lesion_package(spec: ModelSpec, lesion_model: str | Path | None) -> ModelPackage:
    named = DEFAULT_MODEL if spec.lesion_crop is None else spec.lesion_crop.model
    try:
        package = load_package(named if lesion_model is None else lesion_model)
    except PackageError as error:
        if lesion_model is not None:
            raise
        message = (
            f"the model {spec.name} looks inside the lesion that the model '{named}' finds, which "
            f"cannot be loaded: {error}; name another lesion model"
        )
        raise PackageError(message) from error
    if package.spec.needs_lesion_model:
        message = (
            f"the model {package.spec.name} finds {', '.join(package.spec.classes)} and no lesion: "
            f"name a lesion model, such as {DEFAULT_MODEL}"
        )
        raise UsageError(message)
    return package
