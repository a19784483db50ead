"""Two or more evaluations of the same images: who is better, and who cannot be told apart."""

from __future__ import annotations

from dermseg.evaluation.comparison.aligning import Aligned, align
from dermseg.evaluation.comparison.comparing import compare
from dermseg.evaluation.comparison.files import write_comparison
from dermseg.evaluation.comparison.outcome import (
    Comparison,
    Difference,
    PairTest,
    Ranked,
)
from dermseg.evaluation.comparison.pictures import SideBySide, draw_most_different, write_sheet
from dermseg.evaluation.comparison.reading import StoredEvaluation, StoredSummary, read_evaluation
from dermseg.evaluation.comparison.significance import SignedRanks, holm, letters, signed_ranks
from dermseg.evaluation.comparison.summarizing import most_different, summarize
from dermseg.evaluation.comparison.words import (
    conclusions,
    coverage_warnings,
    describe_images,
    format_p_value,
)

__all__ = [
    "Aligned",
    "Comparison",
    "Difference",
    "PairTest",
    "Ranked",
    "SideBySide",
    "SignedRanks",
    "StoredEvaluation",
    "StoredSummary",
    "align",
    "compare",
    "conclusions",
    "coverage_warnings",
    "describe_images",
    "draw_most_different",
    "format_p_value",
    "holm",
    "letters",
    "most_different",
    "read_evaluation",
    "signed_ranks",
    "summarize",
    "write_comparison",
    "write_sheet",
]
