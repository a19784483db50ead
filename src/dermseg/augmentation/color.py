"""Changes of colour that dermatoscopes, lamps and cameras make."""

from __future__ import annotations

from typing import Any

import torch

from dermseg.torchvision_import import tv_tensors, v2

__all__ = ["RandomTemperature"]


class RandomTemperature(v2.Transform):  # type: ignore[misc]  # torchvision ships no types
    """Multiply each colour channel by its own factor, as another lamp or white balance would.

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
