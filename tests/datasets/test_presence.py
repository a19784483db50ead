"""Tables of which classes images show."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dermseg.datasets import open_dataset, tell_presence
from dermseg.datasets.presence import read_presence
from dermseg.errors import DatasetError

MakeDataset = Callable[[str], Path]
CLASSES = ("globules", "streaks")


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.mark.parametrize("id_column", ["id", "image_id"])
def test_values_are_read_by_id_and_class(tmp_path: Path, id_column: str) -> None:
    table = write(tmp_path / "p.csv", f"{id_column},globules,streaks\na,1,0\nb,,1\nc,,\n")
    assert read_presence(table, known_classes=CLASSES) == {
        "a": {"globules": True, "streaks": False},
        "b": {"streaks": True},
        "c": {},
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,globules\na,1\n", r"columns name, globules; expected exactly one .* id or image_id"),
        ("id,image_id,globules\na,a,1\n", "exactly one"),
        ("", r"columns \(none\)"),
        ("id,globule\na,1\n", "unknown columns globule; expected classes: globules, streaks"),
        ("id,globules\na,2\n", r"line 2: globules of 'a' is '2', expected 0 or 1"),
        ("id,globules\na,yes\n", "'yes', expected 0 or 1"),
        ("id,globules\na,1\nb,0\na,1\n", "line 4: 'a' is there twice"),
        ("id,globules\n,1\n", "line 2: id is empty"),
        ("id,globules\na,1,0\n", "line 2: there are more values than columns"),
    ],
)
def test_wrong_table_is_explained(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        read_presence(write(tmp_path / "p.csv", text), known_classes=CLASSES)


def test_missing_or_binary_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"p\.csv: the table of classes cannot be read"):
        read_presence(tmp_path / "p.csv", known_classes=CLASSES)
    (tmp_path / "p.csv").write_bytes(b"id,globules\n\xff\xfe\x00,1\n")
    with pytest.raises(DatasetError, match=r"p\.csv: the table of classes is not CSV in UTF-8"):
        read_presence(tmp_path / "p.csv", known_classes=CLASSES)


def test_samples_are_told_what_matters(make_dataset: MakeDataset, tmp_path: Path) -> None:
    dataset = open_dataset(make_dataset("isic2018"))
    text = "image_id,globules,streaks,pigment_network\nISIC_0000001,1,0,1\nISIC_0099999,1,1,1\n"
    tell_presence([dataset], write(tmp_path / "p.csv", text), CLASSES)
    told = {sample.id: sample.presence for sample in dataset.samples}
    assert told["ISIC_0000001"] == {"globules": True, "streaks": False}
    assert not any(presence for id, presence in told.items() if id != "ISIC_0000001")


@pytest.mark.parametrize("text", ["id,pigment_network\nISIC_0000001,1\n", "id,globules\nother,1\n"])
def test_table_of_other_images_or_classes_is_refused(
    make_dataset: MakeDataset, tmp_path: Path, text: str
) -> None:
    dataset = open_dataset(make_dataset("isic2018"))
    with pytest.raises(DatasetError, match="says nothing about globules or streaks of any image"):
        tell_presence([dataset], write(tmp_path / "p.csv", text), CLASSES)


@pytest.mark.data
def test_the_table_of_real_images_is_read(real_data: Path) -> None:
    dataset = open_dataset(real_data / "isic2018_512")
    tell_presence([dataset], real_data / "isic2018_512" / "attribute_presence.csv", CLASSES)
    told = [sample.presence for sample in dataset.samples if sample.presence]
    assert len(told) == 2065
    assert 0.15 < sum(presence["globules"] for presence in told) / len(told) < 0.35
