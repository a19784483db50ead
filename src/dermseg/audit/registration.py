"""Refining an affine map between two grey images.

Inverse compositional Gauss-Newton with damping: a step that makes the fit worse is taken back. So
the result is never worse than the start, which OpenCV's ``findTransformECC`` does not warrant.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dermseg.preprocessing import DETAIL_SIDE, Fingerprint
from dermseg.types import BoolMask

__all__ = ["refine"]

# At half the resolution first: it reaches farther, and most pairs end there.
_REDUCED, _NUM_COARSE_STEPS, _NUM_FINE_STEPS = 2, 14, 8
_BLUR = 1.0
_MIN_COARSE_FIT = 0.88
_NUM_STEPS_ON_TRIAL, _MIN_FIT_ON_TRIAL = 4, 0.7
_MIN_GAIN = 3e-4
_FIRST_DAMPING, _LARGEST_DAMPING = 1e-3, 1e2
_MIN_SHARE = 0.2
_OUTSIDE = -1e6


def refine(
    image: Fingerprint, template: Fingerprint, matrix: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Refine the map by which an image is sampled to look like a template.

    Brightness and contrast may differ. Pixels of the template without a counterpart do not count,
    nor does what is dark around the field of view in either.

    Args:
        image: Its detail is sampled.
        template: Its detail is what the samples should look like.
        matrix: (2, 3), takes (x, y, 1) of the template to (x, y) of the image; nearly right.

    Returns:
        The refined map, and the correlation that it reaches, in [-1, 1]; -1 where less than a
        fifth of the template has a counterpart. Below 0.88 it is a first guess.

    References:
        Baker and Matthews (2004), doi:10.1023/B:VISI.0000011205.11775.fd.
    """
    whole = np.vstack([matrix, [0, 0, 1]])
    enlarge = np.array([[_REDUCED, 0, 0.5], [0, _REDUCED, 0.5], [0, 0, 1]])
    reduce = np.linalg.inv(enlarge)
    coarse, fit = _climb(
        _prepare(image, _REDUCED),
        _prepare(template, _REDUCED),
        reduce @ whole @ enlarge,
        _NUM_COARSE_STEPS,
    )
    whole = enlarge @ coarse @ reduce
    if fit >= _MIN_COARSE_FIT:
        whole, fit = _climb(_prepare(image, 1), _prepare(template, 1), whole, _NUM_FINE_STEPS)
    return whole[:2], fit


def _prepare(fingerprint: Fingerprint, reduction: int) -> tuple[NDArray[np.float32], BoolMask]:
    """The smoothed detail, and where it shows the field of view."""
    values, background = fingerprint.detail, fingerprint.background.astype(np.uint8)
    if reduction > 1:
        side = DETAIL_SIDE // reduction
        values = np.asarray(
            cv2.resize(values, (side, side), interpolation=cv2.INTER_AREA), np.uint8
        )
        background = np.asarray(cv2.resize(background, (side, side)), np.uint8)
    smooth = cv2.GaussianBlur(values.astype(np.float32), (0, 0), _BLUR)
    return np.asarray(smooth, np.float32), background == 0


def _climb(
    image_and_field: tuple[NDArray[np.float32], BoolMask],
    template_and_field: tuple[NDArray[np.float32], BoolMask],
    start: NDArray[np.float64],
    num_steps: int,
) -> tuple[NDArray[np.float64], float]:
    image = np.where(image_and_field[1], image_and_field[0], np.float32(_OUTSIDE))
    template, visible = template_and_field[0], template_and_field[1].ravel()
    jacobian = _jacobian(template)
    best, best_fit, damping = start, -1.0, _FIRST_DAMPING
    hessian, force = np.eye(6), np.zeros(6)
    trial = start
    for step in range(num_steps):
        sampled = cv2.warpAffine(
            image,
            trial[:2],
            template.shape[::-1],
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=_OUTSIDE,
        )
        # Interpolation mixes the value for outside into the pixels at the edge: they fall as well.
        inside = visible & (sampled >= 0).ravel()
        fit = -1.0
        if inside.mean() >= _MIN_SHARE:
            wanted, scale = _normalise(template.ravel()[inside])
            found, _ = _normalise(np.asarray(sampled, np.float32).ravel()[inside])
            fit = float(wanted @ found)
        if fit > best_fit:
            gain, best, best_fit = fit - best_fit, trial, fit
            if gain < _MIN_GAIN:
                break
            damping /= 4
            slopes = jacobian[:, inside] / scale
            hessian, force = slopes @ slopes.T, slopes @ (found - wanted)
        else:
            damping *= 16
            if damping > _LARGEST_DAMPING:
                break
        if step == _NUM_STEPS_ON_TRIAL and best_fit < _MIN_FIT_ON_TRIAL:
            break
        trial = best @ _inverse_step(hessian, force, damping)
    return best, best_fit


def _jacobian(template: NDArray[np.float32]) -> NDArray[np.float32]:
    """How each pixel changes with the six parameters of an affine map, (6, pixels)."""
    down, right = (slope.ravel() for slope in np.gradient(template))
    y, x = (axis.ravel() for axis in np.indices(template.shape, dtype=np.float32))
    return np.stack([right * x, right * y, right, down * x, down * y, down])


def _normalise(values: NDArray[np.float32]) -> tuple[NDArray[np.float32], np.float32]:
    centred = values - values.mean()
    scale = np.linalg.norm(centred) + np.float32(1e-6)
    return centred / scale, scale


def _inverse_step(
    hessian: NDArray[np.float64], force: NDArray[np.float64], damping: float
) -> NDArray[np.float64]:
    """The inverse of the affine map, (3, 3), that a damped step adds to the template."""
    damped = hessian.astype(np.float64)
    damped[np.diag_indices(6)] *= 1 + damping
    damped[np.diag_indices(6)] += 1e-12
    step = np.eye(3)
    step[:2] += np.linalg.solve(damped, force).reshape(2, 3)
    return np.asarray(np.linalg.inv(step), np.float64)
