"""Evaluations as folders, written from scores that a test chooses."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a folder as ``dermseg evaluate`` does, with the scores given; None is an empty cell."""

    def write_folder(
        name: str,
        scores: Mapping[str, Sequence[float | None]],
        *,
        ids: Sequence[str] | None = None,
        groups: Sequence[str] | None = None,
        counts: Sequence[tuple[int, int, int, int]] | None = None,
        **summary: Any,
    ) -> Path:
        folder = tmp_path / name
        folder.mkdir(parents=True)
        num_images = len(next(iter(scores.values())))
        columns: dict[str, Sequence[Any]] = {
            "id": ids or [f"image_{number:03d}" for number in range(num_images)]
        }
        if groups is not None:
            columns["group"] = groups
        counts = counts or [(50, 5, 5, 40)] * num_images
        columns |= dict(zip(("tp", "fp", "fn", "tn"), zip(*counts, strict=True), strict=True))
        columns |= {"jaccard": [0.5] * num_images} | dict(scores)
        with (folder / "per_image.csv").open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(zip(*columns.values(), strict=True))
        content = {"protocol": "isic", "num_scored": num_images, "num_skipped": 0, **summary}
        (folder / "summary.json").write_text(json.dumps(content))
        return folder

    return write_folder
