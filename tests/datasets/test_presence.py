"""The table that says which classes an image shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from dermseg.datasets.presence import read_presence
from dermseg.errors import DatasetError

CLASSES = ("globules", "pigment_network", "streaks")


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.mark.parametrize("id_column", ["id", "image_id"])
def test_values_are_read_by_id_and_class_and_other_columns_ignored(
    tmp_path: Path, id_column: str
) -> None:
    table = write(
        tmp_path / "p.csv", f"{id_column},streaks,age,globules\na,1,50,0\n b ,0,unknown, 1\n"
    )
    presence = read_presence(table, CLASSES)
    assert presence == {
        "a": {"globules": False, "streaks": True},
        "b": {"globules": True, "streaks": False},
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,streaks\na,1\n", "needs id or image_id"),
        ("id,age\na,1\n", "one for each class that is known, of globules, pigment_network"),
        ("", "has the columns none"),
        ("id,streaks\na,yes\n", "line 2: streaks is 'yes'; give 1 where"),
        ("id,streaks\na\n", "line 2: streaks is ''"),
        ("id,streaks\na,1\na,0\n", "line 3: 'a' occurs twice"),
        ("id,streaks\n,1\n", "line 2: id is empty"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DatasetError) as caught:
        read_presence(write(tmp_path / "p.csv", text), CLASSES)
    assert message in str(caught.value)
    assert str(tmp_path / "p.csv") in str(caught.value)


def test_a_table_that_is_no_text_or_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="cannot be read"):
        read_presence(tmp_path / "missing.csv", CLASSES)
    (tmp_path / "p.csv").write_bytes(b"id,streaks\n\xff\xfe,1\n")
    with pytest.raises(DatasetError, match="not CSV in UTF-8"):
        read_presence(tmp_path / "p.csv", CLASSES)
