"""Masks against truth: per-image scores, and their means with confidence intervals.

Needs the extra ``eval``.
"""

from __future__ import annotations

from dermseg.evaluation.attribute_figures import (
    ClassFigures,
    ClassPresence,
    ImagePresence,
    PresenceFigures,
    class_figures,
    presence_figures,
)
from dermseg.evaluation.evaluate import (
    choose_samples,
    evaluate_masks,
    evaluate_predictions,
    evaluate_samples,
)
from dermseg.evaluation.figures import (
    REVIEW_SHARE,
    ProtocolFigures,
    QualityFigures,
    protocol_figures,
    quality_figures,
    share_caught,
)
from dermseg.evaluation.image_score import ImageScore, ImageStatistics, Measures, measure_image
from dermseg.evaluation.intervals import (
    Interval,
    bootstrap_interval,
    bootstrap_means,
    bootstrap_weighted,
)
from dermseg.evaluation.leaks import (
    Checks,
    EvaluationWarning,
    Leaks,
    find_leaks,
    find_predictions_leaks,
    read_pairs,
)
from dermseg.evaluation.matching import (
    ImageFiles,
    MaskPair,
    Matching,
    Skipped,
    find_lesions,
    match_folders,
    match_samples,
    read_files,
)
from dermseg.evaluation.model import (
    evaluate_attribute_folds,
    evaluate_attributes,
    evaluate_model,
)
from dermseg.evaluation.protocols import PROTOCOLS, Protocol, find_protocol, find_protocols
from dermseg.evaluation.results import Evaluation
from dermseg.evaluation.score_table import SCORES, Score, name_figure
from dermseg.evaluation.scoring import (
    Item,
    Predicted,
    read_predictions,
    score_mask,
)
from dermseg.evaluation.writing import StagedMasks, staged_masks, summary, write_evaluation

__all__ = [
    "PROTOCOLS",
    "REVIEW_SHARE",
    "SCORES",
    "Checks",
    "ClassFigures",
    "ClassPresence",
    "Evaluation",
    "EvaluationWarning",
    "ImageFiles",
    "ImagePresence",
    "ImageScore",
    "ImageStatistics",
    "Interval",
    "Item",
    "Leaks",
    "MaskPair",
    "Matching",
    "Measures",
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
    "choose_samples",
    "class_figures",
    "evaluate_attribute_folds",
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
