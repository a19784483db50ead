"""What the probabilities and the masks of a model package are worth. Needs the extra ``train``.

All of it is fitted to predictions of images that the network did not learn from.
"""

from dermseg.calibration.calibrate import calibrate_package

__all__ = ["calibrate_package"]
