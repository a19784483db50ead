"""From images to predictions, one at a time or as a stream."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Literal, cast, overload

import numpy as np

from dermseg.errors import ImageError, UsageError
from dermseg.images import ImageLike, ImageSource, convert_pillow, name_of, open_image
from dermseg.package import ModelPackage, Precision, Runtime, RuntimeName
from dermseg.prediction.checks import (
    check_array,
    check_count,
    check_lesion_model,
    check_megapixels,
    check_sources,
    check_threshold,
)
from dermseg.prediction.features import check_features
from dermseg.prediction.lesion_cutting import LesionCutter
from dermseg.prediction.memory_budget import MemoryBudget
from dermseg.prediction.prediction import Prediction
from dermseg.prediction.prepared import Prepared
from dermseg.preprocessing import (
    find_box,
    least_size,
    limited_size,
    prepare_image,
    resize_image,
    to_unit_range,
)
from dermseg.types import FloatArray, ImageArray, Size

__all__ = ["Predictor", "default_workers"]

# At most 10 bytes each, while a file is decoded or a mask is made.
_PIXELS_AT_ONCE = 40_000_000
_NO_NUMBERS = "gives no numbers for it (NaN): its weights may be damaged, or overflow here"


def default_workers() -> int:
    """Threads that read, and threads that write: one per core, at most four."""
    return min(4, os.cpu_count() or 1)


class Predictor:
    """A loaded model. Threads may share it, and its own threads wait for the next call.

    Args:
        package: The model package.
        lesion: What finds the lesion, for a package of attributes.
        threshold: Probability from which a pixel belongs to the mask; None keeps the model's.
        max_megapixels: Larger images are refused, arrays and Pillow images too.
        runtime: As for :func:`load_model`.
        precision: As for :func:`load_model`.
        num_threads: Threads of one inference; None leaves the choice to the runtime.

    Attributes:
        spec: What the package says of itself.
        postprocessing: How masks are made, with the threshold in force.
        runtime: What runs the network.
        lesion: What finds the lesion before; None where the package does that itself.
        memory: Budget for what threads hold at native size; it bounds the memory of a stream.

    Raises:
        UsageError: If a package for lesions that were cut out has no lesion model, or one that
            finds lesions itself has one; and as for :func:`load_model`.
    """

    def __init__(
        self,
        package: ModelPackage,
        *,
        lesion: Predictor | None = None,
        threshold: float | None = None,
        max_megapixels: float = 200,
        runtime: RuntimeName = "auto",
        precision: Precision = "float32",
        num_threads: int | None = None,
    ) -> None:
        if num_threads is not None:
            num_threads = check_count("num_threads", num_threads)
        self.spec = package.spec
        self.postprocessing = package.spec.postprocessing
        if threshold is not None:
            update = {"threshold": check_threshold(threshold)}
            self.postprocessing = self.postprocessing.model_copy(update=update)
        check_lesion_model(self.spec, is_given=lesion is not None)
        check_features(self.spec)
        self.lesion = lesion
        self.max_megapixels = check_megapixels(max_megapixels)
        budget = MemoryBudget(_PIXELS_AT_ONCE) if lesion is None else lesion.memory
        self.memory: MemoryBudget = budget
        self.runtime = Runtime(
            package, runtime=runtime, precision=precision, num_threads=num_threads
        )
        self._pools: dict[tuple[int, int], ThreadPoolExecutor] = {}
        self._pools_lock = threading.Lock()

    def predict(self, source: ImageLike, *, force: bool = False) -> Prediction:
        """Predict one image.

        Args:
            source: A path, a file of a storage, the bytes of an image file, an open file of them,
                an array (H, W, 3) uint8 in RGB order, or a Pillow image.
            force: Give a mask even if the image is refused, see `Prediction.refusal`.

        Raises:
            ImageError: If the image cannot be read.
            UsageError: If it is none of these.
        """
        return next(iter(self.predict_many([source], batch_size=1, workers=1, force=force)))

    @overload
    def predict_many(
        self,
        sources: Iterable[ImageLike],
        *,
        batch_size: int = ...,
        workers: int | None = ...,
        image_side: int | None = ...,
        force: bool = ...,
        on_error: Literal["raise"] = ...,
    ) -> Generator[Prediction]: ...

    @overload
    def predict_many(
        self,
        sources: Iterable[ImageLike],
        *,
        batch_size: int = ...,
        workers: int | None = ...,
        image_side: int | None = ...,
        force: bool = ...,
        on_error: Literal["return"],
    ) -> Generator[Prediction | ImageError]: ...

    def predict_many(
        self,
        sources: Iterable[ImageLike],
        *,
        batch_size: int = 8,
        workers: int | None = None,
        image_side: int | None = None,
        force: bool = False,
        on_error: Literal["raise", "return"] = "raise",
    ) -> Generator[Prediction | ImageError]:
        """Predict a stream of images, in order, holding only a few of them in memory.

        Args:
            sources: Read as the stream advances; may be endless.
            batch_size: Images per inference.
            workers: Threads that read images; None takes one per core, at most four.
            image_side: Reduce the images in the predictions so that their longer side is at most
                this, for pictures; masks stay at native size. Much less is then held, and of
                large JPEGs less is decoded, so that masks differ a little at their borders. None
                keeps images at native size.
            force: As for :meth:`predict`.
            on_error: ``raise`` stops at the first image that cannot be read; ``return`` gives its
                ``ImageError`` in its place and goes on.

        Raises:
            ImageError: If an image cannot be read and ``on_error`` is ``raise``.
            UsageError: If the sources are a single image or no images, a number is below 1, or
                there is no such ``on_error``.
        """
        check_sources(sources)
        batch_size = check_count("batch_size", batch_size)
        workers = default_workers() if workers is None else check_count("workers", workers)
        if image_side is not None:
            image_side = check_count("image_side", image_side)
        if on_error not in ("raise", "return"):
            message = f"on_error is {on_error!r}, expected raise or return"
            raise UsageError(message)
        results = (
            self._stream(sources, batch_size, workers, image_side)
            if self.lesion is None
            else self._stream_inside(self.lesion, sources, batch_size, workers, image_side)
        )
        results = _forced(results) if force else results
        return _raised(results) if on_error == "raise" else results

    def infer(self, inputs: FloatArray) -> FloatArray:
        """Class probabilities of the next prepared images of a stream.

        Args:
            inputs: (N, 3, h, w), at the network's size.

        Returns:
            (N, classes, h, w) in [0, 1].
        """
        return self.runtime(inputs)

    def _stream(
        self, sources: Iterable[ImageLike], batch_size: int, workers: int, image_side: int | None
    ) -> Generator[Prediction | ImageError]:
        sources, read = iter(sources), partial(self._read, image_side=image_side)
        pool = self._pool(workers)
        waiting: deque[Future[Prepared | ImageError]] = deque(
            pool.submit(read, source) for source in islice(sources, batch_size + workers)
        )
        try:
            while waiting:
                batch = [waiting.popleft().result() for _ in range(min(batch_size, len(waiting)))]
                waiting.extend(pool.submit(read, source) for source in islice(sources, len(batch)))
                yield from self._infer(batch)
        finally:
            for future in waiting:
                future.cancel()

    def _pool(self, workers: int) -> ThreadPoolExecutor:
        """Threads that are kept between calls; a forked process has none of its parent's."""
        key = os.getpid(), workers
        with self._pools_lock:
            if key not in self._pools:
                self._pools[key] = ThreadPoolExecutor(workers, thread_name_prefix="dermseg")
            return self._pools[key]

    def _stream_inside(
        self,
        lesion_model: Predictor,
        sources: Iterable[ImageLike],
        batch_size: int,
        workers: int,
        image_side: int | None,
    ) -> Generator[Prediction | ImageError]:
        """Find the lesions of a batch, then what is inside of them.

        While both networks work, the lesion model's threads read the next images.
        """
        cutter = LesionCutter(self.spec, self.memory, self.max_megapixels)
        cut = partial(cutter.cut, image_side=image_side)
        read = deque[ImageLike]()
        found = lesion_model.predict_many(
            _noted(sources, read),
            batch_size=batch_size,
            workers=workers,
            image_side=cutter.view_side(image_side),
            force=True,
            on_error="return",
        )
        pool = self._pool(workers)
        with closing(found):
            while lesions := list(islice(found, batch_size)):
                batch = [(read.popleft(), lesion) for lesion in lesions]
                yield from self._infer(list(pool.map(cut, *zip(*batch, strict=True))))

    def _read(self, source: ImageLike, *, image_side: int | None) -> Prepared | ImageError:
        started = time.perf_counter()
        with ExitStack() as stack:
            try:
                image, size = self._open(source, image_side, stack)
            except ImageError as error:
                return error
            except MemoryError:
                return ImageError(name_of(source), "there is not enough memory to work on it")
            cleaning = self.spec.preprocessing
            box = find_box(image, cleaning)
            seen = prepare_image(image, box, self.spec.input_size, cleaning)
            tensor = self.spec.normalization.apply(to_unit_range(seen))
            kept = limited_size(size, image_side)
            if kept != image.shape[:2]:
                image = resize_image(image, kept)
            return Prepared(
                name_of(source),
                image,
                size,
                box if cleaning.crop_field else None,
                tensor,
                time.perf_counter() - started,
                seen=seen,
            )

    def _open(
        self, source: ImageLike, image_side: int | None, stack: ExitStack
    ) -> tuple[ImageArray, Size]:
        """The image, of as many pixels as are needed, and its native size."""
        if isinstance(source, np.ndarray):
            check_array(source, self.max_megapixels)
            return source, (source.shape[0], source.shape[1])
        converted = convert_pillow(source, max_megapixels=self.max_megapixels)
        if converted is not None:
            return converted, (converted.shape[0], converted.shape[1])
        with open_image(cast("ImageSource", source), max_megapixels=self.max_megapixels) as encoded:
            least = self._least(encoded.size, image_side)
            height, width = encoded.size if least is None else encoded.reduced_size(least)
            stack.enter_context(self.memory.hold(height * width))
            return encoded.read(least), encoded.size

    def _least(self, native: Size, image_side: int | None) -> Size | None:
        if image_side is None:
            return None
        least = least_size(native, self.spec.input_size, self.spec.preprocessing)
        if least is None:
            return None
        height, width = limited_size(native, image_side)
        return max(least[0], height), max(least[1], width)

    def _infer(self, batch: list[Prepared | ImageError]) -> Iterator[Prediction | ImageError]:
        started, crop = time.perf_counter(), self.spec.lesion_crop
        inputs = [entry.tensor for entry in batch if isinstance(entry, Prepared)]
        maps = iter(self.infer(np.stack(inputs)) if inputs else ())
        seconds = (time.perf_counter() - started) / max(1, len(inputs))
        for entry in batch:
            if isinstance(entry, ImageError):
                yield entry
                continue
            found: FloatArray = next(maps)
            if not np.isfinite(found).all():
                yield ImageError(entry.name, f"the model {self.spec.name} {_NO_NUMBERS}")
                continue
            yield Prediction(
                image=entry.image,
                size=entry.size,
                class_probabilities=found,
                classes=tuple(self.spec.classes),
                postprocessing=self.postprocessing,
                seconds=entry.seconds + seconds,
                box=entry.box,
                # A copy: what it makes at native size is not to live as long as the batch.
                lesion=entry.lesion and replace(entry.lesion, forced=False),
                inside_only=crop is not None and crop.inside_only,
                experimental=self.spec.experimental,
                seen=entry.seen,
                quality_model=self.spec.quality,
                out_of_distribution_model=self.spec.out_of_distribution,
                presence_model=self.spec.presence,
            )


def _forced(results: Generator[Prediction | ImageError]) -> Generator[Prediction | ImageError]:
    with closing(results):
        for result in results:
            yield result if isinstance(result, ImageError) else result.force()


def _raised(results: Generator[Prediction | ImageError]) -> Generator[Prediction]:
    with closing(results):
        for result in results:
            if isinstance(result, ImageError):
                raise result
            yield result


def _noted(sources: Iterable[ImageLike], seen: deque[ImageLike]) -> Iterator[ImageLike]:
    for source in sources:
        # An open file is read once, and its bytes twice.
        kept = source.read() if hasattr(source, "read") else source
        seen.append(kept)
        yield kept
