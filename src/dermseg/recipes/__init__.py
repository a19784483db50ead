"""The typed recipe of a training run, and the packaged ``*.toml`` recipes."""

from dermseg.recipes.augmentation import PRESETS, Augmentation
from dermseg.recipes.processing import Cleaning, LesionCrop, Postprocessing, Preprocessing
from dermseg.recipes.reading import (
    list_recipes,
    parse_recipe,
    read_recipe,
    recipe_text,
    shorten_recipe,
)
from dermseg.recipes.schema import (
    Data,
    LossTerm,
    Network,
    Recipe,
    ResizingStep,
    Training,
)
from dermseg.recipes.tables import INVERSE_FREQUENCY, Activation

__all__ = [
    "INVERSE_FREQUENCY",
    "PRESETS",
    "Activation",
    "Augmentation",
    "Cleaning",
    "Data",
    "LesionCrop",
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
    "shorten_recipe",
]
