"""Read recipes from TOML, with overrides and errors that name the nearest key."""

from __future__ import annotations

import logging
import tomllib
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from dermseg.errors import RecipeError
from dermseg.recipes.schema import Recipe
from dermseg.recipes.suggestions import find_table, suggest
from dermseg.recipes.tables import INVERSE_FREQUENCY
from dermseg.storage import read_text

__all__ = ["list_recipes", "parse_recipe", "read_recipe", "recipe_text", "shorten_recipe"]

_QUICK_SIDE = 96


def list_recipes() -> list[str]:
    """Names of the packaged recipes, sorted."""
    folder = resources.files("dermseg.recipes")
    return sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".toml"))


def recipe_text(name_or_path: str) -> str:
    """The TOML text of a packaged recipe or of a file.

    Raises:
        RecipeError: If there is no such recipe or file, or it is not text.
    """
    names = list_recipes()
    if name_or_path in names:
        return (resources.files("dermseg.recipes") / f"{name_or_path}.toml").read_text("utf-8")
    if not Path(name_or_path).exists() or Path(name_or_path).is_dir():
        message = (
            f"no recipe '{name_or_path}': neither a packaged recipe ({', '.join(names)}) "
            "nor a file that can be read"
        )
        raise RecipeError(message)
    return read_text(name_or_path, refuse=RecipeError)


def read_recipe(name_or_path: str, overrides: Iterable[str] = ()) -> Recipe:
    """Read a packaged recipe by name, or a TOML file.

    Args:
        name_or_path: A name of :func:`list_recipes`, or a path.
        overrides: ``key=value`` pairs as ``training.lr=3e-4``; the value is TOML, and text that
            is not TOML is taken as a string. ``none`` switches off a key that is off unless it
            is given, such as ``training.ema_decay``. ``augmentation.preset`` takes the place of
            all that the recipe says about augmentation; other overrides add to it. Under
            ``training.epochs`` the epochs of ``progressive_resizing`` keep their shares of the
            run; what has no epoch left is dropped, which is logged.

    Raises:
        RecipeError: If the recipe cannot be found or read, or is not valid.

    Example:
        >>> read_recipe("unet-isic2017", ["training.lr=3e-4"]).training.lr
        0.0003
    """
    return parse_recipe(recipe_text(name_or_path), overrides, source=name_or_path)


def parse_recipe(text: str, overrides: Iterable[str] = (), *, source: str = "recipe") -> Recipe:
    """Build a recipe from TOML text.

    Raises:
        RecipeError: If the text is not TOML, or a key or value is not valid.
    """
    try:
        values = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        message = f"{source}: not valid TOML: {error}"
        raise RecipeError(message) from error
    overrides = list(overrides)
    if any(override.partition("=")[0].strip() == "augmentation.preset" for override in overrides):
        # Keys beside a preset override it: the file's own would leave nothing of it.
        values.pop("augmentation", None)
    old_epochs = values.get("training", {}).get("epochs")
    for override in overrides:
        _set(values, override)
    if not any("training.progressive_resizing" in override for override in overrides):
        _keep_shares(values.get("training", {}), old_epochs)
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        # Without repetition: a parameter's value fails once for each type that it could have.
        message = "; ".join(dict.fromkeys(_explain(detail) for detail in error.errors()))
        raise RecipeError(f"{source}: {message}") from error


def shorten_recipe(recipe: Recipe) -> Recipe:
    """The recipe for a trial of minutes: two epochs at small sizes, everything else the same.

    Sides are cut to about 96 pixels, in the images' aspect and multiples of 32, which every network
    takes; batches to 8 images.
    """
    values = recipe.to_dict()
    training, augmentation = values["training"], values["augmentation"]
    sizes = [values["preprocessing"], *training["progressive_resizing"]]
    for table in sizes:
        table["size"] = _small(table["size"])
    if "window" in augmentation:
        augmentation["window"] = [min(64, side) for side in augmentation["window"]]
    for term in values["loss"]:
        # A few images may lack a class, which then has no frequency.
        if term["parameters"].get("class_weights") == INVERSE_FREQUENCY:
            del term["parameters"]["class_weights"]
    old_epochs = training["epochs"]
    training["epochs"] = min(2, old_epochs)
    training["batch_size"] = min(8, training["batch_size"])
    _keep_shares(training, old_epochs)
    return Recipe.model_validate(values)


def _small(size: list[int]) -> list[int]:
    factor = min(1.0, _QUICK_SIDE / min(size))
    return [max(64, round(side * factor / 32) * 32) for side in size]


def _set(values: dict[str, Any], override: str) -> None:
    key, separator, text = override.partition("=")
    if not separator or not key.strip():
        message = f"override '{override}': expected key=value, such as training.lr=3e-4"
        raise RecipeError(message)
    *tables, last = key.strip().split(".")
    table = values
    for name in tables:
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            message = f"override '{override}': '{name}' is a value, not a table of keys"
            raise RecipeError(message)
    if text.strip().lower() == "none" and _may_be_none(tables, last):
        # TOML has no null: what is None is not said.
        table.pop(last, None)
        return
    try:
        table[last] = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        table[last] = text


def _keep_shares(training: dict[str, Any], old_epochs: int | None) -> None:
    """Scale the epochs of progressive resizing with the run's length."""
    epochs, steps = training.get("epochs"), training.get("progressive_resizing")
    if epochs == old_epochs or not (isinstance(epochs, int) and old_epochs and steps):
        return
    scaled: dict[int, Any] = {}
    for step in steps:
        until = round(step["until_epoch"] * epochs / old_epochs)
        if 0 < until < epochs:
            scaled.setdefault(until, {**step, "until_epoch": until})
    training["progressive_resizing"] = list(scaled.values())
    sizes = ", ".join(
        f"{row['size'][0]}x{row['size'][1]} until {end}" for end, row in scaled.items()
    )
    if not scaled:
        training.pop("restart_factor", None)
    logging.getLogger("dermseg").warning(
        "of %d epochs instead of %d, progressive_resizing keeps its share: %s",
        epochs,
        old_epochs,
        sizes or "all are at the full size",
    )


def _may_be_none(tables: list[str], name: str) -> bool:
    table = find_table(Recipe, tables)
    field = None if table is None else table.model_fields.get(name)
    return field is not None and not field.is_required() and field.default is None


def _explain(detail: ErrorDetails) -> str:
    """One line for a pydantic error: where, what, and the nearest key for a misspelt one."""
    location = [str(part) for part in detail["loc"] if not isinstance(part, int)]
    if location[1:2] == ["parameters"] and len(location) > 2:
        expected = "a number, true, false, text or a list of numbers"
        return f"{'.'.join(location[:3])}: expected {expected}"
    key = ".".join(location)
    if detail["type"] == "extra_forbidden":
        return f"unknown key '{key}': {suggest(Recipe, location)}"
    return f"{key or 'recipe'}: {detail['msg']} (got {detail['input']!r})"
