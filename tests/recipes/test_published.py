"""The recipes of published systems have the values that are known of these."""

from __future__ import annotations

from typing import Any

import pytest

from dermseg.recipes import Postprocessing, read_recipe, recipe_text

KNOWN: dict[str, dict[str, Any]] = {
    "xception-unet-isic2016": {
        "classes": ["lesion"],
        "activation": "softmax",
        "data": {"evaluation_fraction": 0.05, "selection_fraction": 0.12},
        "preprocessing": {"size": [160, 160], "normalization": "unit"},
        "network": {"name": "xception_unet"},
        "loss": [{"name": "cross_entropy", "weight": 1.0, "parameters": {}}],
        "augmentation": {
            "horizontal_flip": 0.5,
            "vertical_flip": 0.5,
            "rotation_degrees": 30.0,
        },
        "training": {
            "optimizer": "rmsprop",
            "lr": 1e-3,
            "batch_size": 16,
            "epochs": 20,
            "schedule": "constant",
        },
    },
    "unet-isic2018": {
        "activation": "sigmoid",
        "data": {"evaluation_fraction": 0.1, "selection_fraction": 0.1},
        "preprocessing": {"size": [128, 128]},
        "network": {"name": "unet", "parameters": {"width": 16, "depth": 4}},
        "training": {"batch_size": 32, "epochs": 20},
    },
    "unet-ham10000": {
        "data": {"evaluation_fraction": 0.1, "selection_fraction": 0.1},
        "preprocessing": {"size": [512, 512]},
        "network": {"name": "unet"},
        "loss": [{"name": "bce", "weight": 1.0, "parameters": {}}],
        "training": {"optimizer": "adamw", "lr": 2e-4, "batch_size": 8, "epochs": 20},
    },
    "improved-unet-isic2018": {
        "data": {"evaluation_fraction": 0.1, "selection_fraction": 0.1},
        "preprocessing": {"size": [256, 256]},
        "network": {"name": "improved_unet"},
    },
    "resnet-aspp-unet-isic2017": {
        "classes": ["lesion"],
        "activation": "softmax",
        "preprocessing": {"size": [256, 256], "normalization": "train"},
        "network": {
            "name": "resnet_aspp_unet",
            "parameters": {"encoder": "resnet101", "pretrained": True},
            "initialization": "xavier",
            "batch_norm_momentum": 0.008,
        },
        "loss": [
            {
                "name": "focal",
                "weight": 1.0,
                "parameters": {"gamma": 2.0, "class_weights": "inverse_frequency"},
            }
        ],
        "augmentation": {
            "horizontal_flip": 0.5,
            "vertical_flip": 0.5,
            # 128 of 256.
            "crop": 0.5,
            "brightness": 0.05,
            "contrast": 0.05,
            "saturation": 0.05,
            "hue": 0.05,
        },
        "training": {
            "optimizer": "adam",
            "lr": 1e-3,
            "weight_decay": 1e-6,
            "schedule": "step",
            "step_epochs": 5,
            "step_factor": 0.95,
            "batch_size": 24,
            "epochs": 50,
        },
    },
}


@pytest.mark.parametrize("name", KNOWN)
def test_recipe_has_the_published_values(name: str) -> None:
    values = read_recipe(name).to_dict()
    for table, expected in KNOWN[name].items():
        found = values[table]
        if isinstance(expected, dict):
            found = {key: found[key] for key in expected}
        assert found == expected, table


@pytest.mark.parametrize("name", KNOWN)
def test_masks_are_not_postprocessed(name: str) -> None:
    options = read_recipe(name).postprocessing
    assert options.threshold == 0.5
    assert options == Postprocessing()


@pytest.mark.parametrize("name", KNOWN)
def test_what_differs_from_the_original_is_said(name: str) -> None:
    comments = [line for line in recipe_text(name).splitlines() if line.startswith("#")]
    assert comments


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        (
            "xception-unet-isic2016",
            {
                "horizontal_flip",
                "vertical_flip",
                "rotation_degrees",
                "zoom",
                "brightness",
                "contrast",
            },
        ),
        ("unet-isic2018", {"horizontal_flip", "vertical_flip"}),
        ("unet-ham10000", set()),
        ("improved-unet-isic2018", {"horizontal_flip", "vertical_flip"}),
        (
            "resnet-aspp-unet-isic2017",
            {
                "horizontal_flip",
                "vertical_flip",
                "crop",
                "brightness",
                "contrast",
                "saturation",
                "hue",
            },
        ),
    ],
)
def test_only_the_published_augmentations_are_on(name: str, changed: set[str]) -> None:
    options = read_recipe(name).augmentation
    fields = type(options).model_fields
    assert {key for key in fields if getattr(options, key) != fields[key].default} == changed


def test_the_two_networks_of_the_2018_comparison_differ_in_nothing_else() -> None:
    improved, plain = (
        read_recipe(name).to_dict() for name in ("improved-unet-isic2018", "unet-256-isic2018")
    )
    differing = {key for key in improved if improved[key] != plain[key]}
    assert differing == {"name", "description", "network"}
    assert plain["network"]["name"] == "unet"


def test_pretrained_encoder_learns_at_a_hundredth_of_the_rate() -> None:
    options = read_recipe("resnet-aspp-unet-isic2017").training
    assert options.lr_factors == {"encoder.": 0.01}
    assert options.lr * options.lr_factors["encoder."] == pytest.approx(1e-5)


def test_keras_batch_norm_is_turned_round_for_pytorch() -> None:
    momentum = read_recipe("xception-unet-isic2016").network.batch_norm_momentum
    assert momentum == pytest.approx(1 - 0.99)


def test_ham10000_stops_early_and_its_first_version_is_one_override() -> None:
    recipe = read_recipe("unet-ham10000", ["training.epochs=10"])
    assert recipe.training.epochs == 10
    assert recipe.training.early_stopping_epochs is not None
