"""Start from the weights of a model package instead of from random ones."""

from __future__ import annotations

from safetensors import SafetensorError
from safetensors.torch import load_file

from dermseg.errors import PackageError, RecipeError
from dermseg.networks import SegmentationNetwork
from dermseg.package import load_package

__all__ = ["load_initial_weights"]


def load_initial_weights(network: SegmentationNetwork, name_or_path: str) -> None:
    """Load a package's weights into a network of the same architecture and parameters.

    Args:
        network: Changed in place.
        name_or_path: A shipped model's name, or a package's folder.

    Raises:
        PackageError: If there is no such package, or it holds no weights.
        RecipeError: If its network is another one.
    """
    package = load_package(name_or_path)
    path = package.folder / "weights.safetensors"
    try:
        weights = load_file(path)
    except (OSError, SafetensorError) as error:
        message = f"{path}: no weights to start from ({error}); export the run again to get them"
        raise PackageError(message) from error
    weights = {name: value.float() for name, value in weights.items()}
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        origin = package.spec.provenance
        message = (
            f"network.initial_weights: '{name_or_path}' holds a '{origin.network}' that does not "
            f"fit this recipe's network; take network and parameters from its recipe.toml: {error}"
        )
        raise RecipeError(message) from error
