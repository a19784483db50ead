"""What looks like one of the five structures and is none: drawn as they are, never labelled."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from dermseg.phantom.artefacts.canvas import Canvas
from dermseg.phantom.attributes.clods import ovals
from dermseg.phantom.attributes.layers import Layers
from dermseg.phantom.attributes.networks import lesion_patch
from dermseg.phantom.attributes.surface import Surface
from dermseg.phantom.noise import fractal_noise, oriented_noise, smoothstep

__all__ = ["DISTRACTORS"]


def draw_vessels(layers: Layers, surface: Surface, rng: np.random.Generator) -> None:
    """Red dots, or winding red lines."""
    blood = _strength(rng, 0.3, 0.85)
    if rng.random() < 0.5:
        centres = _near_lesion(surface, rng, int(rng.integers(10, 90)))
        radius = max(1.0, rng.uniform(0.0035, 0.0075) * surface.short)
        sizes = radius * np.exp(rng.normal(0, 0.15, len(centres)))
        cover = ovals(rng, surface.mask.shape, centres, radius=sizes, elongation=0.2)
    else:
        canvas = Canvas((surface.mask.shape[0], surface.mask.shape[1]))
        for start in _near_lesion(surface, rng, int(rng.integers(3, 16))):
            turns = np.cumsum(rng.normal(0, 0.6, 12)) + rng.uniform(0, 2 * np.pi)
            steps = np.stack([np.cos(turns), np.sin(turns)], axis=1)
            course = start / surface.short + np.cumsum(steps, axis=0) * rng.uniform(0.006, 0.016)
            canvas.line(course, width=rng.uniform(0.003, 0.008))
        cover = canvas.coverage()
    layers.pigment.blood[:] += blood * cover


def draw_blotches(layers: Layers, surface: Surface, rng: np.random.Generator) -> None:
    """Freckle-like blotches of melanin with soft, uneven borders: larger than globules."""
    spots = fractal_noise(rng, surface.mask.shape, cells=rng.uniform(9, 20), octaves=3, gain=0.4)
    low = rng.uniform(0.7, 1.3)
    cover = smoothstep(spots, low, low + rng.uniform(0.8, 2.0)) * _around(surface, rng)
    layers.pigment.melanin[:] += _strength(rng, 0.2, 0.9) * (1 - 0.5 * surface.darkness) * cover


def draw_grains(layers: Layers, surface: Surface, rng: np.random.Generator) -> None:
    """Grains as fine and as strong as a network, without lines or holes."""
    window = _patch(surface, rng)
    cells = surface.short / surface.spacing(rng.uniform(0.011, 0.028), at_least=2.6)
    grains = np.clip(fractal_noise(rng, surface.mask.shape, cells=cells), -1.5, 1.5)
    _modulate(layers, surface, grains * window, _strength(rng, 0.12, 0.32))


def draw_parallel_lines(layers: Layers, surface: Surface, rng: np.random.Generator) -> None:
    """Lines in one direction, as dark and as fine as those of a network, that form no holes."""
    window = _patch(surface, rng)
    spacing = surface.spacing(rng.uniform(0.02, 0.045), at_least=4.0)
    lines = oriented_noise(
        rng,
        surface.mask.shape,
        cells=1.6 * surface.short / spacing,
        stretch=rng.uniform(5, 12),
        angle=rng.uniform(0, np.pi),
    )
    _modulate(layers, surface, np.clip(lines, -1.5, 1.5) * window, _strength(rng, 0.12, 0.32))


def draw_creases(layers: Layers, surface: Surface, rng: np.random.Generator) -> None:
    """Skin markings: two families of fine long lines that cross in lozenges, light or dark."""
    canvas = Canvas((surface.mask.shape[0], surface.mask.shape[1]))
    angle, step = rng.uniform(0, np.pi), rng.uniform(0.045, 0.11)
    reach = float(np.hypot(canvas.width, canvas.height)) / 2
    middle = np.array([canvas.width, canvas.height]) / 2
    t = np.linspace(-reach, reach, 24)
    for turned in (angle, angle + rng.uniform(0.7, 1.5)):
        along = np.array([np.cos(turned), np.sin(turned)])
        across = np.array([-along[1], along[0]])
        for offset in np.arange(-reach, reach, step) + rng.normal(0, 0.2 * step):
            bend = 0.12 * step * np.cumsum(rng.normal(0, 1, len(t)))
            side = offset + rng.normal(0, 0.12 * step) + bend
            course = middle + t[:, None] * along + side[:, None] * across
            canvas.line(course, width=rng.uniform(0.003, 0.006), opacity=rng.uniform(0.4, 1))
    cover = canvas.coverage() * _around(surface, rng)
    if rng.random() < 0.5:
        layers.removed[:] = np.maximum(layers.removed, _strength(rng, 0.25, 0.6) * cover)
    else:
        layers.pigment.melanin[:] += _strength(rng, 0.15, 0.4) * cover


def draw_stubble(layers: Layers, surface: Surface, rng: np.random.Generator) -> None:
    """Short straight dark lines of nearly one direction, like shaved hair; streaks are radial."""
    canvas = Canvas((surface.mask.shape[0], surface.mask.shape[1]))
    heading = rng.uniform(0, 2 * np.pi)
    length, width = rng.uniform(0.03, 0.1), rng.uniform(0.003, 0.008)
    for start in _near_lesion(surface, rng, int(rng.integers(12, 60))) / surface.short:
        turn = heading + rng.normal(0, 0.15)
        end = start + length * rng.uniform(0.6, 1.2) * np.array([np.cos(turn), np.sin(turn)])
        opacity = rng.uniform(0.5, 1)
        canvas.line(np.stack([start, end]), width=0.5 * width, opacity=0.7 * opacity)
        canvas.line(np.stack([start, 0.3 * start + 0.7 * end]), width=width, opacity=opacity)
    cover = canvas.coverage() * _strength(rng, 0.5, 1.6)
    layers.pigment.melanin[:] += cover
    layers.pigment.deep[:] += np.float32(rng.uniform(0, 0.8)) * cover


def draw_glints(layers: Layers, surface: Surface, rng: np.random.Generator) -> None:
    """Reflections at the surface: small, white without yellow, ragged, in clumps."""
    canvas = Canvas((surface.mask.shape[0], surface.mask.shape[1]))
    clumps = _near_lesion(surface, rng, int(rng.integers(2, 7))) / surface.short
    for _ in range(int(rng.integers(8, 40))):
        centre = clumps[rng.integers(len(clumps))] + rng.normal(0, 0.03, 2)
        corners = centre + rng.normal(0, rng.uniform(0.003, 0.008), (4, 2))
        canvas.area(corners, opacity=rng.uniform(0.4, 1))
    layers.glint[:] = np.maximum(layers.glint, _strength(rng, 0.4, 0.9) * canvas.coverage())


def draw_tints(layers: Layers, surface: Surface, rng: np.random.Generator) -> None:
    """Soft areas of another colour: red, blue-grey, brown or paler."""
    cells = rng.uniform(1.5, 3.5) * surface.short / (2 * surface.lesion.radius)
    level = fractal_noise(rng, surface.mask.shape, cells=max(2.0, cells), octaves=3)
    cover = smoothstep(level, 0.2, 1.4) * smoothstep(surface.lesion.depth, 0.0, 0.2)
    kind = rng.integers(4)
    strength = _strength(rng, 0.2, 0.7)
    if kind == 3:
        layers.removed[:] = np.maximum(layers.removed, strength * cover)
    else:
        fields = (layers.pigment.melanin, layers.pigment.blood, layers.pigment.deep)
        fields[kind][:] += strength * cover


Distractor = Callable[[Layers, Surface, np.random.Generator], None]

DISTRACTORS: dict[str, Distractor] = {
    "tints": draw_tints,
    "blotches": draw_blotches,
    "grains": draw_grains,
    "parallel_lines": draw_parallel_lines,
    "creases": draw_creases,
    "vessels": draw_vessels,
    "stubble": draw_stubble,
    "glints": draw_glints,
}
"""All look-alikes by name, from the depth of the skin to its surface."""


def _strength(rng: np.random.Generator, low: float, high: float) -> np.float32:
    return np.float32(np.exp(rng.uniform(np.log(low), np.log(high))))


def _modulate(
    layers: Layers, surface: Surface, pattern: NDArray[np.float32], strength: np.float32
) -> None:
    """Add pigment where a pattern is positive, and take away a share where it is negative."""
    dark = surface.darkness
    layers.pigment.melanin[:] += strength * (1 - 0.5 * dark) * np.maximum(pattern, 0)
    layers.removed[:] = np.maximum(
        layers.removed, (0.6 * strength + 0.2 * dark) * np.maximum(-pattern, 0)
    )


def _patch(surface: Surface, rng: np.random.Generator) -> NDArray[np.float32]:
    """Window on a part of the lesion, as networks have one."""
    return surface.window(lesion_patch(surface, rng, share=float(rng.uniform(0.15, 0.7))))


def _around(surface: Surface, rng: np.random.Generator) -> NDArray[np.float32]:
    """Window with soft borders anywhere in the image, (H, W) in 0 to 1."""
    level = fractal_noise(rng, surface.mask.shape, cells=rng.uniform(2, 4), octaves=2)
    return smoothstep(level, rng.uniform(-1.5, 0.0), 0.8)


def _near_lesion(surface: Surface, rng: np.random.Generator, number: int) -> NDArray[np.float64]:
    """Places on and around the lesion, (N, 2) as (x, y) in pixels."""
    reach = rng.uniform(1.0, 1.5) * surface.lesion.radius
    y, x = surface.lesion.centre
    angle = rng.uniform(0, 2 * np.pi, number)
    away = reach * np.sqrt(rng.random(number))
    return np.stack([x + away * np.cos(angle), y + away * np.sin(angle)], axis=1)
