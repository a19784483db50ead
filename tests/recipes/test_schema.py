"""What a recipe may say, and what it says when nothing is said."""

from __future__ import annotations

import pytest
import tomlkit
from pydantic import ValidationError

from dermseg.errors import RecipeError
from dermseg.recipes import Augmentation, Recipe, parse_recipe


def test_what_is_not_said_is_switched_off(text: str) -> None:
    recipe = parse_recipe(text)
    assert recipe.seed == 0
    assert recipe.classes == ["lesion"]
    assert recipe.augmentation == Augmentation()
    assert recipe.augmentation.zoom == (1.0, 1.0)
    assert recipe.training.ema_decay is None
    assert recipe.training.progressive_resizing == []
    assert recipe.postprocessing.threshold == 0.5


def test_recipe_cannot_be_changed_after_it_was_read(text: str) -> None:
    recipe = parse_recipe(text)
    with pytest.raises(ValidationError, match="frozen"):
        recipe.training.lr = 1.0  # type: ignore[misc]


def test_saved_recipe_reads_as_the_same_recipe(text: str) -> None:
    recipe = parse_recipe(
        text,
        [
            "network.parameters={ widths = [4, 8], rate = 0.5, deep = true, kind = 'a' }",
            "training.progressive_resizing=[{ until_epoch = 2, size = [24, 32] }]",
            "augmentation.zoom=[0.9, 1.1]",
            "training.max_gradient_norm=5.0",
        ],
    )
    again = parse_recipe(tomlkit.dumps(recipe.to_dict()))
    assert again == recipe
    assert again.to_dict() == recipe.to_dict()


def test_saved_recipe_leaves_out_what_is_none(text: str) -> None:
    values = parse_recipe(text).to_dict()
    assert "ema_decay" not in values["training"]
    assert "name" not in values["data"]


@pytest.mark.parametrize("ends", [[2, 2], [3, 2], [6], [7]])
def test_progressive_resizing_must_rise_and_end_before_the_last_epoch(
    text: str, ends: list[int]
) -> None:
    steps = ", ".join(f"{{ until_epoch = {end}, size = [24, 32] }}" for end in ends)
    with pytest.raises(RecipeError, match=r"progressive_resizing ends at epochs .*rising"):
        parse_recipe(text, [f"training.progressive_resizing=[{steps}]"])


def test_progressive_resizing_in_order_is_accepted(text: str) -> None:
    steps = "{ until_epoch = 2, size = [24, 32] }, { until_epoch = 5, size = [32, 48] }"
    recipe = parse_recipe(text, [f"training.progressive_resizing=[{steps}]"])
    assert [step.until_epoch for step in recipe.training.progressive_resizing] == [2, 5]


@pytest.mark.parametrize("zoom", ["[1.2, 0.8]", "[0.0, 1.0]", "[-1, 1]", "[1, inf]", "[nan, 1]"])
def test_zoom_must_be_a_range_above_zero(text: str, zoom: str) -> None:
    with pytest.raises(RecipeError, match="zoom"):
        parse_recipe(text, [f"augmentation.zoom={zoom}"])


@pytest.mark.parametrize(
    "override",
    [
        "preprocessing.size=[0, 64]",
        "preprocessing.size=[48, -64]",
        "preprocessing.size=[48]",
        "preprocessing.size=48",
        "training.lr=0",
        "training.lr=inf",
        "training.lr=nan",
        "training.epochs=0",
        "training.batch_size=0",
        "training.ema_decay=1",
        "training.precision=float64",
        "training.schedule=stairs",
        "augmentation.horizontal_flip=1.5",
        "augmentation.rotation_degrees=181",
        "postprocessing.threshold=1",
        "data.selection_fraction=1",
        "data.evaluation_fraction=-0.1",
        "activation=tanh",
        "network.initialization=he",
        "network.batch_norm_momentum=0",
        "seed=-1",
        "seed=4294967296",
        "classes=[]",
        "loss=[]",
        'loss=[{ name = "bce", weight = 0 }]',
        "name=Two Words",
    ],
)
def test_value_out_of_range_is_refused_by_its_key(text: str, override: str) -> None:
    key = override.partition("=")[0]
    with pytest.raises(RecipeError, match=rf"recipe: {key}[:.]"):
        parse_recipe(text, [override])


def test_largest_seed_is_accepted(text: str) -> None:
    assert parse_recipe(text, ["seed=4294967295"]).seed == 2**32 - 1


def test_recipe_needs_no_more_than_its_required_keys(text: str) -> None:
    required = {name for name, field in Recipe.model_fields.items() if field.is_required()}
    assert required == {"name", "description", "preprocessing", "network", "loss", "training"}
    assert parse_recipe(text).name == "small"


def test_fractions_must_leave_something_to_train_on(text: str) -> None:
    with pytest.raises(RecipeError, match="sum to 1, expected less than 1"):
        parse_recipe(text, ["data.evaluation_fraction=0.9"])


def test_activation_may_be_called_head_as_in_older_recipes(text: str) -> None:
    assert parse_recipe(text, ["head=softmax"]).activation == "softmax"
    with pytest.raises(RecipeError, match="head"):
        parse_recipe(text, ["head=tanh"])


@pytest.mark.parametrize(("activation", "num_maps"), [("sigmoid", 2), ("softmax", 3)])
def test_softmax_has_one_more_map_for_the_background(
    text: str, activation: str, num_maps: int
) -> None:
    recipe = parse_recipe(text, [f"activation={activation}", 'classes=["network", "globules"]'])
    assert recipe.num_maps == num_maps


def test_bare_parameters_fetch_no_weights(text: str) -> None:
    plain = parse_recipe(text, ["network.parameters={ width = 8 }"]).network
    assert not plain.is_pretrained
    assert plain.bare_parameters == {"width": 8}
    network = parse_recipe(text, ["network.parameters={ width = 8, pretrained = true }"]).network
    assert network.is_pretrained
    assert network.bare_parameters == {"width": 8}
    assert network.parameters == {"width": 8, "pretrained": True}
    packaged = parse_recipe(text, ['network.parameters={ weights = "imagenet" }']).network
    assert packaged.is_pretrained
    assert packaged.bare_parameters == {}


@pytest.mark.parametrize(
    "others",
    [
        [],
        ["training.schedule=cosine"],
        ["training.schedule=step", "training.progressive_resizing=[{until_epoch=1, size=[32,32]}]"],
    ],
)
def test_restarting_needs_sizes_and_a_course_that_ends(text: str, others: list[str]) -> None:
    with pytest.raises(RecipeError, match="restart_factor is for the schedule cosine"):
        parse_recipe(text, ["training.restart_factor=0.5", *others])


def test_warm_up_of_the_average_needs_an_average(text: str) -> None:
    assert not parse_recipe(text).training.ema_warmup
    with pytest.raises(RecipeError, match=r"give ema_decay"):
        parse_recipe(text, ["training.ema_warmup=true"])
    both = ["training.ema_warmup=true", "training.ema_decay=0.998"]
    assert parse_recipe(text, both).training.ema_warmup
