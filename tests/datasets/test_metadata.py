"""What the tables of the datasets say about their images."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from dermseg.datasets import Dataset, check_dataset, open_dataset
from dermseg.datasets.metadata import read_metadata

MakeDataset = Callable[[str], Path]

PH2_TABLE = """\
||   Name || Histological Diagnosis || Clinical Diagnosis || Asymmetry | Pigment Network | \
Dots/Globules | Streaks | Regression Areas | Blue-Whitish Veil ||           Colors ||
|| IMD002 ||                        ||                  1 ||         0 |               T | \
            A |       A |                A |                 A ||                4 ||
|| IMD003 ||                        ||                  0 ||         0 |               T | \
            A |       A |                A |                 A ||                4 ||
|| IMD417 ||               Melanoma ||                  2 ||         2 |              AT | \
           AT |       A |                P |                 P ||       1  3  4  5 ||

Legends:

Clinical Diagnosis:
 0 - Common Nevus;
 1 - Atypical Nevus;
 2 - Melanoma.
"""


def metadata(dataset: Dataset) -> dict[str, dict[str, str]]:
    return {sample.id: dict(sample.metadata) for sample in dataset.samples}


def test_ph2_says_the_diagnosis_of_each_case(make_dataset: MakeDataset) -> None:
    root = make_dataset("ph2")
    for encoding, newline in (("utf-8", "\n"), ("utf-8", "\r\n"), ("utf-8-sig", "\n")):
        (root / "PH2_dataset.txt").write_text(PH2_TABLE, encoding, newline=newline)
        dataset = open_dataset(root)
        assert metadata(dataset) == {
            "IMD002": {"diagnosis": "atypical nevus"},
            "IMD003": {"diagnosis": "common nevus"},
            "IMD417": {"diagnosis": "melanoma", "histology": "Melanoma"},
        }
        assert dataset.table_problems == ()


def test_ph2_is_whole_without_its_table(make_dataset: MakeDataset) -> None:
    root = make_dataset("ph2")
    (root / "PH2_dataset.txt").unlink()
    dataset = open_dataset(root)
    assert metadata(dataset) == {"IMD002": {}, "IMD003": {}, "IMD417": {}}
    assert dataset.table_problems == ()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "holds no case"),
        (b"\xff\xfe\x00", "holds no case"),
        (PH2_TABLE.replace("|| ", "| ").encode(), "holds no case"),
        (
            PH2_TABLE.replace("        1 ||", "        7 ||").encode(),
            "of IMD002 is '7', expected 0",
        ),
        (b"|| IMD003 || Melanoma\n", "the clinical diagnosis of IMD003 is ''"),
        (PH2_TABLE.replace("IMD417", "IMD418").encode(), "has no row for 1 images: IMD417"),
    ],
)
def test_a_table_of_ph2_that_is_wrong_is_named_and_not_needed(
    make_dataset: MakeDataset, content: bytes, problem: str
) -> None:
    root = make_dataset("ph2")
    (root / "PH2_dataset.txt").write_bytes(content)
    dataset = open_dataset(root)
    assert len(dataset.samples) == 3
    assert dataset.table_problems[0].path == root / "PH2_dataset.txt"
    assert problem in " ".join(map(str, dataset.table_problems))
    assert "table" in {found.kind for found in check_dataset(dataset).problems}


def test_ham10000_says_what_its_table_says(make_dataset: MakeDataset) -> None:
    assert metadata(open_dataset(make_dataset("ham10000"))) == {
        "ISIC_0024306": {
            **{"dx": "nv", "dx_type": "histo", "age": "70", "sex": "female"},
            **{"localization": "back", "diagnosis": "melanocytic nevus"},
        },
        "ISIC_0024307": {
            **{"dx": "mel", "dx_type": "histo", "sex": "male", "localization": "face"},
            "diagnosis": "melanoma",
        },
        "ISIC_0029306": {
            **{"dx": "nv", "dx_type": "histo", "age": "70", "sex": "female"},
            **{"localization": "back", "diagnosis": "melanocytic nevus"},
        },
        # What is unknown is not there.
        "ISIC_0029307": {
            **{"dx": "bkl", "dx_type": "consensus", "age": "45"},
            "diagnosis": "benign keratosis",
        },
    }


def test_isic2017_joins_persons_and_diagnoses_of_every_part(make_dataset: MakeDataset) -> None:
    root = make_dataset("isic2017")
    (root / "ISIC-2017_Training_Data" / "ISIC-2017_Training_Data_metadata.csv").write_text(
        "image_id,age_approximate,sex\nISIC_0000000,55,female\nISIC_0000001,unknown,unknown\n"
    )
    (root / "ISIC-2017_Training_Part3_GroundTruth.csv").write_text(
        "image_id,melanoma,seborrheic_keratosis\nISIC_0000000,0.0,1.0\nISIC_0000001,0.0,0.0\n"
    )
    (root / "ISIC-2017_Test_v2_Part3_GroundTruth.csv").write_text(
        "image_id,melanoma,seborrheic_keratosis\nISIC_0000005,1.0,0.0\n"
    )
    found = metadata(open_dataset(root))
    assert found["ISIC_0000000"] == {
        **{"age": "55", "sex": "female", "melanoma": "0", "seborrheic_keratosis": "1"},
        "diagnosis": "seborrheic keratosis",
    }
    assert found["ISIC_0000001"]["diagnosis"] == "nevus"
    assert "age" not in found["ISIC_0000001"]
    assert found["ISIC_0000005"]["diagnosis"] == "melanoma"
    assert found["ISIC_0000003"] == {}


def test_a_table_without_ids_or_in_another_encoding_is_named(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    for content, problem in {
        b"": "has no column id",
        b"name,age\na,1\n": "has no column id",
        "id,age\nä,1\n".encode("latin-1"): "is not CSV in UTF-8",
    }.items():
        table.write_bytes(content)
        values, problems = read_metadata(table, id_column="id", columns={"age": "age"})
        assert values == {}
        assert [problem in str(found) for found in problems] == [True]


def test_short_rows_and_missing_columns_leave_keys_out(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("id,age\na\nb,30\n,5\n")
    columns = {"age": "age", "sex": "sex"}
    assert read_metadata(table, id_column="id", columns=columns) == (
        {"a": {}, "b": {"age": "30"}},
        [],
    )


def test_a_sample_with_metadata_can_be_hashed_and_sent(make_dataset: MakeDataset) -> None:
    sample = open_dataset(make_dataset("ham10000")).samples[0]
    assert hash(sample) == hash(pickle.loads(pickle.dumps(sample)))  # noqa: S301 -- our own bytes
    assert pickle.loads(pickle.dumps(sample)) == sample  # noqa: S301 -- our own bytes
