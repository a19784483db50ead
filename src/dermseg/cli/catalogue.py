"""``dermseg models``, ``networks`` and ``recipes``: what there is by name."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dermseg.cli.terminal import print_line, print_text

if TYPE_CHECKING:
    from dermseg.recipes import Recipe

__all__ = ["models", "network_lines", "networks", "recipes"]


def models(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the shipped models: packages with weights."""
    from dermseg.package import DEFAULT_MODEL, list_packages, load_package

    packages = [load_package(name) for name in list_packages()]
    if as_json:
        specs = {package.spec.name: package.spec.model_dump(mode="json") for package in packages}
        print_text(json.dumps(specs, indent=1))
        return
    for package in packages:
        spec = package.spec
        height, width = spec.input_size
        mark = " (default)" if spec.name == DEFAULT_MODEL else ""
        mark += " (experimental)" if spec.experimental else ""
        size = package.onnx_path.stat().st_size / 1e6
        print_line(
            f"{spec.name}{mark}: {spec.description}; classes {', '.join(spec.classes)}; input "
            f"{width}x{height}; {size:.1f} MB; {package.folder}"
        )


def networks(
    name: Annotated[
        str | None, typer.Argument(help="Show one network, with its blocks and their cost.")
    ] = None,
    size: Annotated[
        str, typer.Option(metavar="HEIGHTxWIDTH", help="Input size for the cost of a network.")
    ] = "192x256",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the networks: architectures without weights. Needs the extra 'train'.

    With a name, such as unet or smp:unet/resnet18: its description, then the output shape
    (channels, height, width), trained parameters and multiply-adds of its blocks, for one class
    and one image. Norms, activations and interpolations do not count as multiply-adds.
    """
    described = _describe_networks()
    if name is None:
        first_lines = {key: text.splitlines()[0] for key, text in described.items()}
        if as_json:
            print_text(json.dumps(first_lines, indent=1))
            return
        for key, line in first_lines.items():
            print_line(f"{key}: {line}")
        return
    summary = _summarize(name, _parse_size(size))
    if as_json:
        print_text(json.dumps({"name": name, **summary}, indent=1))
        return
    text = described["smp:<architecture>/<encoder>" if name.startswith("smp:") else name]
    print_text(f"{name}\n\n{text}\n")
    print_text("\n".join(_format_blocks(summary)))


def _describe_networks() -> dict[str, str]:
    """The networks' docstrings, by name."""
    from dermseg.errors import MissingExtraError

    try:
        from dermseg.networks import NETWORKS, SMPNetwork
    except ModuleNotFoundError as error:
        raise MissingExtraError("listing networks", "train") from error
    table = {**dict(sorted(NETWORKS.items())), "smp:<architecture>/<encoder>": SMPNetwork}
    return {key: inspect.getdoc(network) or "" for key, network in table.items()}


def _parse_size(text: str) -> tuple[int, int]:
    from dermseg.errors import UsageError

    match = re.fullmatch(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})", text)
    if match is None:
        message = f"--size is '{text}', expected HEIGHTxWIDTH in pixels, such as 192x256"
        raise UsageError(message)
    return int(match[1]), int(match[2])


def network_lines(recipe: Recipe) -> list[str]:
    """Blocks, output shapes and parameters of a recipe's network, as a table.

    Raises:
        RecipeError: If there is no such network.
        UsageError: If it does not take the recipe's size.
    """
    options = recipe.network
    summary = _summarize(
        options.name, recipe.preprocessing.size, recipe.num_maps, options.bare_parameters
    )
    return _format_blocks(summary)


def _summarize(
    name: str,
    size: tuple[int, int],
    num_classes: int = 1,
    parameters: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    import torch

    from dermseg.errors import UsageError
    from dermseg.networks import create_network
    from dermseg.networks.summary import summarize

    with torch.device("meta"):
        network = create_network(name, num_classes=num_classes, parameters=parameters)
        try:
            return asdict(summarize(network, size=size))
        except ValueError as error:
            message = f"--size: {error}"
            raise UsageError(message) from error


def _format_blocks(summary: dict[str, Any]) -> list[str]:
    height, width = summary["size"]
    rows = [["block", "output", "parameters", "multiply-adds"]]
    for block in summary["blocks"]:
        shape = block["output_shape"]
        shown = "in training only" if shape is None else "x".join(map(str, shape))
        rows.append([block["name"], shown, *_counts(block)])
    rows.append(["total", f"at {height}x{width}", *_counts(summary)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows
    ]


def _counts(part: dict[str, Any]) -> list[str]:
    return [f"{part[key]:,}" for key in ("num_parameters", "num_multiply_adds")]


def recipes(
    name: Annotated[str | None, typer.Argument(help="Print one recipe.")] = None,
) -> None:
    """List the packaged recipes, or print one to start your own from."""
    from dermseg.recipes import list_recipes, read_recipe, recipe_text

    if name is not None:
        print_text(recipe_text(name).removesuffix("\n"))
        return
    for key in list_recipes():
        print_line(f"{key}: {read_recipe(key).description}")
