"""The recipes of published systems have the values that are known of these."""

from __future__ import annotations

from typing import Any

import pytest

from dermseg.recipes import Postprocessing, parse_recipe, read_recipe, recipe_text

# What the authors' public code says; where it says nothing, the key is left out.
SOURCES = {
    "xception-unet-isic2016": "github.com/SrLozano/ISIC-2016_Challenge-Lesion-Segmentation",
    "inception-aspp-unet-isic2017": "github.com/CesarCaramazana/DermoscopicSegmentation",
    "inception-aspp-unet-isic2018": "github.com/CesarCaramazana/DermoscopicSegmentation",
    "unet-isic2018": "github.com/shakes76/PatternFlow (Hansen, UNet in Keras)",
    "unet-ham10000": "github.com/nata-vito/skin-cancer-segmentation",
    "improved-unet-isic2018": "github.com/shakes76/PatternFlow (recognition/ISIC_skin_cancer)",
}

_ATTRIBUTES: dict[str, Any] = {
    "activation": "softmax",
    "preprocessing": {"size": [256, 256], "normalization": "train"},
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
        "window": [128, 128],
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
}
_XAVIER = {"initialization": "xavier_normal", "batch_norm_momentum": 0.008}

KNOWN: dict[str, dict[str, Any]] = {
    "xception-unet-isic2016": {
        "classes": ["lesion"],
        "activation": "softmax",
        "data": {"evaluation_fraction": 0.05, "selection_fraction": 0.12},
        "preprocessing": {"size": [160, 160], "normalization": "unit"},
        "network": {"name": "xception_unet", "initialization": "xavier"},
        "loss": [{"name": "cross_entropy", "weight": 1.0, "parameters": {}}],
        "augmentation": {},
        "training": {
            "optimizer": "rmsprop",
            "smoothing": 0.9,
            "momentum": 0.0,
            "lr": 1e-3,
            "batch_size": 16,
            "epochs": 20,
            "schedule": "constant",
        },
    },
    "inception-aspp-unet-isic2017": {
        **_ATTRIBUTES,
        "lesion_crop": {"margin": 0.0, "inside_only": False},
        "network": {
            "name": "inception_aspp_unet",
            "parameters": {"pretrained": True},
            **_XAVIER,
        },
    },
    "unet-isic2018": {
        "activation": "sigmoid",
        "data": {"evaluation_fraction": 0.1, "selection_fraction": 0.1},
        "preprocessing": {"size": [128, 128], "normalization": "unit"},
        "network": {
            "name": "unet",
            "parameters": {
                "width": 16,
                "depth": 4,
                "up": "upsample",
                "up_kernel": 2,
                "bias": True,
            },
        },
        "loss": [{"name": "bce", "weight": 1.0, "parameters": {}}],
        "augmentation": {},
        "training": {
            "optimizer": "adam",
            "lr": 1e-3,
            "weight_decay": 0.0,
            "schedule": "constant",
            "batch_size": 32,
            "epochs": 20,
            "keep": "last",
        },
    },
    "unet-ham10000": {
        "data": {"evaluation_fraction": 0.1, "selection_fraction": 0.1},
        "preprocessing": {"size": [512, 512], "normalization": "unit"},
        "network": {
            "name": "unet",
            "parameters": {"width": 64, "depth": 4, "batch_norm": False},
        },
        "loss": [{"name": "bce", "weight": 1.0, "parameters": {}}],
        "augmentation": {},
        "training": {
            "optimizer": "adamw",
            "lr": 2e-4,
            "weight_decay": 0.01,
            "schedule": "constant",
            "batch_size": 8,
            "epochs": 20,
            "early_stopping_epochs": 3,
            "keep": "last",
        },
    },
    "improved-unet-isic2018": {
        "data": {"evaluation_fraction": 0.1, "selection_fraction": 0.1},
        "preprocessing": {"size": [128, 128], "normalization": "unit"},
        "network": {"name": "improved_unet"},
        "augmentation": {"horizontal_flip": 0.5, "vertical_flip": 0.5},
        "training": {"batch_size": 20},
    },
    # The thesis describes these two and publishes no code of them.
    "resnet-aspp-unet-isic2017": {
        **_ATTRIBUTES,
        "classes": ["lesion"],
        "network": {
            "name": "resnet_aspp_unet",
            "parameters": {"encoder": "resnet101", "pretrained": True},
            **_XAVIER,
        },
    },
    "resnet-aspp-unet-attributes-isic2017": {
        **_ATTRIBUTES,
        "lesion_crop": {"margin": 0.0, "inside_only": False},
        "network": {
            "name": "resnet_aspp_unet",
            "parameters": {"encoder": "resnet101", "pretrained": True},
            **_XAVIER,
        },
    },
}

_OF_LESIONS = [name for name in KNOWN if read_recipe(name).classes == ["lesion"]]


@pytest.mark.parametrize("name", KNOWN)
def test_recipe_has_the_published_values(name: str) -> None:
    values = read_recipe(name).to_dict()
    for table, expected in KNOWN[name].items():
        found = values[table]
        if isinstance(expected, dict):
            found = {key: found[key] for key in expected}
        assert found == expected, table


@pytest.mark.parametrize("name", _OF_LESIONS)
def test_masks_are_not_postprocessed(name: str) -> None:
    options = read_recipe(name).postprocessing
    assert options.threshold == 0.5
    assert options == Postprocessing()


@pytest.mark.parametrize("name", SOURCES)
def test_recipe_says_where_its_values_are_from(name: str) -> None:
    assert recipe_text(name).startswith(f"# Values as in {SOURCES[name]}.\n")


@pytest.mark.parametrize("name", KNOWN)
def test_only_the_published_augmentations_are_on(name: str) -> None:
    options = read_recipe(name).augmentation
    fields = type(options).model_fields
    changed = {key for key in fields if getattr(options, key) != fields[key].default}
    assert changed == KNOWN[name]["augmentation"].keys()


def test_what_the_code_of_the_xception_unet_can_augment_is_one_comment_away() -> None:
    lines = recipe_text("xception-unet-isic2016").splitlines()
    start = lines.index("# [augmentation]")
    block = [line.removeprefix("# ") for line in lines[start : start + 7]]
    options = parse_recipe("\n".join([*lines, *block])).augmentation
    assert options.rotation_degrees == 30
    assert options.brightness == 0.3
    assert options.contrast == (0.2, 0.5)
    assert options.zoom[1] == pytest.approx(1 / 0.75, abs=1e-3)


def test_the_two_networks_of_the_2018_comparison_differ_in_nothing_else() -> None:
    steps = "training.progressive_resizing=[{until_epoch = 10, size = [128, 128]}]"
    improved = read_recipe(
        "improved-unet-isic2018",
        ["preprocessing.size=[256, 256]", "training.batch_size=8", steps],
    ).to_dict()
    plain = read_recipe("unet-256-isic2018").to_dict()
    differing = {key for key in improved if improved[key] != plain[key]}
    assert differing == {"name", "description", "network"}
    assert plain["network"]["name"] == "unet"


def test_the_two_years_of_the_attribute_recipe_differ_in_the_globules_only() -> None:
    four, five = (read_recipe(f"inception-aspp-unet-isic{year}").to_dict() for year in (2017, 2018))
    differing = {key for key in four if four[key] != five[key]}
    assert differing == {"name", "description", "classes", "postprocessing"}
    assert set(five["classes"]) - set(four["classes"]) == {"globules"}
    kernels = {"milia_like_cyst": 21, "negative_network": 21, "pigment_network": 15}
    kernels |= {"streaks": 5, "globules": 15}
    for key in ("erosion", "dilation"):
        sides = {name: round(256 * share) for name, share in five["postprocessing"][key].items()}
        assert sides == kernels


def test_the_pretrained_part_that_learns_does_so_at_a_hundredth_of_the_rate() -> None:
    options = read_recipe("inception-aspp-unet-isic2017").training
    assert options.lr_factors == {"encoder.": 0.0, "encoder.Mixed_5": 0.01}
    assert options.lr * options.lr_factors["encoder.Mixed_5"] == pytest.approx(1e-5)


def test_without_pretrained_weights_the_encoder_learns_like_the_rest() -> None:
    switched_off = ["network.parameters.pretrained=false"]
    assert read_recipe("inception-aspp-unet-isic2017", switched_off).lr_factors == {}
    named = read_recipe("unet-isic2017", ["training.lr_factors={encoder = 0.1, decoder = 0.5}"])
    assert named.lr_factors == {"encoder": 0.1, "decoder": 0.5}


def test_keras_batch_norm_is_turned_round_for_pytorch() -> None:
    momentum = read_recipe("xception-unet-isic2016").network.batch_norm_momentum
    assert momentum == pytest.approx(1 - 0.99)


def test_the_first_version_on_ham10000_is_one_override() -> None:
    first, second = (
        read_recipe("unet-ham10000", overrides).to_dict()
        for overrides in (["training.epochs=10"], [])
    )
    assert first["training"] == {**second["training"], "epochs": 10}
