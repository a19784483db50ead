"""From images to masks, overlays and measurements, without torch."""

from dermseg.prediction.attribute_overlay import add_legend, color_of, mark_attributes
from dermseg.prediction.inputs import Job, plan_jobs
from dermseg.prediction.loading import load_model
from dermseg.prediction.measurements import Measurements, measure
from dermseg.prediction.memory_budget import share_heap
from dermseg.prediction.naming import MASK_ENDING, TABLE
from dermseg.prediction.output import predict_jobs
from dermseg.prediction.output_folder import Existing, OutputOptions, open_output
from dermseg.prediction.overlay import draw_contour
from dermseg.prediction.prediction import Prediction
from dermseg.prediction.predictor import Predictor
from dermseg.prediction.quality import Quality
from dermseg.prediction.table import read_rows
from dermseg.prediction.writers import MASK_FORMATS, OVERLAY_SIDE

__all__ = [
    "MASK_ENDING",
    "MASK_FORMATS",
    "OVERLAY_SIDE",
    "TABLE",
    "Existing",
    "Job",
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
