"""What a model has seen of the images that it is scored on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dermseg.datasets import Dataset, dataset_fingerprint, open_dataset
from dermseg.errors import UsageError
from dermseg.evaluation import Leaks, find_leaks, find_predictions_leaks, read_pairs
from dermseg.package import DataSource, ModelSpec, load_package

MakeSpec = Callable[..., ModelSpec]


@pytest.fixture
def make_spec(dark_package: Path) -> MakeSpec:
    """A model that was trained on some images, and whose checkpoint others chose."""
    spec = load_package(dark_package).spec

    def make(
        trained: list[str], selected: list[str] | None = None, dataset: Dataset | None = None
    ) -> ModelSpec:
        data = [
            DataSource(
                name=one.name,
                licence=one.licence,
                fingerprint=dataset_fingerprint(one.samples),
                num_images=len(one.samples),
            )
            for one in ([dataset] if dataset else [])
        ]
        record = {"training_ids": trained, "selection_ids": selected or [], "data": data}
        origin = spec.provenance.model_copy(update=record)
        return spec.model_copy(update={"provenance": origin})

    return make


def test_numbers_of_the_archive_are_one_image_under_any_name(make_spec: MakeSpec) -> None:
    spec = make_spec(["ISIC_0000001", "ISIC_0000002_downsampled"], ["ISIC_0000003"])
    ids = ["isic_0000001", "ISIC_0000002", "ISIC_0000003_512", "ISIC_0000004"]
    leaks = find_leaks(spec, ids)
    assert leaks == Leaks(
        "dark",
        4,
        is_recorded=True,
        trained=("ISIC_0000002", "isic_0000001"),
        selected=("ISIC_0000003_512",),
    )
    assert leaks.num_seen == 3
    (warning,) = leaks.warnings
    assert warning.startswith("NO TEST RESULT: the model 'dark' has seen 3 of the 4 images: 2 it")
    assert "ISIC_0000003_512" in warning


def test_new_images_are_no_warning(make_spec: MakeSpec) -> None:
    leaks = find_leaks(make_spec(["ISIC_0000001"]), ["ISIC_0000002"])
    assert (leaks.num_seen, leaks.warnings) == (0, ())


def test_a_model_without_a_record_is_named(make_spec: MakeSpec) -> None:
    leaks = find_leaks(make_spec([]), ["ISIC_0000002"])
    assert not leaks.is_recorded
    assert leaks.num_seen == 0
    (warning,) = leaks.warnings
    assert "'dark' does not record its training images" in warning


def test_other_names_count_in_the_very_folder_that_is_recorded(
    make_spec: MakeSpec, disc_dataset: Path
) -> None:
    dataset = open_dataset(disc_dataset)
    spec = make_spec(["disc_01", "disc_02"], ["disc_03"], dataset)
    leaks = find_leaks(spec, ["disc_02", "disc_03", "disc_04"], dataset)
    assert (leaks.trained, leaks.selected, leaks.unsure) == (("disc_02",), ("disc_03",), ())


def test_other_names_in_another_folder_may_be_chance(
    make_spec: MakeSpec, disc_dataset: Path, tmp_path: Path
) -> None:
    spec = make_spec(["disc_01", "disc_02"], [], open_dataset(disc_dataset))
    folder = shutil.copytree(disc_dataset, tmp_path / "changed")
    shutil.copy(folder / "images" / "disc_05.png", folder / "images" / "disc_01.png")
    for leaks in (
        find_leaks(spec, ["disc_01", "disc_04"], open_dataset(folder)),
        find_leaks(spec, ["disc_01", "disc_04"]),
    ):
        assert (leaks.num_seen, leaks.unsure) == (0, ("disc_01",))
        (warning,) = leaks.warnings
        assert warning.startswith("1 images have the name of one that the model 'dark' has seen")


def test_another_image_of_a_seen_lesion_is_seen(make_spec: MakeSpec, disc_dataset: Path) -> None:
    dataset = open_dataset(disc_dataset)
    lesions = {"disc_01": "lesion", "disc_02": "lesion"}
    dataset.samples = tuple(
        replace(sample, group=lesions.get(sample.id, sample.id)) for sample in dataset.samples
    )
    spec = make_spec(["disc_01"], [], dataset)
    leaks = find_leaks(spec, ["disc_02", "disc_03"], dataset)
    assert (leaks.trained, leaks.same_lesion, leaks.num_seen) == ((), ("disc_02",), 1)
    assert "1 of lesions of which it has seen another image (disc_02)" in leaks.warnings[0]


@pytest.fixture
def pairs_of(tmp_path: Path) -> Callable[..., list[tuple[str, str]]]:
    """Reads a table with pairs of (folder, id), as an audit writes it."""

    def read(*pairs: tuple[tuple[Path, str], tuple[Path, str]]) -> list[tuple[str, str]]:
        lines = [f"{one},{other},{folder},{folder2}" for (folder, one), (folder2, other) in pairs]
        path = tmp_path / "pairs.csv"
        path.write_text("\n".join(["id,id2,folder,folder2", *lines, ""]))
        return read_pairs(path)

    return read


def test_a_copy_under_another_number_is_seen_if_an_audit_found_it(
    make_spec: MakeSpec, pairs_of: Callable[..., list[tuple[str, str]]], tmp_path: Path
) -> None:
    numbers = [(tmp_path, f"ISIC_000000{number}") for number in range(6)]
    # 1 was trained on; 2 shows the same, and 3 the same as 2; 4 and 5 the same as each other.
    pairs = pairs_of((numbers[1], numbers[2]), (numbers[3], numbers[2]), (numbers[4], numbers[5]))
    ids = [id for _, id in numbers]
    leaks = find_leaks(make_spec(["ISIC_0000001"]), ids, pairs=pairs)
    assert leaks.trained == ("ISIC_0000001",)
    assert leaks.copies == ("ISIC_0000002", "ISIC_0000003")
    assert leaks.num_seen == 3
    assert "2 that show the same as one it has seen, as the audit found" in leaks.warnings[0]


def test_other_names_in_an_audit_are_of_their_folder(
    make_spec: MakeSpec,
    pairs_of: Callable[..., list[tuple[str, str]]],
    disc_dataset: Path,
    tmp_path: Path,
) -> None:
    seen = (tmp_path, "ISIC_0000001")
    spec = make_spec(["ISIC_0000001"])
    dataset = open_dataset(disc_dataset)
    here, elsewhere = pairs_of((seen, (disc_dataset, "disc_01")), (seen, (tmp_path, "disc_02")))
    assert find_leaks(spec, ["disc_01"], dataset, pairs=[here]).copies == ("disc_01",)
    assert find_leaks(spec, ["disc_02"], dataset, pairs=[elsewhere]).copies == ()


def test_another_table_is_no_audit(tmp_path: Path) -> None:
    (tmp_path / "pairs.csv").write_text("id,group\na,b\n")
    for name in ("pairs.csv", "gone.csv"):
        with pytest.raises(UsageError, match="that 'dermseg data audit' writes"):
            read_pairs(tmp_path / name)


def test_a_folder_of_predictions_tells_which_shipped_model_made_it(tmp_path: Path) -> None:
    spec = load_package("fast").spec
    ids = [spec.provenance.training_ids[0]]
    assert find_predictions_leaks(tmp_path, ids) is None
    record = tmp_path / "predictions.json"
    for unknown in ('{"onnx_sha256": "0"}', "{}", "[]", "{"):
        record.write_text(unknown)
        assert find_predictions_leaks(tmp_path, ids) is None
    record.write_text(json.dumps({"onnx_sha256": spec.onnx_sha256}))
    assert find_predictions_leaks(tmp_path, ids) == find_leaks(spec, ids)
