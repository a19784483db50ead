from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dermseg.datasets import (
    choose_selection,
    create_split,
    official_split,
    open_dataset,
    read_folds,
    read_split,
    write_split,
)
from dermseg.errors import DatasetError, OutputError
from dermseg.types import Sample, Split

SAMPLES = [Sample(f"s{n:02}", Path(f"s{n:02}.jpg"), None, group=f"g{n // 2}") for n in range(40)]
GROUPS = {sample.id: sample.group for sample in SAMPLES}


def test_official_parts_become_a_split(make_dataset: Callable[[str], Path]) -> None:
    assert official_split(open_dataset(make_dataset("isic2017"))) == Split(
        {
            "train": ("ISIC_0000000", "ISIC_0000001", "ISIC_0000002"),
            "validation": ("ISIC_0000003", "ISIC_0000004"),
            "test": ("ISIC_0000005", "ISIC_0000006"),
        },
        source="official",
    )


def test_a_folder_has_no_official_split(make_dataset: Callable[[str], Path]) -> None:
    assert official_split(open_dataset(make_dataset("folder"))) is None


def test_a_seeded_split_has_the_sizes_asked_for() -> None:
    split = create_split(SAMPLES, seed=0)
    assert {part: len(ids) for part, ids in split.parts.items()} == {
        "train": 32,
        "validation": 4,
        "test": 4,
    }
    assert (split.source, split.seed) == ("seeded", 0)
    assert split.fractions == {"train": 0.8, "validation": 0.1, "test": 0.1}


def test_no_group_is_in_two_parts() -> None:
    parts = create_split(SAMPLES, seed=0).parts.values()
    groups = [{GROUPS[id] for id in ids} for ids in parts]
    assert sum(map(len, groups)) == len(set(GROUPS.values()))


def test_the_order_of_samples_does_not_change_a_split() -> None:
    shuffled = random.Random(0).sample(SAMPLES, len(SAMPLES))  # noqa: S311 (no secret)
    assert create_split(shuffled, seed=5) == create_split(SAMPLES, seed=5)


def test_another_seed_gives_another_split() -> None:
    assert create_split(SAMPLES, seed=1).parts != create_split(SAMPLES, seed=2).parts


def test_the_hash_seed_of_the_process_does_not_change_a_split() -> None:
    code = (
        "from pathlib import Path; from dermseg.types import Sample; "
        "from dermseg.datasets import create_split; "
        "print(create_split([Sample(i, Path(i), None, i) for i in 'abcdefghijkl'], seed=4).parts)"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(outputs) == 1


def test_a_selection_is_taken_from_the_training_ids_by_group() -> None:
    rest, selection = choose_selection(GROUPS, GROUPS, fraction=0.1, seed=0)
    assert (len(rest), len(selection)) == (36, 4)
    assert sorted(rest + selection) == sorted(GROUPS)
    assert not {GROUPS[id] for id in rest} & {GROUPS[id] for id in selection}


def test_ids_without_a_group_are_selected_one_by_one() -> None:
    rest, selection = choose_selection(GROUPS, {}, fraction=0.25, seed=0)
    assert (len(rest), len(selection)) == (30, 10)


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, float("nan")])
def test_a_selection_of_nothing_or_everything_is_refused(fraction: float) -> None:
    with pytest.raises(DatasetError, match="must be above 0 and below 1"):
        choose_selection(GROUPS, GROUPS, fraction=fraction, seed=0)


def test_a_split_file_gives_the_split_back(tmp_path: Path) -> None:
    path = tmp_path / "split.json"
    split = create_split(SAMPLES, seed=3)
    write_split(path, split)
    assert read_split(path, SAMPLES) == Split(
        split.parts, source=str(path), seed=3, fractions=split.fractions
    )


def test_samples_outside_the_split_are_allowed(tmp_path: Path) -> None:
    path = tmp_path / "split.json"
    write_split(path, Split({"train": ("s00",), "test": ("s05",)}, source="seeded"))
    assert read_split(path, SAMPLES).parts == {"train": ("s00",), "test": ("s05",)}


def test_a_split_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        write_split(tmp_path / "gone" / "split.json", create_split(SAMPLES, seed=0))


def _write(path: Path, parts: object) -> None:
    content = {"source": "seeded", "seed": 0, "fractions": {}, "parts": parts}
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"train": ["s00", "s01"], "test": ["s01"]}, "1 ids more than once: s01"),
        ({"train": ["s00", "s00"]}, "1 ids more than once: s00"),
        (
            {"train": [f"x{n}" for n in range(7)]},
            "7 ids that the dataset lacks: x0, x1, x2, x3, x4 and 2 more",
        ),
        (["s00"], "not a split file: parts: "),
        ({"train": [1]}, "not a split file: parts.train.0: "),
    ],
)
def test_a_wrong_split_file_is_refused_with_the_ids(
    parts: object, message: str, tmp_path: Path
) -> None:
    _write(tmp_path / "split.json", parts)
    with pytest.raises(DatasetError) as error:
        read_split(tmp_path / "split.json", SAMPLES)
    assert message in str(error.value)


def test_a_file_that_is_no_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "split.json").write_text("train: a, b")
    with pytest.raises(DatasetError, match="not a split file: Expecting value"):
        read_split(tmp_path / "split.json", SAMPLES)


def test_a_missing_split_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"gone\.json: cannot be read: No such file"):
        read_split(tmp_path / "gone.json", SAMPLES)


def test_folds_of_a_file_are_in_the_order_of_their_names(tmp_path: Path) -> None:
    table = tmp_path / "folds.csv"
    table.write_text("id,fold\nb,second\na,second\nc,first\nelsewhere,third\n")
    assert read_folds(table, {"a": "a", "b": "a", "c": "c"}) == [("c",), ("a", "b")]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a,1\nb,1\n", "1 images have no fold: c"),
        ("a,1\nb,2\nc,2\n", "the group of 'b' is in the folds '1' and '2'"),
        ("a,1\nb,1\nc,1\n", "all images are in one fold"),
    ],
)
def test_folds_that_do_not_divide_the_images_are_refused(
    rows: str, message: str, tmp_path: Path
) -> None:
    table = tmp_path / "folds.csv"
    table.write_text(f"id,fold\n{rows}")
    with pytest.raises(DatasetError, match=message):
        read_folds(table, {"a": "a", "b": "a", "c": "c"})
