"""The page's own files, by exact name: no path of a request is ever joined to a folder."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import resources
from typing import Final

from fastapi import APIRouter, HTTPException, Request, Response

__all__ = ["create_static", "read_page"]

_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True)
class _File:
    content: bytes
    media_type: str
    etag: str


def read_page() -> dict[str, _File]:
    """All files of the page by name."""
    files = {}
    for entry in resources.files("dermseg.server").joinpath("page").iterdir():
        suffix = entry.name[entry.name.rfind(".") :]
        if suffix in _TYPES:
            content = entry.read_bytes()
            etag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
            files[entry.name] = _File(content, _TYPES[suffix], etag)
    return files


def create_static() -> APIRouter:
    """Routes of the page: ``/`` for who is logged in or not, and ``/page/NAME``."""
    router, files = APIRouter(include_in_schema=False), read_page()

    def answer(request: Request, name: str, status: int = 200) -> Response:
        file = files[name]
        headers = {"etag": file.etag, "cache-control": "no-cache"}
        if request.headers.get("if-none-match") == file.etag and status == 200:
            return Response(status_code=304, headers=headers)
        return Response(file.content, status, headers, file.media_type)

    @router.get("/page/{name:path}")
    def page_file(request: Request, name: str) -> Response:
        if name not in files:
            raise HTTPException(404, "there is no such file")
        return answer(request, name)

    @router.get("/")
    def start(request: Request) -> Response:
        is_known = request.state.reviewer is not None
        return answer(request, "index.html") if is_known else answer(request, "login.html", 401)

    return router
