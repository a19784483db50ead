from __future__ import annotations

from pathlib import Path

import pytest

from dermseg.datasets import read_groups, regroup
from dermseg.errors import DatasetError
from dermseg.types import Sample


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "groups.csv"


def test_groups_are_read_with_or_without_a_byte_order_mark(table: Path) -> None:
    for encoding in ("utf-8", "utf-8-sig"):
        table.write_text("id,group,note\na,x,1\nb,x,2\n", encoding)
        assert read_groups(table) == {"a": "x", "b": "x"}


@pytest.mark.parametrize("columns", ["id,group", "image_id,lesion_id", "image,lesion_id"])
def test_the_columns_have_the_names_that_public_tables_use(columns: str, table: Path) -> None:
    table.write_text(f"{columns},dx\na,x,nv\n")
    assert read_groups(table) == {"a": "x"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id,lesion\na,x\n", "no column group or lesion_id; its columns are id, lesion"),
        ("", "no column id or image_id or image; its columns are none"),
        ("id,group\na,\n", "line 2: id or group is empty"),
        ("id,group\na\n", "line 2: id or group is empty"),
        ("id,group\na,x\na,y\n", "line 3: 'a' is in the groups 'x' and 'y'"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(content: str, message: str, table: Path) -> None:
    table.write_text(content)
    with pytest.raises(DatasetError, match=message):
        read_groups(table)


def test_a_table_in_another_encoding_is_refused(table: Path) -> None:
    table.write_bytes("id,group\nä,x\n".encode("latin-1"))
    with pytest.raises(DatasetError, match="not CSV in UTF-8"):
        read_groups(table)


def test_samples_get_their_groups_and_missing_ones_are_named(table: Path) -> None:
    samples = [Sample(id, Path(f"{id}.jpg"), None, group=id) for id in ("a", "b")]
    groups = {"a": "x", "b": "x", "unused": "y"}
    assert [sample.group for sample in regroup(samples, groups, source=table)] == ["x", "x"]
    with pytest.raises(DatasetError, match=r"groups\.csv: 1 images have no group: b"):
        regroup(samples, {"a": "x"}, source=table)
