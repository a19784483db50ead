"""What the model says about one image, in the forms that a request can ask for."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any, Final

import numpy as np

from dermseg.errors import DermsegError, ImageError, UsageError
from dermseg.images import encode_jpeg, encode_mask, read_size
from dermseg.package import ATTRIBUTE_MODEL, load_package
from dermseg.prediction import OVERLAY_SIDE, Prediction, Predictor, measure
from dermseg.prediction.table import columns_of, encode_cells, row_of_prediction
from dermseg.prediction.writers.coco import encode_coco
from dermseg.review import encode_runs
from dermseg.types import BoolMask

__all__ = [
    "COCO_JSON",
    "CSV",
    "JPEG",
    "JSON",
    "PNG",
    "Models",
    "TooLargeError",
    "check_size",
    "mask_as",
    "prediction_as",
]

CSV: Final = "text/csv"
JPEG: Final = "image/jpeg"
JSON: Final = "application/json"
PNG: Final = "image/png"
COCO_JSON: Final = "application/vnd.coco+json"


class TooLargeError(DermsegError):
    """An image has more pixels than the server takes."""


def check_size(content: bytes, max_megapixels: float) -> None:
    """Look at the header of an image file, and decode nothing.

    Raises:
        TooLargeError: If it has more than so many millions of pixels.
        ImageError: If it is no image.
    """
    height, width = read_size(content)
    if height * width > max_megapixels * 1e6:
        message = (
            f"the image has {width} x {height} pixels, expected at most {max_megapixels:g} million"
        )
        raise TooLargeError(message)


class Models:
    """The model of a server, and the one that looks inside its lesions once that is asked for.

    Args:
        lesion: Finds the lesion.
    """

    def __init__(self, lesion: Predictor) -> None:
        self.lesion = lesion
        self._attributes: Predictor | None = None

    def predict(
        self, content: bytes, *, threshold: float | None = None, attributes: bool = False
    ) -> Prediction:
        """Predict an image exactly as ``dermseg predict --force`` does.

        Args:
            content: Of an image file.
            threshold: From which a pixel is lesion; None is the model's.
            attributes: Also look inside the lesion.

        Raises:
            TooLargeError: If the image has too many pixels; nothing was decoded.
            ImageError: If it cannot be read.
        """
        check_size(content, self.lesion.max_megapixels)
        predictor = self._find_attributes() if attributes else self.lesion
        (result,) = predictor.predict_many(
            [content], batch_size=1, image_side=OVERLAY_SIDE, on_error="return", force=True
        )
        if isinstance(result, ImageError):
            raise result
        return result if threshold is None else _with_threshold(result, threshold)

    @property
    def review_below(self) -> float | None:
        """Expected Jaccard index below which somebody should look at a mask; None if not known."""
        quality = (self.lesion.lesion or self.lesion).spec.quality
        return None if quality is None else quality.review_below

    def _find_attributes(self) -> Predictor:
        if self.lesion.lesion is not None or self.lesion.spec.attributes:
            return self.lesion
        if self._attributes is None:
            package = load_package(ATTRIBUTE_MODEL)
            self._attributes = Predictor(package, lesion=self.lesion, precision="auto")
        return self._attributes


def prediction_as(
    prediction: Prediction, media_type: str, name: str, *, details: bool = False
) -> bytes | dict[str, Any]:
    """A prediction as the content of a file, or as values for JSON.

    Args:
        prediction: Of one image.
        media_type: Mask as PNG, overlay as JPEG, row of the table, COCO, or JSON.
        name: What the image is called in tables.
        details: Add to JSON what the page draws: masks as runs, and the probabilities.

    Raises:
        UsageError: For another media type.
    """
    if media_type == PNG:
        return encode_mask(prediction.mask)
    if media_type == JPEG:
        return encode_jpeg(prediction.overlay(max_side=OVERLAY_SIDE))
    if media_type == COCO_JSON:
        return encode_coco(name, prediction.mask)
    if media_type == CSV:
        row = row_of_prediction(name, f"{name}_segmentation.png", prediction, spacing_mm=None)
        return _table(row | {"seconds": prediction.seconds})
    if media_type != JSON:
        raise _unknown(media_type)
    described = prediction.to_dict()
    lesion = prediction.lesion or prediction
    described |= {"threshold": lesion.postprocessing.threshold, "seconds": prediction.seconds}
    described["attributes"] = [
        {"name": attribute, "presence": prediction.presence[attribute]}
        | ({"runs": _runs(prediction.class_at_native_size(attribute)[1])} if details else {})
        for attribute in prediction.attributes
    ]
    if details:
        described |= {"runs": _runs(prediction.mask), "map": _map(lesion)}
    return described


def mask_as(mask: BoolMask, media_type: str, name: str) -> bytes | dict[str, Any]:
    """A mask that a person drew, in the forms of :func:`prediction_as`.

    Raises:
        UsageError: For another media type.
    """
    if media_type == PNG:
        return encode_mask(mask)
    if media_type == COCO_JSON:
        return encode_coco(name, mask)
    measured = measure(mask, mask.astype(np.float32)).to_dict() | {"mean_probability": None}
    described = {"width": mask.shape[1], "height": mask.shape[0]} | measured
    if media_type == CSV:
        return _table({"file": name, "mask": f"{name}_segmentation.png"} | described)
    if media_type != JSON:
        raise _unknown(media_type)
    return described


def _with_threshold(prediction: Prediction, threshold: float) -> Prediction:
    if prediction.lesion is not None:
        return replace(prediction, lesion=_with_threshold(prediction.lesion, threshold))
    options = prediction.postprocessing.model_copy(update={"threshold": threshold})
    return replace(prediction, postprocessing=options)


def _runs(mask: BoolMask) -> str:
    return base64.b64encode(encode_runs(mask)).decode()


def _map(prediction: Prediction) -> dict[str, Any]:
    """The lesion's probabilities as the network gave them, for a quick look at other thresholds."""
    index = prediction.classes.index("lesion") if "lesion" in prediction.classes else 0
    values = np.rint(prediction.class_probabilities[index] * 255).astype(np.uint8)
    box = prediction.box
    return {
        "height": values.shape[0],
        "width": values.shape[1],
        "values": base64.b64encode(values.tobytes()).decode(),
        "box": None if box is None else [box.left, box.top, box.width, box.height],
    }


def _table(row: dict[str, Any]) -> bytes:
    columns = columns_of(())
    return encode_cells([dict(zip(columns, columns, strict=True)), row], columns)


def _unknown(media_type: str) -> UsageError:
    return UsageError(
        f"'{media_type}' is not made here, expected {JSON}, {PNG}, {JPEG}, {CSV} or {COCO_JSON}"
    )
