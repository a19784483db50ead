"""From images to masks, overlays and measurements, without torch."""

from dermseg.prediction.attribute_overlay import add_legend, color_of, mark_attributes
from dermseg.prediction.inputs import MASK_ENDING, Job, plan_jobs
from dermseg.prediction.loading import load_model
from dermseg.prediction.measurements import Measurements, measure
from dermseg.prediction.memory_budget import share_heap
from dermseg.prediction.output import predict_jobs
from dermseg.prediction.output_folder import (
    TABLE,
    Existing,
    MaskFormat,
    OutputOptions,
    open_output,
)
from dermseg.prediction.overlay import draw_contour
from dermseg.prediction.prediction import Prediction
from dermseg.prediction.predictor import Predictor
from dermseg.prediction.quality import Quality
from dermseg.prediction.table import read_rows

__all__ = [
    "MASK_ENDING",
    "TABLE",
    "Existing",
    "Job",
    "MaskFormat",
    "Measurements",
    "OutputOptions",
    "Prediction",
    "Predictor",
    "Quality",
    "add_legend",
    "color_of",
    "draw_contour",
    "load_model",
    "mark_attributes",
    "measure",
    "open_output",
    "plan_jobs",
    "predict_jobs",
    "read_rows",
    "share_heap",
]
