"""From images to predictions, one at a time or as a stream."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal, overload

import numpy as np
from numpy.typing import NDArray

from dermseg.errors import ImageError, UsageError
from dermseg.images import read_image
from dermseg.package import ModelPackage, Runtime, load_package
from dermseg.prediction.prediction import Prediction
from dermseg.preprocessing import Box, find_box, preprocess
from dermseg.types import ImageArray

__all__ = ["Predictor", "Source", "load_model"]

Source = str | os.PathLike[str] | bytes | ImageArray
"""An image file's path or bytes, or an array (H, W, 3) uint8 RGB."""


def load_model(
    name_or_path: str | Path | None = None,
    *,
    threshold: float | None = None,
    max_megapixels: float = 200,
) -> Predictor:
    """Load a shipped model by name, or a model package by its folder.

    Args:
        name_or_path: None loads the default model.
        threshold: Probability from which a pixel belongs to the mask; None keeps the model's.
        max_megapixels: Larger images are refused.

    Raises:
        PackageError: If there is no such model, or it is damaged.
        UsageError: If ``threshold`` is outside (0, 1), or ``max_megapixels`` is not above 0.
    """
    return Predictor(load_package(name_or_path), threshold=threshold, max_megapixels=max_megapixels)


@dataclass(frozen=True)
class _Input:
    image: ImageArray
    box: Box | None
    tensor: NDArray[np.float32]
    seconds: float


class Predictor:
    """A loaded model.

    Args:
        package: The model package.
        threshold: Probability from which a pixel belongs to the mask; None keeps the model's.
        max_megapixels: Larger images are refused.

    Attributes:
        spec: What the package says of itself.
        postprocessing: How masks are made, with the threshold in force.
    """

    def __init__(
        self,
        package: ModelPackage,
        *,
        threshold: float | None = None,
        max_megapixels: float = 200,
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
        self._runtime = Runtime(package)

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
        on_error: Literal["raise"] = ...,
    ) -> Generator[Prediction]: ...

    @overload
    def predict_many(
        self,
        sources: Iterable[Source],
        *,
        batch_size: int = ...,
        workers: int | None = ...,
        on_error: Literal["return"],
    ) -> Generator[Prediction | ImageError]: ...

    def predict_many(
        self,
        sources: Iterable[Source],
        *,
        batch_size: int = 8,
        workers: int | None = None,
        on_error: Literal["raise", "return"] = "raise",
    ) -> Generator[Prediction | ImageError]:
        """Predict a stream of images, in order, holding only a few of them in memory.

        Args:
            sources: Read as the stream advances; may be endless.
            batch_size: Images per inference.
            workers: Threads that read images; None takes one per core, at most four.
            on_error: ``raise`` stops at the first image that cannot be read; ``return`` gives its
                ``ImageError`` in its place and goes on.

        Raises:
            ImageError: If an image cannot be read and ``on_error`` is ``raise``.
            UsageError: If ``batch_size`` or ``workers`` is below 1.
        """
        workers = min(4, os.cpu_count() or 1) if workers is None else workers
        if batch_size < 1 or workers < 1:
            message = f"batch_size is {batch_size} and workers {workers}, expected at least 1"
            raise UsageError(message)
        return self._stream(iter(sources), batch_size, workers, on_error)

    def _stream(
        self, sources: Iterator[Source], batch_size: int, workers: int, on_error: str
    ) -> Generator[Prediction | ImageError]:
        with ThreadPoolExecutor(workers, thread_name_prefix="dermseg-read") as pool:
            waiting: deque[Future[_Input | ImageError]] = deque(
                pool.submit(self._read, source) for source in islice(sources, batch_size + workers)
            )
            try:
                while waiting:
                    batch = [
                        waiting.popleft().result() for _ in range(min(batch_size, len(waiting)))
                    ]
                    waiting.extend(
                        pool.submit(self._read, source) for source in islice(sources, len(batch))
                    )
                    for result in self._infer(batch):
                        if isinstance(result, ImageError) and on_error == "raise":
                            raise result
                        yield result
            finally:
                for future in waiting:
                    future.cancel()

    def _read(self, source: Source) -> _Input | ImageError:
        started = time.perf_counter()
        try:
            image = self._as_image(source)
        except ImageError as error:
            return error
        cleaning = self.spec.preprocessing
        box = find_box(image, cleaning)
        tensor = preprocess(
            image, self.spec.input_size, self.spec.normalization, box=box, cleaning=cleaning
        )
        seen = box if cleaning.crop_field else None
        return _Input(image, seen, tensor, time.perf_counter() - started)

    def _as_image(self, source: Source) -> ImageArray:
        if not isinstance(source, np.ndarray):
            return read_image(source, max_megapixels=self.max_megapixels)
        if source.dtype != np.uint8 or source.ndim != 3 or source.shape[2] != 3 or not source.size:
            reason = f"it is {source.shape} {source.dtype}, expected (H, W, 3) uint8 in RGB order"
            raise ImageError("array", reason)
        return source

    def _infer(self, batch: list[_Input | ImageError]) -> Iterator[Prediction | ImageError]:
        started = time.perf_counter()
        inputs = [entry.tensor for entry in batch if isinstance(entry, _Input)]
        maps = iter(self._runtime(np.stack(inputs)) if inputs else ())
        seconds = (time.perf_counter() - started) / max(1, len(inputs))
        for entry in batch:
            if isinstance(entry, ImageError):
                yield entry
                continue
            yield Prediction(
                image=entry.image,
                class_probabilities=next(maps),
                classes=tuple(self.spec.classes),
                postprocessing=self.postprocessing,
                seconds=entry.seconds + seconds,
                box=entry.box,
            )
