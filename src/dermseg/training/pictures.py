"""Pictures of a run: its curves, and what it predicts on the selection part."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dermseg.evaluation.scoring import ImageScore
from dermseg.images import read_mask, write_bytes_atomically, write_image
from dermseg.prediction import Predictor, draw_contour
from dermseg.training.roc import RocCounts
from dermseg.types import Sample

__all__ = ["draw_curves", "draw_overlays", "draw_predictions", "draw_roc"]

_PANELS = (
    ("loss", ("train_loss", "selection_loss")),
    ("accuracy", ("selection_mean_accuracy",)),
    ("overlap", ("selection_mean_dice", "selection_mean_jaccard")),
)
_NUM_SHOWN = 6
_NUM_OVERLAYS = 4


def draw_curves(run: Path) -> None:
    """Draw loss, accuracy, Dice and Jaccard index per epoch into ``curves.png``.

    Args:
        run: A run folder with ``metrics.csv``.
    """
    with (run / "metrics.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    epochs = [int(row["epoch"]) for row in rows]
    best = max(rows, key=lambda row: float(row["selection_mean_jaccard"]))
    figure = Figure(figsize=(13, 3.8), layout="constrained")
    panels: Sequence[Axes] = figure.subplots(1, len(_PANELS))
    for axes, (title, columns) in zip(panels, _PANELS, strict=True):
        for column in columns:
            label = column.replace("selection_mean_", "").replace("_", " ")
            axes.plot(epochs, [float(row[column]) for row in rows], marker=".", label=label)
        axes.axvline(int(best["epoch"]), color="0.7", linestyle=":", label="kept epoch")
        axes.set(title=title, xlabel="epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(visible=True, alpha=0.3)
        axes.legend()
    _write(figure, run / "curves.png")


def draw_predictions(predictor: Predictor, samples: Sequence[Sample], path: Path) -> None:
    """Draw a grid of image, truth, prediction and overlay for a few samples.

    Args:
        predictor: The trained model.
        samples: With masks; evenly spaced ones are shown.
        path: The PNG file.
    """
    indices = np.linspace(0, len(samples) - 1, min(_NUM_SHOWN, len(samples))).astype(int)
    shown = [samples[index] for index in indices]
    figure = Figure(figsize=(11, 2.2 * len(shown) + 0.4), layout="constrained")
    grid = figure.subplots(len(shown), 4, squeeze=False)
    for row, sample in zip(grid, shown, strict=True):
        prediction = predictor.predict(sample.image)
        truth = np.zeros(prediction.size, dtype=bool)
        if sample.mask is not None:
            truth = read_mask(sample.mask)
        overlay = draw_contour(prediction.image, prediction.mask, max_side=512)
        pictures = (prediction.image, truth, prediction.mask, overlay)
        for axes, picture in zip(row, pictures, strict=True):
            axes.imshow(picture, cmap=mpl.colormaps["gray"], vmin=0, vmax=1)
            axes.set(xticks=[], yticks=[])
        row[0].set_ylabel(sample.id, fontsize=8)
    for axes, title in zip(grid[0], ("image", "truth", "prediction", "overlay"), strict=True):
        axes.set_title(title)
    _write(figure, path)


def draw_roc(counts: RocCounts, path: Path) -> None:
    """Draw the ROC curve, with the area under it in the title.

    Args:
        counts: Pixels by probability and truth.
        path: The PNG file.
    """
    figure = Figure(figsize=(4.6, 4.6), layout="constrained")
    axes = figure.subplots()
    rates = counts.curve()
    if rates is None:
        axes.set_title("no ROC curve: all pixels are of one kind")
    else:
        axes.plot(*rates)
        axes.set_title(f"ROC over all pixels, AUC {counts.area():.4f}")
    axes.plot([0, 1], [0, 1], color="0.7", linestyle=":")
    axes.set(xlabel="1 - specificity", ylabel="sensitivity", aspect="equal")
    axes.grid(visible=True, alpha=0.3)
    _write(figure, path)


def draw_overlays(
    predictor: Predictor, samples: Sequence[Sample], scores: Sequence[ImageScore], folder: Path
) -> None:
    """Draw the contours of truth (left) and prediction (right) of a few telling images.

    These are the four images with the best, the four around the median and the four with the
    worst Jaccard index, or fewer, no image twice: ``best-1_ID.jpg``, ``median-1_ID.jpg``,
    ``worst-1_ID.jpg``.

    Args:
        predictor: The trained model.
        samples: With masks.
        scores: Of the samples.
        folder: Made if it is not there.
    """
    folder.mkdir(exist_ok=True)
    by_id = {sample.id: sample for sample in samples}
    for kind, ids in _choose_telling(scores).items():
        for place, id in enumerate(ids, start=1):
            sample = by_id[id]
            if sample.mask is None:
                continue
            prediction = predictor.predict(sample.image)
            masks = (read_mask(sample.mask), prediction.mask)
            halves = [draw_contour(prediction.image, mask, max_side=512) for mask in masks]
            write_image(folder / f"{kind}-{place}_{id}.jpg", np.hstack(halves))


def _choose_telling(scores: Sequence[ImageScore]) -> dict[str, list[str]]:
    ids = [score.id for score in sorted(scores, key=lambda score: (-score.jaccard, score.id))]
    num = min(_NUM_OVERLAYS, -(-len(ids) // 3))
    best, rest = ids[:num], ids[num:]
    worst, middle = rest[::-1][:num], rest[: max(0, len(rest) - num)]
    start = max(0, len(middle) - num) // 2
    return {"best": best, "median": middle[start : start + num], "worst": worst}


def _write(figure: Figure, path: Path) -> None:
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=110)
    write_bytes_atomically(path, content.getvalue())
