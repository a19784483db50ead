"""Every side file that dermseg reads, damaged in every way: an error of ours, and no hang."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dermseg.cli.train import _read_ids
from dermseg.datasets import read_groups, read_split
from dermseg.datasets.download_record import read_record
from dermseg.datasets.metadata import read_metadata
from dermseg.datasets.presence import read_presence
from dermseg.datasets.superpixels import read_features
from dermseg.errors import DermsegError
from dermseg.evaluation.comparison.reading import read_evaluation
from dermseg.evaluation.leaks import read_pairs
from dermseg.evaluation.masks import list_masks
from dermseg.evaluation.matching import match_folders, read_files
from dermseg.images import read_mask_values
from dermseg.prediction.naming import LINES
from dermseg.prediction.table import columns_of, read_rows
from dermseg.prediction.writers import MASK_FORMATS
from dermseg.recipes import read_recipe
from dermseg.storage import open_sink

HEADER = ",".join(columns_of(())).encode() + b"\n"

READERS: dict[str, Callable[[Path], object]] = {
    "groups.csv": read_groups,
    "presence.csv": lambda path: read_presence(path, ["streaks"]),
    "metadata.csv": lambda path: read_metadata(path, id_column="id", columns={"age": "age"}),
    "split.json": lambda path: read_split(path, []),
    "features.json": read_features,
    "download.json": lambda path: read_record(path.parent),
    "pairs.csv": read_pairs,
    "files.csv": lambda path: read_files(path.parent),
    "summary.json": lambda path: read_evaluation(path.parent),
    "recipe.toml": lambda path: read_recipe(str(path)),
    "ids.txt": _read_ids,
    "predictions.csv": lambda path: read_rows(path.parent),
    "masks.zip": lambda path: [read_mask_values(mask) for mask in list_masks(path, "masks")],
}

DAMAGES: dict[str, bytes] = {
    "empty": b"",
    "binary": bytes(range(256)),
    "long cell": b"id,group\n" + b"x" * 200_000 + b",1\n",
    "long row": b"id,group\n1,2,3\n",
    "quote": b'id,group\n"1,2\n',
    "long quote": HEADER + b'"' + b"x" * 200_000 + b"\n",
    "deep": b"[" * 100_000,
    "deep table": b"a = " + b"[" * 100_000,
    "number": b"1e999",
    "list": b"[[1], NaN]",
    "object": b'{"a": {"b": Infinity}}',
    "zip": b"PK\x05\x06" + bytes(18),
    "cut zip": b"PK\x03\x04\x80\x00" + bytes(40) + b"PK\x05\x06" + b"\xff" * 18,
}


def explain(name: str, path: Path) -> str:
    """The message of the error that reading makes; empty where it makes none."""
    try:
        READERS[name](path)
    except DermsegError as error:
        return str(error)
    return ""


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", READERS)
def test_a_damaged_side_file_is_an_error_that_names_it(tmp_path: Path, name: str) -> None:
    (tmp_path / "per_image.csv").write_bytes(b"id,tp,fp,fn,tn,jaccard\n")
    for damage, content in DAMAGES.items():
        (tmp_path / name).write_bytes(content)
        message = explain(name, tmp_path / name)
        assert not message or str(tmp_path) in message, damage
        assert "\n" not in message
        assert len(message) <= 3000


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", READERS)
def test_a_pipe_in_place_of_a_side_file_is_not_waited_for(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    message = explain(name, tmp_path / name)
    assert not message or str(tmp_path) in message


def test_archives_that_files_csv_names_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.zip")
    (tmp_path / "broken.zip").write_bytes(b"PK\x05\x06" + b"\xff" * 18)
    rows = [f"{name},,{tmp_path / name}.zip!a.png," for name in ("pipe", "broken")]
    (tmp_path / "files.csv").write_text("id,image,truth,prediction\n" + "\n".join(rows) + "\n")
    assert [files.truth for files in read_files(tmp_path).values()] == [None, None]


@pytest.mark.parametrize("number", ["nan", "inf", "2", "-1", "high"])
def test_an_expected_jaccard_that_is_no_share_is_refused(tmp_path: Path, number: str) -> None:
    cells = dict.fromkeys(columns_of(()), "")
    cells |= {"file": "a.jpg", "mask": "a_segmentation.png", "expected_jaccard": number}
    (tmp_path / "predictions.csv").write_bytes(HEADER + ",".join(cells.values()).encode() + b"\n")
    (tmp_path / "a_segmentation.png").touch()
    with pytest.raises(DermsegError, match=r"predictions\.csv: the expected_jaccard of a_segm"):
        match_folders(tmp_path, tmp_path)


def test_lines_that_lack_a_field_are_left_out(tmp_path: Path) -> None:
    whole = b'{"file_name":"a.jpg","height":1,"width":1,"masks":[]}\n'
    lines = [b'{"file_name":"b.jpg","masks":[]}\n', b'{"file_name":1,"height":1,"width":1}\n',
             b'{"file_name":"c.jpg","height":1,"width":1,"masks":[{"area":1}]}\n', b"[]\n",
             b'{"file_name":"d.jpg","height":1,"width":1,"masks":7}\n', b"\xff\n"]  # fmt: skip
    (tmp_path / LINES).write_bytes(whole + b"".join(lines))
    coco, sink = MASK_FORMATS["coco"], open_sink(tmp_path)
    has_mask = coco.find_masks(sink)
    assert [name for name in "abcd" if has_mask(f"{name}.jpg")] == ["a"]
    coco.complete(sink, ["lesion"])
