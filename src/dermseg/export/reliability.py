"""The reliability diagram that stands beside the model card."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from dermseg.package import Calibration, Reliability
from dermseg.pages.charts import Curve, reliability_chart
from dermseg.pages.parts import standalone_chart
from dermseg.storage import write_bytes_atomically

__all__ = ["RELIABILITY", "draw_reliability", "reliability_points"]

RELIABILITY: Final = "reliability.svg"


def draw_reliability(calibration: Calibration, path: Path) -> None:
    """Draw how often it is lesion at each probability, before and after calibration.

    Raises:
        OutputError: If the picture cannot be written.
    """
    before, after = calibration.before, calibration.after
    num_pixels = max(1.0, sum(after.pixels))
    chart = reliability_chart(
        [
            Curve(reliability_points(before), "before", second=True),
            Curve(reliability_points(after), "calibrated"),
        ],
        [pixels / num_pixels for pixels in after.pixels],
        description=(
            f"Reliability diagram. Expected calibration error {before.error:.4f} before and "
            f"{after.error:.4f} after calibration."
        ),
    )
    write_bytes_atomically(path, standalone_chart(chart).encode())


def reliability_points(measured: Reliability) -> list[tuple[float, float]]:
    """Mean probability and share of lesion of the bins that hold pixels."""
    bins = zip(measured.pixels, measured.probability, measured.lesion, strict=True)
    return [(total / num, lesion / num) for num, total, lesion in bins if num]
