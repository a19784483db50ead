"""Scores for a card, from what an evaluation wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dermseg.errors import UsageError
from dermseg.export import read_score
from dermseg.export.card import _score_lines
from dermseg.package import Score


def test_score_is_read_from_an_evaluation(tmp_path: Path) -> None:
    summary = {
        "dataset": "isic2017",
        "part": "validation",
        "num_scored": 150,
        "aggregates": {"mean_jaccard": {"value": 0.8, "low": 0.78, "high": 0.82}},
    }
    (tmp_path / "summary.json").write_text(json.dumps(summary))
    assert read_score(tmp_path) == Score(
        on="isic2017 validation",
        num_images=150,
        used_for_selection=False,
        values={"mean_jaccard": (0.8, 0.78, 0.82)},
    )


@pytest.mark.parametrize("content", [None, "", "[]", '{"aggregates": {}}', '{"aggregates": 3}'])
def test_folder_without_a_models_scores_is_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "summary.json").write_text(content)
    with pytest.raises(UsageError, match=r"no summary\.json of an evaluation"):
        read_score(tmp_path)


def interval(value: float, half: float = 0.01) -> dict[str, float]:
    return {"value": value, "low": value - half, "high": value + half}


def test_attributes_have_a_figure_for_each_class(tmp_path: Path) -> None:
    area = {"area_auc": interval(0.6), "area_means_more": True}
    summary: dict[str, Any] = {
        "dataset": "isic2018",
        "part": "evaluation",
        "num_scored": 30,
        "aggregates": {"mean_jaccard": interval(0.9)},
        "classes": {
            "all": {"num_images": 7, "figures": {"jaccard": interval(0.5)}},
            "streaks": {"num_images": 5, "figures": {"jaccard": interval(0.4)}},
        },
        "presence": {
            "num_images": 12,
            "classes": {
                "streaks": {
                    "auc": interval(0.8), "average_precision": interval(0.7), **area,
                    "difference": interval(0.2, 0.1),
                },
                "globules": {
                    "auc": interval(0.65), "average_precision": interval(0.3), **area,
                    "difference": interval(0.05, 0.1),
                },
            },
        },
    }  # fmt: skip
    (tmp_path / "summary.json").write_text(json.dumps(summary))
    score = read_score(tmp_path)
    assert score.num_images == 12
    assert score.values["pooled_jaccard"] == (0.5, 0.49, 0.51)
    assert score.values["pooled_jaccard_streaks"] == pytest.approx((0.4, 0.39, 0.41))
    assert score.values["presence_auc_globules"] == pytest.approx((0.65, 0.64, 0.66))
    assert "mean_jaccard" not in score.values
    text = _score_lines(score, ["globules", "streaks"])
    assert "better than the area: streaks. Not shown to be better: globules." in text
