"""Marks on glass and skin: rulers, gel bubbles and ink."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dermseg.phantom.artefacts.canvas import Canvas, blend, check_call
from dermseg.types import ImageArray

__all__ = ["draw_gel_bubbles", "draw_ink", "draw_ruler"]

_INKS = np.array(
    [[82, 48, 128], [60, 56, 150], [58, 36, 92], [52, 92, 158], [34, 40, 110], [30, 28, 44]],
    np.float32,
)


def draw_ruler(image: ImageArray, rng: np.random.Generator, *, strength: float = 0.7) -> ImageArray:
    """Print a scale on an image: an engraved bar, bare ticks at an edge, or a paper strip.

    Args:
        image: (H, W, 3) uint8 RGB; not changed.
        rng: Source of the kind, place and direction of the scale.
        strength: Opacity of the print; 0 draws none.

    Raises:
        UsageError: If the image is no RGB image or ``strength`` is outside [0, 1].
    """
    check_call(image, strength)
    if strength == 0:
        return image.copy()
    kind = rng.choice(3, p=(0.6, 0.3, 0.1))
    canvas = Canvas(image.shape[:2])
    dark = rng.uniform(15, 50, 3).astype(np.float32)
    if kind == 0:
        _bar(canvas, rng)
    else:
        edge, inwards = _edge(canvas, rng)
        if kind == 2:
            strip = Canvas(image.shape[:2])
            depth = rng.uniform(0.12, 0.22)
            strip.area(np.concatenate([edge, edge[::-1] + depth * inwards]))
            paper = rng.uniform(205, 240) * np.array([0.98, 1.0, 0.99])
            image = blend(image, paper.astype(np.float32), np.float32(strength) * strip.coverage())
            _ticks(canvas, edge, 0.75 * depth * inwards, spacing=0.09, width=0.014)
        else:
            _ticks(canvas, edge, rng.uniform(0.04, 0.1) * inwards, spacing=0.08, width=0.005)
    return blend(image, dark, np.float32(0.9 * strength) * canvas.coverage())


def draw_gel_bubbles(
    image: ImageArray, rng: np.random.Generator, *, strength: float = 0.5
) -> ImageArray:
    """Put air bubbles of the immersion gel on an image: bright rims, dark outside, a glint.

    Args:
        image: (H, W, 3) uint8 RGB; not changed.
        rng: Source of number, place and size of the bubbles.
        strength: 0 draws none, 1 some thirty, clearly seen.

    Raises:
        UsageError: If the image is no RGB image or ``strength`` is outside [0, 1].
    """
    check_call(image, strength)
    if strength == 0:
        return image.copy()
    size = image.shape[:2]
    body, rim, outline = Canvas(size), Canvas(size), Canvas(size)
    num_bubbles = max(1, round(30 * strength * rng.uniform(0.4, 1.0)))
    frame = np.array([body.width, body.height])
    clusters = rng.uniform(0.05, 0.95, (max(1, num_bubbles // 5), 2)) * frame
    light = rng.uniform(0, 2 * np.pi)
    for _ in range(num_bubbles):
        centre = clusters[rng.integers(len(clusters))] + rng.normal(0, 0.09, 2)
        radius = float(np.clip(0.018 * np.exp(rng.normal(0, 0.6)), 0.006, 0.08))
        shape = _round(rng, centre, radius)
        fine = 0.0025 + 0.06 * radius
        body.area(shape, opacity=0.5)
        outline.line(shape, width=2.2 * fine, opacity=0.6, closed=True)
        rim.line(shape + (centre - shape) * 0.12, width=fine, opacity=0.5, closed=True)
        glint = centre + 0.6 * radius * np.array([np.cos(light), np.sin(light)])
        rim.line(np.stack([glint, glint + 0.1 * radius]), width=0.35 * radius, opacity=1.0)
    visible = (0.35 + 0.65 * strength) * min(1, 10 * strength)
    black = np.float32(0.45 * visible) * outline.coverage()
    white = np.maximum(
        np.float32(0.2 * visible) * body.coverage(), np.float32(0.85 * visible) * rim.coverage()
    )
    # First the shadow around each bubble, then the light on it, as one layer of grey.
    covered = black + white - black * white
    grey = 245 * white / np.maximum(covered, np.float32(1e-6))
    return blend(image, grey[..., None], covered)


def draw_ink(image: ImageArray, rng: np.random.Generator, *, strength: float = 0.7) -> ImageArray:
    """Mark the skin with a surgeon's pen: hatched spots, a ring, or strokes, violet to black.

    Args:
        image: (H, W, 3) uint8 RGB; not changed.
        rng: Source of the kind, colour and place of the marks.
        strength: Opacity of the ink; 0 draws none.

    Raises:
        UsageError: If the image is no RGB image or ``strength`` is outside [0, 1].
    """
    check_call(image, strength)
    if strength == 0:
        return image.copy()
    canvas = Canvas(image.shape[:2])
    # Marks stand around something, which need not be in the middle.
    centre = rng.uniform(0.25, 0.75, 2) * (canvas.width, canvas.height)
    kind = rng.choice(3, p=(0.5, 0.3, 0.2))
    if kind == 0:
        for angle in rng.uniform(0, 2 * np.pi, rng.integers(1, 6)):
            distance = rng.uniform(0.2, 0.55)
            spot = centre + distance * np.array([np.cos(angle), np.sin(angle)])
            _hatch(canvas, rng, spot, rng.uniform(0.03, 0.13))
    elif kind == 1:
        _ring(canvas, rng, centre, rng.uniform(0.2, 0.5))
    else:
        for _ in range(rng.integers(1, 4)):
            _stroke(canvas, rng, centre + rng.uniform(-0.5, 0.5, 2), rng.uniform(0.1, 0.4))
    color = np.clip(_INKS[rng.integers(len(_INKS))] + rng.normal(0, 8, 3), 0, 255)
    coverage = np.float32(strength * rng.uniform(0.6, 1.0)) * canvas.coverage()
    return blend(image, color.astype(np.float32), coverage)


def _hatch(
    canvas: Canvas, rng: np.random.Generator, centre: NDArray[np.float64], reach: float
) -> None:
    """A spot that was filled by going to and fro with the pen."""
    num_turns = int(rng.integers(8, 40))
    points = centre + reach * rng.normal(0, 0.5, (num_turns, 2))
    canvas.line(points, width=rng.uniform(0.008, 0.03))


def _ring(
    canvas: Canvas, rng: np.random.Generator, centre: NDArray[np.float64], radius: float
) -> None:
    """A ring around a place, whole or in pieces."""
    outline = _round(rng, centre, radius)
    width = rng.uniform(0.008, 0.025)
    if rng.random() < 0.5:
        canvas.line(outline, width=width, closed=True)
        return
    for start in range(0, len(outline), 3):
        canvas.line(outline[start : start + 2], width=width)


def _stroke(
    canvas: Canvas, rng: np.random.Generator, middle: NDArray[np.float64], length: float
) -> None:
    """A line by hand, sometimes with another across its end."""
    angle = rng.uniform(0, 2 * np.pi)
    along = 0.5 * length * np.array([np.cos(angle), np.sin(angle)])
    bend = rng.normal(0, 0.1) * np.array([-along[1], along[0]])
    canvas.line(
        np.stack([middle - along, middle + bend, middle + along]), width=rng.uniform(0.01, 0.03)
    )
    if rng.random() < 0.4:
        across = 0.4 * np.array([-along[1], along[0]])
        end = middle + along
        canvas.line(np.stack([end - across, end + across]), width=rng.uniform(0.01, 0.03))


def _bar(canvas: Canvas, rng: np.random.Generator) -> None:
    """Engraved scale: a line with ticks, every fifth longer, some way below the middle."""
    angle = rng.normal(0, 0.25)
    along = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-along[1], along[0]]) * rng.choice((-1, 1))
    length = rng.uniform(0.4, 0.6) * canvas.width
    middle = np.array(
        [rng.uniform(0.35, 0.65) * canvas.width, rng.uniform(0.8, 0.93) * canvas.height]
    )
    start, end = middle - along * length / 2, middle + along * length / 2
    width = rng.uniform(0.003, 0.006)
    canvas.line(np.stack([start, end]), width=width)
    num_ticks = int(rng.choice((10, 20)))
    for tick in range(num_ticks + 1):
        root = start + (end - start) * tick / num_ticks
        reach = (0.05 if tick % 5 == 0 else 0.03) * across
        canvas.line(np.stack([root, root + reach]), width=width)
    letter = np.array([[0, 0], [0, 2], [0.7, 1], [1.4, 2], [1.4, 0]]) * 0.012
    for shift in (0.0, 0.024):  # "MM"
        place = letter[:, :1] * along + letter[:, 1:] * across + start - 0.045 * across
        canvas.line(place + shift * along, width=width)


def _edge(
    canvas: Canvas, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """One edge of the image, slightly turned: its two ends, and the direction inwards."""
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * (canvas.width, canvas.height)
    side = int(rng.integers(4))
    ends = np.stack([corners[side], corners[(side + 1) % 4]])
    along = (ends[1] - ends[0]) / np.linalg.norm(ends[1] - ends[0])
    inwards = np.array([-along[1], along[0]])
    ends[0] += rng.uniform(-0.02, 0.1) * inwards
    ends[1] += rng.uniform(-0.02, 0.1) * inwards
    along = (ends[1] - ends[0]) / np.linalg.norm(ends[1] - ends[0])
    return ends, np.array([-along[1], along[0]])


def _ticks(
    canvas: Canvas,
    edge: NDArray[np.float64],
    reach: NDArray[np.float64],
    *,
    spacing: float,
    width: float,
) -> None:
    """Ticks along an edge, every fifth longer."""
    length = float(np.linalg.norm(edge[1] - edge[0]))
    for tick in range(int(length / spacing) + 1):
        root = edge[0] + (edge[1] - edge[0]) * (tick * spacing / length)
        long = 1.0 if tick % 5 == 0 else 0.65
        canvas.line(np.stack([root, root + long * reach]), width=width)


def _round(
    rng: np.random.Generator, centre: NDArray[np.float64], radius: float
) -> NDArray[np.float64]:
    """Outline of a nearly round bubble, (points, 2)."""
    t = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    wobble = 1 + rng.uniform(0, 0.2) * np.cos(2 * (t - rng.uniform(0, np.pi)))
    wobble += rng.uniform(0, 0.06) * np.cos(3 * (t - rng.uniform(0, np.pi)))
    circle = np.stack([np.cos(t), np.sin(t)], axis=-1)
    return np.asarray(centre + radius * wobble[:, None] * circle, np.float64)
