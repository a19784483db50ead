"""One network out of several, or out of one and the mirror images of what it sees."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from dermseg.errors import UsageError
from dermseg.export.run_reading import FinishedRun
from dermseg.networks import SegmentationNetwork
from dermseg.preprocessing import Normalization

__all__ = ["Ensemble", "join_runs"]

_FLIPS = ((), (-1,), (-2,), (-2, -1))
"""The axes that are turned round for each of an image's four mirror images."""

_MUST_AGREE = ("classes", "activation", "preprocessing", "lesion_crop", "postprocessing")
"""Fields in which the recipes of averaged runs must agree."""


class Ensemble(SegmentationNetwork):
    """The mean of several networks' logits.

    Args:
        members: The networks, in eval mode; all take the same sizes and give the same classes.
        normalizations: What each was trained on. Images come normalised as for the first.
        flips: Whether each network also sees the three mirror images of every image.
    """

    scales: Tensor
    offsets: Tensor

    def __init__(
        self,
        members: Sequence[SegmentationNetwork],
        normalizations: Sequence[Normalization],
        *,
        flips: bool,
    ) -> None:
        super().__init__()
        self.size_multiple = members[0].size_multiple
        self.min_side = members[0].min_side
        self.members = nn.ModuleList(members)
        self.flips = _FLIPS if flips else _FLIPS[:1]
        first_mean, first_std = _of_channels(normalizations[0])
        means, stds = zip(*map(_of_channels, normalizations), strict=True)
        # A member's image is the first one's times scale plus offset.
        self.register_buffer("scales", torch.stack([first_std / std for std in stds]))
        self.register_buffer(
            "offsets",
            torch.stack([(first_mean - mean) / std for mean, std in zip(means, stds, strict=True)]),
        )

    def compute_logits(self, images: Tensor) -> list[Tensor]:
        """One tensor: there are no auxiliary logits."""
        seen = torch.cat([images.flip(axes) if axes else images for axes in self.flips])
        logits = [
            network(seen * scale + offset)
            for network, scale, offset in zip(self.members, self.scales, self.offsets, strict=True)
        ]
        turned = torch.stack(logits).mean(dim=0)
        # Not chunk: under it, the exporter fixes the batch size.
        turned = turned.reshape(len(self.flips), -1, *turned.shape[1:])
        back = [
            part.flip(axes) if axes else part for part, axes in zip(turned, self.flips, strict=True)
        ]
        return [torch.stack(back).mean(dim=0)]


def join_runs(runs: Sequence[FinishedRun], *, flips: bool) -> SegmentationNetwork:
    """The network of one run, or the mean of several.

    Args:
        runs: At least one; images are to be normalised as for the first.
        flips: Whether the mirror images of an image count as well.

    Raises:
        UsageError: If the runs do not fit together.
    """
    first = runs[0]
    if len(runs) == 1 and not flips:
        return first.network
    for run in runs:
        different = [
            name for name in _MUST_AGREE if getattr(run.recipe, name) != getattr(first.recipe, name)
        ]
        if different:
            message = (
                f"{run.folder} and {first.folder} differ in {' and '.join(different)}: only runs "
                "that agree in these can be averaged"
            )
            raise UsageError(message)
        if run.fitted is not None and (len(runs) > 1 or not run.recipe.flips):
            message = (
                f"{run.folder}: its thresholds and kernels were fitted to its own probabilities, "
                "not to those of an average: export it alone and without flips"
            )
            raise UsageError(message)
    return Ensemble(
        [run.network for run in runs], [run.record.normalization for run in runs], flips=flips
    ).eval()


def _of_channels(normalization: Normalization) -> tuple[Tensor, Tensor]:
    mean, std = (
        torch.tensor(values).reshape(3, 1, 1) for values in (normalization.mean, normalization.std)
    )
    return mean, std
