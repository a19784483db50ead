"""The reliability diagram that stands beside the model card."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

from matplotlib.figure import Figure

from dermseg.package import Calibration, Reliability
from dermseg.storage import write_bytes_atomically

__all__ = ["RELIABILITY", "draw_reliability", "reliability_points"]

RELIABILITY: Final = "reliability.png"


def draw_reliability(calibration: Calibration, path: Path) -> None:
    """Draw how often it is lesion at each probability, before and after.

    Raises:
        OutputError: If the picture cannot be written.
    """
    figure = Figure(figsize=(4.5, 4.5), layout="constrained")
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    for name, measured, color in (
        ("before", calibration.before, "#b5651d"),
        ("calibrated", calibration.after, "#1f6f8b"),
    ):
        x, y = reliability_points(measured)
        axes.plot(x, y, "o-", color=color, label=f"{name}, ECE {measured.error:.4f}")
    axes.set(
        xlabel="probability of lesion", ylabel="share of lesion", xlim=(0, 1), ylim=(0, 1), aspect=1
    )
    axes.legend(loc="upper left")
    content = io.BytesIO()
    # Without the version of matplotlib: the same figures give the same file.
    figure.savefig(content, format="png", dpi=120, metadata={"Software": None})
    write_bytes_atomically(path, content.getvalue())


def reliability_points(measured: Reliability) -> tuple[list[float], list[float]]:
    """Mean probability and share of lesion of the bins that hold pixels."""
    bins = zip(measured.pixels, measured.probability, measured.lesion, strict=True)
    points = [(total / num, lesion / num) for num, total, lesion in bins if num]
    return [x for x, _ in points], [y for _, y in points]
