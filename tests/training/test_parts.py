"""What is trained on, what chooses the checkpoint, and what is only reported."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from dermseg.datasets import Dataset, open_dataset, open_source, write_split
from dermseg.errors import DatasetError, UsageError
from dermseg.recipes import Data
from dermseg.training.parts import TrainingParts, divide
from dermseg.types import Sample, Split

MakeFolder = Callable[..., Path]


def ids(samples: Sequence[Sample]) -> set[str]:
    return {sample.id for sample in samples}


def isic(*numbers: int) -> set[str]:
    return {f"ISIC_{number:07}" for number in numbers}


def assert_apart(parts: TrainingParts) -> None:
    train, selection = ids(parts.train), ids(parts.selection)
    assert train
    assert selection
    assert not train & selection
    assert not (train | selection) & set(parts.evaluation_ids)


def test_official_split_selects_on_a_share_of_the_training_part(make_isic2017: MakeFolder) -> None:
    root = make_isic2017(Training=range(20), Validation=(50, 51), Test_v2=(60, 61, 62))
    parts = divide([open_dataset(root)], Data(selection_fraction=0.25))
    assert_apart(parts)
    assert len(parts.selection) == 5
    assert ids(parts.train) | ids(parts.selection) == isic(*range(20))
    assert set(parts.evaluation_ids) == isic(50, 51, 60, 61, 62)
    assert parts.num_dropped == 0


def test_selection_depends_on_the_seed_of_the_data_alone(make_isic2017: MakeFolder) -> None:
    dataset = open_dataset(make_isic2017(Training=range(40)))
    first, again, other = (divide([dataset], Data(seed=seed)) for seed in (0, 0, 1))
    assert first == again
    assert ids(first.selection) != ids(other.selection)


def test_folder_is_split_by_seed_and_its_test_part_kept_out(make_folder: MakeFolder) -> None:
    names = [f"mole{number:02}" for number in range(20)]
    dataset = open_dataset(make_folder("mine", names))
    parts = divide([dataset], Data())
    assert_apart(parts)
    assert (len(parts.train), len(parts.selection), len(parts.evaluation_ids)) == (16, 2, 2)
    assert ids(parts.train) | ids(parts.selection) | set(parts.evaluation_ids) == set(names)
    assert divide([dataset], Data(seed=1)) != parts


@pytest.mark.parametrize("chooses", ["validation", "selection"])
def test_split_file_is_followed(tmp_path: Path, make_folder: MakeFolder, chooses: str) -> None:
    dataset = open_dataset(make_folder("mine", "abcdefg"))
    split = {"train": ("a", "b", "c"), chooses: ("d",), "test": ("e",), "extra": ("f",)}
    write_split(tmp_path / "split.json", Split(split, source="mine"))
    parts = divide([dataset], Data(), split_file=tmp_path / "split.json")
    assert ids(parts.train) == {"a", "b", "c"}
    assert ids(parts.selection) == {"d"}
    # Whatever else is named is reported; "g" is in no part and left out.
    assert parts.evaluation_ids == ("e", "f")


def test_validation_is_reported_where_a_selection_part_chooses(
    tmp_path: Path, make_folder: MakeFolder
) -> None:
    dataset = open_dataset(make_folder("mine", "abc"))
    split = Split({"train": ("a",), "selection": ("b",), "validation": ("c",)}, source="mine")
    write_split(tmp_path / "split.json", split)
    parts = divide([dataset], Data(), split_file=tmp_path / "split.json")
    assert ids(parts.selection) == {"b"}
    assert parts.evaluation_ids == ("c",)


def test_split_file_without_a_choosing_part_selects_on_its_training_part(
    tmp_path: Path, make_folder: MakeFolder
) -> None:
    dataset = open_dataset(make_folder("mine", "abcdefghijk"))
    write_split(tmp_path / "s.json", Split({"train": tuple("abcdefghij")}, source="mine"))
    parts = divide([dataset], Data(selection_fraction=0.2), split_file=tmp_path / "s.json")
    assert_apart(parts)
    assert (len(parts.train), len(parts.selection)) == (8, 2)


def test_written_parts_divide_the_same_way_again(tmp_path: Path, make_folder: MakeFolder) -> None:
    dataset = open_dataset(make_folder("mine", "abcdefghijklmnopqrst"))
    parts = divide([dataset], Data(), excluded_ids={"a"})
    write_split(tmp_path / "split.json", parts.to_split(0))
    again = divide([dataset], Data(seed=9), split_file=tmp_path / "split.json")
    assert ids(again.train) == ids(parts.train)
    assert ids(again.selection) == ids(parts.selection)
    assert again.evaluation_ids == parts.evaluation_ids


def test_id_that_one_dataset_reports_is_dropped_from_the_training_of_another(
    make_isic2017: MakeFolder, make_folder: MakeFolder, tmp_path: Path
) -> None:
    official = open_dataset(make_isic2017(Training=range(10), Validation=(50, 51)))
    other = open_dataset(make_folder("other", sorted(isic(50, *range(100, 120)))))
    # Alone, the second dataset may train on it.
    split = {"train": tuple(sorted(isic(50, *range(100, 118)))), "validation": ()}
    write_split(tmp_path / "split.json", Split(split, source="mine"))
    alone = divide([other], Data(), split_file=tmp_path / "split.json")
    assert isic(50) <= ids(alone.train) | ids(alone.selection)
    for seed in range(6):
        for datasets in ([official, other], [other, official]):
            parts = divide(datasets, Data(seed=seed))
            assert_apart(parts)
            assert isic(50, 51) <= set(parts.evaluation_ids)


def test_dropped_images_are_counted(make_isic2017: MakeFolder) -> None:
    dataset = open_dataset(make_isic2017(Training=range(10), Validation=(50,)))
    parts = divide([dataset], Data(), excluded_ids=isic(0, 1, 2, 77))
    assert parts.num_dropped == 3
    assert not isic(0, 1, 2) & (ids(parts.train) | ids(parts.selection))
    assert len(parts.train) + len(parts.selection) == 7


def test_excluded_ids_do_not_choose_the_checkpoint_either(
    tmp_path: Path, make_folder: MakeFolder
) -> None:
    dataset = open_dataset(make_folder("mine", "abcde"))
    split = {"train": ("a", "b"), "validation": ("c", "d"), "test": ("e",)}
    write_split(tmp_path / "split.json", Split(split, source="mine"))
    parts = divide([dataset], Data(), split_file=tmp_path / "split.json", excluded_ids={"c", "b"})
    assert (ids(parts.train), ids(parts.selection)) == ({"a"}, {"d"})


def test_evaluation_fraction_divides_a_folder_by_the_recipe(make_folder: MakeFolder) -> None:
    names = [f"mole{number:02}" for number in range(40)]
    dataset = open_dataset(make_folder("mine", names))
    parts = divide([dataset], Data(evaluation_fraction=0.05, selection_fraction=0.2))
    assert_apart(parts)
    assert (len(parts.train), len(parts.selection), len(parts.evaluation_ids)) == (30, 8, 2)
    assert ids(parts.train) | ids(parts.selection) | set(parts.evaluation_ids) == set(names)
    assert parts == divide([dataset], Data(evaluation_fraction=0.05, selection_fraction=0.2))


def test_evaluation_fraction_of_zero_keeps_none(make_folder: MakeFolder) -> None:
    dataset = open_dataset(make_folder("mine", [f"mole{number:02}" for number in range(20)]))
    parts = divide([dataset], Data(evaluation_fraction=0))
    assert (len(parts.train), len(parts.selection), len(parts.evaluation_ids)) == (18, 2, 0)


def test_evaluation_fraction_is_taken_where_only_the_training_part_is_official(
    make_isic2017: MakeFolder,
) -> None:
    dataset = open_dataset(make_isic2017(Training=range(50)))
    parts = divide([dataset], Data(evaluation_fraction=0.1))
    assert_apart(parts)
    assert (len(parts.train), len(parts.selection), len(parts.evaluation_ids)) == (40, 5, 5)


def test_evaluation_fraction_gives_way_to_an_official_part(make_isic2017: MakeFolder) -> None:
    dataset = open_dataset(make_isic2017(Training=range(20), Test_v2=(60, 61)))
    parts = divide([dataset], Data(evaluation_fraction=0.5))
    assert (len(parts.train), len(parts.selection)) == (18, 2)
    assert set(parts.evaluation_ids) == isic(60, 61)


def test_evaluation_fraction_gives_way_to_a_split_file(
    tmp_path: Path, make_folder: MakeFolder
) -> None:
    dataset = open_dataset(make_folder("mine", "abcde"))
    split = {"train": ("a", "b", "c"), "validation": ("d",), "test": ("e",)}
    write_split(tmp_path / "split.json", Split(split, source="mine"))
    options = Data(evaluation_fraction=0.4)
    parts = divide([dataset], options, split_file=tmp_path / "split.json")
    assert parts.evaluation_ids == ("e",)


def test_evaluation_fraction_keeps_lesions_together(make_folder: MakeFolder) -> None:
    dataset = open_dataset(make_folder("mine", [f"mole{number:02}" for number in range(30)]))
    dataset.samples = tuple(
        replace(sample, group=f"lesion{number // 3}")
        for number, sample in enumerate(dataset.samples)
    )
    groups = {sample.id: sample.group for sample in dataset.samples}
    for seed in range(4):
        parts = divide([dataset], Data(evaluation_fraction=0.2, seed=seed))
        kept = {groups[id] for id in parts.evaluation_ids}
        assert kept
        assert not kept & {sample.group for sample in (*parts.train, *parts.selection)}


def test_image_in_two_datasets_is_never_in_two_parts(make_folder: MakeFolder) -> None:
    names = [f"mole{number:02}" for number in range(20)]
    first = open_dataset(make_folder("first", names))
    second = open_dataset(make_folder("second", names[:12]))
    for seed in range(6):
        assert_apart(divide([first, second], Data(seed=seed)))


def test_lesion_in_several_images_is_not_torn_apart(make_isic2017: MakeFolder) -> None:
    dataset = open_dataset(make_isic2017(Training=range(30)))
    dataset.samples = tuple(
        replace(sample, group=f"lesion{number // 3}")
        for number, sample in enumerate(dataset.samples)
    )
    for seed in range(4):
        parts = divide([dataset], Data(selection_fraction=0.2, seed=seed))
        assert_apart(parts)
        groups = [{sample.group for sample in part} for part in (parts.train, parts.selection)]
        assert not groups[0] & groups[1]


def test_images_without_masks_are_refused(make_folder: MakeFolder) -> None:
    dataset = open_dataset(make_folder("bare", "abcdefghijklmnopqrst", masks=False))
    with pytest.raises(
        DatasetError, match=r"18 training images have no mask of lesion .* the first is "
    ):
        divide([dataset], Data())


def test_nothing_to_train_on_says_what_was_dropped(make_isic2017: MakeFolder) -> None:
    dataset = open_dataset(make_isic2017(Training=range(3), Validation=(50,)))
    with pytest.raises(DatasetError, match=r"0 images are left .*3 were dropped"):
        divide([dataset], Data(), excluded_ids=isic(0, 1, 2))


def test_folder_without_the_training_part_is_refused(make_isic2017: MakeFolder) -> None:
    dataset = open_dataset(make_isic2017(Validation=(50, 51)))
    with pytest.raises(DatasetError, match="give a folder that holds the training part"):
        divide([dataset], Data())


def test_one_image_is_too_few(make_isic2017: MakeFolder) -> None:
    with pytest.raises(DatasetError):
        divide([open_dataset(make_isic2017(Training=(1,)))], Data())


def test_split_file_for_several_folders_is_refused(tmp_path: Path, make_folder: MakeFolder) -> None:
    datasets = [open_dataset(make_folder(name, "abc")) for name in ("one", "two")]
    with pytest.raises(UsageError, match=r"split\.json fits one dataset, but 2 folders"):
        divide(datasets, Data(), split_file=tmp_path / "split.json")


def write_groups(path: Path, groups: dict[str, str]) -> Path:
    path.write_text("id,group\n" + "".join(f"{id},{group}\n" for id, group in groups.items()))
    return path


def test_training_images_of_a_reported_group_are_dropped_and_counted(
    make_isic2017: MakeFolder, tmp_path: Path
) -> None:
    root = make_isic2017(Training=range(20), Test_v2=(60, 61))
    own = {id: id for id in isic(*range(20), 60, 61)}
    torn = dict.fromkeys(isic(0, 1, 2, 60), "one patient")
    groups = write_groups(tmp_path / "groups.csv", own | torn)
    for seed in range(4):
        parts = divide([open_source(root, groups=groups)], Data(seed=seed))
        assert_apart(parts)
        assert parts.num_dropped == 3
        assert ids(parts.train) | ids(parts.selection) == isic(*range(3, 20))


def test_training_images_of_a_choosing_group_are_dropped_and_counted(
    make_folder: MakeFolder, tmp_path: Path
) -> None:
    groups = write_groups(tmp_path / "groups.csv", {"a": "a", "b": "x", "c": "x", "d": "d"})
    dataset = open_source(make_folder("mine", "abcd"), groups=groups)
    split = Split({"train": ("a", "b"), "validation": ("c",), "test": ("d",)}, source="mine")
    write_split(tmp_path / "split.json", split)
    parts = divide([dataset], Data(), split_file=tmp_path / "split.json")
    assert (ids(parts.train), ids(parts.selection)) == ({"a"}, {"c"})
    assert parts.num_dropped == 1


STREAKS = ("streaks", "globules")


def mark(dataset: Dataset, masks: Iterable[str] = (), presence: Iterable[str] = ()) -> Dataset:
    """Give some samples a mask of streaks, and say of some that they show them."""
    masks, presence = set(masks), set(presence)
    dataset.samples = tuple(
        replace(
            sample,
            attributes={"streaks": sample.image, "globules": sample.image}
            if sample.id in masks
            else {},
            presence={"streaks": True} if sample.id in presence else {},
        )
        for sample in dataset.samples
    )
    return dataset


def test_images_of_unknown_classes_are_left_out_and_counted(make_folder: MakeFolder) -> None:
    dataset = mark(open_dataset(make_folder("mine", "abcdefghij")), "abcdef")
    parts = divide([dataset], Data(evaluation_fraction=0), classes=STREAKS)
    assert ids(parts.train) | ids(parts.selection) == set("abcdef")
    assert parts.num_unknown == 4
    assert str(parts).endswith(", 4 without masks")
    assert divide([dataset], Data(evaluation_fraction=0)).num_unknown == 0


def test_images_of_known_presence_alone_are_trained_on_and_choose_nothing(
    make_folder: MakeFolder,
) -> None:
    dataset = mark(open_dataset(make_folder("mine", "abcdefghijkl")), "abcdef", "ghijkl")
    for seed in range(6):
        options = Data(evaluation_fraction=0, selection_fraction=0.25, seed=seed)
        parts = divide([dataset], options, classes=STREAKS)
        assert_apart(parts)
        assert ids(parts.selection) < set("abcdef")
        assert ids(parts.train) >= set("ghijkl")
        assert ids(parts.train) | ids(parts.selection) == set("abcdefghijkl")
        assert parts.num_unknown == 0


def test_lesion_crop_needs_lesion_masks(make_folder: MakeFolder) -> None:
    dataset = mark(open_dataset(make_folder("bare", "abcdefghij", masks=False)), "abcdefghij")
    options = Data(evaluation_fraction=0)
    assert len(divide([dataset], options, classes=STREAKS).train) == 9
    with pytest.raises(DatasetError, match=r"10 training images have no mask .* that can be used"):
        divide([dataset], options, classes=STREAKS, needs_lesion=True)


def test_class_of_which_nothing_is_known_is_named(make_folder: MakeFolder) -> None:
    dataset = mark(open_dataset(make_folder("mine", "abcdefghij")), "abcdefghij")
    with pytest.raises(DatasetError, match="nothing is known of 'milia' in any image"):
        divide([dataset], Data(), classes=(*STREAKS, "milia"))


def test_the_same_image_in_two_folders_is_never_torn_apart(make_folder: MakeFolder) -> None:
    marked = mark(open_dataset(make_folder("marked", "abcdefghijkl")), "abcdefghijkl")
    plain = mark(open_dataset(make_folder("plain", "abcdefghijkl")), (), "abcdefghijkl")
    for seed in range(4):
        options = Data(evaluation_fraction=0.2, selection_fraction=0.2, seed=seed)
        parts = divide([marked, plain], options, classes=STREAKS)
        assert not ids(parts.train) & (ids(parts.selection) | set(parts.evaluation_ids))
