"""Superpixels and their scores, by hand and as round trips."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from dermseg.datasets.superpixels import (
    count_superpixels,
    decode_superpixels,
    paint_superpixels,
    read_features,
    read_superpixels,
    score_superpixels,
    write_features,
)
from dermseg.errors import DatasetError, ImageError
from dermseg.images import write_image

# 0 0 1 1
# 0 2 2 3
LABELS = np.array([[0, 0, 1, 1], [0, 2, 2, 3]], np.int32)


def test_the_number_of_a_superpixel_is_in_its_colour() -> None:
    colours = [[0, 0, 0], [255, 0, 0], [0, 1, 0], [227, 3, 0], [5, 2, 1]]
    labels = decode_superpixels(np.array([colours], np.uint8))
    assert labels.tolist() == [[0, 255, 256, 995, 5 + 512 + 65536]]
    assert labels.dtype == np.int32


def test_a_map_is_read_from_its_file(tmp_path: Path) -> None:
    write_image(tmp_path / "map.png", np.array([[[0, 0, 0], [1, 1, 0]]], np.uint8))
    labels = read_superpixels(tmp_path / "map.png")
    assert labels.tolist() == [[0, 257]]
    assert count_superpixels(labels) == 258
    (tmp_path / "map.png").write_bytes(b"no map")
    with pytest.raises(ImageError, match=r"map\.png"):
        read_superpixels(tmp_path / "map.png")


def test_flags_become_a_mask() -> None:
    mask = paint_superpixels(LABELS, np.array([0, 1, 0, 1]))
    assert mask.tolist() == [[False, False, True, True], [False, False, False, True]]


def test_scores_become_a_mask_above_the_threshold() -> None:
    scores = np.array([0.2, 0.5, 0.6, 0.7])
    assert paint_superpixels(LABELS, scores).tolist() == [[False] * 4, [False, True, True, True]]
    assert not paint_superpixels(LABELS, scores, threshold=0.7).any()


@pytest.mark.parametrize("num", [3, 5])
def test_as_many_flags_as_superpixels_are_needed(num: int) -> None:
    with pytest.raises(DatasetError, match=f"4 superpixels and there are {num} values"):
        paint_superpixels(LABELS, np.zeros(num))


def test_scores_are_means_over_superpixels() -> None:
    values = np.array([[0.0, 0.3, 1.0, 0.5], [0.6, 1.0, 0.0, 0.25]])
    assert score_superpixels(LABELS, values) == pytest.approx([0.3, 0.75, 0.5, 0.25])


def test_a_majority_is_more_than_half_of_the_pixels() -> None:
    mask = np.array([[True, True, True, True], [False, True, False, False]])
    assert score_superpixels(LABELS, mask, majority=True).tolist() == [1, 1, 0, 0]
    # One high probability outvotes no two low ones, though it moves the mean.
    values = np.array([[0.99, 0.45, 0.0, 0.0], [0.45, 0.0, 0.0, 0.0]])
    assert score_superpixels(LABELS, values)[0] == pytest.approx(0.63)
    assert score_superpixels(LABELS, values, majority=True)[0] == 0


def test_a_number_that_no_pixel_has_scores_zero() -> None:
    labels = np.array([[0, 2]], np.int32)
    assert score_superpixels(labels, np.array([[1.0, 1.0]])).tolist() == [1, 0, 1]


def test_values_of_another_size_are_refused() -> None:
    with pytest.raises(DatasetError, match="values are 2x4 and the superpixels 4x2"):
        score_superpixels(LABELS, np.zeros((4, 2)))


def test_flags_are_written_as_the_official_files_have_them(tmp_path: Path) -> None:
    path = tmp_path / "ISIC_0000000_features.json"
    flags = {"pigment_network": np.array([True, False]), "streaks": np.array([False, False])}
    write_features(path, flags)
    assert path.read_text() == '{"pigment_network": [1, 0], "streaks": [0, 0]}\n'
    read = read_features(path)
    assert list(read) == ["pigment_network", "streaks"]
    assert read["pigment_network"].tolist() == [1, 0]


def test_scores_are_written_with_seven_decimals(tmp_path: Path) -> None:
    write_features(tmp_path / "a.json", {"streaks": np.array([1 / 3, 1.0, 0.0], np.float32)})
    assert (tmp_path / "a.json").read_text() == '{"streaks": [0.3333333, 1.0, 0.0]}\n'


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ({}, "got no feature"),
        ({"a": np.zeros(0)}, "got a 0"),
        ({"a": np.zeros(2), "b": np.zeros(3)}, "got a 2, b 3"),
        ({"a": np.array([0.5, 1.5])}, "scores from 0 to 1 for 'a'"),
        ({"a": np.array([0.5, np.nan])}, "scores from 0 to 1 for 'a'"),
        ({"a": np.zeros((2, 2))}, "a list of scores"),
    ],
)
def test_what_is_no_list_of_scores_is_not_written(
    scores: dict[str, np.ndarray], message: str, tmp_path: Path
) -> None:
    with pytest.raises(DatasetError, match=message):
        write_features(tmp_path / "a.json", scores)
    assert not (tmp_path / "a.json").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "not JSON"),
        ("[0, 1]", "expected a JSON object"),
        ("{}", "expected a JSON object"),
        ('{"streaks": 1}', "'streaks' must be a list of numbers from 0 to 1"),
        ('{"streaks": [0, true]}', "'streaks' must be a list"),
        ('{"streaks": [0, NaN]}', "not JSON: NaN is no finite number"),
        ('{"streaks": [0, 2]}', "'streaks' must be a list"),
        ('{"streaks": [0, "1"]}', "'streaks' must be a list"),
        ('{"a": [0, 1], "b": [0]}', "lists of different lengths: a 2, b 1"),
    ],
)
def test_a_file_that_is_no_list_of_flags_is_named(
    content: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(ImageError, match=rf"a\.json: .*{message}"):
        read_features(tmp_path / "a.json")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"a\.json: cannot be read: No such file"):
        read_features(tmp_path / "a.json")


maps = arrays.arrays(
    np.int32, arrays.array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.integers(0, 700)
)


@given(maps, st.data())
def test_masks_of_whole_superpixels_survive_the_way_to_scores_and_back(
    labels: np.ndarray, data: st.DataObject
) -> None:
    num = count_superpixels(labels)
    flags = data.draw(arrays.arrays(np.bool_, num))
    mask = paint_superpixels(labels, flags)
    for majority in (False, True):
        scores = score_superpixels(labels, mask, majority=majority)
        assert np.array_equal(paint_superpixels(labels, scores), mask)
        used = np.unique(labels)
        assert np.array_equal(scores[used] == 1, flags[used])


@given(maps, st.data())
def test_scores_are_within_the_values_of_their_superpixel(
    labels: np.ndarray, data: st.DataObject
) -> None:
    values = data.draw(arrays.arrays(np.float32, labels.shape, elements=st.floats(0, 1, width=32)))
    scores = score_superpixels(labels, values)
    for number in np.unique(labels):
        inside = values[labels == number]
        assert inside.min() - 1e-6 <= scores[number] <= inside.max() + 1e-6
        assert scores[number] == pytest.approx(inside.mean(dtype=np.float64))


@given(maps)
def test_numbers_survive_the_way_to_colours_and_back(labels: np.ndarray) -> None:
    shifts = np.array([0, 8, 16])
    colours = (labels[..., None] >> shifts & 255).astype(np.uint8)
    assert np.array_equal(decode_superpixels(colours), labels)


def test_a_submission_is_json_for_any_reader(tmp_path: Path) -> None:
    scores = {
        name: score_superpixels(LABELS, number < LABELS)
        for number, name in enumerate(("pigment_network", "negative_network", "streaks"))
    }
    write_features(tmp_path / "a.json", scores)
    content = json.loads((tmp_path / "a.json").read_text())
    assert content["negative_network"] == [0, 0, 1, 1]
    assert {len(values) for values in content.values()} == {4}
