"""Read recipes from TOML, with overrides and errors that name the nearest key."""

from __future__ import annotations

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
from dermseg.storage import read_text

__all__ = ["list_recipes", "parse_recipe", "read_recipe", "recipe_text"]


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
            all that the recipe says about augmentation; other overrides add to it.

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
    for override in overrides:
        _set(values, override)
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        # Without repetition: a parameter's value fails once for each type that it could have.
        message = "; ".join(dict.fromkeys(_explain(detail) for detail in error.errors()))
        raise RecipeError(f"{source}: {message}") from error


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
