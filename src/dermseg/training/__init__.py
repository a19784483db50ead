"""From a recipe and images to a model package. Needs the extra ``train``."""

# First of all, so that Lightning finds a torchvision that can be imported, and matplotlib a folder.
from dermseg import matplotlib_import as _matplotlib_import
from dermseg import torchvision_import as _torchvision_import
from dermseg.training.folds import cross_validate
from dermseg.training.preview import preview
from dermseg.training.run import train
from dermseg.training.training_data import TrainingData

__all__ = ["TrainingData", "cross_validate", "preview", "train"]

del _matplotlib_import, _torchvision_import
