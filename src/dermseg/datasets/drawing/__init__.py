"""Training data for attributes where nobody has drawn masks: structures in real lesions.

The structures are those of ``dermseg.phantom.attributes``, blended into the photographs of a lesion
dataset; the folder that results is laid out as ISIC 2018, Tasks 1 and 2.
"""

from __future__ import annotations

from dermseg.datasets.drawing.drawing import DrawingOptions, draw_all
from dermseg.datasets.drawing.folder import open_drawing, write_groups
from dermseg.datasets.drawing.plan import DrawingPlan, DrawingTask, plan_drawing

__all__ = [
    "DrawingOptions",
    "DrawingPlan",
    "DrawingTask",
    "draw_all",
    "open_drawing",
    "plan_drawing",
    "write_groups",
]
