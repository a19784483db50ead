"""From a recipe and images to a model package. Needs the extra ``train``."""

# First of all, so that Lightning finds a torchvision that can be imported.
from dermseg import torchvision_import as _torchvision_import
from dermseg.training.folds import cross_validate
from dermseg.training.preview import preview
from dermseg.training.run import train
from dermseg.training.training_data import TrainingData

__all__ = ["TrainingData", "cross_validate", "preview", "train"]

del _torchvision_import
