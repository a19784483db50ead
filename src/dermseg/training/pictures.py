"""Pictures of a run: its curves, and what it predicts on the selection part."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from dermseg.datasets.class_masks import LESION, is_lesion_only, known_masks
from dermseg.evaluation.scoring import ImageScore
from dermseg.images import write_image
from dermseg.metrics import RocCounts
from dermseg.prediction import (
    Prediction,
    Predictor,
    add_legend,
    color_of,
    draw_contour,
    mark_attributes,
)
from dermseg.storage import write_bytes_atomically
from dermseg.training.monitor import selection_scores
from dermseg.types import BoolMask, ImageArray, Sample

__all__ = ["draw_curves", "draw_overlays", "draw_predictions", "draw_roc"]

_NUM_SHOWN = 6
_NUM_OVERLAYS = 4
_MAX_SIDE = 512


def draw_curves(run: Path, classes: Sequence[str], *, kept_epoch: int) -> None:
    """Draw the losses and scores per epoch into ``curves.png``.

    Args:
        run: A run folder with ``metrics.csv``.
        classes: The recipe's classes.
        kept_epoch: Whose weights became the model, counted from 1.
    """
    with (run / "metrics.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    epochs = [int(row["epoch"]) for row in rows]
    panels = _panels(classes)
    figure = Figure(figsize=(13, 3.8), layout="constrained")
    all_axes: Sequence[Axes] = figure.subplots(1, len(panels))
    for axes, (title, columns) in zip(all_axes, panels.items(), strict=True):
        for column in columns:
            values = [float(row[column]) for row in rows]
            axes.plot(epochs, values, marker=".", label=_label(column))
        axes.axvline(kept_epoch, color="0.7", linestyle=":", label="kept epoch")
        axes.set(title=title, xlabel="epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.grid(visible=True, alpha=0.3)
        axes.legend()
    _write(figure, run / "curves.png")


def draw_predictions(predictor: Predictor, samples: Sequence[Sample], path: Path) -> None:
    """Draw a grid of image, truth and prediction for a few samples.

    Args:
        predictor: The trained model.
        samples: Evenly spaced ones are shown.
        path: The PNG file.
    """
    indices = np.linspace(0, len(samples) - 1, min(_NUM_SHOWN, len(samples))).astype(int)
    shown = [samples[index] for index in indices]
    rows = {sample.id: _columns(predictor, sample) for sample in shown}
    titles = list(rows[shown[0].id])
    figure = Figure(figsize=(2.75 * len(titles), 2.2 * len(shown) + 0.4), layout="constrained")
    grid = figure.subplots(len(shown), len(titles), squeeze=False)
    for row, (id, pictures) in zip(grid, rows.items(), strict=True):
        for axes, picture in zip(row, pictures.values(), strict=True):
            axes.imshow(picture, cmap=mpl.colormaps["gray"], vmin=0, vmax=1)
            axes.set(xticks=[], yticks=[])
        row[0].set_ylabel(id, fontsize=8)
    for axes, title in zip(grid[0], titles, strict=True):
        axes.set_title(title)
    if not is_lesion_only(predictor.spec.classes):
        _add_legend(figure, predictor.spec.classes)
    _write(figure, path)


def draw_roc(pixels: Mapping[str, RocCounts], path: Path) -> None:
    """Draw the ROC curve of each class, with the area under it.

    Args:
        pixels: Pixels by probability and truth, by class.
        path: The PNG file.
    """
    figure = Figure(figsize=(4.6, 4.6), layout="constrained")
    axes = figure.subplots()
    curves = {name: counts.curve() for name, counts in pixels.items()}
    areas = {name: f"AUC {pixels[name].area():.4f}" for name in curves}
    for name, rates in curves.items():
        if rates is not None:
            axes.plot(*rates, label=f"{name.replace('_', ' ')}, {areas[name]}")
    if not any(curves.values()):
        axes.set_title("no ROC curve: all pixels are of one kind")
    elif len(curves) == 1:
        axes.set_title(f"ROC over all pixels, {''.join(areas.values())}")
    else:
        axes.set_title("ROC over all pixels")
        axes.legend(fontsize=8)
    axes.plot([0, 1], [0, 1], color="0.7", linestyle=":")
    axes.set(xlabel="1 - specificity", ylabel="sensitivity", aspect="equal")
    axes.grid(visible=True, alpha=0.3)
    _write(figure, path)


def draw_overlays(
    predictor: Predictor, samples: Sequence[Sample], scores: Sequence[ImageScore], folder: Path
) -> None:
    """Draw truth (left) and prediction (right) of a few telling images.

    These are the four images with the best, the four around the median and the four with the
    worst Jaccard index, or fewer, no image twice: ``best-1_ID.jpg``, ``median-1_ID.jpg``,
    ``worst-1_ID.jpg``. Images without any of the attributes, in truth and prediction, do not count
    if there are others.

    Args:
        predictor: The trained model.
        samples: With masks.
        scores: The scores of the samples.
        folder: Made if it is not there.
    """
    folder.mkdir(exist_ok=True)
    by_id = {sample.id: sample for sample in samples}
    if not is_lesion_only(predictor.spec.classes):
        scores = [score for score in scores if _has_any(score)] or scores
    for kind, ids in _choose_telling(scores).items():
        for place, id in enumerate(ids, start=1):
            truths = known_masks(by_id[id], predictor.spec.classes)
            if not truths:
                continue
            prediction = predictor.predict(by_id[id].image, force=True)
            picture = np.hstack(
                [_overlay(prediction, masks) for masks in (truths, prediction.masks)]
            )
            if not is_lesion_only(prediction.classes):
                either = {
                    name: mask | truths.get(name, False) for name, mask in prediction.masks.items()
                }
                picture = add_legend(picture, either, shows_lesion=prediction.lesion is not None)
            write_image(folder / f"{kind}-{place}_{id}.jpg", picture)


def _choose_telling(scores: Sequence[ImageScore]) -> dict[str, list[str]]:
    ids = [score.id for score in sorted(scores, key=lambda score: (-score.jaccard, score.id))]
    num = min(_NUM_OVERLAYS, -(-len(ids) // 3))
    best, rest = ids[:num], ids[num:]
    worst, middle = rest[::-1][:num], rest[: max(0, len(rest) - num)]
    start = max(0, len(middle) - num) // 2
    return {"best": best, "median": middle[start : start + num], "worst": worst}


def _panels(classes: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The columns of each panel of the curves, by its title."""
    losses = ("train_loss", "selection_loss")
    first, *others = selection_scores(classes)
    if is_lesion_only(classes):
        dice, accuracy = others
        return {"loss": losses, "accuracy": (accuracy,), "overlap": (dice, first)}
    return {"loss": losses, "pooled Jaccard index": (first,), "of each class": tuple(others)}


def _label(column: str) -> str:
    if column.endswith("loss"):
        return column.replace("_", " ")
    return re.sub("^selection_(mean_|jaccard_)?", "", column).replace("_", " ")


def _columns(predictor: Predictor, sample: Sample) -> dict[str, NDArray[Any]]:
    """The pictures of one image, by their titles."""
    prediction = predictor.predict(sample.image, force=True)
    truths = known_masks(sample, prediction.classes)
    predicted = _overlay(prediction, prediction.masks)
    if not is_lesion_only(prediction.classes):
        truth = _overlay(prediction, truths)
        return {"image": prediction.image, "truth": truth, "prediction": predicted}
    return {
        "image": prediction.image,
        "truth": truths.get(LESION, np.zeros(prediction.size, np.bool_)),
        "prediction": prediction.mask,
        "overlay": predicted,
    }


def _overlay(prediction: Prediction, masks: Mapping[str, BoolMask]) -> ImageArray:
    """The image with the contour of its lesion, or with its attributes in their colours."""
    if is_lesion_only(prediction.classes):
        return draw_contour(prediction.image, masks[LESION], max_side=_MAX_SIDE)
    nowhere = np.zeros(prediction.size, np.bool_)
    lesion = nowhere if prediction.lesion is None else prediction.lesion.mask
    # Every class has its place, so that it keeps its colour where its truth is not known.
    shown = {name: masks.get(name, nowhere) for name in prediction.classes}
    return mark_attributes(prediction.image, shown, lesion, max_side=_MAX_SIDE)


def _add_legend(figure: Figure, classes: Sequence[str]) -> None:
    handles = [
        Patch(color=(red / 255, green / 255, blue / 255), label=name.replace("_", " "))
        for name, (red, green, blue) in zip(classes, map(color_of, count()), strict=False)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, fontsize=8)


def _has_any(score: ImageScore) -> bool:
    return score.counts.tp + score.counts.fp + score.counts.fn > 0


def _write(figure: Figure, path: Path) -> None:
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=110)
    write_bytes_atomically(path, content.getvalue())
