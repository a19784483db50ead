"""Whatever is wrong with a side file is one error that names it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import BaseModel

from dermseg.errors import DatasetError, UsageError
from dermseg.storage import read_file, read_json, read_model, read_table, read_text


class Record(BaseModel):
    """What a side file holds."""

    value: float


def test_only_regular_files_of_limited_size_are_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"1234")
    (tmp_path / "link").symlink_to(path)
    assert read_file(tmp_path / "link", max_bytes=4) == b"1234"
    with pytest.raises(DatasetError, match=r"file: more than 3 bytes"):
        read_file(path, refuse=DatasetError, max_bytes=3)
    os.mkfifo(tmp_path / "pipe")
    for name, reason in (
        ("pipe", "a device or a pipe"),
        ("", "this is a folder"),
        ("none", "No such file"),
        ("a\0b", "names no file"),
        ("file/below", "Not a directory"),
    ):
        with pytest.raises(UsageError, match=reason):
            read_file(tmp_path / name)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"NaN", b'{"value": Infinity}', b"[" * 100_000, b"\xff", b'{"a": 1} 2', b"\0"],
)
def test_what_is_no_json_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "side.json"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"side\.json: not JSON"):
        read_json(path)
    with pytest.raises(DatasetError, match=r"side\.json: not a record"):
        read_model(path, Record, what="a record", refuse=DatasetError)


def test_json_that_says_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "side.json"
    for content in ("[]", "{}", '{"value": "x"}', '{"value": 1e999}', '{"value": null}'):
        path.write_text(content)
        with pytest.raises(UsageError, match="not a record"):
            read_model(path, Record, what="a record")
    path.write_bytes(b'\xef\xbb\xbf{"value": 2}')
    assert read_model(path, Record, what="a record").value == 2


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"id,a\n1\n", "line 2: .* has 1 cells there, expected 2: id, a"),
        (b"id,a\n1,2\n1,2,3\n", "line 3"),
        (b"id,a\n" + b"x" * 200_000 + b",1\n", "field larger than field limit"),
        (b'id,a\n"1,2\n', "not CSV"),
        (b"id,a\n\xff,1\n", "not CSV in UTF-8"),
        (b"id,id\n1,1\n", "two columns of one name"),
    ],
)
def test_damaged_tables_are_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "side.csv"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=reason):
        read_table(path, what="the table")


def test_a_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "side.csv"
    path.write_bytes(b'\xef\xbb\xbfid,a\n"two\nlines",2\n\n3,\xc3\xa9\n')
    table = read_table(path, what="the table")
    assert table.columns == ("id", "a")
    assert [cells for _, cells in table] == [{"id": "two\nlines", "a": "2"}, {"id": "3", "a": "é"}]
    path.write_bytes(b"id\n\xff\n")
    table = read_table(path, what="the table", may_hold_any_name=True)
    assert os.fsencode(table.rows[0][0]) == b"\xff"
    path.write_bytes(b"")
    assert read_table(path, what="the table").columns == ()


def test_text_is_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "ids.txt"
    path.write_bytes(b"\xef\xbb\xbfa\n")
    assert read_text(path) == "a\n"
    path.write_bytes(b"\xe4")
    with pytest.raises(UsageError, match=r"ids\.txt: not text in UTF-8"):
        read_text(path)
