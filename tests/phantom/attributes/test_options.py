import pytest

from dermseg.errors import UsageError
from dermseg.phantom.attributes import (
    ATTRIBUTES,
    OBSERVED_FREQUENCIES,
    TRAINING_FREQUENCIES,
    AttributeOptions,
)


def test_both_tables_of_frequencies_name_every_attribute() -> None:
    assert tuple(OBSERVED_FREQUENCIES) == ATTRIBUTES
    assert tuple(TRAINING_FREQUENCIES) == ATTRIBUTES


def test_the_rare_attributes_are_more_frequent_in_training() -> None:
    for name in ("globules", "milia_like_cyst", "negative_network", "streaks"):
        assert TRAINING_FREQUENCIES[name] > OBSERVED_FREQUENCIES[name]


def test_by_default_attributes_are_as_frequent_as_observed() -> None:
    assert AttributeOptions().frequencies == OBSERVED_FREQUENCIES


def test_an_unknown_attribute_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"'network'.*pigment_network"):
        AttributeOptions({"network": 0.5})


@pytest.mark.parametrize("frequency", [-0.1, 1.1, float("nan")])
def test_a_frequency_that_is_no_probability_is_refused(frequency: float) -> None:
    with pytest.raises(UsageError, match="the frequency of 'streaks'"):
        AttributeOptions({"streaks": frequency})
    with pytest.raises(UsageError, match="distractors"):
        AttributeOptions(distractors=frequency)


@pytest.mark.parametrize("contrast", [0.0, -1.0, float("nan"), float("inf")])
def test_a_contrast_that_is_no_factor_is_refused(contrast: float) -> None:
    with pytest.raises(UsageError, match="contrast"):
        AttributeOptions(contrast=contrast)
