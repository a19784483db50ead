"""Laying one image over another, turned, mirrored, cropped and scaled as it may be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from dermseg.audit.candidates import Candidate
from dermseg.audit.registration import refine
from dermseg.preprocessing import DETAIL_SIDE, DISCS, Fingerprint
from dermseg.types import BoolMask, Size

__all__ = ["Alignment", "align"]

_NUM_ANGLES: Final = 120
_NUM_STARTS, _MIN_CORRELATION, _MAX_SHORTFALL = 4, 0.7, 0.2
_MIN_FIT = 0.8
_CERTAIN = 0.9
_MIN_OVERLAP = 0.3
_MARGIN = np.ones((5, 5), np.uint8)


@dataclass(frozen=True)
class Alignment:
    """How one image lies over another, and how alike they are there.

    Attributes:
        similarity: Correlation of the fine structure where both have pixels, at most 1. Copies
            reach 0.8 and more, different photographs of one lesion mostly less, and different
            lesions stay below 0.6.
        matrix: (2, 3), takes (x, y, 1) of the second image to (x, y) of the first, in pixels.
        overlap: Share of the smaller field that lies in the other image, in [0, 1].
    """

    similarity: float
    matrix: NDArray[np.float64]
    overlap: float

    def inverse(self) -> Alignment:
        """The same with the two images exchanged."""
        return replace(self, matrix=_inverse(self.matrix))


def align(first: Fingerprint, second: Fingerprint, candidate: Candidate) -> Alignment | None:
    """Lay two images over each other, and compare them in detail.

    The turn comes from the harmonics of the two discs; from there an affine map is refined.

    Args:
        first: The image ``candidate.first``.
        second: The image ``candidate.second``.
        candidate: Tells which of the discs look alike.

    Returns:
        None if they cannot be laid over each other.
    """
    best, best_fit = None, _MIN_FIT
    for start in _starts(first, second, candidate):
        # The smaller part is the template, so that most of it has a counterpart.
        swapped = _overhang(start) > _overhang(_inverse(start))
        image, template = (second, first) if swapped else (first, second)
        matrix, fit = refine(image, template, _inverse(start) if swapped else start)
        if fit > best_fit:
            best_fit = fit
            similarity, overlap = _compare(image, template, matrix)
            forward = _inverse(matrix) if swapped else matrix
            whole = _to_detail(second.size)
            native = np.linalg.inv(_to_detail(first.size)) @ _square(forward) @ whole
            best = Alignment(similarity, native[:2], overlap)
            if similarity > _CERTAIN:
                break
    return best


def _starts(
    first: Fingerprint, second: Fingerprint, candidate: Candidate
) -> list[NDArray[np.float64]]:
    """Maps between the details, (2, 3), from the second to the first, the likeliest first."""
    peaks = []
    for mirrored in (False, True):
        curve = _correlate(first, second, candidate.disc, mirrored=mirrored)
        is_peak = (curve >= np.roll(curve, 1)) & (curve > np.roll(curve, -1))
        peaks += [(curve[index], index, mirrored) for index in np.flatnonzero(is_peak)]
    peaks = sorted(peaks, reverse=True)[:_NUM_STARTS]
    return [
        _turn(
            first.size,
            second.size,
            candidate.disc,
            2 * np.pi * index / _NUM_ANGLES,
            mirrored=mirrored,
        )
        for height, index, mirrored in peaks
        if height >= max(_MIN_CORRELATION, peaks[0][0] - _MAX_SHORTFALL)
    ]


def _correlate(
    first: Fingerprint, second: Fingerprint, disc: int, *, mirrored: bool
) -> NDArray[np.float64]:
    """Correlation of two discs for each of 120 angles by which the second may be turned."""
    one, two = first.harmonics[disc, :, 1:, 0], second.harmonics[0, :, 1:, 0]
    orders = np.arange(1, one.shape[1] + 1)
    weights = (np.arange(one.shape[0]) + 0.5)[:, None] * np.sqrt(orders)
    norm = np.sqrt((np.abs(one) ** 2 * weights).sum() * (np.abs(two) ** 2 * weights).sum())
    spectrum = (one * (two if mirrored else two.conj()) * weights).sum(axis=0)
    angles = 2 * np.pi * np.arange(_NUM_ANGLES) / _NUM_ANGLES
    return np.asarray((spectrum @ np.exp(1j * np.outer(orders, angles))).real / (norm + 1e-9))


def _turn(
    first: Size, second: Size, disc: int, angle: float, *, mirrored: bool
) -> NDArray[np.float64]:
    chosen = DISCS[disc]
    cosine, sine, sign = np.cos(angle), np.sin(angle), -1 if mirrored else 1
    turn = np.array(
        [
            [chosen.diameter * cosine, -chosen.diameter * sine * sign, chosen.x],
            [chosen.diameter * sine, chosen.diameter * cosine * sign, chosen.y],
            [0, 0, 1],
        ]
    )
    whole = np.linalg.inv(_to_units(first)) @ turn @ _to_units(second)
    return np.asarray(whole[:2])


def _to_units(size: Size) -> NDArray[np.float64]:
    """From pixels of the detail to shorter sides from the image's centre, (3, 3)."""
    scale = np.array([size[1], size[0]]) / min(size) / DETAIL_SIDE
    offset = -(DETAIL_SIDE / 2 - 0.5) * scale
    return np.array([[scale[0], 0, offset[0]], [0, scale[1], offset[1]], [0, 0, 1]])


def _to_detail(size: Size) -> NDArray[np.float64]:
    """From pixels of the image to pixels of its detail, (3, 3)."""
    x, y = DETAIL_SIDE / size[1], DETAIL_SIDE / size[0]
    return np.array([[x, 0, x / 2 - 0.5], [0, y, y / 2 - 0.5], [0, 0, 1]])


def _square(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.vstack([matrix, [0, 0, 1]])


def _inverse(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(cv2.invertAffineTransform(matrix), np.float64)


def _overhang(matrix: NDArray[np.float64]) -> float:
    """How far the corners lie outside after a map, summed."""
    last = DETAIL_SIDE - 1
    corners = np.array([[0, 0, 1], [last, 0, 1], [0, last, 1], [last, last, 1]]) @ matrix.T
    return float(np.maximum(0, np.maximum(-corners, corners - last)).sum())


def _compare(
    image: Fingerprint, template: Fingerprint, matrix: NDArray[np.float64]
) -> tuple[float, float]:
    """Similarity and overlap of an image that is mapped onto a template."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    side = (DETAIL_SIDE, DETAIL_SIDE)
    warped = cv2.warpAffine(
        image.detail.astype(np.float32), matrix, side, flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    lit = cv2.warpAffine((~image.background).astype(np.float32), matrix, side, flags=flags) > 0.999
    both = lit & ~template.background
    overlap = both.sum() / max(1, (~template.background).sum())
    # What lies beyond the edge of a field of view must not weigh in: it is the same in all.
    inner = cv2.erode(both.astype(np.uint8), _MARGIN, borderType=cv2.BORDER_CONSTANT, borderValue=1)
    if overlap < _MIN_OVERLAP or inner.mean() < _MIN_OVERLAP / 2:
        return 0.0, float(overlap)
    return _correlation(_fine(warped), _fine(template.detail), inner > 0), float(overlap)


def _fine(luminance: NDArray[np.number]) -> NDArray[np.float32]:
    """Return the texture finer than lesions, with its contrast equalised over the image."""
    smooth = cv2.GaussianBlur(np.asarray(luminance, np.float32), (0, 0), 0.8)
    fine = smooth - cv2.GaussianBlur(smooth, (0, 0), 3)
    contrast = cv2.GaussianBlur(fine * fine, (0, 0), 4)
    return np.asarray(fine / np.sqrt(contrast + 1.5**2), np.float32)


def _correlation(one: NDArray[np.float32], two: NDArray[np.float32], where: BoolMask) -> float:
    one, two = one[where] - one[where].mean(), two[where] - two[where].mean()
    return float((one * two).sum() / (np.linalg.norm(one) * np.linalg.norm(two) + 1e-6))
