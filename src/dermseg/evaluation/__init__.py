"""Masks against truth: per-image scores, and their means with confidence intervals.

Needs the extra ``eval``.
"""

from __future__ import annotations

from dermseg.evaluation.aggregation import SCORES, aggregate
from dermseg.evaluation.evaluate import (
    Evaluation,
    evaluate_masks,
    evaluate_predictions,
    evaluate_samples,
)
from dermseg.evaluation.intervals import Interval, bootstrap_interval
from dermseg.evaluation.matching import Matching, Pair, Skipped, match_folders, match_samples
from dermseg.evaluation.model import evaluate_model, predict_items
from dermseg.evaluation.scoring import ImageScore, Item, read_predictions, score_mask
from dermseg.evaluation.writing import summary, write_evaluation

__all__ = [
    "SCORES",
    "Evaluation",
    "ImageScore",
    "Interval",
    "Item",
    "Matching",
    "Pair",
    "Skipped",
    "aggregate",
    "bootstrap_interval",
    "evaluate_masks",
    "evaluate_model",
    "evaluate_predictions",
    "evaluate_samples",
    "match_folders",
    "match_samples",
    "predict_items",
    "read_predictions",
    "score_mask",
    "summary",
    "write_evaluation",
]
