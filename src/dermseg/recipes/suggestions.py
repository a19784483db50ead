"""Suggest the key that was meant by an unknown one."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import get_args

from pydantic import BaseModel

__all__ = ["find_table", "suggest"]

_SYNONYMS: dict[str, str] = {
    "betas": "momentum",
    "bn_momentum": "batch_norm_momentum",
    "bs": "batch_size",
    "checkpoint": "initial_weights",
    "clip": "max_gradient_norm",
    "ema": "ema_decay",
    "grad_clip": "max_gradient_norm",
    "gradient_clip_val": "max_gradient_norm",
    "hflip": "horizontal_flip",
    "image_size": "size",
    "img_size": "size",
    "init": "initialization",
    "input_size": "size",
    "labels": "classes",
    "learning_rate": "lr",
    "lr_scheduler": "schedule",
    "max_epochs": "epochs",
    "model": "network",
    "normalize": "normalization",
    "num_epochs": "epochs",
    "optim": "optimizer",
    "patience": "early_stopping_epochs",
    "random_state": "seed",
    "resize": "size",
    "rotate": "rotation_degrees",
    "scale": "zoom",
    "scheduler": "schedule",
    "shape": "size",
    "test_fraction": "evaluation_fraction",
    "test_size": "evaluation_fraction",
    "translate": "shift",
    "val_fraction": "selection_fraction",
    "validation_fraction": "selection_fraction",
    "vflip": "vertical_flip",
    "weights": "initial_weights",
}
"""What other programs call it."""


def suggest(root: type[BaseModel], location: Sequence[str]) -> str:
    """Say which key was probably meant.

    In this order: the usual names of other programs, the same name in another table, keys that
    share a word with the name, and the key of the most similar spelling.

    Args:
        root: The model of the whole recipe.
        location: The unknown key, from the outermost table inwards; the tables are known.

    Returns:
        ``did you mean 'lr'?``, with the table where it is another one; or the known keys.
    """
    *tables, name = location
    table = find_table(root, tables) or root
    known = list(table.model_fields)
    guesses = _guess(root, known, name.lower().replace("-", "_"))
    if guesses:
        return f"did you mean {' or '.join(map(repr, guesses))}?"
    if "parameters" in known:
        return f"known keys: {', '.join(sorted(known))}; others stand in parameters.{name}"
    return f"known keys: {', '.join(sorted(known))}"


def find_table(root: type[BaseModel], tables: Sequence[str]) -> type[BaseModel] | None:
    """The model of a table of the recipe, or None where there is no such table."""
    model: type[BaseModel] | None = root
    for name in tables:
        model = dict(_tables(model)).get(name) if model is not None else None
    return model


def _guess(root: type[BaseModel], known: Sequence[str], name: str) -> list[str]:
    meant = _SYNONYMS.get(name, name)
    if meant in known:
        return [meant]
    elsewhere = [path for path in _paths(root) if path.split(".")[-1] == meant]
    if elsewhere and "parameters" not in known:
        return elsewhere[:1]
    words = set(name.split("_"))
    sharing = [key for key in known if words & set(key.split("_"))]
    if len(words) == 1 and sharing:
        return sorted(sharing)
    # Whatever a network or loss takes is a parameter unless it is nearly one of the keys.
    cutoff = 0.8 if "parameters" in known else 0.6
    return difflib.get_close_matches(name, sharing or known, n=1, cutoff=cutoff)


def _paths(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Every key of the recipe, the outer ones first."""
    for name in model.model_fields:
        yield prefix + name
    for name, table in _tables(model):
        yield from _paths(table, f"{prefix}{name}.")


def _tables(model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    """The keys that hold a table or a list of tables."""
    for name, field in model.model_fields.items():
        for candidate in (field.annotation, *get_args(field.annotation)):
            if isinstance(candidate, type) and issubclass(candidate, BaseModel):
                yield name, candidate
