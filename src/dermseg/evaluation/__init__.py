"""Masks against truth: per-image scores, and their means with confidence intervals.

Needs the extra ``eval``.
"""

from __future__ import annotations

from dermseg.evaluation.attribute_model import evaluate_attributes
from dermseg.evaluation.audited import read_pairs
from dermseg.evaluation.class_figures import ClassFigures, class_figures
from dermseg.evaluation.evaluate import (
    Evaluation,
    evaluate_masks,
    evaluate_predictions,
    evaluate_samples,
)
from dermseg.evaluation.figures import ProtocolFigures, protocol_figures
from dermseg.evaluation.image_files import ImageFiles, read_files
from dermseg.evaluation.image_score import ImageScore, Measures
from dermseg.evaluation.image_statistics import ImageStatistics, measure_image
from dermseg.evaluation.intervals import (
    Interval,
    bootstrap_interval,
    bootstrap_means,
    bootstrap_weighted,
)
from dermseg.evaluation.leaks import Leaks, find_leaks, find_predictions_leaks
from dermseg.evaluation.matching import (
    Matching,
    Pair,
    Skipped,
    find_lesions,
    match_folders,
    match_samples,
)
from dermseg.evaluation.model import evaluate_model, predict_items
from dermseg.evaluation.presence import (
    ClassPresence,
    ImagePresence,
    PresenceFigures,
    presence_figures,
)
from dermseg.evaluation.protocols import PROTOCOLS, Protocol, find_protocol, find_protocols
from dermseg.evaluation.quality import (
    REVIEW_SHARE,
    QualityFigures,
    quality_figures,
    share_caught,
)
from dermseg.evaluation.score_table import SCORES, Score, name_figure
from dermseg.evaluation.scoring import (
    Item,
    Predicted,
    read_predictions,
    score_mask,
)
from dermseg.evaluation.staging import StagedMasks, staged_masks
from dermseg.evaluation.writing import summary, write_evaluation

__all__ = [
    "PROTOCOLS",
    "REVIEW_SHARE",
    "SCORES",
    "ClassFigures",
    "ClassPresence",
    "Evaluation",
    "ImageFiles",
    "ImagePresence",
    "ImageScore",
    "ImageStatistics",
    "Interval",
    "Item",
    "Leaks",
    "Matching",
    "Measures",
    "Pair",
    "Predicted",
    "PresenceFigures",
    "Protocol",
    "ProtocolFigures",
    "QualityFigures",
    "Score",
    "Skipped",
    "StagedMasks",
    "bootstrap_interval",
    "bootstrap_means",
    "bootstrap_weighted",
    "class_figures",
    "evaluate_attributes",
    "evaluate_masks",
    "evaluate_model",
    "evaluate_predictions",
    "evaluate_samples",
    "find_leaks",
    "find_lesions",
    "find_predictions_leaks",
    "find_protocol",
    "find_protocols",
    "match_folders",
    "match_samples",
    "measure_image",
    "name_figure",
    "predict_items",
    "presence_figures",
    "protocol_figures",
    "quality_figures",
    "read_files",
    "read_pairs",
    "read_predictions",
    "score_mask",
    "share_caught",
    "staged_masks",
    "summary",
    "write_evaluation",
]
