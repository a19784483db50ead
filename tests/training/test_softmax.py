"""The softmax activation through the whole path: training, package, prediction, fine-tuning."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from dermseg.datasets import open_dataset
from dermseg.errors import RecipeError
from dermseg.export import RunRecord, read_weights
from dermseg.package import Runtime, load_package
from dermseg.prediction import load_model
from dermseg.recipes import Recipe
from dermseg.training import TrainingData, train
from dermseg.training.initialization import load_initial_weights
from dermseg.training.module import SegmentationModule

MakeRecipe = Callable[..., Recipe]

FOCAL = '[{ name = "focal", parameters = { gamma = 2, class_weights = "inverse_frequency" } }]'
SOFTMAX = (
    "activation=softmax",
    f"loss={FOCAL}",
    "training.epochs=4",
    "network.initialization=xavier",
)


@pytest.fixture(scope="module")
def finished(
    tmp_path_factory: pytest.TempPathFactory, make_recipe: MakeRecipe, disc_dataset: Path
) -> Path:
    """A finished run of a network with two maps, background and lesion."""
    run = tmp_path_factory.mktemp("softmax") / "run"
    train(make_recipe(*SOFTMAX), TrainingData([disc_dataset]), run, num_workers=0)
    return run


def restore(recipe: Recipe, package: Path) -> SegmentationModule:
    """The recipe's module with a package's weights."""
    module = SegmentationModule(recipe, num_steps=1, class_weights=[1.0, 1.0])
    module.network.load_state_dict(read_weights(package))
    return module.eval()


def test_package_says_softmax_and_has_a_map_more_than_classes(finished: Path) -> None:
    spec = load_package(finished / "model").spec
    assert (spec.activation, spec.classes, spec.num_maps) == ("softmax", ["lesion"], 2)
    card = (finished / "model" / "MODEL_CARD.md").read_text("utf-8")
    assert "probabilities of background and classes sum to 1 (softmax)" in card


def test_packages_probabilities_equal_torchs(finished: Path, make_recipe: MakeRecipe) -> None:
    module = restore(make_recipe(*SOFTMAX), finished / "model")
    images = np.random.default_rng(0).normal(0, 1, (3, 3, 24, 32)).astype(np.float32)
    with torch.inference_mode():
        shares = module.network(torch.from_numpy(images)).softmax(dim=1).numpy()
    found = Runtime(load_package(finished / "model"))(images)
    assert found.shape == (3, 1, 24, 32)
    np.testing.assert_allclose(found, shares[:, 1:], atol=1e-5)
    assert load_package(finished / "model").spec.provenance.export_difference < 1e-4


def test_predicted_masks_are_of_the_lesion_and_not_of_the_background(
    finished: Path, disc_dataset: Path
) -> None:
    evaluated = load_package(finished / "model").spec.provenance.scores[0]
    assert evaluated.values["mean_jaccard"][0] > 0.5
    prediction = load_model(finished / "model").predict(open_dataset(disc_dataset).samples[0].image)
    assert prediction.classes == ("lesion",)
    assert prediction.class_probabilities.shape == (1, 24, 32)


def test_class_weights_are_recorded_and_reused(
    finished: Path, make_recipe: MakeRecipe, disc_dataset: Path
) -> None:
    record = RunRecord.model_validate_json((finished / "run.json").read_bytes())
    assert record.class_weights is not None
    background, lesion = record.class_weights
    assert 0 < background < 0.5 < lesion < 1
    # The same images give the same record, or resuming would be refused.
    train(make_recipe(*SOFTMAX), TrainingData([disc_dataset]), finished, num_workers=0, resume=True)
    assert json.loads((finished / "run.json").read_text())["class_weights"] == [background, lesion]


def test_fine_tuning_under_another_activation_draws_the_last_layer_anew(
    finished: Path, make_recipe: MakeRecipe, caplog: pytest.LogCaptureFixture
) -> None:
    recipe = make_recipe(f"network.initial_weights='{finished / 'model'}'")
    module = SegmentationModule(recipe, num_steps=1)
    before = module.network.get_parameter("segmentation_head.weight").clone()
    load_initial_weights(module.network, recipe)
    weights = read_weights(finished / "model")
    last = {"segmentation_head.weight", "segmentation_head.bias"}
    assert torch.equal(module.network.get_parameter("segmentation_head.weight"), before)
    for name, value in module.network.state_dict().items():
        if name not in last and not name.startswith("auxiliary_heads."):
            assert torch.equal(value, weights[name]), name
    assert "has the classes lesion under softmax, the recipe lesion under sigmoid" in caplog.text
    assert (
        "segmentation_head.bias, segmentation_head.weight start from random weights" in caplog.text
    )


def test_as_many_maps_of_another_activation_are_not_taken_for_the_same(
    finished: Path, make_recipe: MakeRecipe
) -> None:
    # Two classes under sigmoid have two maps, like background and lesion.
    source = f"network.initial_weights='{finished / 'model'}'"
    recipe = make_recipe(source, 'classes=["lesion", "globules"]')
    module = SegmentationModule(recipe, num_steps=1)
    before = module.network.get_parameter("segmentation_head.weight").clone()
    load_initial_weights(module.network, recipe)
    assert torch.equal(module.network.get_parameter("segmentation_head.weight"), before)


def test_fine_tuning_under_the_same_activation_takes_every_weight(
    finished: Path, make_recipe: MakeRecipe, caplog: pytest.LogCaptureFixture
) -> None:
    recipe = make_recipe(*SOFTMAX, f"network.initial_weights='{finished / 'model'}'")
    module = SegmentationModule(recipe, num_steps=1, class_weights=[1.0, 1.0])
    load_initial_weights(module.network, recipe)
    weights = read_weights(finished / "model")
    for name, value in module.network.state_dict().items():
        assert torch.equal(value, weights[name]), name
    assert not caplog.records


def test_another_network_is_refused_under_any_activation(
    finished: Path, make_recipe: MakeRecipe
) -> None:
    source = f"network.initial_weights='{finished / 'model'}'"
    recipe = make_recipe(source, "network.parameters={ widths = [4, 6] }")
    with pytest.raises(RecipeError, match="does not fit this recipe's network"):
        load_initial_weights(SegmentationModule(recipe, num_steps=1).network, recipe)
