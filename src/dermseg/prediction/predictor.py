"""From images to predictions, one at a time or as a stream."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from dermseg.errors import ImageError, UsageError
from dermseg.images import open_image
from dermseg.package import ModelPackage, Precision, Runtime, RuntimeName, load_package
from dermseg.prediction.overlay import limited_size
from dermseg.prediction.prediction import Prediction
from dermseg.prediction.room import Room
from dermseg.preprocessing import Box, find_box, least_size, preprocess, resize_image
from dermseg.types import ImageArray, Size

__all__ = ["Predictor", "Source", "default_workers", "load_model"]

Source = str | os.PathLike[str] | bytes | ImageArray
"""An image file's path or bytes, or an array (H, W, 3) uint8 RGB."""

# At most 10 bytes each, while a file is decoded or a mask is made.
_PIXELS_AT_ONCE = 40_000_000


def load_model(
    name_or_path: str | Path | None = None,
    *,
    threshold: float | None = None,
    max_megapixels: float = 200,
    runtime: RuntimeName = "auto",
    precision: Precision = "float32",
) -> Predictor:
    """Load a shipped model by name, or a model package by its folder.

    Args:
        name_or_path: None loads the default model.
        threshold: Probability from which a pixel belongs to the mask; None keeps the model's.
        max_megapixels: Larger images are refused.
        runtime: ``onnx``, ``openvino``, or ``auto``: ONNX Runtime where it has CUDA, else OpenVINO
            where it is installed.
        precision: ``float32``, in which machines and runtimes agree to 1e-4 in probabilities; or
            ``auto``, the fastest that the runtime finds here, as ``dermseg predict`` takes it.

    Raises:
        PackageError: If there is no such model, or it is damaged.
        MissingExtraError: If OpenVINO is asked for and not installed.
        UsageError: If ``threshold`` is outside (0, 1), ``max_megapixels`` is not above 0, or there
            is no such runtime or precision.
    """
    return Predictor(
        load_package(name_or_path),
        threshold=threshold,
        max_megapixels=max_megapixels,
        runtime=runtime,
        precision=precision,
    )


def default_workers() -> int:
    """Threads that read, and threads that write: one per core, at most four."""
    return min(4, os.cpu_count() or 1)


@dataclass(frozen=True)
class _Input:
    image: ImageArray
    size: Size
    box: Box | None
    tensor: NDArray[np.float32]
    seconds: float


class Predictor:
    """A loaded model.

    Args:
        package: The model package.
        threshold: Probability from which a pixel belongs to the mask; None keeps the model's.
        max_megapixels: Larger images are refused.
        runtime: As for :func:`load_model`.
        precision: As for :func:`load_model`.

    Attributes:
        spec: What the package says of itself.
        postprocessing: How masks are made, with the threshold in force.
        runtime: What runs the network.
        room: For what threads hold at native size, which bounds the memory of a stream.
    """

    def __init__(
        self,
        package: ModelPackage,
        *,
        threshold: float | None = None,
        max_megapixels: float = 200,
        runtime: RuntimeName = "auto",
        precision: Precision = "float32",
    ) -> None:
        self.spec = package.spec
        self.postprocessing = package.spec.postprocessing
        if threshold is not None:
            if not 0 < threshold < 1:
                message = f"the threshold is {threshold}, expected a number between 0 and 1"
                raise UsageError(message)
            self.postprocessing = self.postprocessing.model_copy(update={"threshold": threshold})
        if not max_megapixels > 0:
            message = f"max_megapixels is {max_megapixels}, expected a number above 0"
            raise UsageError(message)
        self.max_megapixels = max_megapixels
        self.room = Room(_PIXELS_AT_ONCE)
        self.runtime = Runtime(package, runtime=runtime, precision=precision)

    def predict(self, source: Source) -> Prediction:
        """Predict one image.

        Raises:
            ImageError: If the image cannot be read.
        """
        return next(iter(self.predict_many([source], batch_size=1, workers=1)))

    @overload
    def predict_many(
        self,
        sources: Iterable[Source],
        *,
        batch_size: int = ...,
        workers: int | None = ...,
        image_side: int | None = ...,
        on_error: Literal["raise"] = ...,
    ) -> Generator[Prediction]: ...

    @overload
    def predict_many(
        self,
        sources: Iterable[Source],
        *,
        batch_size: int = ...,
        workers: int | None = ...,
        image_side: int | None = ...,
        on_error: Literal["return"],
    ) -> Generator[Prediction | ImageError]: ...

    def predict_many(
        self,
        sources: Iterable[Source],
        *,
        batch_size: int = 8,
        workers: int | None = None,
        image_side: int | None = None,
        on_error: Literal["raise", "return"] = "raise",
    ) -> Generator[Prediction | ImageError]:
        """Predict a stream of images, in order, holding only a few of them in memory.

        Args:
            sources: Read as the stream advances; may be endless.
            batch_size: Images per inference.
            workers: Threads that read images; None takes one per core, at most four.
            image_side: Reduce the images in the predictions so that their longer side is at most
                this, for pictures; masks stay at native size. Much less is then held, and of
                large JPEGs less is decoded, so that masks may differ in single pixels. None keeps
                images at native size.
            on_error: ``raise`` stops at the first image that cannot be read; ``return`` gives its
                ``ImageError`` in its place and goes on.

        Raises:
            ImageError: If an image cannot be read and ``on_error`` is ``raise``.
            UsageError: If ``batch_size`` or ``workers`` is below 1.
        """
        workers = default_workers() if workers is None else workers
        if batch_size < 1 or workers < 1:
            message = f"batch_size is {batch_size} and workers {workers}, expected at least 1"
            raise UsageError(message)
        read = partial(self._read, image_side=image_side)
        return self._stream(iter(sources), read, batch_size, workers, on_error)

    def _stream(
        self,
        sources: Iterator[Source],
        read: Callable[[Source], _Input | ImageError],
        batch_size: int,
        workers: int,
        on_error: str,
    ) -> Generator[Prediction | ImageError]:
        with ThreadPoolExecutor(workers, thread_name_prefix="dermseg-read") as pool:
            waiting: deque[Future[_Input | ImageError]] = deque(
                pool.submit(read, source) for source in islice(sources, batch_size + workers)
            )
            try:
                while waiting:
                    batch = [
                        waiting.popleft().result() for _ in range(min(batch_size, len(waiting)))
                    ]
                    waiting.extend(
                        pool.submit(read, source) for source in islice(sources, len(batch))
                    )
                    for result in self._infer(batch):
                        if isinstance(result, ImageError) and on_error == "raise":
                            raise result
                        yield result
            finally:
                for future in waiting:
                    future.cancel()

    def _read(self, source: Source, *, image_side: int | None) -> _Input | ImageError:
        started = time.perf_counter()
        with ExitStack() as stack:
            try:
                image, size = self._open(source, image_side, stack)
            except ImageError as error:
                return error
            cleaning = self.spec.preprocessing
            box = find_box(image, cleaning)
            tensor = preprocess(
                image, self.spec.input_size, self.spec.normalization, box=box, cleaning=cleaning
            )
            kept = limited_size(size, image_side)
            if kept != image.shape[:2]:
                image = resize_image(image, kept)
            seen = box if cleaning.crop_field else None
            return _Input(image, size, seen, tensor, time.perf_counter() - started)

    def _open(
        self, source: Source, image_side: int | None, stack: ExitStack
    ) -> tuple[ImageArray, Size]:
        """The image, of as many pixels as are needed, and its native size."""
        if isinstance(source, np.ndarray):
            _check_array(source)
            return source, (source.shape[0], source.shape[1])
        with open_image(source, max_megapixels=self.max_megapixels) as encoded:
            least = self._least(encoded.size, image_side)
            height, width = encoded.size if least is None else encoded.reduced_size(least)
            stack.enter_context(self.room.hold(height * width))
            return encoded.read(least), encoded.size

    def _least(self, native: Size, image_side: int | None) -> Size | None:
        if image_side is None:
            return None
        least = least_size(native, self.spec.input_size, self.spec.preprocessing)
        if least is None:
            return None
        height, width = limited_size(native, image_side)
        return max(least[0], height), max(least[1], width)

    def _infer(self, batch: list[_Input | ImageError]) -> Iterator[Prediction | ImageError]:
        started = time.perf_counter()
        inputs = [entry.tensor for entry in batch if isinstance(entry, _Input)]
        maps = iter(self.runtime(np.stack(inputs)) if inputs else ())
        seconds = (time.perf_counter() - started) / max(1, len(inputs))
        for entry in batch:
            if isinstance(entry, ImageError):
                yield entry
                continue
            yield Prediction(
                image=entry.image,
                size=entry.size,
                class_probabilities=next(maps),
                classes=tuple(self.spec.classes),
                postprocessing=self.postprocessing,
                seconds=entry.seconds + seconds,
                box=entry.box,
            )


def _check_array(image: NDArray[Any]) -> None:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        reason = f"it is {image.shape} {image.dtype}, expected (H, W, 3) uint8 in RGB order"
        raise ImageError("array", reason)
