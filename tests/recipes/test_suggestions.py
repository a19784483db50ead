"""What is suggested for a key that a recipe does not have."""

from __future__ import annotations

import pytest

from dermseg.recipes import Recipe
from dermseg.recipes.suggestions import _SYNONYMS, find_table, suggest


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("augmentation.rotation", "'rotation_degrees'"),
        ("augmentation.rotate", "'rotation_degrees'"),
        ("augmentation.flip", "'horizontal_flip' or 'vertical_flip'"),
        ("augmentation.crop_size", "'crop'"),
        ("augmentation.hair", "'hairs'"),
        ("training.learning_rate", "'lr'"),
        ("training.Max-Epochs", "'epochs'"),
        ("training.patience", "'early_stopping_epochs'"),
        ("training.early_stopping", "'early_stopping_epochs'"),
        ("training.decay", "'ema_decay' or 'weight_decay'"),
        ("training.batchsize", "'batch_size'"),
        ("training.seed", "'seed'"),
        ("training.image_size", "'preprocessing.size'"),
        ("batch_size", "'training.batch_size'"),
        ("model", "'network'"),
        ("data.test_fraction", "'evaluation_fraction'"),
        ("network.bn_momentum", "'batch_norm_momentum'"),
        ("network.parametres", "'parameters'"),
        ("preprocessing.normalise", "'normalization'"),
    ],
)
def test_key_that_was_meant_is_suggested(key: str, meant: str) -> None:
    assert suggest(Recipe, key.split(".")) == f"did you mean {meant}?"


@pytest.mark.parametrize("key", ["loss.gamma", "network.width", "network.pretrained"])
def test_parameter_is_shown_its_place(key: str) -> None:
    name = key.split(".")[1]
    assert suggest(Recipe, key.split(".")).endswith(f"; others stand in parameters.{name}")


def test_nothing_is_suggested_where_nothing_is_near() -> None:
    expected = "known keys: evaluation_fraction, name, seed, selection_fraction"
    assert suggest(Recipe, ["data", "zzz"]) == expected


def test_synonyms_are_of_keys_that_exist_and_are_none_themselves() -> None:
    keys = set(Recipe.model_fields)
    for name in ("data", "preprocessing", "network", "augmentation", "training"):
        table = find_table(Recipe, [name])
        assert table is not None
        keys |= set(table.model_fields)
    assert set(_SYNONYMS.values()) <= keys
    assert not _SYNONYMS.keys() & keys


def test_there_is_no_table_below_a_value() -> None:
    assert find_table(Recipe, ["training", "lr"]) is None
    assert find_table(Recipe, ["training", "lr", "x"]) is None
    assert find_table(Recipe, []) is Recipe
