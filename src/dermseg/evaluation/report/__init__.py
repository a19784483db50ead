"""An evaluation as a page: one HTML file that needs nothing else.

The page's parts (figures, pictures, template, style) also make the page of a comparison.
"""

from __future__ import annotations

from dermseg.evaluation.report.cases import Case, Contour, choose_cases, draw_case, draw_picture
from dermseg.evaluation.report.cells import axis_cell, interval_cell
from dermseg.evaluation.report.charts import Curve, curve_chart, histogram, reliability_chart
from dermseg.evaluation.report.groups import Grouping, Stratum, group_results
from dermseg.evaluation.report.rendering import REPORT_NAME, render_report, write_report
from dermseg.evaluation.report.scales import Axis, fit_axis, format_number
from dermseg.evaluation.report.templating import render_page

__all__ = [
    "REPORT_NAME",
    "Axis",
    "Case",
    "Contour",
    "Curve",
    "Grouping",
    "Stratum",
    "axis_cell",
    "choose_cases",
    "curve_chart",
    "draw_case",
    "draw_picture",
    "fit_axis",
    "format_number",
    "group_results",
    "histogram",
    "interval_cell",
    "reliability_chart",
    "render_page",
    "render_report",
    "write_report",
]
