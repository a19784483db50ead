"""Changes of colour that dermatoscopes, lamps and cameras make."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from dermseg.phantom.chromophores import change_skin_tone
from dermseg.torchvision_import import tv_tensors, v2

__all__ = [
    "RandomChannelGain",
    "RandomColorTemperature",
    "RandomGamma",
    "RandomSkinTone",
    "light_color",
]

_DAYLIGHT_MIRED = 1e6 / 6504


class RandomChannelGain(v2.Transform):  # type: ignore[misc]  # torchvision ships no types
    """Multiply each colour channel by a factor of its own, as another white balance would.

    Args:
        strength: Factors are drawn from [1 - strength, 1 + strength].
    """

    def __init__(self, strength: float) -> None:
        super().__init__()
        self.strength = strength

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw three factors from torch's generator."""
        return {"gains": 1 + self.strength * (2 * torch.rand(3, 1, 1) - 1)}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Scale the channels of an image; anything else is left as it is."""
        if not isinstance(inpt, tv_tensors.Image):
            return inpt
        return tv_tensors.wrap((inpt * params["gains"]).clamp(0, 1), like=inpt)


class RandomColorTemperature(RandomChannelGain):
    """Change the colour temperature of the light: colder or warmer, with its luminance kept.

    Args:
        strength: Largest change in mired (a million divided by kelvin), from daylight at 6504 K.
    """

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw one change from torch's generator."""
        change = self.strength * (2 * float(torch.rand(())) - 1)
        light = light_color(1e6 / (_DAYLIGHT_MIRED + change)) / light_color(1e6 / _DAYLIGHT_MIRED)
        light /= light @ (0.2126, 0.7152, 0.0722)
        # Light multiplies linear values; those stored are about their root of order 2.2.
        gains = torch.from_numpy(light ** (1 / 2.2)).float()
        return {"gains": gains.reshape(3, 1, 1)}


class RandomGamma(v2.Transform):  # type: ignore[misc]  # torchvision ships no types
    """Raise all values to a power, as cameras differ in how they store light.

    Args:
        strength: Powers are drawn logarithmically from [1 / (1 + strength), 1 + strength].
    """

    def __init__(self, strength: float) -> None:
        super().__init__()
        self.strength = strength

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw one power from torch's generator."""
        return {"power": (1 + self.strength) ** (2 * float(torch.rand(())) - 1)}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Change an image; anything else is left as it is."""
        if not isinstance(inpt, tv_tensors.Image):
            return inpt
        # Interpolation may leave values a rounding error below 0, which have no power.
        return tv_tensors.wrap(inpt.clamp(0, 1) ** params["power"], like=inpt)


class RandomSkinTone(v2.Transform):  # type: ignore[misc]  # torchvision ships no types
    """Add melanin to the whole image: the same lesion on darker skin.

    Public collections show mostly light skin, so the tone is only ever made darker.

    Args:
        strength: Largest density that is added; small ones are more frequent.
    """

    def __init__(self, strength: float) -> None:
        super().__init__()
        self.strength = strength

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw a density, and how red it is, from torch's generator."""
        rank, lesion_share = (float(torch.rand(())) for _ in range(2))
        return {"density": self.strength * rank**2, "lesion_share": lesion_share}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Darken the skin of an image; anything else is left as it is."""
        if not isinstance(inpt, tv_tensors.Image):
            return inpt
        colors = change_skin_tone(inpt.permute(1, 2, 0).numpy(), **params)
        return tv_tensors.wrap(torch.from_numpy(colors).permute(2, 0, 1), like=inpt)


def light_color(kelvin: float) -> NDArray[np.float64]:
    """Linear sRGB colour of a glowing body.

    Args:
        kelvin: Its temperature, 4000 to 25000 K.

    Returns:
        (3,) float64, of luminance 1.

    References:
        Kim et al. (2002), US patent 7024034 (cubic splines of the Planckian locus); IEC 61966-2-1
        (from CIE XYZ to linear sRGB).
    """
    t = 1e3 / kelvin
    x = -3.0258469 * t**3 + 2.1070379 * t**2 + 0.2226347 * t + 0.240390
    y = 3.0817580 * x**3 - 5.87338670 * x**2 + 3.75112997 * x - 0.37001483
    xyz = np.array([x / y, 1.0, (1 - x - y) / y])
    to_srgb = np.array(
        [
            [3.2404542, -1.5371385, -0.4985314],
            [-0.9692660, 1.8760108, 0.0415560],
            [0.0556434, -0.2040259, 1.0572252],
        ]
    )
    return np.asarray(to_srgb @ xyz, np.float64)
