"""Calibrate a model package: probabilities, threshold, estimates of quality. Needs ``train``.

Everything is fitted to predictions of images that the network did not learn from.
"""

from dermseg.calibration.calibrate import calibrate_package

__all__ = ["calibrate_package"]
