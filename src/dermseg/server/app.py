"""The web application: routes, errors and limits around a model and a project."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio.to_thread
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException as StarletteHTTPException

from dermseg import __version__
from dermseg.errors import DermsegError, LeasedError, OutputError, UnknownImageError
from dermseg.prediction import Predictor
from dermseg.review import Project
from dermseg.server.api import create_api
from dermseg.server.guard import Guard, cookie_name
from dermseg.server.indexing import Indexer
from dermseg.server.predicting import Models, TooLargeError
from dermseg.server.reviewing import create_review
from dermseg.server.sessions import SESSION_SECONDS, Sessions
from dermseg.server.static import create_static
from dermseg.server.workers import BusyError, Workers

__all__ = ["Limits", "create_app"]


@dataclass(frozen=True)
class Limits:
    """What a server takes at most.

    Attributes:
        max_megapixels: Of an image, in millions of pixels; checked before it is decoded.
        max_megabytes: Of a body.
        body_seconds: For a body to arrive.
        work_seconds: For an answer to be made.
        num_threads: Images that are worked on at once.
        max_waiting: Requests that wait for these.
    """

    max_megapixels: float = 200
    max_megabytes: float = 128
    body_seconds: float = 30
    work_seconds: float = 120
    num_threads: int = 2
    max_waiting: int = 64


class _Login(BaseModel):
    name: str = Field("", max_length=64)
    password: str = Field("", max_length=200)
    token: str = Field("", max_length=64)


def create_app(
    predictor: Predictor | None,
    project: Project | None,
    sessions: Sessions,
    *,
    hosts: list[str],
    port: int,
    limits: Limits = Limits(),
) -> FastAPI:
    """Make the application of one server.

    Args:
        predictor: The model; None serves a project without one.
        project: The project, already scanned; None serves the first view only.
        sessions: Who may enter.
        hosts: The values of the Host header that are answered.
        port: Where it will listen.
        limits: What is taken at most.
    """
    workers = Workers(
        limits.num_threads, max_waiting=limits.max_waiting, seconds=limits.work_seconds
    )
    indexer = Indexer(project, predictor, workers) if project and predictor else None

    models = None if predictor is None else Models(predictor)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        if indexer is not None:
            indexer.start()
        yield
        if indexer is not None:
            await anyio.to_thread.run_sync(indexer.stop)
        await anyio.to_thread.run_sync(workers.close)

    app = FastAPI(
        title="dermseg",
        version=__version__,
        summary="Outlines of skin lesions. Not a medical device, and no diagnosis.",
        lifespan=lifespan,
        # These pages would fetch scripts from another host.
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
    )
    app.include_router(create_static())
    app.include_router(create_api(models, workers, sessions, project))
    if project is not None:
        app.include_router(create_review(project, workers, limits.max_megapixels))
    _add_login(app, sessions, port)
    _add_errors(app)
    app.add_middleware(
        Guard,
        sessions=sessions,
        hosts=hosts,
        port=port,
        max_bytes=int(limits.max_megabytes * 1e6),
        body_seconds=limits.body_seconds,
    )
    return app


def _add_login(app: FastAPI, sessions: Sessions, port: int) -> None:
    @app.get("/v1/login", include_in_schema=False)
    def ways() -> dict[str, bool]:
        """Whether there are passwords."""
        return {"password": sessions.asks_password}

    @app.post("/v1/login", status_code=204, include_in_schema=False)
    def log_in(login: _Login) -> Response:
        """Exchange the one-time token, or a name and password, for a cookie."""
        if login.token:
            cookie = sessions.exchange(login.token)
        elif sessions.is_guessing:
            raise HTTPException(429, "too many wrong passwords: wait a minute")
        else:
            cookie = sessions.log_in(login.name, login.password)
        if cookie is None:
            reason = "the address was used already" if login.token else "name or password is wrong"
            raise HTTPException(401, reason)
        response = Response(status_code=204)
        response.set_cookie(
            cookie_name(port), cookie, max_age=SESSION_SECONDS, httponly=True, samesite="strict"
        )
        return response

    @app.post("/v1/logout", status_code=204, include_in_schema=False)
    def log_out() -> Response:
        response = Response(status_code=204)
        response.delete_cookie(cookie_name(port), httponly=True, samesite="strict")
        return response


def _add_errors(app: FastAPI) -> None:
    def answer(request: Request, status: int, reason: str) -> JSONResponse:
        body = {"error": reason, "request_id": request.state.request_id}
        headers = {"retry-after": "2"} if status == 503 else None
        return JSONResponse(body, status, headers)

    @app.exception_handler(StarletteHTTPException)
    def http_error(request: Request, error: StarletteHTTPException) -> JSONResponse:
        return answer(request, error.status_code, str(error.detail))

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return answer(request, 422, f"{where}: {first['msg']}")

    @app.exception_handler(BusyError)
    def busy(request: Request, error: BusyError) -> JSONResponse:
        return answer(request, 503, str(error))

    @app.exception_handler(DermsegError)
    def refused(request: Request, error: DermsegError) -> JSONResponse:
        statuses: dict[type[DermsegError], int] = {
            TooLargeError: 413,
            UnknownImageError: 404,
            LeasedError: 409,
            OutputError: 507,
        }
        status = next((code for kind, code in statuses.items() if isinstance(error, kind)), 422)
        reason = getattr(error, "reason", None)
        return answer(request, status, str(reason or error))
