"""Predict a project's photographs while the server has nothing else to do."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from dermseg.errors import DermsegError, ImageError
from dermseg.prediction import OVERLAY_SIDE, Predictor
from dermseg.review import Project
from dermseg.server.workers import Workers

__all__ = ["Indexer"]

_LOG: Final = logging.getLogger("dermseg.server")
# Requests wait for no more than that.
_BATCH: Final = 2


class Indexer:
    """A thread that gives every new photograph its first mask, and gives way to requests.

    Args:
        project: The photographs.
        predictor: The model.
        workers: What requests wait for.
    """

    def __init__(self, project: Project, predictor: Predictor, workers: Workers) -> None:
        self._project = project
        self._predictor = predictor
        self._workers = workers
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dermseg-index", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the image that is being predicted."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            self._predict()
        except DermsegError as error:
            _LOG.error("predicting the project stopped: %s", error)
        except Exception:  # noqa: BLE001 -- reviewing goes on
            _LOG.exception("predicting the project stopped")

    def _predict(self) -> None:
        waiting: deque[str] = deque()
        results = self._predictor.predict_many(
            self._sources(waiting),
            batch_size=_BATCH,
            image_side=OVERLAY_SIDE,
            on_error="return",
            force=True,
        )
        spec = self._predictor.spec
        with closing(results):
            for result in results:
                image_id = waiting.popleft()
                if isinstance(result, ImageError):
                    self._project.history.set_error(image_id, result.reason)
                    continue
                quality = result.quality
                self._project.history.add_prediction(
                    image_id,
                    result.mask,
                    model=(spec.name, spec.onnx_sha256),
                    expected_jaccard=None if quality is None else quality.expected_jaccard,
                    refusal=result.refusal,
                    attributes=[
                        name
                        for name in result.attributes
                        if result.class_at_native_size(name)[1].any()
                    ],
                )

    def _sources(self, waiting: deque[str]) -> Iterator[Path]:
        for image_id, path in self._project.unpredicted():
            self._workers.wait_until_idle(self._stopping)
            if self._stopping.is_set():
                return
            waiting.append(image_id)
            yield path
