"""Recipes from names, files and overrides, and the errors that people meet."""

from __future__ import annotations

from pathlib import Path

import pytest

from dermseg.errors import RecipeError
from dermseg.recipes import Augmentation, parse_recipe, read_recipe, recipe_text


def explain(text: str, *overrides: str) -> str:
    """The message of the error that a recipe makes."""
    with pytest.raises(RecipeError) as caught:
        parse_recipe(text, overrides)
    return str(caught.value)


@pytest.mark.parametrize(
    ("override", "unknown", "nearest"),
    [
        ("traning={}", "traning", "training"),
        ("training.epoch=3", "training.epoch", "epochs"),
        ("network.parametres={}", "network.parametres", "parameters"),
        ("augmentation.rotate_degrees=30", "augmentation.rotate_degrees", "rotation_degrees"),
        ("augmentation.rotation=30", "augmentation.rotation", "rotation_degrees"),
        ("training.learning_rate=1e-3", "training.learning_rate", "lr"),
        ("lr=1e-3", "lr", "training.lr"),
        ("postprocessing.fill_hole=true", "postprocessing.fill_hole", "fill_holes"),
        ('loss=[{name="bce", wieght=2}]', "loss.wieght", "weight"),
        (
            "training.progressive_resizing=[{until_epoch=1, sise=[32, 32]}]",
            "training.progressive_resizing.sise",
            "size",
        ),
    ],
)
def test_unknown_key_names_the_nearest_one(
    text: str, override: str, unknown: str, nearest: str
) -> None:
    assert f"unknown key '{unknown}': did you mean '{nearest}'?" in explain(text, override)


def test_unknown_key_in_the_file_names_the_nearest_one(text: str) -> None:
    message = explain(text.replace("batch_size", "batchsize"))
    assert "unknown key 'training.batchsize': did you mean 'batch_size'?" in message
    assert "training.batch_size: Field required" in message


def test_unknown_key_like_no_other_lists_the_known_ones(text: str) -> None:
    message = explain(text, "data.zzz=1")
    assert "known keys: evaluation_fraction, name, seed, selection_fraction" in message


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("training.lr=3e-4", 3e-4),
        ("training.lr = 3e-4 ", 3e-4),
        ("training.lr=1", 1.0),
    ],
)
def test_override_sets_a_number(text: str, override: str, value: float) -> None:
    assert parse_recipe(text, [override]).training.lr == value


def test_override_takes_any_toml_value(text: str) -> None:
    recipe = parse_recipe(
        text,
        [
            "network.parameters={ width = 8, depth = 2 }",
            "augmentation.zoom=[0.5, 2]",
            "postprocessing.fill_holes=true",
            'training.optimizer="adam"',
        ],
    )
    assert recipe.network.parameters == {"width": 8, "depth": 2}
    assert recipe.augmentation.zoom == (0.5, 2.0)
    assert recipe.postprocessing.fill_holes
    assert recipe.training.optimizer == "adam"


@pytest.mark.parametrize("none", ["none", "None", " none "])
def test_none_switches_off_what_is_off_by_default(text: str, none: str) -> None:
    lines = "ema_decay = 0.9\nearly_stopping_epochs = 3\n"
    recipe = parse_recipe(text + lines, [f"training.ema_decay={none}"])
    assert recipe.training.ema_decay is None
    assert recipe.training.early_stopping_epochs == 3
    assert parse_recipe(text, [f"training.ema_decay={none}"]).training.ema_decay is None


def test_none_is_a_value_where_it_is_one_and_refused_where_nothing_is_off(text: str) -> None:
    assert parse_recipe(text, ["augmentation.preset=none"]).augmentation.preset == "none"
    assert "training.lr: " in explain(text, "training.lr=none")
    assert "unknown key 'training.zzz'" in explain(text, "training.zzz=none")


def test_wrong_loss_parameter_is_named_once(text: str) -> None:
    message = explain(text, 'loss=[{ name = "focal", parameters = { gamma = [[1]] } }]')
    assert message == (
        "recipe: loss.parameters.gamma: expected a number, true, false, text or a list of numbers"
    )


def test_override_that_is_no_toml_is_text(text: str) -> None:
    assert parse_recipe(text, ["data.name=isic2017"]).data.name == "isic2017"


@pytest.mark.parametrize(
    "overrides",
    [
        ["augmentation.preset=flips", "augmentation.hairs=0.3"],
        ["augmentation.hairs=0.3", "augmentation.preset = 'flips'"],
    ],
    ids=["before", "after"],
)
def test_a_preset_replaces_the_files_augmentation_but_no_override(
    text: str, overrides: list[str]
) -> None:
    table = '[augmentation]\npreset = "standard"\nhue = 0.4\n'
    found = parse_recipe(text + table, overrides).augmentation
    assert found == Augmentation.model_validate({"preset": "flips", "hairs": 0.3})
    assert parse_recipe(text + table).augmentation.hue == 0.4


def test_the_standard_preset_is_that_of_the_packaged_unet() -> None:
    packaged = read_recipe("unet-isic2017").augmentation
    preset = read_recipe("unet-isic2017", ["augmentation.preset=standard"]).augmentation
    assert preset == packaged.model_copy(update={"preset": "standard"})


def test_override_makes_the_tables_it_needs(text: str) -> None:
    assert parse_recipe(text, ["network.parameters.width=8"]).network.parameters == {"width": 8}


def test_last_of_several_overrides_wins(text: str) -> None:
    overrides = ["training.lr=1", "training.lr=2"]
    assert parse_recipe(text, overrides).training.lr == 2


@pytest.mark.parametrize("override", ["training.lr", "=3", " =3", ""])
def test_override_without_key_or_value_shows_the_form(text: str, override: str) -> None:
    expected = f"override '{override}': expected key=value, such as training.lr=3e-4"
    assert explain(text, override) == expected


@pytest.mark.parametrize("override", ["training.lr.x=3", "loss.0.weight=2"])
def test_override_below_a_value_is_refused(text: str, override: str) -> None:
    name = override.split(".")[-2] if "lr" in override else "loss"
    assert f"'{name}' is a value, not a table of keys" in explain(text, override)


def test_wrong_value_is_shown_with_its_key(text: str) -> None:
    message = explain(text, "training.epochs=many")
    assert message.startswith("recipe: training.epochs: ")
    assert "got 'many'" in message


def test_wrong_network_parameter_is_named_once(text: str) -> None:
    message = explain(text, "network.parameters.widths=[[1]]")
    assert message.count("network.parameters.widths") == 1
    assert "list of numbers" in message


def test_several_errors_are_all_named(text: str) -> None:
    message = explain(text, "training.epochs=0", "training.lr=-1")
    assert "training.epochs: " in message
    assert "training.lr: " in message


def test_broken_toml_names_the_file_and_the_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("name = 'a'\nseed = = 1\n")
    with pytest.raises(RecipeError, match=r"mine\.toml: not valid TOML: .*line 2"):
        read_recipe(str(path))


def test_missing_file_names_the_packaged_recipes(tmp_path: Path) -> None:
    path = tmp_path / "missing.toml"
    with pytest.raises(RecipeError, match=r"missing\.toml'.*residual-unet-isic2017.*file"):
        read_recipe(str(path))


def test_folder_is_no_recipe(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no recipe"):
        recipe_text(str(tmp_path))


def test_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "image.png"
    path.write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(RecipeError, match=r"image\.png: not text in UTF-8"):
        read_recipe(str(path))


def test_file_is_read_as_the_same_text_from_a_name_or_a_path(tmp_path: Path) -> None:
    path = tmp_path / "copy.toml"
    path.write_text(recipe_text("unet-isic2017"), "utf-8")
    assert read_recipe(str(path)) == read_recipe("unet-isic2017")
