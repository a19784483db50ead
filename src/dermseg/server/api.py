"""Routes for programs and for the page's first view: predictions and masks."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request, Response
from pydantic import BaseModel

from dermseg import __version__
from dermseg.errors import ImageError
from dermseg.images import encode_jpeg, read_image
from dermseg.review import Project, Reviewer, decode_runs
from dermseg.server.messages import Measured, Prediction, Session
from dermseg.server.predicting import (
    COCO_JSON,
    CSV,
    JPEG,
    JSON,
    PNG,
    Models,
    check_size,
    mask_as,
    prediction_as,
)
from dermseg.server.sessions import Sessions
from dermseg.server.workers import Workers

__all__ = ["answer_as", "create_api", "media_type_of", "read_body", "reviewer_of"]

_MEDIA_TYPES = (JSON, PNG, JPEG, CSV, COCO_JSON)
_MAX_SIDE = 65_500


def reviewer_of(request: Request) -> Reviewer:
    """Who sent a request that needs somebody to be logged in."""
    reviewer: Reviewer = request.state.reviewer
    return reviewer


def media_type_of(request: Request, known: tuple[str, ...] = _MEDIA_TYPES) -> str:
    """The first known media type that a request accepts; the first of all for ``*/*``."""
    for entry in request.headers.get("accept", "*/*").split(","):
        wanted = entry.partition(";")[0].strip().lower()
        if wanted in known:
            return wanted
        if wanted == "*/*":
            return known[0]
    raise HTTPException(406, f"only {', '.join(known)} are made here")


async def read_body(request: Request) -> bytes:
    """The body, which the guard has bounded."""
    body = await request.body()
    if not body:
        raise HTTPException(422, "the body is empty, expected the content of a file")
    return body


def answer_as(content: bytes | dict[str, Any], media_type: str, model: type[BaseModel]) -> Response:
    """The answer of what ``prediction_as`` and ``mask_as`` make."""
    if isinstance(content, dict):
        return Response(model(**content).model_dump_json(exclude_unset=True), media_type=JSON)
    return Response(content, media_type=media_type)


def create_api(
    models: Models | None, workers: Workers, sessions: Sessions, project: Project | None
) -> APIRouter:
    """Routes of ``/v1`` that need no project, and of ``/health``."""
    router = APIRouter()
    _add_health(router, models)
    _add_session(router, models, sessions, project)
    _add_pictures(router, models, workers)

    @router.post("/v1/predictions", response_model=Prediction, openapi_extra=_FILE_BODY)
    async def predict(
        request: Request,
        threshold: Annotated[float | None, Query(gt=0, lt=1)] = None,
        name: Annotated[str, Query(max_length=200)] = "image",
        *,
        attributes: bool = False,
        details: bool = False,
        force: bool = False,
    ) -> Response:
        """Find the lesion in an image file, sent as the body.

        ``Accept`` chooses JSON, the mask (``image/png``), the overlay (``image/jpeg``), a row of
        ``predictions.csv`` (``text/csv``) or COCO. What the model was not made for is answered with
        422 in all of these but JSON, unless ``force`` is set.
        """
        if models is None:
            raise HTTPException(503, "this server was started without a model")
        media_type, body = media_type_of(request), await read_body(request)

        def work() -> bytes | dict[str, Any]:
            found = models.predict(body, threshold=threshold, attributes=attributes)
            if found.refusal is not None and media_type != JSON and not force:
                raise ImageError(name, found.refusal)
            return prediction_as(found, media_type, name, details=details)

        return answer_as(await workers.run(work), media_type, Prediction)

    @router.post("/v1/masks", response_model=Measured, openapi_extra=_FILE_BODY)
    async def mask(
        request: Request,
        width: Annotated[int, Query(ge=1, le=_MAX_SIDE)],
        height: Annotated[int, Query(ge=1, le=_MAX_SIDE)],
        name: Annotated[str, Query(max_length=200)] = "image",
    ) -> Response:
        """Measure a mask that was drawn, sent as runs, or make a PNG, CSV or COCO of it."""
        media_type = media_type_of(request, (JSON, PNG, CSV, COCO_JSON))
        most = 200e6 if models is None else 1e6 * models.lesion.max_megapixels
        if width * height > most:
            raise HTTPException(413, f"the mask has more than {most:.0f} pixels")
        body = await request.body()

        def work() -> bytes | dict[str, Any]:
            return mask_as(decode_runs(body, (height, width)), media_type, name)

        return answer_as(await workers.run(work), media_type, Measured)

    return router


def _add_session(
    router: APIRouter, models: Models | None, sessions: Sessions, project: Project | None
) -> None:
    @router.get("/v1/session")
    def session(request: Request) -> Session:
        """Who is logged in, and what to send back with each change."""
        reviewer = reviewer_of(request)
        return Session(
            reviewer=reviewer.name,
            role=reviewer.role,
            csrf=sessions.csrf_of(reviewer),
            version=__version__,
            model=None if models is None else models.lesion.spec.name,
            threshold=None if models is None else models.lesion.postprocessing.threshold,
            review_below=None if models is None else models.review_below,
            project=None if project is None else project.folder.name,
        )


def _add_pictures(router: APIRouter, models: Models | None, workers: Workers) -> None:
    @router.post("/v1/pictures", response_class=Response, openapi_extra=_FILE_BODY)
    async def picture(request: Request) -> Response:
        """An image file of any kind as a JPEG that every browser shows, upright."""
        body = await read_body(request)
        most = 200 if models is None else models.lesion.max_megapixels

        def work() -> bytes:
            check_size(body, most)
            return encode_jpeg(read_image(body, max_megapixels=most), quality=95)

        return Response(await workers.run(work), media_type=JPEG)


def _add_health(router: APIRouter, models: Models | None) -> None:
    @router.get("/health/live", include_in_schema=False)
    def live() -> dict[str, str]:
        return {"status": "live"}

    @router.get("/health/ready", include_in_schema=False)
    def ready() -> dict[str, str | None]:
        return {"status": "ready", "model": None if models is None else models.lesion.spec.name}


_FILE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
