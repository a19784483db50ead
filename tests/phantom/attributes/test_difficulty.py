"""Colour and local contrast alone must not find the structures: shapes must be learnt."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from dermseg.phantom.attributes import (
    ATTRIBUTES,
    OBSERVED_FREQUENCIES,
    TRAINING_FREQUENCIES,
    AttributeOptions,
    AttributePhantom,
)

_SCRIPT = Path(__file__).parents[3] / "benchmarks" / "attribute_difficulty.py"
_ALLOWED = 0.25


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    pytest.importorskip("sklearn", reason="the regression needs scikit-learn")
    spec = importlib.util.spec_from_file_location("attribute_difficulty", _SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize("frequencies", [OBSERVED_FREQUENCIES, TRAINING_FREQUENCIES])
def test_pixels_alone_do_not_find_structures_on_generated_lesions(
    benchmark: ModuleType, frequencies: dict[str, float]
) -> None:
    micro, _ = benchmark.pixel_regression(benchmark.generated(120, AttributeOptions(frequencies)))
    assert 0 < micro < _ALLOWED


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize("frequencies", [OBSERVED_FREQUENCIES, TRAINING_FREQUENCIES])
def test_pixels_alone_do_not_find_structures_on_real_lesions(
    benchmark: ModuleType, real_data: Path, frequencies: dict[str, float]
) -> None:
    phantoms = benchmark.blended(
        120,
        AttributeOptions(frequencies),
        real_data / "isic2018_512",
        real_data / "isic2017_256x192" / "ISIC-2017_Validation_Data",
    )
    micro, _ = benchmark.pixel_regression(phantoms)
    assert 0 < micro < _ALLOWED


def test_the_regression_finds_what_colour_alone_tells(benchmark: ModuleType) -> None:
    def painted(seed: int) -> AttributePhantom:
        mask = np.zeros((64, 80), np.bool_)
        mask[seed : seed + 20, 10 + seed : 50] = True
        image = np.random.default_rng(seed).integers(90, 110, (64, 80, 3)).astype(np.uint8)
        image[mask] = image[mask] // 2
        nothing = np.zeros_like(mask)
        return AttributePhantom(image, mask, dict.fromkeys(ATTRIBUTES, mask), nothing, seed)

    micro, single = benchmark.pixel_regression(painted(seed) for seed in range(6))
    assert micro > 0.95
    assert min(single.values()) > 0.95
