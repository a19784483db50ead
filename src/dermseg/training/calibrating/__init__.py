"""Teach a model package what its probabilities and its masks are worth."""

from dermseg.training.calibrating.calibrate import calibrate_package

__all__ = ["calibrate_package"]
