"""From images to masks, overlays and measurements, without torch."""

from dermseg.prediction.inputs import MASK_ENDING, Job, plan_jobs
from dermseg.prediction.measurements import Measurements, measure
from dermseg.prediction.output import Existing, MaskFormat, OutputOptions, open_output, predict_jobs
from dermseg.prediction.overlay import draw_contour
from dermseg.prediction.prediction import Prediction
from dermseg.prediction.predictor import Predictor, Source, load_model
from dermseg.prediction.room import share_heap

__all__ = [
    "MASK_ENDING",
    "Existing",
    "Job",
    "MaskFormat",
    "Measurements",
    "OutputOptions",
    "Prediction",
    "Predictor",
    "Source",
    "draw_contour",
    "load_model",
    "measure",
    "open_output",
    "plan_jobs",
    "predict_jobs",
    "share_heap",
]
