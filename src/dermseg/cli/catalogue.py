"""``dermseg models``, ``networks`` and ``recipes``: what there is by name."""

from __future__ import annotations

import json
from typing import Annotated

import typer

__all__ = ["models", "networks", "recipes"]


def models(
    as_json: Annotated[bool, typer.Option("--json", help="Print for machines.")] = False,
) -> None:
    """List the shipped models: packages with weights."""
    from dermseg.package import DEFAULT_MODEL, list_packages, load_package

    packages = [load_package(name) for name in list_packages()]
    if as_json:
        specs = {package.spec.name: package.spec.model_dump(mode="json") for package in packages}
        typer.echo(json.dumps(specs, indent=1))
        return
    for package in packages:
        spec = package.spec
        height, width = spec.input_size
        default = " (default)" if spec.name == DEFAULT_MODEL else ""
        size = package.onnx_path.stat().st_size / 1e6
        typer.echo(
            f"{spec.name}{default}: {spec.description}; classes {', '.join(spec.classes)}; input "
            f"{width}x{height}; {size:.1f} MB; {package.folder}"
        )


def networks(
    name: Annotated[str | None, typer.Argument(help="Show one network.")] = None,
) -> None:
    """List the networks: architectures without weights. Needs the extra 'train'."""
    from dermseg.errors import UsageError

    table = _networks()
    if name is not None and name not in table:
        message = f"unknown network '{name}': expected one of {', '.join(sorted(table))}"
        raise UsageError(message)
    for key in sorted(table) if name is None else [name]:
        lines = (table[key].__doc__ or "").strip().splitlines()
        typer.echo(f"{key}: {lines[0]}" if name is None else f"{key}\n\n{table[key].__doc__}")


def _networks() -> dict[str, type]:
    from dermseg.errors import MissingExtraError

    try:
        from dermseg.networks import NETWORKS
    except ModuleNotFoundError as error:
        raise MissingExtraError("listing networks", "train") from error
    return dict(NETWORKS)


def recipes(
    name: Annotated[str | None, typer.Argument(help="Print one recipe.")] = None,
) -> None:
    """List the packaged recipes, or print one to start your own from."""
    from dermseg.recipes import list_recipes, read_recipe, recipe_text

    if name is not None:
        typer.echo(recipe_text(name), nl=False)
        return
    for key in list_recipes():
        typer.echo(f"{key}: {read_recipe(key).description}")
