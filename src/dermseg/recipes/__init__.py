"""The typed recipe of a training run, and the packaged ``*.toml`` recipes."""

from dermseg.recipes.augmentation import PRESETS, Augmentation
from dermseg.recipes.reading import list_recipes, parse_recipe, read_recipe, recipe_text
from dermseg.recipes.schema import (
    Cleaning,
    Data,
    LossTerm,
    Network,
    Postprocessing,
    Preprocessing,
    Recipe,
    ResizingStep,
    Training,
)

__all__ = [
    "PRESETS",
    "Augmentation",
    "Cleaning",
    "Data",
    "LossTerm",
    "Network",
    "Postprocessing",
    "Preprocessing",
    "Recipe",
    "ResizingStep",
    "Training",
    "list_recipes",
    "parse_recipe",
    "read_recipe",
    "recipe_text",
]
