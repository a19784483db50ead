"""An evaluation as a page: one HTML file that needs nothing else."""

from __future__ import annotations

from dermseg.evaluation.report.cases import Case, Contour, choose_cases, draw_case, draw_picture
from dermseg.evaluation.report.groups import Grouping, Stratum, group_results
from dermseg.evaluation.report.rendering import REPORT_NAME, render_report, write_report

__all__ = [
    "REPORT_NAME",
    "Case",
    "Contour",
    "Grouping",
    "Stratum",
    "choose_cases",
    "draw_case",
    "draw_picture",
    "group_results",
    "render_report",
    "write_report",
]
