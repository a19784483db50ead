"""One warp for every geometric change, so that pixels are interpolated only once."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from dermseg.recipes import Augmentation
from dermseg.torchvision_import import tv_tensors, v2

__all__ = ["RandomWarp"]


class RandomWarp(v2.Transform):  # type: ignore[misc]  # torchvision ships no types
    """Flip, rotate, zoom, stretch, shift and crop image and mask together.

    What is moved in from outside the image is its reflection: a rotated dermoscopic image then
    has no black wedges, which a network would learn as a sign of the border. Images are
    interpolated bilinearly; masks take the nearest pixel and stay binary.
    """

    def __init__(self, options: Augmentation) -> None:
        super().__init__()
        self.options = options

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw one warp from torch's generator; angles in radians."""
        height, width = flat_inputs[0].shape[-2:]
        options = self.options
        low, high = options.zoom
        zoom = math.exp(_uniform(math.log(low), math.log(high)))
        stretch = 1 + _uniform(-options.stretch, options.stretch)
        angle = math.radians(_uniform(-options.rotation_degrees, options.rotation_degrees))
        flips = [
            -1.0 if _uniform(0, 1) < probability else 1.0
            for probability in (options.horizontal_flip, options.vertical_flip)
        ]
        shift = [_uniform(-options.shift, options.shift) for _ in range(2)]
        cos, sin = math.cos(angle), math.sin(angle)
        aspect = width / height
        # From output to input coordinates in [-1, 1]: flip, rotate (in pixels, hence the
        # aspect), then scale along the image's sides and move.
        rotation = torch.tensor([[cos, -sin / aspect], [aspect * sin, cos]])
        scale = torch.tensor([1 / (zoom * stretch), stretch / zoom])
        linear = scale[:, None] * rotation * torch.tensor(flips)
        offset = 2 * torch.tensor(shift)
        if options.crop:
            # The output shows a window of what the warp gives: a share of each side, anywhere.
            share = 1 - options.crop * _uniform(0, 1)
            middle = torch.tensor([_uniform(share - 1, 1 - share) for _ in range(2)])
            offset = offset + linear @ middle
            linear = linear * share
        return {"matrix": torch.cat([linear, offset[:, None]], dim=1)}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Warp one tensor of (..., H, W)."""
        is_mask = isinstance(inpt, tv_tensors.Mask)
        batch = inpt.as_subclass(Tensor).reshape(1, -1, *inpt.shape[-2:])
        grid = F.affine_grid(params["matrix"][None], list(batch.shape), align_corners=False)
        warped = F.grid_sample(
            batch.float(),
            grid,
            mode="nearest" if is_mask else "bilinear",
            padding_mode="reflection",
            align_corners=False,
        )
        return tv_tensors.wrap(warped.to(inpt.dtype).reshape(inpt.shape), like=inpt)


def _uniform(low: float, high: float) -> float:
    return low + (high - low) * float(torch.rand(()))
